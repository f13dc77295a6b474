"""Roles and the policy table: which role may give which command, and what each role may read.

The rules that must stay true: a command that no line of the table names is allowed to nobody; a blinded and
an unblinded role never meet in one person, past roles included. Source of the role names: ICH E6(R3), CDISC
Glossary.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from equipoise.access import desks
from equipoise.words.text import Text

Blind = Literal["blinded", "unblinded", "none"]


@dataclass(frozen=True, slots=True)
class Role:
    """A role: its name, whether the blind binds it, its commands and its reads.

    `none`: the role sees no clinical data, so the blind does not bind it. `commands` are class names.
    """

    id: str
    label: Text
    blind: Blind
    commands: frozenset[str]
    reads: frozenset[str]


_CASEBOOK = frozenset({"subjects", "casebook", "history", "eligibility", "randomization", "queries", "today"})
_SOURCES = frozenset({"AttachSource", "WithdrawSource"})
"""Scans of paper sources: whoever enters a form may attach its source."""
_TYPED_TWICE = frozenset({"RecordEntry", "WithdrawEntries"})
"""Double entry from paper: typing one of the two entries, taking back the own. What is scored is not typed twice."""
_SETTLES = frozenset({"SettleEntries", "WithdrawEntries"})
_ENTRY = frozenset({"RecordForm", "DateVisit", "AnswerQuery"}) | _SOURCES
_VISITS = frozenset({"MissVisit", "ReopenVisit"})
"""Recording that a visit was missed, and taking back what was recorded of one."""
_RANGES = frozenset({"RecordRanges"})
_LOGS = frozenset({"ReviewLog", "VoidRow", "RestoreRow"})
_DEVIATIONS_AT_SITES = frozenset({"RaiseDeviation", "ExplainDeviation"})
_DEVIATIONS_CLASSED = frozenset(
    {"RaiseDeviation", "ClassDeviation", "CloseDeviation", "ReopenDeviation", "WithdrawDeviation"}
)
_DEVIATIONS = frozenset({"deviations"})
"""Departures from the protocol: never read by who rates, because some lie in how a dose was given."""
_SCREENING = frozenset(
    {
        "ScreenSubject",
        "FailScreening",
        "RecordCapacity",
        "RecordConsent",
        "WithdrawConsent",
        "AnswerOption",
        "RecordCaregiver",
    }
)
_DOSING = frozenset(
    {
        "RequestPreparation",
        "JudgeDosing",
        "CheckBag",
        "RecordMismatch",
        "RejectBag",
        "StartInfusion",
        "InterruptInfusion",
        "ResumeInfusion",
        "EndInfusion",
        "RecordWrongBag",
        "ReturnBag",
    }
)
_DOSING_DECISIONS = frozenset({"HoldDosing", "DecideDosing"})
_SUPPLY = frozenset({"supply"})
"""What happens around a dose: never read by who rates."""
_QUERIES = frozenset({"RaiseQuery", "CloseQuery"})
_ASKED_AGAIN = frozenset({"CancelQuery", "ReopenQuery"})
_CLOSES = frozenset({"FreezeData", "UnfreezeData", "LockData", "UnlockData", "ReviewForm"})
_LOCKS_FIRST = frozenset({"RecordLockCondition", "ProposeDatabaseLock", "ProposeDatabaseUnlock"})
_LOCKS_SECOND = frozenset({"LockDatabase", "UnlockDatabase"})
_SETUP = frozenset(
    {
        "OpenStore",
        "ReleaseStudy",
        "AddSite",
        "ApproveSite",
        "ActivateSite",
        "DeactivateSite",
        "PublishAllocation",
    }
)
_AMENDMENTS = frozenset({"ApproveConsentVersion", "ApproveVersion", "AdoptVersion"})
_MOVES = frozenset({"MoveSubject", "MoveForms", "RaiseFindings"})
"""What a new version may ask for among participants who are in already."""
_ENROLMENT = frozenset({"PauseEnrolment", "ResumeEnrolment"})
_GRANTS = frozenset({"GrantRole", "RevokeRole"})
_TRUTHS = frozenset({"CorrectStratum", "RecordCardOpening"})
_SAID_BY_THE_SECOND_DOOR = frozenset(
    {
        "EnrolSecondDoor",
        "RecordAnchor",
        "RecordRecall",
        "RecordListRelease",
        "RecordCodeBreak",
        "RecordBagRelease",
    }
)
"""What the program records as the second door's word; no person may say it for the second door."""

