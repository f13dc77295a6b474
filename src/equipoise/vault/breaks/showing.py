"""Showing one arm: what the page of a code break is given, and nothing else.

The rules that must stay true: the entry that says so, and a checkpoint over it, stand before the arm leaves this
function; after 60 s it is given to nobody any more, whatever is asked again; what is refused is an entry, too. A drill
shows a made-up arm that follows from the request's random id and from no list.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import math
from dataclasses import dataclass
from typing import Literal, cast

from equipoise.ledger.reader import Reader
from equipoise.protocol.study import Study
from equipoise.vault.breaks.codes import code_digest, new_code
from equipoise.vault.breaks.commands import AcceptBreak, HandOver, RefuseBreak, ShowArm, ShowToThird
from equipoise.vault.breaks.evolve import Accepted, State
from equipoise.vault.facts import PROGRAM, AskedBreak, Keeper, VaultFacts
from equipoise.vault.vault import Vault
from equipoise.words.ids import Entropy
from equipoise.words.problem import Problem, problem
from equipoise.words.text import Text

Problems = tuple[Problem, ...]
Stage = Literal["open", "handed", "shown", "hidden"]


@dataclass(frozen=True, slots=True)
class Offer:
    """A request as its maker sees it before anything is shown. `number` is the screening number; none for a drill."""

    request: str
    number: str | None
    site: str
    category: str
    to: str
    drill: bool
    asked_at: str
    stage: Stage


@dataclass(frozen=True, slots=True)
class Shown:
    """One arm, to be on a page for `seconds` more and no longer."""

    request: str
    number: str | None
    drill: bool
    arm: Text
    seconds: int


def offer(vault: Vault, keeper: Keeper, request: str) -> Offer | None:
    """The request, for the person who made it; None for anybody else, and where no such request came."""
    with vault.reading() as reader:
        asked = _asked(vault, reader, keeper, request)
        if asked is None or asked.actor != keeper.actor:
            return None
        facts, known = _facts(vault, reader, keeper, request), _state(vault, reader).requests.get(request)
        site = asked.site or asked.subject.removeprefix("drill-")
    return Offer(
        request, facts.subject_number, site, asked.category, asked.to, asked.drill, asked.at,
        _stage(known, vault.now()),
    )  # fmt: skip


def requests_of(vault: Vault, keeper: Keeper) -> tuple[Offer, ...]:
    """The requests that the person made, the newest first, as far as they came here."""
    with vault.reading() as reader:
        asked = vault.known(reader).told.breaks
    mine = sorted((each for each in asked.values() if each.actor == keeper.actor), key=lambda each: each.at)
    found = (offer(vault, keeper, each.request) for each in reversed(mine))
    return tuple(each for each in found if each is not None)


def show(vault: Vault, keeper: Keeper, request: str, *, key: str) -> Shown | Problems:
    """The arm, for the investigator who asked. Raises nothing for faults of data."""
    again = _still_visible(vault, keeper, request, keeper.actor)
    if again is not None:
        return again
    outcome = vault.submit(keeper, ShowArm(request), key=key)
    if not outcome.accepted:
        return _refused(vault, request, outcome.problems)
    return _give(vault, keeper, request, keeper.actor)


def hand_over(
    vault: Vault, keeper: Keeper, request: str, *, key: str, entropy: Entropy
) -> tuple[str, ...] | Problems:
    """A fresh one-time code (the only text in the tuple) for the third person; the code before it counts no more."""
    code = new_code(entropy)
    outcome = vault.submit(keeper, HandOver(request, code_digest(code)), key=key)
    return (code,) if outcome.accepted else _refused(vault, request, outcome.problems)


def show_third(vault: Vault, typed: str, *, key: str) -> Shown | Problems:
    """The arm, for the person who was told the code."""
    digest = code_digest(typed)
    with vault.reading() as reader:
        known = _state(vault, reader).of_code(digest)
    if known is None:
        return _refused(vault, "", (problem("vault_breaks.code-unknown", "code"),))
    again = _still_visible(vault, PROGRAM, known.request, "third person")
    if again is not None:
        return again
    outcome = vault.submit(PROGRAM, ShowToThird(known.request, digest), key=key)
    if not outcome.accepted:
        return _refused(vault, known.request, outcome.problems)
    return _give(vault, PROGRAM, known.request, "third person")


def _give(vault: Vault, keeper: Keeper, request: str, reader_named: str) -> Shown | Problems:
    """The arm after its entry: first the checkpoint, then the arm."""
    fault = vault.checkpoint()
    if fault is not None:
        return (fault,)
    found = _still_visible(vault, keeper, request, reader_named)
    return found if found is not None else (problem("vault_breaks.shown-already", "request"),)


def _still_visible(vault: Vault, keeper: Keeper, request: str, reader_named: str) -> Shown | None:
    """The arm of a request that was shown to this reader less than a minute ago; None otherwise."""
    with vault.reading() as reader:
        known = _state(vault, reader).requests.get(request)
        facts = _facts(vault, reader, keeper, request)
    until = known.visible_until() if known is not None else None
    if known is None or until is None or known.reader != reader_named or vault.now() >= until:
        return None
    arm = _made_up(vault.study, request) if known.drill else _arm(vault.study, facts)
    if arm is None:
        return None
    seconds = math.ceil((until - vault.now()).total_seconds())
    return Shown(request, facts.subject_number, known.drill, arm, seconds)


def _stage(known: Accepted | None, now: dt.datetime) -> Stage:
    until = known.visible_until() if known is not None else None
    if until is not None:
        return "shown" if now < until else "hidden"
    return "handed" if known is not None and known.handover is not None else "open"


def _arm(study: Study, facts: VaultFacts) -> Text | None:
    """The arm's name of the product in the facts."""
    if facts.product is None or facts.slot_fault is not None:
        return None
    arm = next((one.arm for one in study.supply.products if one.id == facts.product), facts.product)
    return next((one.label for one in study.arms if one.id == arm), None)


def _made_up(study: Study, request: str) -> Text | None:
    """A drill's arm: it follows from the request's id, which is random, and from nothing that is sealed."""
    if not study.arms:
        return None
    return study.arms[hashlib.sha256(request.encode()).digest()[0] % len(study.arms)].label


def refused(vault: Vault, request: str, found: Problem) -> Problem:
    """What a page refuses before anything is asked of the room, written down like every other refusal."""
    _refused(vault, request, (found,))
    return found


def _refused(vault: Vault, request: str, problems: Problems) -> Problems:
    """The refusal, written down."""
    rule, at = problems[0].rule, vault.now().isoformat()
    vault.submit(PROGRAM, RefuseBreak(request, rule), key=f"refused {request} {rule} {at}")
    return problems


def _asked(vault: Vault, reader: Reader, keeper: Keeper, request: str) -> AskedBreak | None:
    return vault.known(reader).told.breaks.get(request)


def _facts(vault: Vault, reader: Reader, keeper: Keeper, request: str) -> VaultFacts:
    return vault.facts(reader, keeper, ShowArm(request))


def _state(vault: Vault, reader: Reader) -> State:
    return cast("State", vault.state(reader, AcceptBreak("")))
