"""Which room decides which command, on which streams, knowing how much.

The rule that must stay true: every command of every room stands in this table exactly once; what does not stand
here cannot happen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from equipoise.access import decide as access
from equipoise.access.commands import (
    GrantRole,
    RecordCertificate,
    RecordTraining,
    RevokeRole,
    WithdrawCertificate,
)
from equipoise.access.duties import duties_for
from equipoise.access.evolve import START as NOBODY
from equipoise.access.evolve import evolve as evolve_grants
from equipoise.access.roles import label_of
from equipoise.capture import batch, moving
from equipoise.capture import commands as capturing
from equipoise.capture import decide as capture
from equipoise.capture.attachments import commands as attaching
from equipoise.capture.attachments import decide as attachments
from equipoise.capture.closing.change import change_faults
from equipoise.capture.closing.commands import CLOSING_A_CASE, CLOSING_THE_DATABASE
from equipoise.capture.closing.database import decide_database
from equipoise.capture.double.commands import DoubleCommand, RecordEntry, SettleEntries, WithdrawEntries
from equipoise.capture.evolve import Place
from equipoise.capture.imaging import decide as imaging
from equipoise.capture.moving import kept_version
from equipoise.capture.questions import questions
from equipoise.capture.specimens import commands as sampling
from equipoise.capture.specimens import decide as specimens
from equipoise.consent import commands as consenting
from equipoise.consent import decide as consent
from equipoise.desk.cases import Case
from equipoise.desk.deviation_tables import DEVIATIONS
from equipoise.desk.dosing import dosing_facts
from equipoise.desk.imaging_desk import decide_imaging
from equipoise.desk.laboratory import decide_results, decide_shipping, decide_specimens
from equipoise.desk.lock_checklist import checklist
from equipoise.desk.standing import Standing
from equipoise.diary import decide as diary
from equipoise.eligibility import commands as screening
from equipoise.eligibility import decide as eligibility
from equipoise.ledger.entries import Append, FormSaved
from equipoise.ledger.facts import Decision, Occasion, Refusal
from equipoise.ledger.reader import Reader
from equipoise.oversight import adopting, reviewing
from equipoise.oversight import commands as overseeing
from equipoise.oversight import decide as oversight
from equipoise.oversight.deviating import decide_deviation
from equipoise.oversight.evolve import DOOR_START as NO_DOOR
from equipoise.oversight.evolve import evolve_door
from equipoise.protocol.study import Study
from equipoise.randomization import breaking
from equipoise.randomization import commands as randomizing
from equipoise.randomization import decide as randomization
from equipoise.supply import commands as supplying
from equipoise.supply import decide as supply
from equipoise.words.dates import PartialDate
from equipoise.words.problem import Problem, problem

Decider = Callable[[Reader, Standing, Any, Occasion], Decision]  # Any: the one command type of its route
Depth = Literal["light", "judged"]
"""Whether the facts must hold a verdict and a stratum."""


@dataclass(frozen=True, slots=True)
class Route:
    """Where a command goes. `streams` are those the decision may append to, the one that matters most first."""

    streams: Callable[[Any], tuple[str, ...]]  # Any: as above
    depth: Depth
    decide: Decider
    diary: bool = False
    """Whether the decision needs the subject's diary."""


SUPPLYING = (supplying.RequestPreparation, *supply.STEPS)
"""The commands of supply."""


def _subject(command: Any) -> tuple[str, ...]:  # Any: as above
    return (f"subject/{command.subject}",)


def _site(command: Any) -> tuple[str, ...]:  # Any: as above
    return (f"site/{command.site}",)


def _user(command: Any) -> tuple[str, ...]:  # Any: as above
    return (f"user/{command.user}",)


def _study(command: Any) -> tuple[str, ...]:  # Any: as above
    return ("study",)


def _second_door(command: Any) -> tuple[str, ...]:  # Any: as above
    return ("second-door",)


