"""Reference ranges beside laboratory results: the range in force on the day of the sample, and how the value lies.

The rule that must stay true: the judgement is capture's own, the one that the site's page showed; nothing is judged
here again. Source: CDISC SDTMIG 3.4, LB (LBORNRLO, LBORNRHI, LBSTNRLO, LBSTNRHI, LBNRIND).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from equipoise.capture.binding import bind
from equipoise.capture.laboratory import inputs_asked, judged, person_of
from equipoise.protocol.forms import Form
from equipoise.protocol.study import Study
from equipoise.standards.dataset import Column
from equipoise.standards.sdtm_casebook import Casebook, Instance
from equipoise.standards.sdtm_rows import Row
from equipoise.words.dates import PartialDate

_INDICATORS: Mapping[str, str] = {"L": "LOW", "N": "NORMAL", "H": "HIGH"}
"""Source: CDISC controlled terminology, NRIND."""
_NEVER = PartialDate.of(dt.date(1, 1, 1))
"""The clock is not among what ranges ask for; whatever day is named gives the same answer."""


def ranged(form: Form, domain: str) -> bool:
    """Whether a form is a laboratory's panel with tests in that domain."""
    return any(item.sdtm is not None and item.sdtm.domain == domain for item in form.tests())


def range_columns(study: Study, domain: str) -> tuple[Column, ...]:
    """The columns of ranges of a findings domain; none where no panel of the study has tests in it."""
    if not any(ranged(form, domain) for form in study.forms):
        return ()
    return (
        Column(f"{domain}ORNRLO", "Reference Range Lower Limit in Orig Unit"),
        Column(f"{domain}ORNRHI", "Reference Range Upper Limit in Orig Unit"),
        Column(f"{domain}STNRLO", "Reference Range Lower Limit-Std Units"),
        Column(f"{domain}STNRHI", "Reference Range Upper Limit-Std Units"),
        Column(f"{domain}NRIND", "Reference Range Indicator"),
    )


def range_rows(book: Casebook, instance: Instance, domain: str) -> Mapping[str, Row]:
    """The ranges of the results of one panel, by item."""
    if not ranged(instance.form, domain):
        return {}
    values = {name: held.datum for name, held in instance.values.items()}
    inputs = bind(book.study, book.capture, _NEVER, inputs_asked(book.study))
    found = judged(book.study, instance.form, values, book.ranges, person_of(book.study, inputs))
    rows: dict[str, Row] = {}
    for name, one in found.items():
        row: Row = {
            f"{domain}STNRLO": one.low,
            f"{domain}STNRHI": one.high,
            f"{domain}NRIND": _INDICATORS[one.indicator],
        }
        if not values[name].entered:  # in the item's own unit, so that both are the same
            row |= {f"{domain}ORNRLO": one.low, f"{domain}ORNRHI": one.high}
        rows[name] = row
    return rows
