"""Figures: one Vega-Lite description each, as SVG without a browser. The one place that knows vl-convert.

The rules that must stay true: the same values give the same bytes; nothing is fetched; no information by colour alone
(lines differ in their dashes too); a page always gives the numbers as a table as well.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from equipoise.documents.typeset import CHINESE

_VERSION = "6.4"
_INK, _GREY, _RULE = "#1f2933", "#52606d", "#d9e2ec"
_FONTS = ", ".join(("DejaVu Sans", "Liberation Sans", *CHINESE, "sans-serif"))
_HOUSE: Mapping[str, Any] = {
    "font": _FONTS,
    "background": "#ffffff",
    "view": {"stroke": None},
    "axis": {
        "labelColor": _GREY,
        "titleColor": _GREY,
        "gridColor": _RULE,
        "domainColor": _GREY,
        "tickColor": _GREY,
        "labelFontSize": 11,
        "titleFontSize": 11,
        "titleFontWeight": "normal",
    },
    "legend": {"labelColor": _INK, "labelFontSize": 11, "title": None, "orient": "top", "symbolSize": 200},
    "title": {"color": _INK, "anchor": "start", "fontSize": 13},
}


def svg(description: Mapping[str, Any]) -> bytes:  # Any: the notation, which is JSON
    """The figure of a Vega-Lite description, in the house's look."""
    return _drawn(json.dumps({"config": _HOUSE, **description}, sort_keys=True, ensure_ascii=False))


@lru_cache(maxsize=64)
def _drawn(description: str) -> bytes:
    import vl_convert  # asked late: it starts an engine, and most processes draw nothing

    return vl_convert.vegalite_to_svg(description, vl_version=_VERSION).encode()
