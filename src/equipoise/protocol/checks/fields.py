"""Items, codelists, visits, arms: values that have to make sense beside each other."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Iterator

from equipoise.protocol.checks.finding import Finding, Findings, fault, remark
from equipoise.protocol.forms import Form, Item, SdtmTarget
from equipoise.protocol.notation import Steps
from equipoise.protocol.study import Study, Visit
from equipoise.words.codelists import MISSING
from equipoise.words.dates import parse_date
from equipoise.words.units import MOLAR_MASS, linear

_TESTCD = re.compile(r"[A-Z_][A-Z0-9_]{0,7}")
_DOMAIN = re.compile(r"[A-Z][A-Z0-9]")
_TEST_LENGTH = 40
_MAX_DIGITS = 10


def fields_make_sense(study: Study) -> Findings:
    """All rules of this module."""
    for n, form in enumerate(study.forms):
        for k, item in enumerate(form.items):
            yield from _item(("forms", n, "items", k), item)
        yield from _log(("forms", n, "log"), form)
        asked = form.item(form.grid) if form.grid is not None else None
        if asked is not None and (asked.type != "code" or not form.repeats or asked.blinding != "open"):
            yield fault("protocol.study-grid", ("forms", n, "grid"), item=asked.id)
    for n, codelist in enumerate(study.codelists):
        if not codelist.terms:
            yield fault("protocol.study-codelist-empty", ("codelists", n))
    for n, visit in enumerate(study.schedule.visits):
        yield from _visit(("schedule", "visits", n), visit)
    yield from _allocation(study)
    yield from _dates(study)
    yield from _zones(study)


def _item(path: Steps, item: Item) -> Findings:
    if item.type == "code" and item.codelist is None:
        yield fault("protocol.study-item-codelist", path)
    if item.type != "code" and item.codelist is not None:
        yield fault("protocol.study-item-no-codelist", (*path, "codelist"), type=item.type)
    numeric = item.type in {"integer", "decimal"}
    if not numeric:
        for name in ("unit", "minimum", "maximum", "expected"):
            if getattr(item, name) is not None:
                yield fault("protocol.study-item-not-number", (*path, name), field=name, type=item.type)
    for n, code in enumerate(item.units):
        if item.unit is None or code == item.unit or linear(code, item.unit, item.analyte) is None:
            yield fault(
                "entry.study-unit-not-convertible", (*path, "units", n), unit=code, target=item.unit or "–"
            )
    if item.analyte is not None and item.analyte not in MOLAR_MASS:
        known = ", ".join(MOLAR_MASS)
        yield fault("entry.study-analyte-unknown", (*path, "analyte"), analyte=item.analyte, known=known)
    if (item.digits and item.type != "decimal") or not 0 <= item.digits <= _MAX_DIGITS:
        yield fault("protocol.study-item-digits", (*path, "digits"), digits=item.digits, most=_MAX_DIGITS)
    if item.complete and item.type != "date":
        yield fault("protocol.study-item-complete", (*path, "complete"), type=item.type)
    for n, code in enumerate(item.missing):
        if code not in MISSING:
            yield fault(
                "protocol.study-item-missing", (*path, "missing", n), code=code, known=", ".join(MISSING)
            )
    yield from _limits(path, item)
    if item.sdtm is not None:
        yield from _sdtm((*path, "sdtm"), item.sdtm)


def _log(path: Steps, form: Form) -> Findings:
    """A log is a list of rows: it shows something of each, and nothing that is kept behind the second door."""
    if form.log is None:
        return
    if form.repeats or form.instrument is not None:
        yield fault("protocol.study-log-kind", path)
    if not form.log.columns:
        yield fault("protocol.study-log-columns", path)
    for name in ("columns", "sort"):
        for n, item in enumerate(getattr(form.log, name)):
            asked = form.item(item)
            if asked is not None and asked.blinding == "revealing":
                yield fault("protocol.study-log-revealing", (*path, name, n), item=item)


def _limits(path: Steps, item: Item) -> Findings:
    low, high = item.minimum, item.maximum
    if low is not None and high is not None and low > high:
        yield fault("protocol.study-item-limits", (*path, "minimum"), low=low, high=high)
    if item.expected is None:
        return
    usual_low, usual_high = item.expected
    if usual_low > usual_high:
        yield fault("protocol.study-item-limits", (*path, "expected"), low=usual_low, high=usual_high)
    elif (low is not None and usual_low < low) or (high is not None and usual_high > high):
        yield fault("protocol.study-item-expected", (*path, "expected"), low=usual_low, high=usual_high)


def _sdtm(path: Steps, target: SdtmTarget) -> Findings:
    """Source of the limits: SDTM v1.x, --TESTCD and variable names 8 characters, --TEST 40."""
    if not _DOMAIN.fullmatch(target.domain):
        yield fault("protocol.study-sdtm-domain", (*path, "domain"), found=target.domain)
    for name, value in (("variable", target.variable), ("testcd", target.testcd)):
        if value is not None and not _TESTCD.fullmatch(value):
            yield fault("protocol.study-sdtm-name", (*path, name), field=name, found=value)
    if target.test is not None and not 1 <= len(target.test) <= _TEST_LENGTH:
        yield fault("protocol.study-sdtm-test", (*path, "test"), length=len(target.test), limit=_TEST_LENGTH)
    if (target.variable is None) == (target.testcd is None):
        yield fault("protocol.study-sdtm-one", path)
    elif target.testcd is not None and target.test is None:
        yield fault("protocol.study-sdtm-pair", path, testcd=target.testcd)


def _visit(path: Steps, visit: Visit) -> Findings:
    if visit.day == 0:
        yield fault("protocol.study-day-zero", (*path, "day"))
    if visit.window is None:
        return
    first, last = visit.window
    if 0 in visit.window:
        yield fault("protocol.study-day-zero", (*path, "window"))
    if first > last:
        yield fault("protocol.study-window-order", (*path, "window"), first=first, last=last)
    elif visit.day is None:
        yield fault("protocol.study-window-no-day", (*path, "window"))
    elif not first <= visit.day <= last:
        yield fault("protocol.study-window-day", (*path, "window"), first=first, last=last, day=visit.day)


def _allocation(study: Study) -> Findings:
    design = study.design
    if design.cap is not None and design.target is not None and design.cap < design.target:
        yield fault("protocol.study-cap", ("design", "cap"), cap=design.cap, target=design.target)
    if study.randomization is None:
        return
    path: Steps = ("randomization", "ratio")
    arms = [arm.id for arm in study.arms]
    ratio = study.randomization.ratio
    for arm in arms:
        if arm not in ratio:
            yield fault("protocol.study-ratio-lacks", path, arm=arm)
    for arm, weight in ratio.items():
        if arm not in arms:
            yield fault("protocol.study-ratio-unknown", (*path, arm), arm=arm)
        if weight < 1:
            yield fault("protocol.study-ratio-weight", (*path, arm), arm=arm, weight=weight)


def _dates(study: Study) -> Findings:
    written: list[tuple[Steps, str]] = [(("dated",), study.dated)]
    written += [
        (("consent", "versions", n, "dated"), each.dated) for n, each in enumerate(study.consent.versions)
    ]
    for path, date in written:
        if parse_date(date) is None:
            yield fault("protocol.value-not-date", path, found=date)


def _zones(study: Study) -> Iterator[Finding]:
    known = zoneinfo.available_timezones()
    for n, site in enumerate(study.sites):
        if known and site.zone not in known:
            yield fault("protocol.study-zone", ("sites", n, "zone"), zone=site.zone)


def what_is_still_open(study: Study) -> Findings:
    """What a skeleton does not have yet, and what nothing uses."""
    for n, criterion in enumerate(study.criteria):
        if criterion.enabled and criterion.rule is None:
            yield remark("protocol.study-awaits", ("criteria", n), criterion=criterion.id)
    for section in ("arms", "criteria", "forms", "endpoints"):
        if not getattr(study, section):
            yield remark("protocol.study-section-empty", (section,), section=section)
    if not study.schedule.visits:
        yield remark("protocol.study-section-empty", ("schedule", "visits"), section="schedule.visits")
    if study.randomization is None and len(study.arms) > 1:
        yield remark("protocol.study-no-randomization", ("randomization",), arms=len(study.arms))
    yield from _unused(study)


def _unused(study: Study) -> Findings:
    scheduled = {form for activity in study.schedule.activities for form in activity.forms}
    for n, form in enumerate(study.forms):
        if form.id not in scheduled:
            yield remark("protocol.study-form-unscheduled", ("forms", n), form=form.id)
        if not form.items and form.instrument is None:
            yield remark("protocol.study-form-empty", ("forms", n), form=form.id)
    for n, each in enumerate(study.inputs):
        if not any((each.origin.form, each.origin.consent, each.origin.clock, each.origin.dose)):
            yield remark("protocol.study-input-origin", ("inputs", n), name=each.name)
