"""What a decision on a dose must know beyond its subject's own stream: the gate now, the bag's course, who checks too.

The rule that must stay true: everything here is read from the ledger and its read tables at one moment, by command and
page alike, so that what a page shows is what a decision would be made on.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from equipoise.access.decide import checks_bags
from equipoise.access.evolve import START as NOBODY
from equipoise.access.evolve import evolve as evolve_grants
from equipoise.capture import binding as capture_binding
from equipoise.consent import binding as consent_binding
from equipoise.desk.followers import BAGS, DOSES, SUBJECTS
from equipoise.desk.standing import Standing
from equipoise.ledger.facts import Facts
from equipoise.ledger.reader import Reader
from equipoise.protocol.expressions import Value
from equipoise.supply.evolve import Request
from equipoise.supply.gate import TIMES, At, Gate, Spacing, add_gate, dose_of, for_dose, judge, names_used
from equipoise.supply.times import moment
from equipoise.words.changed import changed
from equipoise.words.dates import PartialDate


def dosing_facts(reader: Reader, now: Standing, command: object) -> Facts:
    """The facts of a command of supply: a request's gate, its bag, and the second person of a check."""
    subject = str(getattr(command, "subject", ""))
    request = now.case.supply.requests.get(str(getattr(command, "request", "")))
    dose = request.infusion if request is not None else str(getattr(command, "infusion", ""))
    planned = request.at if request is not None else str(getattr(command, "at", ""))
    facts = add_gate(now.facts, gates(reader, now, subject, dose, planned))
    bag = str(getattr(command, "scanned_bag", "") or getattr(command, "bag", ""))
    facts = bag_facts(reader, facts, subject, request, bag)
    second = getattr(command, "second", None)
    if second:
        facts = changed(facts, second_may_check=_checks(reader, str(second), facts.subject_site))
    return facts


def gates(reader: Reader, now: Standing, subject: str, dose_id: str, planned: str) -> Mapping[At, Gate]:
    """The gate of a dose as it is now, before release and at the bedside; nothing for a dose that is not planned."""
    study = now.trial.study
    dose = dose_of(study, dose_id)
    if dose is None:
        return {}
    inputs = gate_inputs(now, dose_id)
    others, infused = first_infusions(reader, subject), now.case.supply.infused
    release = max(moment(planned) or now.now, now.now)
    moments = {"RELEASE": release, "BEDSIDE": now.now}
    return {
        at: judge(study, dose_id, at, inputs, Spacing(others, infused, moments[at], now.site.zone))
        for at in TIMES
    }


def gate_inputs(now: Standing, dose_id: str) -> Mapping[str, Value]:
    """The inputs of the gate, those of the dose's own visit read there."""
    dose = dose_of(now.trial.study, dose_id)
    if dose is None:
        return {}
    study = for_dose(now.trial.study, dose)
    used = names_used(study)
    captured = capture_binding.bind(study, now.case.capture, PartialDate.of(now.today), used)
    return {**captured, **consent_binding.bind(study, now.case.consent)}


def first_infusions(reader: Reader, subject: str) -> tuple[dt.datetime, ...]:
    """When other participants' first infusions began, earliest first."""
    first: dict[str, str] = {}
    for row in reader.rows.find(DOSES):
        who, began = str(row["subject"]), row["started_at"]
        if began is not None and who != subject:
            first[who] = min(first.get(who, str(began)), str(began))
    return tuple(sorted(found for found in map(moment, first.values()) if found is not None))


def bag_facts(reader: Reader, facts: Facts, subject: str, request: Request | None, scanned: str) -> Facts:
    """Whose the scanned bag is, where it is another participant's of this site; what became of the request's own."""
    other = reader.rows.get(BAGS, (scanned,)) if scanned else None
    named: str | None = None
    if other is not None and other["subject"] not in {None, subject} and other["site"] == facts.subject_site:
        owner = reader.rows.get(SUBJECTS, (str(other["subject"]),))
        named = str(owner["number"]) if owner is not None else None
    own = (request.given or request.bag) if request is not None else ""
    row = (reader.rows.get(BAGS, (own,)) if own else None) or {}
    return changed(
        facts,
        bag_meant_for=named,
        bag_recalled=bool(row.get("recalled")),
        bag_given_to_another=row.get("given_to") not in {None, "", subject},
    )


def _checks(reader: Reader, actor: str, site: str | None) -> bool:
    state = NOBODY
    for recorded in reader.entries(f"user/{actor}"):
        state = evolve_grants(state, recorded)
    return checks_bags(state, site)
