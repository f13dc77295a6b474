"""What a decision on specimens must know beyond its own stream: numbers that are taken, a site's aliquots, all tubes.

The rule that must stay true: everything here is read from the ledger and its read tables at one moment, by command and
page alike; of a test whose value could tell an arm this door knows the code and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from equipoise.capture.specimens.accession import candidates
from equipoise.capture.specimens.commands import CollectSpecimen, ImportResults, SendShipment
from equipoise.capture.specimens.decide import decide
from equipoise.capture.specimens.evolve import NO_SHIPMENT, Shipment, evolve_shipment
from equipoise.capture.specimens.filling import filled
from equipoise.capture.specimens.importing import Casebooks, Judged, decide_import, judge_import
from equipoise.capture.specimens.results import Collected, Door
from equipoise.capture.specimens.shipping import decide_shipment
from equipoise.desk.cases import CASE, Case
from equipoise.desk.followers import SITES, SUBJECTS
from equipoise.desk.specimen_tables import ALIQUOTS, IMPORTS, SPECIMENS
from equipoise.desk.standing import Standing
from equipoise.ledger.entries import Reported, SpecimenCollected
from equipoise.ledger.facts import Decision, Facts, Occasion, Refusal
from equipoise.ledger.reader import Reader
from equipoise.protocol.study import Study
from equipoise.words.problem import problem


def decide_specimens(
    reader: Reader, now: Standing, command: Any, occasion: Occasion
) -> Decision:  # Any: a command of specimens.STEPS
    """Tubes and aliquots of one subject; a collected tube fills in its form, where it can."""
    facts, study = now.facts, now.trial.study
    if isinstance(command, CollectSpecimen):
        tried = candidates(command.subject, command.kit, command.visit)
        free = next(one for one in tried if reader.rows.get(SPECIMENS, (one,)) is None)
        facts = replace(facts, accession_free=free)
    decided = decide(study, now.case.specimens, facts, command, occasion)
    if isinstance(decided, Refusal) or not isinstance(decided[0].entry, SpecimenCollected):
        return decided
    tube = decided[0].entry
    return (*decided, *filled(study, now.case.capture, facts, command.subject, tube, occasion))


def decide_shipping(
    reader: Reader, now: Standing, command: Any, occasion: Occasion
) -> Decision:  # Any: SendShipment or ReceiveShipment
    """A shipment, with the aliquots of its site."""
    facts = now.facts
    if isinstance(command, SendShipment):
        facts = replace(facts, aliquots_here=_aliquots(reader, command.site, command.aliquots))
    return decide_shipment(now.trial.study, shipment(reader, command.shipment), facts, command, occasion)


def shipment(reader: Reader, name: str) -> Shipment:
    """A shipment as it stands."""
    state = NO_SHIPMENT
    for recorded in reader.entries(f"shipment/{name}"):
        state = evolve_shipment(state, recorded)
    return state


def _aliquots(reader: Reader, site: str, wanted: Iterable[str]) -> Mapping[str, str]:
    rows = [row for one in dict.fromkeys(wanted) if (row := reader.rows.get(ALIQUOTS, (one,))) is not None]
    return {str(row["aliquot"]): str(row["state"]) for row in rows if row["site"] == site}


def decide_results(reader: Reader, now: Standing, command: ImportResults, occasion: Occasion) -> Decision:
    """A laboratory's file."""
    judged = judged_results(reader, now, command, occasion)
    strange = {append.stream for append in judged.appends} - {
        f"laboratory/{command.laboratory}", *(f"subject/{one}" for one in command.subjects)
    }  # fmt: skip
    return Refusal((problem("specimens.file-again", "file"),)) if strange else decide_import(judged)


def judged_results(reader: Reader, now: Standing, command: ImportResults, occasion: Occasion) -> Judged:
    """What a file would do now: for its dry run and for its import alike."""
    study, cases = now.trial.study, _cases(reader, command.subjects)
    owners = {str(row["subject"]): row for row in reader.rows.find(SUBJECTS)}
    zones = {str(row["site"]): str(row["zone"]) for row in reader.rows.find(SITES)}
    reported = {key: result for case in cases.values() for key, result in case.specimens.reported.items()}

    def facts(subject: str) -> Facts:
        site = str(owners[subject]["site"]) if subject in owners else None
        return replace(now.facts, subject_known=subject in owners, subject_site=site)

    def when(subject: str) -> Occasion:
        site = str(owners[subject]["site"]) if subject in owners else ""
        return replace(occasion, zone=zones.get(site, occasion.zone))

    books = Casebooks(study, {one: case.capture for one, case in cases.items()}, facts, when)
    door = Door(study, False, collected(reader), _known(reader, reported, command, study))  # noqa: FBT003  # as its field says
    reports = reader.rows.count(IMPORTS, {"laboratory": command.laboratory})
    return judge_import(door, books, command.laboratory, command.text, reports, corrects=command.corrects)


def collected(reader: Reader) -> Mapping[str, Collected]:
    """Every tube that is in use."""
    rows = reader.rows.find(SPECIMENS, {"state": ["COLLECTED", "REPORTED"]})
    return {
        str(row["specimen"]): Collected(
            str(row["specimen"]), str(row["subject"]), str(row["kit"]), str(row["visit"])
        )
        for row in rows
    }


def _known(
    reader: Reader, reported: Mapping[tuple[str, str], Reported], command: ImportResults, study: Study
) -> Mapping[tuple[str, str], Reported]:
    """Results reported before: of the file's own subjects exactly, of all others that some came."""
    found = dict(reported)
    for row in reader.rows.find(SPECIMENS, {"state": "REPORTED"}):
        if row["subject"] in command.subjects:
            continue
        kit = study.specimens.kit(str(row["kit"]))
        for test in kit.tests if kit is not None else ():
            found.setdefault((str(row["specimen"]), test.code), Reported("", ""))
    return found


def _cases(reader: Reader, subjects: Iterable[str]) -> Mapping[str, Case]:
    return {one: reader.fold(f"subject/{one}", CASE) for one in subjects}
