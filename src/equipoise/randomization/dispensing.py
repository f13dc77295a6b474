"""Whether slots were taken as they must be: against the published list, and against the file of the final release.

The rules that must stay true: a slot goes to one subject and a subject to one slot; a stratum's slots are taken in the
order of the list without a gap; what the release says was dispensed is what the ledger says was taken. So a list that
came back from a backup, and gave a slot a second time, is found. Pure: entries come in, problems go out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from equipoise.ledger.entries import PublicSlot, SlotTaken
from equipoise.words.problem import Problem, problem


@dataclass(frozen=True, slots=True)
class Taken:
    """What a first door's ledger says: the root and slots it published, who took which, and every subject's stratum."""

    root: str
    slots: Mapping[str, Sequence[PublicSlot]]
    taken: tuple[SlotTaken, ...]
    strata: Mapping[str, str]


def taken_faults(
    slots: Mapping[str, Sequence[PublicSlot]], taken: Iterable[SlotTaken]
) -> tuple[Problem, ...]:
    """Everything wrong with `taken`, in its order; an empty tuple where all is as it must be.

    Rules: randomization.slot-unknown, slot-twice, subject-twice, slot-out-of-order.
    """
    return tuple(_taken_faults(slots, taken))


def _taken_faults(slots: Mapping[str, Sequence[PublicSlot]], taken: Iterable[SlotTaken]) -> Iterator[Problem]:
    places = {
        slot.number: (code, place) for code, listed in slots.items() for place, slot in enumerate(listed)
    }
    holders: dict[str, str] = {}
    held: dict[str, str] = {}
    next_place = dict.fromkeys(slots, 0)
    for one in taken:
        code, place = places.get(one.number, ("", -1))
        if code != one.stratum:
            yield problem("randomization.slot-unknown", one.number, number=one.number, stratum=one.stratum)
        elif one.number in holders:
            yield problem(
                "randomization.slot-twice", one.number,
                number=one.number, subject=one.subject, other=holders[one.number],
            )  # fmt: skip
        elif one.subject in held:
            yield problem(
                "randomization.subject-twice", one.number,
                number=one.number, subject=one.subject, other=held[one.subject],
            )  # fmt: skip
        elif place != next_place[code]:
            yield problem("randomization.slot-out-of-order", one.number, number=one.number, stratum=code)
        if code == one.stratum:
            next_place[code] = max(next_place[code], place + 1)
        holders.setdefault(one.number, one.subject)
        held.setdefault(one.subject, one.number)


def release_faults(
    root: str, dispensed: Sequence[tuple[str, str, str]], ledger: Taken
) -> tuple[Problem, ...]:
    """What the release says otherwise than the first door's ledger: root, slots with their subjects, or strata.

    dispensed: (number, subject, the subject's own stratum) in the order of the release.
    """
    if ledger.root != root:
        return (problem("randomization.release-of-another-ledger", "root"),)
    found = [(one.number, one.subject) for one in ledger.taken]
    said = [(number, subject) for number, subject, _ in dispensed]
    for place in range(max(len(found), len(said))):
        if found[place : place + 1] != said[place : place + 1]:
            number = (said[place : place + 1] or found[place : place + 1])[0][0]
            return (problem("randomization.release-dispensed-otherwise", number, number=number),)
    for number, subject, stratum in dispensed:
        if ledger.strata.get(subject, stratum) != stratum:
            return (problem("randomization.release-dispensed-otherwise", number, number=number),)
    return ()
