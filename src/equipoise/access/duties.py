"""The duties of a site's delegation log, and which commands each of them lets a person of the site give.

The rules that must stay true: a person of a site acts only where the role AND a duty delegated today AND every training
that the duty asks for, in the version in force, hold; the principal investigator has every duty, and needs the training
like everybody; a command that no line names belongs to the duty `conduct`, so that nothing is left outside the log
(tests/rooms/access/test_duties.py asks that none of today's does).
Asking for a code, and recording that a paper card was opened, wait for no log: an emergency is never held up.
Source: ICH E6(R3) 2.3 (delegation), 2.1.4 and 3.5 (qualification by training); 4.4.3 (codes).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from equipoise.access.commands import Trained, Who
from equipoise.access.saves import save_of
from equipoise.ledger.facts import Facts
from equipoise.words.problem import Problem, problem
from equipoise.words.text import Text

SITE_STAFF = frozenset({"coordinator", "investigator", "rater"})
"""Roles whose access follows the log; all others act by their grant alone."""


@dataclass(frozen=True, slots=True)
class Duty:
    """A duty: the roles it may be given to, and its commands by class name."""

    id: str
    label: Text
    roles: frozenset[str]
    commands: frozenset[str] = frozenset()


_BOTH = frozenset({"coordinator", "investigator"})
_DOCTOR = frozenset({"investigator"})
CONDUCT, ENTRY, RATING = "conduct", "data_entry", "rating"
DUTIES: Mapping[str, Duty] = {
    duty.id: duty
    for duty in (
        Duty(
            "screening",
            Text("Screening", "筛选"),
            _BOTH,
            frozenset({"ScreenSubject", "FailScreening"}),
        ),
        Duty(
            "consent",
            Text("Informed consent", "知情同意"),
            _BOTH,
            frozenset({"RecordCapacity", "RecordConsent", "WithdrawConsent", "AnswerOption", "RecordCaregiver"}),
        ),
        Duty(
            "eligibility",
            Text("Confirming eligibility", "入排标准确认"),
            _DOCTOR,
            frozenset({"ConfirmEligibility"}),
        ),
        Duty("randomization", Text("Randomization", "随机化"), _BOTH, frozenset({"Randomize"})),
        Duty(
            ENTRY,
            Text("Visits and data entry", "访视与数据录入"),
            SITE_STAFF,
            frozenset(
                {
                    "DateVisit", "MissVisit", "ReopenVisit", "AnswerQuery", "ReviewLog", "VoidRow", "RestoreRow",
                    "RecordRanges", "AttachSource", "WithdrawSource", "WithdrawEntries",
                }
            ),
        ),
        Duty(RATING, Text("Scoring the scales", "量表评估"), SITE_STAFF),
        Duty(
            "dosing",
            Text("Giving infusions", "输注给药"),
            _BOTH,
            frozenset(
                {
                    "RequestPreparation", "JudgeDosing", "CheckBag", "RecordMismatch", "RejectBag", "StartInfusion",
                    "InterruptInfusion", "ResumeInfusion", "EndInfusion", "RecordWrongBag", "ReturnBag",
                }
            ),
        ),
        Duty(
            "dosing_decisions",
            Text("Deciding on held doses", "暂停给药的决定"),
            _DOCTOR,
            frozenset({"HoldDosing", "DecideDosing"}),
        ),
        Duty(
            "specimens",
            Text("Samples and shipments", "样本采集与寄送"),
            _BOTH,
            frozenset(
                {
                    "CollectSpecimen", "MissSpecimen", "VoidSpecimen", "ProcessSpecimen", "MakeAliquots",
                    "MoveAliquot", "EndAliquot", "SendShipment",
                }
            ),
        ),
        Duty(
            "imaging",
            Text("Imaging", "影像检查"),
            _BOTH,
            frozenset({"OrderImaging", "RecordImaging", "CancelImaging", "ReferenceImages", "RefuseImages"}),
        ),
        Duty(
            "diary",
            Text("The diary", "受试者日记"),
            _BOTH,
            frozenset(
                {
                    "InviteDevice", "RevokeDevice", "SetDiaryReminder", "ReviewDiary", "LinkDiaryEntry",
                    "HandleDiaryFlag", "ExplainDiaryGap", "RecordDiaryInterview", "DecideDiaryChange",
                }
            ),
        ),
        Duty(
            "deviations",
            Text("Protocol deviations", "方案偏离"),
            _BOTH,
            frozenset({"RaiseDeviation", "ExplainDeviation"}),
        ),
        Duty("signing", Text("Signing forms", "签署表单"), _DOCTOR, frozenset({"SignForms"})),
        Duty(
            "blind",
            Text("Raters and the blind", "评估者与盲态管理"),
            _BOTH,
            frozenset({"AssignRater", "CorrectStratum", "ReviewCodeBreak"}),
        ),
        Duty(
            "records",
            Text("Training records", "培训记录"),
            _BOTH,
            frozenset({"RecordTraining", "RecordCertificate", "WithdrawCertificate"}),
        ),
        Duty(CONDUCT, Text("Everything else of the study", "其他研究工作"), SITE_STAFF),
    )
}  # fmt: skip
"""Every duty, in the order of the log's columns."""

NEVER_HELD_UP = frozenset({"RequestCodeBreak", "RecordCardOpening"})
SIGNED_BY_THE_PRINCIPAL = frozenset({"DelegateDuties", "EndDelegation"})
"""The log's own commands: oversight asks whether the principal investigator gives them."""
_OF: Mapping[str, str] = {command: duty.id for duty in DUTIES.values() for command in duty.commands}


def duty_of(command: object, rated: Mapping[str, frozenset[str]]) -> str | None:
    """The duty that a command belongs to; None for what waits for no log. `rated` as in Facts."""
    name = type(command).__name__
    if name in NEVER_HELD_UP or name in SIGNED_BY_THE_PRINCIPAL:
        return None
    save = save_of(command)
    if save is not None:
        return RATING if rated.get(save.form) == frozenset() else ENTRY
    return _OF.get(name, CONDUCT)


def duties_for(roles: Iterable[str]) -> frozenset[str]:
    """The duties that may be given to somebody with these roles."""
    held = frozenset(roles)
    return frozenset(duty.id for duty in DUTIES.values() if duty.roles & held)


def against_the_log(who: Who, command: object, facts: Facts) -> Problem | None:
    """Why the site's log does not let the person give the command, or None."""
    if not facts.log_in_force or who.role not in SITE_STAFF:
        return None
    duty = duty_of(command, facts.rated)
    if duty is None:
        return None
    label = DUTIES[duty].label
    if who.actor != facts.principal:
        given = facts.delegated.get(who.actor, {})
        if duty not in given:
            return problem("people.not-delegated", duty=label)
        until = given[duty]
        if until is not None and until < facts.today:
            return problem("people.delegation-over", duty=label, until=until)
    lacking = training_lacking(who.trained, duty, facts)
    if lacking:
        topics = Text("; ".join(one.en for one in lacking), "；".join(one.say("zh") for one in lacking))
        return problem("people.not-trained", duty=label, topics=topics)
    return None


def training_lacking(trained: Iterable[Trained], duty: str, facts: Facts) -> tuple[Text, ...]:
    """The topics, with their versions, that a duty asks for and the trainings do not cover today."""
    covered = {(one.topic, one.version) for one in trained if one.until is None or one.until >= facts.today}
    return tuple(
        Text(f"{label.en} ({version})", f"{label.say('zh')}（{version}）")
        for topic, (version, duties, label) in facts.training_asked.items()
        if (not duties or duty in duties) and (topic, version) not in covered
    )
