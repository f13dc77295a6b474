# ruff: noqa: FBT003, RUF009 (owned() stands for dataclasses.field, and a default of a flag is a flag)
"""What the rooms of the second door may know of each other: one small frozen record, as at the first door.

The rule that must stay true: every field is computed by exactly one module, named in its metadata, and handed to every
decision; the product of a subject is in it only for a command of the bench or of a code break on that very subject.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from equipoise.capture.specimens.results import Collected
from equipoise.ledger.facts import owned, owned_mapping

Purpose = Literal["BENCH", "CHECK", "BREAK", "OFFICER", "LAB", "BOARD", "KEEPER"]
"""What a person signs in for at the second door: preparing, checking as second person, opening one code, keeping a
share of the sealed slots, entering values that reveal, closed work for a board, keeping the door itself."""


@dataclass(frozen=True, slots=True)
class Keeper:
    """A person at the second door: the same random id as at the first, and the purposes enrolled here now."""

    actor: str
    purpose: Purpose
    purposes: tuple[Purpose, ...] = ()


PROGRAM = Keeper("system", "KEEPER", ("KEEPER",))
"""The second door's own program: what it takes in over the channel and does by the clock."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A dose that the first door asked for, as its ledger says. `at` (UTC, ISO) is when it is to be released.

    `held`: the dosing gate holds it. `over`: decided not to be given, or infused already. `rejected`: bags lost at the
    bedside. `infusing`: a bag is running now.
    """

    request: str
    subject: str
    infusion: str
    at: str
    weight: str
    site: str
    held: bool = False
    over: bool = False
    infusing: bool = False
    rejected: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AskedBreak:
    """A request for one participant's arm, as the first door's ledger says. `actor` asked, at `at` (UTC), at
    `site`.
    """

    request: str
    subject: str
    actor: str
    role: str
    category: str
    urgent: bool
    to: str
    drill: bool
    at: str
    site: str


@dataclass(frozen=True, slots=True)
class VaultFacts:
    """What holds now behind the second door, for one request or one subject."""

    # vault
    rehearsal: bool = owned("vault", False)
    actor: str = owned("vault", "")
    """Who gives the command: the person who acts may not be the second one, nor release what they received."""
    # inbox: what the first door said
    actor_sites: frozenset[str] | None = owned("inbox", None)
    """Sites of the roles that the actor holds at the first door; None where a role is for the whole study."""
    wanted: Wanted | None = owned("inbox", None)
    asked_break: AskedBreak | None = owned("inbox", None)
    subject_site: str | None = owned("inbox", None)
    subject_number: str | None = owned("inbox", None)
    """The subject's screening number, by which pages name it."""
    tubes: Mapping[str, Collected] = owned_mapping("inbox")
    """Tubes in use by accession number."""
    tube_sites: Mapping[str, str] = owned_mapping("inbox")
    """Subject -> site, of every subject that the first door told of."""
    bags_over: frozenset[str] = owned("inbox", frozenset())
    """Bags that the first door rejected, returned or infused to the end: a recall does not name them any more."""
    definition_released: str = owned("inbox", "")
    """The digest of the definition that the first door released last."""
    heard_there: int = owned("inbox", 0)
    """The most statements that the first door claimed to have heard beyond what was said here; 0 where it never
    did.
    """
    said: int = owned("statements", 0)
    """The number of the last statement that this door made."""
    roles: Mapping[str, tuple[str, ...]] = owned_mapping("inbox")
    """actor -> roles held now at the first door."""
    roles_ever: Mapping[str, tuple[str, ...]] = owned_mapping("inbox")
    # slots
    number: str | None = owned("slots", None)
    """The slot (public number) that the subject holds."""
    product: str | None = owned("slots", None)
    """The product (id) of the subject's arm, once the slot was opened and agreed with its commitment."""
    slot_fault: str | None = owned("slots", None)
    """Message key of why the slot does not open: nothing is dispensed then."""
    # release
    first_release_conditions: Mapping[str, bool] = owned_mapping("inbox")
    first_release_signers: tuple[str, ...] = owned("inbox", ())
    first_release_signed: str = owned("inbox", "")
    """The digest of the conditions that they signed."""
    values_locked: bool = owned("release", False)
    last_anchor_at: dt.datetime | None = owned("anchors", None)
