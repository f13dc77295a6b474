"""Units of measurement: what a site writes, kept beside what is stored.

Codes are UCUM. A conversion is exact decimal arithmetic: value * factor + offset. Substance concentrations
need the molar mass and are therefore conversions of one analyte, not of a unit alone.
Source of factors: UCUM (https://ucum.org); molar masses from IUPAC 2021 atomic weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Conversion:
    """value_in_target = value * factor + offset."""

    factor: Decimal
    offset: Decimal = Decimal(0)


_TEN = Decimal(10)
CONVERSIONS: Mapping[tuple[str, str], Conversion] = {
    ("g", "kg"): Conversion(Decimal("0.001")),
    ("mg", "g"): Conversion(Decimal("0.001")),
    ("[lb_av]", "kg"): Conversion(Decimal("0.45359237")),
    ("[in_i]", "cm"): Conversion(Decimal("2.54")),
    ("m", "cm"): Conversion(Decimal(100)),
    ("mm", "cm"): Conversion(Decimal("0.1")),
    ("[degF]", "Cel"): Conversion(Decimal(5) / Decimal(9), Decimal(-160) / Decimal(9)),
    ("kPa", "mm[Hg]"): Conversion(Decimal("7.50062")),
    ("L", "mL"): Conversion(Decimal(1000)),
    ("g/L", "g/dL"): Conversion(Decimal("0.1")),
    ("mg/L", "ug/mL"): Conversion(Decimal(1)),
    ("pg/mL", "ng/L"): Conversion(Decimal(1)),
    ("ng/mL", "ug/L"): Conversion(Decimal(1)),
    ("10*9/L", "10*3/uL"): Conversion(Decimal(1)),
}


def convert(value: Decimal, unit: str, target: str, *, digits: int = 6) -> Decimal | None:
    """`value` in `unit` expressed in `target`, to at most `digits` decimal places; None where no rule is known."""
    if unit == target:
        return value
    forward, backward = CONVERSIONS.get((unit, target)), CONVERSIONS.get((target, unit))
    if forward is not None:
        found = value * forward.factor + forward.offset
    elif backward is not None:
        found = (value - backward.offset) / backward.factor
    else:
        return None
    return found.quantize(_TEN**-digits).normalize() + 0
