"""May this person give this command, and may this person hold this role?

The rule that must stay true: the desk asks `may` before any room decides, and no page asks anything else.
"""

from __future__ import annotations

import re

from equipoise.access import learning
from equipoise.access.commands import (
    SYSTEM,
    Grant,
    GrantRole,
    RecordCertificate,
    RecordTraining,
    RevokeRole,
    Who,
    WithdrawCertificate,
)
from equipoise.access.duties import SITE_STAFF, against_the_log
from equipoise.access.evolve import State
from equipoise.access.phones import PHONES
from equipoise.access.rating import against_the_rater
from equipoise.access.roles import ROLES, exclude_each_other, label_of, who_may
from equipoise.access.saves import save_of
from equipoise.ledger.entries import Append, RoleGranted, RoleRevoked
from equipoise.ledger.facts import Decision, Facts, Occasion, Refusal
from equipoise.protocol.study import Study
from equipoise.words.problem import Problem, problem

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
"""The id of a person: it stands in clear in every header, so it is to be a random one."""


def may(who: Who, command: object, facts: Facts) -> Problem | None:
    """None where `who`, acting in `who.role`, may give `command`; else the reason why not.

    The role must be held now, allow the command, and cover the site that the command, or its subject, is at.
    """
    name = type(command).__name__
    role = ROLES.get(who.role) or PHONES.get(who.role)
    if role is None or not _holds(who, who.role, None, anywhere=True):
        return problem("access.role-not-held", role=label_of(who.role))
    if name not in role.commands:
        return problem("access.not-allowed", role=role.label, allowed=who_may(name))
    site = getattr(command, "site", None) or facts.subject_site
    if _bound_to_site(command, who.role) and not _holds(who, who.role, site, anywhere=False):
        return problem("access.other-site", site=site or "")
    held_up = against_the_log(who, command, facts)
    if held_up is not None:
        return held_up
    if who.actor in facts.code_broken_for and _needs_the_blind(command, facts):
        return problem("access.knows-the-arm")
    unfit = against_the_rater(who, command, facts)
    if unfit is not None:
        return unfit
    if who.role in facts.hidden.get(str(getattr(command, "form", "")), frozenset()):
        return problem("access.form-hidden", role=role.label)
    return None


def _needs_the_blind(command: object, facts: Facts) -> bool:
    """Whether the command rates the subject, or judges causality: what nobody who knows the arm may do, for life."""
    save = save_of(command)
    if save is None:
        return False
    bound = facts.rated.get(save.form)
    return bound is not None and (not bound or not bound.isdisjoint(save.items))


def _bound_to_site(command: object, who_role: str) -> bool:
    """Whether the command concerns one site or a subject of it (granting roles is the study's business)."""
    if isinstance(command, GrantRole | RevokeRole):
        return False
    if isinstance(command, RecordTraining | RecordCertificate | WithdrawCertificate):
        return command.site is not None or who_role in SITE_STAFF
    return hasattr(command, "subject") or hasattr(command, "site")


def checks_bags(state: State, site: str | None) -> bool:
    """Whether the person whose stream `state` was folded from holds a role at the site that checks bags."""
    return any(
        grant.site in {None, site} and grant.role in ROLES and "CheckBag" in ROLES[grant.role].commands
        for grant in state.now
    )


def may_read(who: Who, what: str, site: str | None) -> bool:
    """Whether `who` may read `what` (a word of Role.reads) of a site, or of the study with site None."""
    role = ROLES.get(who.role)
    return role is not None and what in role.reads and _holds(who, who.role, site, anywhere=site is None)


def _holds(who: Who, role: str, site: str | None, *, anywhere: bool) -> bool:
    if who == SYSTEM:
        return role == SYSTEM.role
    held = [grant for grant in who.grants if grant.role == role]
    return any(anywhere or grant.site is None or grant.site == site for grant in held)


def decide(study: Study, state: State, facts: Facts, command: object, occasion: Occasion) -> Decision:
    """Grant or revoke a role of the user whose stream `state` was folded from."""
    if isinstance(command, GrantRole):
        return _grant(state, facts, command)
    if isinstance(command, RevokeRole):
        return _revoke(state, command)
    if isinstance(command, RecordTraining | RecordCertificate | WithdrawCertificate):
        return learning.decide(study, state, command, occasion)
    raise TypeError(f"access does not know {type(command).__name__}")


def _grant(state: State, facts: Facts, command: GrantRole) -> Decision:
    if _ID.fullmatch(command.user) is None or command.user == SYSTEM.actor:
        return Refusal((problem("access.user-unfit", "user", user=command.user),))
    if command.role not in ROLES or command.role == "system":
        return Refusal((problem("access.unknown-role", "role", role=command.role),))
    if Grant(command.role, command.site) in state.now:
        return Refusal((problem("access.already-held", "role", role=label_of(command.role)),))
    if command.site is not None and not facts.site_known:
        return Refusal((problem("access.unknown-site", "site", site=command.site),))
    clash = next((grant for grant in state.ever if exclude_each_other(grant.role, command.role)), None)
    if clash is not None:
        labels = {"role": label_of(command.role), "other": label_of(clash.role)}
        return Refusal((problem("access.roles-exclude", "role", **labels),))
    return (Append(f"user/{command.user}", RoleGranted(command.user, command.role, command.site)),)


def _revoke(state: State, command: RevokeRole) -> Decision:
    if Grant(command.role, command.site) not in state.now:
        return Refusal((problem("access.not-held", "role", role=label_of(command.role)),))
    entry = RoleRevoked(command.user, command.role, command.site, command.reason)
    return (Append(f"user/{command.user}", entry),)