def _allocation(command: Any) -> tuple[str, ...]:  # Any: as above
    return ("allocation",)


def _both(command: Any) -> tuple[str, ...]:  # Any: as above
    return (*_subject(command), "allocation")


def _capture(reader: Reader, now: Standing, command: Any, occasion: Occasion) -> Decision:  # Any: as above
    asked = now.case.capture.queries.get(str(getattr(command, "query", "")))
    if asked is not None and occasion.role in now.facts.hidden.get(asked.place.form, frozenset()):
        return Refusal((problem("access.form-hidden", role=label_of(occasion.role)),))
    # What was recorded is closed as it is read, also where the definition in force does not ask for it any more.
    study = now.trial.record if isinstance(command, CLOSING_A_CASE) else now.trial.study
    if kept := kept_by(now.case, command):
        study = now.trial.at(kept).study
    if strange := _of_another_version(now, study, command):
        return Refusal(strange)
    decided = capture.decide(study, now.case.capture, now.facts, command, occasion)
    if not kept or isinstance(decided, Refusal):
        return decided
    return (*decided, *_settled_since(study, now, decided, occasion))


def _settled_since(
    study: Study, now: Standing, decided: tuple[Append, ...], occasion: Occasion
) -> Iterator[Append]:
    """Queries of checks that came after the version a form keeps, where the save answers them."""
    for one in decided:
        if isinstance(one.entry, FormSaved):
            day = PartialDate.of(occasion.today)
            for closed in batch.settled_since(
                study, now.trial.study, now.case.capture, now.facts, one.entry, day
            ):
                yield Append(one.stream, closed)


def kept_by(case: Case, command: object) -> str:
    """The digest of the version that a form, or a request for a dose, keeps and is decided by; empty for none.

    So a correction of a finished form, and a dose that was asked for, go on as they were begun when a version changes.
    """
    if isinstance(command, capturing.RecordForm | capturing.RaiseQuery | DoubleCommand):
        return kept_version(case.capture, Place(command.visit, command.form, command.repeat))
    if type(command) in SUPPLYING:
        request = case.supply.requests.get(str(getattr(command, "request", "")))
        return request.version if request is not None else ""
    return ""


def _of_another_version(now: Standing, study: Study, command: object) -> tuple[Problem, ...]:
    """Items that only another version asks, typed on a page that was opened under it: each with what was typed."""
    if not isinstance(command, capturing.RecordForm | RecordEntry):
        return ()
    form = study.form(command.form)
    if form is None:
        return ()
    known = {each.id for each in questions(form)}
    others = [each for one in now.trial.released if (each := one.study.form(command.form)) is not None]
    elsewhere = {each.id for other in others for each in questions(other)}
    return tuple(
        problem(
            "amendments.item-of-another-version", name,
            item=name, version=study.version, value=given.value or given.missing or "–",
        )
        for name, given in command.items.items()
        if name not in known and name in elsewhere
    )  # fmt: skip


def _move_forms(reader: Reader, now: Standing, command: Any, occasion: Occasion) -> Decision:  # Any: as above
    # The normal form of a command has plain tuples.
    command = replace(command, places=tuple(Place(*place) for place in command.places))
    closed = change_faults(now.trial.study, now.case.capture, now.facts, command)
    if closed:
        return Refusal(closed)
    return moving.decide_move(
        now.trial.study, now.trial.digest, now.case.capture, now.facts, command, occasion
    )


def _batch(reader: Reader, now: Standing, command: Any, occasion: Occasion) -> Decision:  # Any: as above
    many = command.findings if isinstance(command, capturing.RaiseFindings) else command.places
    if any(occasion.role in now.facts.hidden.get(form, frozenset()) for _, form, _, _ in many):
        return Refusal((problem("access.form-hidden", role=label_of(occasion.role)),))
    study, state = now.trial.study, now.case.capture
    if isinstance(command, capturing.RaiseFindings):
        return batch.decide_findings(study, state, now.facts, command, occasion)
    return batch.decide_many(study, state, now.facts, command, occasion)


