"""The analysis plan: every name that it uses is there.

The rules that must stay true: a set, an estimand, a parameter, an analysis visit, a form, a codelist and an arm that
the plan names stand in the study or in the plan, and so does a class of a test; a covariate, a subgroup and a stratum
is a variable of ADSL. Otherwise an output would be empty, and nobody would know why.
"""

from __future__ import annotations

from equipoise.protocol.analysis import AnalysisParameter, AnalysisPlan, Output
from equipoise.protocol.checks.finding import Finding, Findings, fault
from equipoise.protocol.notation import Steps
from equipoise.protocol.study import Study

OF_SUBJECTS = frozenset(
    {"AGE", "SEX", "RACE", "SITEID", "STRATAR", "STRATAC", "TRT01P", "TRT01A", "RANDNO", "RANDDT", "REFDT", "TRTSDT",
     "TRTEDT", "RFICDT", "DTHDT", "EOSDT", "DOSEN", "DOSECN", "EOSSTT", "DCSREAS", "DTHFL", "DEVIMPN", "SCRFREAS"}
)  # fmt: skip
"""Variables of ADSL that every study has."""


def plan_names_what_is_there(study: Study) -> Findings:
    """All rules of this module."""
    plan = study.analysis
    arms = {one.id for one in study.arms}
    if plan.control is not None and plan.control not in arms:
        yield _missing(("analysis", "control"), plan.control)
    for n, parameter in enumerate(plan.parameters):
        at: Steps = ("analysis", "parameters", n)
        if not any(one.id == parameter.windows for one in plan.windows):
            yield _missing((*at, "windows"), parameter.windows)
        yield from (_missing((*at, "forms"), form) for form in parameter.forms if study.form(form) is None)
        if parameter.levels:
            codes = _codes(study, parameter)
            yield from (_missing((*at, "levels"), level) for level in parameter.levels if level not in codes)
    visits = {one.id for one in study.schedule.visits}
    for n, windows in enumerate(plan.windows):
        for m, window in enumerate(windows.windows):
            if window.visit not in visits:
                yield _missing(("analysis", "windows", n, "windows", m, "visit"), window.visit)
    sets = {one.id for one in study.analysis_sets}
    for n, rule in enumerate(plan.sets):
        if rule.set not in sets:
            yield _missing(("analysis", "sets", n, "set"), rule.set)
    known = subject_variables(plan)
    for n, band in enumerate(plan.bands):
        if band.of not in known:
            yield _missing(("analysis", "bands", n, "of"), band.of)
    for n, output in enumerate(plan.outputs):
        yield from _of_output(study, output, ("analysis", "outputs", n))


def _codes(study: Study, parameter: AnalysisParameter) -> frozenset[str]:
    """The codes with which the parameter's tests can be answered."""
    lists = {
        item.codelist
        for form in study.forms
        for item in form.items
        if item.sdtm is not None
        and item.sdtm.domain == parameter.domain
        and item.sdtm.testcd in parameter.tests
    }
    return frozenset(term.code for one in study.codelists if one.id in lists for term in one.terms)


def subject_variables(plan: AnalysisPlan) -> frozenset[str]:
    """The variables of ADSL that the plan makes, and those that every study has."""
    named = {one.name for one in plan.subject_variables} | {one.name for one in plan.days}
    named |= {one.name for one in plan.presences} | {one.name for one in plan.bands}
    flags = {rule.flag for rule in plan.sets} | {rule.flag.removesuffix("FL") + "RS" for rule in plan.sets}
    return frozenset(
        named | flags | set(plan.strata) | OF_SUBJECTS | {f"{code[:6]}BL" for code in plan.baselines}
    )


def _of_output(study: Study, output: Output, at: Steps) -> Findings:
    plan = study.analysis
    if plan.rule(output.set) is None:
        yield _missing((*at, "set"), output.set)
    if output.estimand is not None and not any(one.id == output.estimand for one in study.estimands):
        yield _missing((*at, "estimand"), output.estimand)
    known = {one.id for one in plan.parameters} | {one.id for one in plan.times}
    asked = {one.parameter for one in output.thresholds}
    yield from (
        _missing((*at, "parameters"), one) for one in (*output.parameters, *sorted(asked)) if one not in known
    )
    visits = {"BASELINE", *(one.id for windows in plan.windows for one in windows.windows)}
    wanted = (*output.visits, *((output.target,) if output.target else ()))
    wanted += tuple(visit for one in output.thresholds for visit in one.visits)
    yield from (_missing((*at, "visits"), one) for one in wanted if one not in visits)
    yield from _variables(plan, output, at)
    for n, variant in enumerate(output.variants):
        if variant.set is not None and plan.rule(variant.set) is None:
            yield _missing((*at, "variants", n, "set"), variant.set)
    yield from _asked(study, output, at)


def _variables(plan: AnalysisPlan, output: Output, at: Steps) -> Findings:
    """Covariates and subgroups are of the participant; what events are grouped by is of the event."""
    known = subject_variables(plan)
    groups = output.by if output.kind in ("subgroups", "forest", "visits") else ()
    yield from (_missing((*at, "covariates"), one) for one in output.covariates if one not in known)
    yield from (_missing((*at, "by"), one) for one in groups if one not in known)


def _asked(study: Study, output: Output, at: Steps) -> Findings:
    arms, visits = {one.id for one in study.arms}, {one.id for one in study.schedule.visits}
    for n, one in enumerate(output.asked):
        here: Steps = (*at, "asked", n)
        if study.codelist(one.codelist) is None:
            yield _missing((*here, "codelist"), one.codelist)
        yield from (_missing((*here, "arms"), arm) for arm in one.arms.values() if arm not in arms)
        yield from (_missing((*here, "visits"), visit) for visit in one.visits if visit not in visits)


def _missing(at: Steps, name: str) -> Finding:
    return fault("protocol.study-plan-name", at, name=name)