_LEARNING = frozenset({"RecordTraining", "RecordCertificate", "WithdrawCertificate"})
_PEOPLE: Mapping[str, frozenset[str]] = {
    "coordinator": _LEARNING,
    "investigator": _LEARNING | {"DelegateDuties", "EndDelegation"},
    "rater": frozenset(),
    "monitor": _LEARNING,
    "sponsor": _LEARNING | {"NamePrincipalInvestigator"},
    "administrator": _LEARNING | {"NamePrincipalInvestigator"},
    "inspector": frozenset(),
    "system": _LEARNING | {"NamePrincipalInvestigator"},
}
"""Who sees the people of a site (`people`: delegation log, trainings, certificates), and what they do there."""


def _among_people(role: Role) -> Role:
    """The role with its part in looking after people."""
    if role.id not in _PEOPLE:
        return role
    return replace(role, commands=role.commands | _PEOPLE[role.id], reads=role.reads | {"people"})


def _at_desks(role: Role) -> Role:
    """The role with what it does at desks away from the ward."""
    more = desks.COMMANDS.get(role.id, desks.NOTHING), desks.READS.get(role.id, desks.NOTHING)
    return replace(role, commands=role.commands | more[0], reads=role.reads | more[1])


ROLES: Mapping[str, Role] = {
    role.id: _at_desks(_among_people(role))
    for role in (
        Role(
            "coordinator",
            Text("Coordinator", "临床研究协调员"),
            "blinded",
            _ENTRY
            | _VISITS
            | _DEVIATIONS_AT_SITES
            | _LOGS
            | _RANGES
            | _SCREENING
            | _TRUTHS
            | _DOSING
            | _TYPED_TWICE
            | {"Randomize", "AssignRater"},
            _CASEBOOK | _SUPPLY | _DEVIATIONS | {"code_breaks", "enrolment"},
        ),
        Role(
            "investigator",
            Text("Investigator", "研究者"),
            "blinded",
            _ENTRY
            | _VISITS
            | _DEVIATIONS_AT_SITES
            | _LOGS
            | _SCREENING
            | _TRUTHS
            | _DOSING
            | _DOSING_DECISIONS
            | {"ConfirmEligibility", "Randomize", "RequestCodeBreak", "ReviewCodeBreak", "AssignRater"}
            | _TYPED_TWICE
            | _SETTLES
            | {"SignForms"},
            _CASEBOOK | _SUPPLY | _DEVIATIONS | {"code_breaks", "enrolment", "signatures"},
        ),
        Role("rater", Text("Blinded rater", "盲态评估者"), "blinded", _ENTRY, _CASEBOOK - {"eligibility"}),
        Role(
            "monitor",
            Text("Monitor", "监查员"),
            "blinded",
            _QUERIES | _ASKED_AGAIN | _DEVIATIONS_CLASSED | {"VerifyItems", "AskMany"},
            _CASEBOOK | _SUPPLY | _DEVIATIONS | {"enrolment", "verification", "listing", "audit"},
        ),
        Role(
            "data_manager",
            Text("Data manager", "数据管理员"),
            "blinded",
            _QUERIES
            | _ASKED_AGAIN
            | _CLOSES
            | _DEVIATIONS_CLASSED
            | _LOCKS_FIRST
            | _AMENDMENTS
            | _RANGES
            | _SETTLES
            | {"RecordReleaseCondition", "AskMany", "ReviewAudit", *_MOVES},
            _CASEBOOK
            | _SUPPLY
            | _DEVIATIONS
            | {"enrolment", "release", "verification", "lock", "amendments", "listing", "audit"},
        ),
        Role(
            "statistician",
            Text("Trial statistician", "盲态统计师"),
            "blinded",
            frozenset({"RecordReleaseCondition", "SignRelease"}) | _LOCKS_SECOND,
            frozenset({"enrolment", "today", "release", "lock", "deviations"}),
        ),
        Role(
            "sponsor",
            Text("Sponsor", "申办者"),
            "blinded",
            _ENROLMENT | {"ActivateSite", "DeactivateSite", "SignRelease"},
            frozenset({"enrolment", "today", "release", "code_breaks", "knowledge", "deviations"}),
        ),
        Role(
            "safety_desk",
            Text("Safety desk", "药物警戒人员"),
            "blinded",
            frozenset({"ReviewCodeBreak"}),
            frozenset({"enrolment", "today", "code_breaks", "knowledge"}),
        ),
        Role("pharmacist", Text("Unblinded pharmacist", "非盲药师"), "unblinded", frozenset(), frozenset()),
        Role(
            "pharmacy_checker",
            Text("Unblinded second checker", "非盲复核药师"),
            "unblinded",
            frozenset(),
            frozenset(),
        ),
        Role(
            "lab_desk",
            Text("Unblinded laboratory desk", "非盲实验室人员"),
            "unblinded",
            frozenset(),
            frozenset(),
        ),
        Role(
            "board_statistician",
            Text("Statistician of the safety board", "数据监查委员会统计师"),
            "unblinded",
            frozenset(),
            frozenset(),
        ),
        Role(
            "vault_keeper",
            Text("Keeper of the second door", "第二道门管理员"),
            "unblinded",
            frozenset(),
            frozenset(),
        ),
        Role("backup_officer", Text("Backup officer", "备份保管员"), "unblinded", frozenset(), frozenset()),
        Role(
            "administrator",
            Text("Administrator", "系统管理员"),
            "none",
            _SETUP | _GRANTS | _ENROLMENT | _AMENDMENTS | {"EnrolSecondDoor"},
            frozenset({"today", "amendments"}),
        ),
        Role(
            "inspector",
            Text("Inspector", "检查员"),
            "blinded",
            frozenset(),
            _CASEBOOK
            | _SUPPLY
            | _DEVIATIONS
            | {"enrolment", "release", "code_breaks", "knowledge", "verification", "signatures", "lock"}
            | {"amendments", "audit"},
        ),
        Role(
            "reader", Text("Blinded reader of images", "盲态影像判读者"), "blinded", frozenset(), frozenset()
        ),
        Role(
            "system",
            Text("The program itself", "系统"),
            "none",
            _SETUP | _GRANTS | _ENROLMENT | _AMENDMENTS | _SAID_BY_THE_SECOND_DOOR | _MOVES | {"AskMany"},
            frozenset(),
        ),
    )
}
"""Every role by id. `system` is the program acting for an administrator at the terminal."""


HOLDER_ROLES: Mapping[str, str] = {"ALONE": "pharmacist", "WITH_ANOTHER": "backup_officer"}
"""How somebody can open sealed slots -> the role that they hold for it."""
KEEPING = frozenset({"vault_keeper", "backup_officer"})
"""Roles that keep the second door, or a share of what opens the slots: whoever holds one could see through the blind,
and is shown no participant's arm there for it."""


def exclude_each_other(first: str, second: str) -> bool:
    """Whether one person may never hold both roles: one is bound by the blind, the other sees through it."""
    return {ROLES[first].blind, ROLES[second].blind} == {"blinded", "unblinded"}


def label_of(role: str) -> Text:
    """The name of a role as people read it; its id where there is no such role."""
    known = ROLES.get(role)
    return known.label if known is not None else Text(role)


def who_may(command: str) -> Text:
    """The roles of people that may give a command, by name."""
    labels = [role.label for role in ROLES.values() if command in role.commands and role.id != "system"]
    return Text(
        ", ".join(label.en for label in labels) or "–", "、".join(label.say("zh") for label in labels) or "–"
    )
