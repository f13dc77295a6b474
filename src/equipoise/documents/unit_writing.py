"""Units as people write them: stored in UCUM, shown as in a hospital.

The rule that must stay true: only the writing changes, never the unit; a code that is not listed is shown as it is.
Source of codes: UCUM (https://ucum.org).
"""

from __future__ import annotations

from collections.abc import Mapping

from equipoise.words.text import Language, Text

SHOWN: Mapping[str, Text] = {
    "a": Text("years", "年"),
    "mo": Text("months", "月"),
    "wk": Text("weeks", "周"),
    "d": Text("days", "天"),
    "h": Text("hours", "小时"),
    "min": Text("minutes", "分钟"),
    "s": Text("seconds", "秒"),
    "ms": Text("ms", "ms"),
    "/min": Text("per minute", "次/分"),
    "Cel": Text("°C", "℃"),
    "mm[Hg]": Text("mmHg", "mmHg"),
    "10*9/L": Text("10⁹/L", "10⁹/L"),
    "10*12/L": Text("10¹²/L", "10¹²/L"),
    "10*6": Text("10⁶", "10⁶"),
    "10*6/kg": Text("10⁶/kg", "10⁶/kg"),
    "umol/L": Text("µmol/L", "μmol/L"),
    "ug/L": Text("µg/L", "μg/L"),
    "ug/mL": Text("µg/mL", "μg/mL"),
    "uL": Text("µL", "μL"),
    "kg/m2": Text("kg/m²", "kg/m²"),
    "[iU]/L": Text("IU/L", "IU/L"),
    "[iU]/mL": Text("IU/mL", "IU/mL"),
    "{cells}": Text("cells", "个"),
    "{cells}/kg": Text("cells/kg", "个/kg"),
    "{cells}/uL": Text("cells/µL", "个/μL"),
    "mL/min/{1.73_m2}": Text("mL/min/1.73 m²", "mL/min/1.73 m²"),
}
"""UCUM code -> writing in English and Chinese."""


def shown_unit(code: str | None, language: Language) -> str:
    """How a unit is written on a page; nothing for None."""
    if code is None:
        return ""
    writing = SHOWN.get(code)
    return writing.say(language) if writing else code
