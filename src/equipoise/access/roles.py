"""Roles and the policy table: which role may give which command, and what each role may read.

The rules that must stay true: a command that no line of the table names is allowed to nobody; a blinded and
an unblinded role never meet in one person, past roles included. Source of the role names: ICH E6(R3), CDISC
Glossary.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

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
_ENTRY = frozenset({"RecordForm", "DateVisit", "AnswerQuery"})
_SCREENING = frozenset(
    {"ScreenSubject", "FailScreening", "RecordCapacity", "RecordConsent", "WithdrawConsent"}
)
_QUERIES = frozenset({"RaiseQuery", "CloseQuery"})
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
_ENROLMENT = frozenset({"PauseEnrolment", "ResumeEnrolment"})
_GRANTS = frozenset({"GrantRole", "RevokeRole"})

ROLES: Mapping[str, Role] = {
    role.id: role
    for role in (
        Role(
            "coordinator",
            Text("Coordinator", "临床研究协调员"),
            "blinded",
            _ENTRY | _SCREENING | {"Randomize"},
            _CASEBOOK,
        ),
        Role(
            "investigator",
            Text("Investigator", "研究者"),
            "blinded",
            _ENTRY | _SCREENING | {"ConfirmEligibility", "Randomize"},
            _CASEBOOK,
        ),
        Role("rater", Text("Blinded rater", "盲态评估者"), "blinded", _ENTRY, _CASEBOOK - {"eligibility"}),
        Role("monitor", Text("Monitor", "监查员"), "blinded", _QUERIES, _CASEBOOK),
        Role("data_manager", Text("Data manager", "数据管理员"), "blinded", _QUERIES, _CASEBOOK),
        Role(
            "statistician",
            Text("Trial statistician", "盲态统计师"),
            "blinded",
            frozenset(),
            frozenset({"today"}),
        ),
        Role(
            "sponsor",
            Text("Sponsor", "申办者"),
            "blinded",
            _ENROLMENT | {"ActivateSite", "DeactivateSite"},
            frozenset({"today"}),
        ),
        Role("pharmacist", Text("Unblinded pharmacist", "非盲药师"), "unblinded", frozenset(), frozenset()),
        Role(
            "administrator",
            Text("Administrator", "系统管理员"),
            "none",
            _SETUP | _GRANTS | _ENROLMENT,
            frozenset({"today"}),
        ),
        Role("inspector", Text("Inspector", "检查员"), "blinded", frozenset(), _CASEBOOK),
        Role(
            "system", Text("The program itself", "系统"), "none", _SETUP | _GRANTS | _ENROLMENT, frozenset()
        ),
    )
}
"""Every role by id. `system` is the program acting for an administrator at the terminal."""


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
