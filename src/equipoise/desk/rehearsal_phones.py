"""A card for a phone in a rehearsal: whoever plays a participant or a caregiver is handed one by a made-up coordinator.

The rule that must stay true: in rehearsals only, where nobody is real; in a trial a person of the site hands over a
card and tells the PIN apart from it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from equipoise.access.commands import Who
from equipoise.desk.desk import Desk
from equipoise.desk.devices import invite
from equipoise.desk.diary_intake import seen_slots
from equipoise.desk.followers import SUBJECTS
from equipoise.desk.phones import Invited
from equipoise.desk.views import Persona
from equipoise.diary.commands import PARTICIPANT
from equipoise.words.problem import Problem, problem

Side = Literal["PARTICIPANT", "CAREGIVER"]


@dataclass(frozen=True, slots=True)
class Handed:
    """A card and its PIN, and whose diary it opens (screening number)."""

    invited: Invited
    number: str


def hand_card(desk: Desk, people: tuple[Persona, ...], side: Side, *, key: str) -> Handed | Problem:
    """A card for the first participant (by number) with something to fill in now, else for the first with a diary.

    Problems: `pages.not-a-rehearsal`; `diary.nobody-to-play` where no participant has a diary, or no caregiver
    consented.
    """
    if desk.purpose != "rehearsal":
        return problem("pages.not-a-rehearsal")
    found: list[tuple[bool, str, str, str]] = []
    with desk.reading() as reader:
        for row in reader.rows.find(SUBJECTS, {}):
            subject = str(row["subject"])
            standing = desk.standing_light(reader, subject)
            facts = standing.facts
            holders = [PARTICIPANT] if side == "PARTICIPANT" else sorted(facts.caregivers)
            if facts.day_one is None or facts.consent_against is not None or not holders:
                continue
            state = desk.diary(reader, subject)
            state = replace(state, zone=state.zone or desk.study.zone_of(facts.subject_site or ""))
            slots = seen_slots(standing, state, side, desk.now())
            nothing = not any(one.state == "OPEN" for one in slots)
            found.append((nothing, facts.screening_number or "", subject, holders[0]))
    for _, number, subject, holder in sorted(found):
        made = invite(desk, _who(desk, people, subject), subject, holder, key=key)
        if isinstance(made, Invited):
            return Handed(made, number)
    return problem("diary.nobody-to-play")


def _who(desk: Desk, people: tuple[Persona, ...], subject: str) -> Who:
    """A made-up coordinator of the participant's site."""
    with desk.reading() as reader:
        site = desk.standing_light(reader, subject).facts.subject_site
    found = next(one for one in people if one.role == "coordinator" and one.site == site)
    who = desk.who(found.user, found.role)
    if who is None:
        raise LookupError("a made-up coordinator lost the role")
    return who
