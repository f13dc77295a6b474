"""The delegation log of a site: who is its principal investigator, and who does which duty.

The rules that must stay true: only the principal investigator of the site signs a start or an end, so the header of the
entry is the signature; a duty is given only to who holds a role that may have it; what was delegated stays in the log
after it ended. The duties themselves, and what each lets a person do, are the access room's.
Source: ICH E6(R3) 2.3.1 to 2.3.3 and Appendix C 2.2 (delegation record).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from equipoise.ledger.entries import (
    Append,
    DelegationEnded,
    DutyDelegated,
    Entry,
    PrincipalInvestigatorNamed,
    Recorded,
)
from equipoise.ledger.facts import Decision, Facts, Occasion, Refusal
from equipoise.oversight.commands import DelegateDuties, EndDelegation, NamePrincipalInvestigator
from equipoise.words.dates import parse_date
from equipoise.words.problem import problem

Command = NamePrincipalInvestigator | DelegateDuties | EndDelegation
INVESTIGATOR = "investigator"
"""The role of who may be principal investigator."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the log: who does what, from when (UTC) by whose signature, and how it ended if it did."""

    user: str
    duty: str
    since: str
    signed_by: str
    until: str | None = None
    ended: str | None = None
    ended_by: str = ""


@dataclass(frozen=True, slots=True)
class Log:
    """The log: the principal investigator, every line in order, and what holds: actor -> duty -> last day or None."""

    principal: str | None = None
    lines: tuple[Line, ...] = ()
    delegated: Mapping[str, Mapping[str, str | None]] = field(default_factory=lambda: MappingProxyType({}))


def evolve_log(log: Log, recorded: Recorded) -> Log:
    """The log after one more entry of the site's stream."""
    entry, header = recorded.entry, recorded.header
    if isinstance(entry, PrincipalInvestigatorNamed):
        return replace(log, principal=entry.user)
    if isinstance(entry, DutyDelegated):
        begun = Line(entry.user, entry.duty, header.at, header.actor, entry.until)
        held = {**log.delegated.get(entry.user, {}), entry.duty: entry.until}
        return replace(
            log,
            lines=(*_ended(log, entry, header.at, header.actor), begun),
            delegated=_with(log, entry.user, held),
        )
    if isinstance(entry, DelegationEnded):
        held = {
            duty: until for duty, until in log.delegated.get(entry.user, {}).items() if duty != entry.duty
        }
        return replace(
            log, lines=_ended(log, entry, header.at, header.actor), delegated=_with(log, entry.user, held)
        )
    return log


def _with(log: Log, user: str, held: Mapping[str, str | None]) -> Mapping[str, Mapping[str, str | None]]:
    return MappingProxyType({**log.delegated, user: MappingProxyType(dict(held))})


def _ended(log: Log, entry: DutyDelegated | DelegationEnded, at: str, by: str) -> tuple[Line, ...]:
    """The lines, with the open one of the same person and duty closed."""
    same = (entry.user, entry.duty)
    return tuple(
        replace(line, ended=at, ended_by=by)
        if line.ended is None and (line.user, line.duty) == same
        else line
        for line in log.lines
    )


def decide_log(log: Log, facts: Facts, command: Command, occasion: Occasion) -> Decision:
    """Decide a command on the log of one site."""
    if isinstance(command, NamePrincipalInvestigator):
        if INVESTIGATOR not in facts.roles_of_named:
            return _refuse("people.not-an-investigator", "user", site=command.site)
        if log.principal == command.user:
            return _refuse("people.principal-already", "user")
        return (Append(f"site/{command.site}", PrincipalInvestigatorNamed(command.site, command.user)),)
    if log.principal is None:
        return _refuse("people.no-principal", "site", site=command.site)
    if occasion.by != log.principal:
        return _refuse("people.not-the-principal", "by", site=command.site)
    if not command.duties:
        return _refuse("people.no-duty-chosen", "duties")
    if isinstance(command, DelegateDuties):
        return _delegate(log, facts, command, occasion.today)
    return _end(log, command)


def _delegate(log: Log, facts: Facts, command: DelegateDuties, today: dt.date) -> Decision:
    until = None
    if command.until:
        day = parse_date(command.until)
        if day is None or not day.complete or day.earliest < today:
            return _refuse("people.until-unfit", "until", given=command.until)
        until = day.iso()
    unfit = [duty for duty in command.duties if duty not in facts.duties_of_named]
    if unfit:
        return _refuse("people.duty-of-another-role", "duties", duties=", ".join(unfit))
    held = log.delegated.get(command.user, {})
    new = [duty for duty in dict.fromkeys(command.duties) if held.get(duty, "") != until]
    if not new:
        return _refuse("people.delegated-already", "duties")
    return _write(command.site, [DutyDelegated(command.site, command.user, duty, until) for duty in new])


def _end(log: Log, command: EndDelegation) -> Decision:
    held = log.delegated.get(command.user, {})
    if any(duty not in held for duty in command.duties):
        return _refuse("people.duty-not-held", "duties")
    if not command.reason.strip():
        return _refuse("oversight.reason-required", "reason")
    ended = [
        DelegationEnded(command.site, command.user, duty, command.reason)
        for duty in dict.fromkeys(command.duties)
    ]
    return _write(command.site, ended)


def _write(site: str, entries: list[DutyDelegated] | list[DelegationEnded]) -> Decision:
    every: list[Entry] = [*entries]
    return tuple(Append(f"site/{site}", entry) for entry in every)


def _refuse(rule: str, where: str, **arguments: str) -> Refusal:
    return Refusal((problem(rule, where, **arguments),))
