"""Who could know which participant's arm, since when, and by what: read from the ledger, without any arm.

The rules that must stay true: every way to an arm that the program knows has a line (an unblinded role, a code shown, a
code asked for, an opened card, the final release), and a line never ends: a role taken away takes no knowledge away.
What people saw with their eyes, or were told, is in no ledger; the page says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Literal

from equipoise.access.commands import Who
from equipoise.access.decide import may_read
from equipoise.access.roles import ROLES
from equipoise.desk.desk import Desk
from equipoise.desk.followers import BREAKS, GRANTS, SUBJECTS
from equipoise.ledger.entries import RoleGranted
from equipoise.ledger.reader import Reader
from equipoise.randomization.blind import THIRD_PERSON, Break
from equipoise.words.canonical import Json

How = Literal[
    "ROLE", "CODE_SHOWN", "CODE_ASKED", "CODE_HELD", "THIRD_PERSON", "CARD_OPENED", "CARD_WITNESSED", "RELEASE"
]  # fmt: skip
EVERYBODY = "*"
"""Stands for every participant, or for everybody who may read."""


@dataclass(frozen=True, slots=True)
class Knowing:
    """One line. `who` is an actor's id (or `*`), `subject` a screening number (or `*`), `since` UTC, ISO.

    `site`: whose participants, where `subject` is `*`; None for the whole study. `about`: a role, or a request.
    """

    who: str
    name: str
    subject: str
    site: str | None
    since: str
    how: How
    about: str


def knowledge(desk: Desk, who: Who) -> tuple[Knowing, ...] | None:
    """The report for a page; None for who may not read it."""
    if not may_read(who, "knowledge", None):
        return None
    return report(desk)


def report(desk: Desk) -> tuple[Knowing, ...]:
    """Every line, the earliest first."""
    with desk.reading() as reader:
        found = [*_by_role(desk, reader), *_by_subject(desk, reader)]
        released = desk.trial(reader).state.gate.released
        if released is not None:
            at = next(
                one.header.at for one in reader.entries("study") if one.header.kind == "AllocationReleased"
            )
            found.append(Knowing(EVERYBODY, EVERYBODY, EVERYBODY, None, at, "RELEASE", released.root))
    return tuple(sorted(found, key=lambda one: (one.since, one.who, one.subject)))


def report_json(lines: tuple[Knowing, ...]) -> Json:
    """The report as canonical JSON."""
    return [dict(asdict(line)) for line in lines]


def _by_role(desk: Desk, reader: Reader) -> list[Knowing]:
    """Who ever held an unblinded role could know every participant of the site, or of the study, from then on."""
    found: list[Knowing] = []
    for user in dict.fromkeys(str(row["user"]) for row in reader.rows.find(GRANTS, order=("user",))):
        for recorded in reader.entries(f"user/{user}"):
            entry = recorded.entry
            if isinstance(entry, RoleGranted) and ROLES[entry.role].blind == "unblinded":
                name = desk.register.staff_name(user)
                line = Knowing(user, name, EVERYBODY, entry.site, recorded.header.at, "ROLE", entry.role)
                found.append(line)
    return found


def _by_subject(desk: Desk, reader: Reader) -> list[Knowing]:
    """Codes that were shown or asked for, and cards that were opened. Drills give no knowledge."""
    found: list[Knowing] = []
    rows = reader.rows.find(BREAKS, {"drill": 0}, order=("asked_at",))
    for subject in dict.fromkeys(str(row["subject"]) for row in rows):
        known = reader.rows.get(SUBJECTS, (subject,)) or {}
        number, site = str(known.get("number") or subject), str(known.get("site") or "")
        blind = desk.standing_light(reader, subject).case.blind
        for one in blind.breaks.values():
            for person, since, how in _of_break(one):
                name = person if person == THIRD_PERSON else desk.register.staff_name(person)
                found.append(Knowing(person, name, number, site, since, how, one.request))
        for card in blind.cards:
            people: tuple[tuple[str, How], ...] = (
                (card.opened_by, "CARD_OPENED"), (card.witnessed_by, "CARD_WITNESSED"),
            )  # fmt: skip
            for person, seen in people:
                name = desk.register.staff_name(person)
                found.append(Knowing(person, name, number, site, card.opened_at, seen, ""))
    return found


def _of_break(one: Break) -> Iterator[tuple[str, str, How]]:
    """Who may know by one request: person, since when, how. Whoever held the code for another could have typed it."""
    if one.to == "SELF":
        yield one.by, one.shown_at or one.at, "CODE_ASKED" if one.shown_at is None else "CODE_SHOWN"
        return
    yield one.by, one.at, "CODE_HELD"
    if one.shown_at is not None:
        yield THIRD_PERSON, one.shown_at, "THIRD_PERSON"