def _attachments(
    reader: Reader, now: Standing, command: Any, occasion: Occasion
) -> Decision:  # Any: as above
    closed = change_faults(now.trial.study, now.case.capture, now.facts, command)
    if closed:
        return Refusal(closed)
    return attachments.decide(now.trial.study, now.case.attachments, now.facts, command, occasion)


def _diary_stream(command: Any) -> tuple[str, ...]:  # Any: as above
    return (f"diary/{command.subject}",)


def _diary(reader: Reader, now: Standing, command: Any, occasion: Occasion) -> Decision:  # Any: as above
    plans = {one.digest: one.study.diary for one in now.trial.released}
    return diary.decide(now.trial.study, now.diary, now.facts, command, occasion, plans=plans)


def _consent(reader: Reader, now: Standing, command: Any, occasion: Occasion) -> Decision:  # Any: as above
    return consent.decide(now.trial.study, now.case.consent, now.facts, command, occasion)


def _eligibility(
    reader: Reader, now: Standing, command: Any, occasion: Occasion
) -> Decision:  # Any: as above
    return eligibility.decide(now.trial.study, now.case.screening, now.facts, command, occasion)


def _randomization(
    reader: Reader, now: Standing, command: Any, occasion: Occasion
) -> Decision:  # Any: as above
    return randomization.decide(now.trial.allocating, now.trial.allocation, now.facts, command, occasion)


def _blind(reader: Reader, now: Standing, command: Any, occasion: Occasion) -> Decision:  # Any: as above
    return breaking.decide(now.trial.study, now.case.blind, now.facts, command, occasion)


def _rater(reader: Reader, now: Standing, command: Any, occasion: Occasion) -> Decision:  # Any: as above
    held = _roles_at(reader, command.user, now.facts.subject_site)
    return breaking.decide(
        now.trial.study, now.case.blind, replace(now.facts, roles_of_named=held), command, occasion
    )


def _supply(reader: Reader, now: Standing, command: Any, occasion: Occasion) -> Decision:  # Any: as above
    now = replace(now, trial=now.trial.at(kept_by(now.case, command)))
    facts = dosing_facts(reader, now, command)
    return supply.decide(now.trial.study, now.case.supply, facts, command, occasion)


def _oversight(reader: Reader, now: Standing, command: Any, occasion: Occasion) -> Decision:  # Any: as above
    return oversight.decide(now.trial.study, now.trial.state, now.facts, command, occasion)


def _release_condition(
    reader: Reader, now: Standing, command: Any, occasion: Occasion
) -> Decision:  # Any: as above
    left = reader.rows.count(DEVIATIONS, {"state": ["OPEN", "CLOSED"], "severity": ""})
    facts = replace(now.facts, deviations_unclassed=left)
    return oversight.decide(now.trial.study, now.trial.state, facts, command, occasion)


def _deviation(reader: Reader, now: Standing, command: Any, occasion: Occasion) -> Decision:  # Any: as above
    return decide_deviation(now.trial.study, now.case.deviations, now.facts, command, occasion)


def _oversight_door(
    reader: Reader, now: Standing, command: Any, occasion: Occasion
) -> Decision:  # Any: as above
    state = NO_DOOR
    for recorded in reader.entries("second-door"):
        state = evolve_door(state, recorded)
    return oversight.decide_door(now.trial.study, state, now.facts, command, occasion)


def _oversight_site(
    reader: Reader, now: Standing, command: Any, occasion: Occasion
) -> Decision:  # Any: as above
    return oversight.decide_site(now.trial.study, now.site, now.facts, command, occasion)


def _version(reader: Reader, now: Standing, command: Any, occasion: Occasion) -> Decision:  # Any: as above
    return adopting.decide(now.trial.study, now.trial.state, now.site, now.facts, command, occasion)


def _audit(command: Any) -> tuple[str, ...]:  # Any: as above
    return ("audit",)


