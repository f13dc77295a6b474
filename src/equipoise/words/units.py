"""Units of measurement: what a site writes, kept beside what is stored.

Codes are UCUM. Two units of one dimension convert exactly: each is a fraction of the base of its dimension, and the one
rounding is at the end, to a number of decimal places, halves to even. Mass and substance concentration meet only
through the molar mass of one analyte.
Source of factors: UCUM 2.1 (https://ucum.org), whose m[Hg] is 133.3220 kPa; the pound and inch of 1959. Molar masses:
IUPAC 2021 atomic weights; haemoglobin as its monomer; urea nitrogen as N2; triglycerides as triolein.
"""

from __future__ import annotations

import decimal
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

Dimension = Literal[
    "mass", "length", "temperature", "pressure", "volume", "mass concentration", "substance concentration",
    "number concentration", "catalytic concentration", "frequency", "time", "ratio",
]  # fmt: skip
DIGITS = 34
"""Digits of every result (IEEE 754 decimal128)."""


@dataclass(frozen=True, slots=True)
class Unit:
    """value in the base of the dimension = value * factor + offset."""

    dimension: Dimension
    factor: Fraction
    offset: Fraction = Fraction(0)


def _of(dimension: Dimension, **factors: str) -> Mapping[str, Unit]:
    return {code: Unit(dimension, Fraction(factor)) for code, factor in factors.items()}


UNITS: Mapping[str, Unit] = {
    **_of("mass", kg="1", g="1/1000", mg="1/1000000", ug="1/1000000000", **{"[lb_av]": "0.45359237"}),
    **_of("length", cm="1", m="100", mm="1/10", **{"[in_i]": "2.54", "[ft_i]": "30.48"}),
    "Cel": Unit("temperature", Fraction(1)),
    "[degF]": Unit("temperature", Fraction(5, 9), Fraction(-160, 9)),
    "K": Unit("temperature", Fraction(1), Fraction("-273.15")),
    **_of("pressure", kPa="1", **{"mm[Hg]": "0.133322"}),
    **_of("volume", mL="1", L="1000", dL="100", uL="1/1000"),
    **_of("mass concentration", **{
        "g/L": "1", "g/dL": "10", "mg/dL": "1/100", "mg/mL": "1", "mg/L": "1/1000", "ug/mL": "1/1000",
        "ug/L": "1/1000000",
        "ng/mL": "1/1000000", "pg/mL": "1/1000000000", "ng/L": "1/1000000000",
    }),
    **_of("substance concentration", **{
        "mol/L": "1000", "mmol/L": "1", "umol/L": "1/1000", "nmol/L": "1/1000000", "pmol/L": "1/1000000000",
    }),
    **_of("number concentration", **{
        "10*9/L": "1", "10*3/uL": "1", "10*6/L": "1/1000", "/uL": "1/1000", "{cells}/uL": "1/1000",
        "10*12/L": "1000", "10*6/uL": "1000",
    }),
    **_of("catalytic concentration", **{"U/L": "1", "U/mL": "1000", "ukat/L": "60"}),
    **_of("frequency", **{"/min": "1", "/s": "60"}),
    **_of("time", ms="1/60000", s="1/60", min="1", h="60", d="1440", wk="10080"),
    **_of("ratio", **{"%": "1", "L/L": "100"}),
}  # fmt: skip
"""UCUM code -> unit."""

MOLAR_MASS: Mapping[str, Fraction] = {
    name: Fraction(mass)
    for name, mass in {
        "bilirubin": "584.67",
        "calcium": "40.078",
        "cholesterol": "386.66",
        "creatinine": "113.12",
        "glucose": "180.156",
        "haemoglobin": "16114.5",
        "triglycerides": "885.45",
        "urate": "168.11",
        "urea": "60.056",
        "urea-nitrogen": "28.014",
    }.items()
}
"""Analyte -> grams in one mole."""


def linear(unit: str, target: str, analyte: str | None = None) -> tuple[Fraction, Fraction] | None:
    """(factor, offset): value in target = value in unit * factor + offset; None where no rule is known."""
    if unit == target:
        return Fraction(1), Fraction(0)
    source, aim = UNITS.get(unit), UNITS.get(target)
    if source is None or aim is None:
        return None
    share = Fraction(1)
    if source.dimension != aim.dimension:
        mass = MOLAR_MASS.get(analyte or "")
        if mass is None or {source.dimension, aim.dimension} != _THROUGH_MASS:
            return None
        share = 1000 / mass if source.dimension == "mass concentration" else mass / 1000
    return source.factor * share / aim.factor, (source.offset * share - aim.offset) / aim.factor


_THROUGH_MASS = {"mass concentration", "substance concentration"}


def convert(
    value: Decimal, unit: str, target: str, *, digits: int = 6, analyte: str | None = None
) -> Decimal | None:
    """`value` in `unit` expressed in `target`, to at most `digits` decimal places; None where no rule is known.

    analyte: through whose molar mass grams and moles meet. Raises decimal.InvalidOperation beyond 34 digits.
    """
    if unit == target:
        return value
    line = linear(unit, target, analyte)
    if line is None:
        return None
    found = round((Fraction(value) * line[0] + line[1]) * 10**digits)
    if abs(found) >= 10**DIGITS:
        raise decimal.InvalidOperation(f"{value} {unit} has too many digits in {target}")
    whole, rest = divmod(abs(found), 10**digits)
    text = f"{'-' if found < 0 else ''}{whole}.{rest:0{digits}d}".rstrip("0").rstrip(".")
    return Decimal(text)
