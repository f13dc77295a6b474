"""Rules by which a protocol deviation raises itself: part of the definition, each with its own limit.

The rule that must stay true: which deviations a study watches for, from which limit on, and how serious each is held to
be at first, are data; what each kind means is the program's, one kind for one question. Source: ICH E3 10.2 and its
Q&A (2012) on important deviations; ICH E6(R3) 3.9.1; CDISC SDTM domain DV.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from equipoise.protocol.elements import Element, Name, Words

DeviationKind = Literal[
    "VISIT_OUT_OF_WINDOW",
    "VISIT_MISSED",
    "CONSENT_ABSENT",
    "CONSENT_OUTDATED",
    "WRONG_STRATUM",
    "DOSE_OMITTED",
    "DOSE_INCOMPLETE",
    "DOSE_WRONG_BAG",
    "DOSE_OVER_GATE",
    "SPECIMEN_HANDLING",
    "LATE_ENTRY",
]
"""VISIT_OUT_OF_WINDOW: held more than `days` outside its window. VISIT_MISSED: recorded as missed, or never recorded
although its window had passed when participation ended. CONSENT_ABSENT: a visit on a day on which nobody had consented,
or a form that was first saved on such a day. CONSENT_OUTDATED: consent was to an older version than one that had been
approved at the site, and was to be signed anew, for more than `days`. DOSE_OVER_GATE: given by decision although a
condition did not hold. SPECIMEN_HANDLING: a tube that was drawn, spun or frozen otherwise than its kit asks, or an
aliquot thawed too often. LATE_ENTRY: a form first saved more than `days` after its visit.
"""
Severity = Literal["MINOR", "MAJOR", "CRITICAL"]


class DeviationRule(Element):
    """One rule. Of the rules of one kind, the first whose `visits` has the visit counts (empty: every visit).

    `except_forms`: of CONSENT_ABSENT, forms that may be filled in before consent. `days`: how many are tolerated.
    `suggests`: what a person who classes it is shown first; `important`: whether it is held to be important (ICH E3),
    because it may affect the primary endpoint, safety or rights.
    """

    id: Name
    label: Words
    kind: DeviationKind
    visits: tuple[Name, ...] = ()
    except_forms: tuple[Name, ...] = ()
    days: int = Field(default=0, ge=0)
    suggests: Severity = "MINOR"
    important: bool = False