def _review(reader: Reader, now: Standing, command: Any, occasion: Occasion) -> Decision:  # Any: as above
    return reviewing.decide(now.trial.study, now.facts, command, occasion)


def _subject_version(
    reader: Reader, now: Standing, command: Any, occasion: Occasion
) -> Decision:  # Any: as above
    return adopting.decide_subject(now.trial.study, now.trial.state, now.site, now.facts, command, occasion)


def _oversight_log(
    reader: Reader, now: Standing, command: Any, occasion: Occasion
) -> Decision:  # Any: as above
    held = _roles_at(reader, command.user, command.site)
    facts = replace(now.facts, roles_of_named=held, duties_of_named=duties_for(held))
    return oversight.decide_site(now.trial.study, now.site, facts, command, occasion)


def _roles_at(reader: Reader, user: str, site: str | None) -> frozenset[str]:
    """The roles that a person holds now at a site, or in the whole study."""
    state = NOBODY
    for recorded in reader.entries(f"user/{user}"):
        state = evolve_grants(state, recorded)
    return frozenset(grant.role for grant in state.now if grant.site in {None, site})


def _access(reader: Reader, now: Standing, command: Any, occasion: Occasion) -> Decision:  # Any: as above
    state = NOBODY
    for recorded in reader.entries(f"user/{command.user}"):
        state = evolve_grants(state, recorded)
    return access.decide(now.trial.study, state, now.facts, command, occasion)


def _database(reader: Reader, now: Standing, command: Any, occasion: Occasion) -> Decision:  # Any: as above
    counted = {line.id: line.count for line in checklist(reader, now.trial)}
    facts = replace(now.facts, lock_checklist=counted)
    return decide_database(now.trial.study, now.trial.database, facts, command, occasion)


def _shipment(command: Any) -> tuple[str, ...]:  # Any: as above
    return (f"shipment/{command.shipment}",)


def _results(command: Any) -> tuple[str, ...]:  # Any: as above
    return (f"laboratory/{command.laboratory}", *(f"subject/{one}" for one in command.subjects))


ROUTES: Mapping[type, Route] = {
    overseeing.OpenStore: Route(_study, "light", _oversight),
    overseeing.ReleaseStudy: Route(_study, "light", _oversight),
    overseeing.PauseEnrolment: Route(_study, "light", _oversight),
    overseeing.RecordInterruption: Route(_study, "light", _oversight),
    overseeing.ResumeEnrolment: Route(_study, "light", _oversight),
    overseeing.EnrolSecondDoor: Route(_second_door, "light", _oversight_door),
    overseeing.RecordAnchor: Route(_second_door, "light", _oversight_door),
    overseeing.RecordRecall: Route(_second_door, "light", _oversight_door),
    overseeing.RecordReleaseCondition: Route(_study, "light", _release_condition),
    **{
        command: Route(_subject, "light", _deviation)
        for command in (
            overseeing.RaiseDeviation,
            overseeing.ClassDeviation,
            overseeing.ExplainDeviation,
            overseeing.CloseDeviation,
            overseeing.ReopenDeviation,
            overseeing.WithdrawDeviation,
        )
    },
    overseeing.SignRelease: Route(_study, "light", _oversight),
    overseeing.RecordListRelease: Route(_study, "light", _oversight),
    overseeing.AddSite: Route(_site, "light", _oversight_site),
    overseeing.ApproveSite: Route(_site, "light", _oversight_site),
    overseeing.ActivateSite: Route(_site, "light", _oversight_site),
    overseeing.DeactivateSite: Route(_site, "light", _oversight_site),
    overseeing.RecordRanges: Route(_site, "light", _oversight_site),
    overseeing.ApproveVersion: Route(_site, "light", _version),
    overseeing.AdoptVersion: Route(_site, "light", _version),
    overseeing.MoveSubject: Route(_subject, "light", _subject_version),
    overseeing.ReviewAudit: Route(_audit, "light", _review),
    capturing.RaiseFindings: Route(_subject, "light", _batch),
    capturing.AskMany: Route(_subject, "light", _batch),
    capturing.MoveForms: Route(_subject, "light", _move_forms),
    overseeing.NamePrincipalInvestigator: Route(_site, "light", _oversight_log),
    overseeing.DelegateDuties: Route(_site, "light", _oversight_log),
    overseeing.EndDelegation: Route(_site, "light", _oversight_log),
    RecordTraining: Route(_user, "light", _access),
    RecordCertificate: Route(_user, "light", _access),
    WithdrawCertificate: Route(_user, "light", _access),
    GrantRole: Route(_user, "light", _access),
    RevokeRole: Route(_user, "light", _access),
    screening.ScreenSubject: Route(_subject, "light", _eligibility),
    screening.ConfirmEligibility: Route(_subject, "judged", _eligibility),
    screening.FailScreening: Route(_subject, "judged", _eligibility),
    consenting.RecordCapacity: Route(_subject, "light", _consent),
    consenting.RecordConsent: Route(_subject, "light", _consent),
    consenting.WithdrawConsent: Route(_subject, "light", _consent),
    consenting.AnswerOption: Route(_subject, "light", _consent),
    consenting.RecordCaregiver: Route(_subject, "light", _consent),
    overseeing.ApproveConsentVersion: Route(_site, "light", _oversight_site),
    randomizing.PublishAllocation: Route(_allocation, "light", _randomization),
    randomizing.Randomize: Route(_both, "judged", _randomization),
    randomizing.CorrectStratum: Route(_subject, "light", _blind),
    randomizing.RequestCodeBreak: Route(_subject, "light", _blind),
    randomizing.RecordCodeBreak: Route(_subject, "light", _blind),
    randomizing.ReviewCodeBreak: Route(_subject, "light", _blind),
    randomizing.RecordCardOpening: Route(_subject, "light", _blind),
    randomizing.AssignRater: Route(_subject, "light", _rater),
    capturing.RecordForm: Route(_subject, "light", _capture),
    capturing.DateVisit: Route(_subject, "light", _capture),
    capturing.MissVisit: Route(_subject, "light", _capture),
    capturing.ReopenVisit: Route(_subject, "light", _capture),
    capturing.RaiseQuery: Route(_subject, "light", _capture),
    capturing.AnswerQuery: Route(_subject, "light", _capture),
    capturing.CloseQuery: Route(_subject, "light", _capture),
    RecordEntry: Route(_subject, "light", _capture),
    SettleEntries: Route(_subject, "light", _capture),
    WithdrawEntries: Route(_subject, "light", _capture),
    # closing
    **{
        command: Route(_subject, "light", _capture)
        for command in (*CLOSING_A_CASE, capturing.CancelQuery, capturing.ReopenQuery)
    },
    **{command: Route(_study, "light", _database) for command in CLOSING_THE_DATABASE},
    attaching.AttachSource: Route(_subject, "light", _attachments),
    attaching.WithdrawSource: Route(_subject, "light", _attachments),
    capturing.ReviewLog: Route(_subject, "light", _capture),
    capturing.VoidRow: Route(_subject, "light", _capture),
    capturing.RestoreRow: Route(_subject, "light", _capture),
    **{command: Route(_subject, "light", decide_specimens) for command in specimens.STEPS},
    **{command: Route(_subject, "light", decide_imaging) for command in imaging.STEPS},
    sampling.SendShipment: Route(_shipment, "light", decide_shipping),
    sampling.ReceiveShipment: Route(_shipment, "light", decide_shipping),
    sampling.ImportResults: Route(_results, "light", decide_results),
    **{command: Route(_subject, "light", _supply) for command in SUPPLYING},
    **{command: Route(_diary_stream, "light", _diary, diary=True) for command in diary.COMMANDS},
}
"""Every command there is."""
