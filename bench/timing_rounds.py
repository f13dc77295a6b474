"""Whether answers of the first door take longer for one arm than for the other: ratios, printed and never judged.

The same made-up participant is taken through screening many times, each under a name of their own, and randomized from
a list whose arms the bench knows and the desk does not. Each blinded reading is timed for every participant in turn,
in an order that is shuffled anew; of each participant the median counts. The p-value is that of a permutation of the
arms among participants: a small one would be a reason to look, a large one is no proof that nothing is there.
Source of the test: Fisher's exact permutation of labels (Good, Permutation tests, 3rd ed., 3.2), two-sided.
"""

from __future__ import annotations

import datetime as dt
import random
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

from bench.table import Row
from equipoise.access.commands import Who
from equipoise.cli.study import read_study
from equipoise.desk.clock import SetClock
from equipoise.desk.demo import Demo, load_participants, load_staff, read_demo
from equipoise.desk.desk import open_desk
from equipoise.desk.front import FrontDesk
from equipoise.desk.setup import create_store, publish_allocation
from equipoise.protocol.digest import study_digest
from equipoise.protocol.study import Study
from equipoise.randomization.commands import Randomize
from equipoise.randomization.draws import combined
from equipoise.vault.holding import Terms, hold
from equipoise.vault.lists import make_list
from equipoise.words.problem import Problem

STUDY = Path("studies/nct07197606")
MODEL = "zheng"
"""Whose steps of the demonstration everybody takes: up to the day before randomization."""
PEOPLE, REPEATS, PERMUTATIONS = 24, 15, 5000
SEED = b"a known seed: the bench may know the arms"
Timed = Mapping[str, float]
"""Participant -> median milliseconds."""


def timing_rows(folder: Path, *, people: int = PEOPLE, repeats: int = REPEATS) -> Iterator[Row]:
    """A row for each reading, and one for randomizing itself."""
    desk, numbers = _ready(folder, people)
    try:
        nurse = _nurse(desk)
        given = _randomized(desk, nurse, numbers)
        arms = _arms(desk, folder, numbers)
        yield _row("randomize", given, arms, 1)
        readings: tuple[tuple[str, Callable[[str], object]], ...] = (
            ("the casebook", lambda number: desk.subject(nurse, number)),
            ("the infusion page", lambda number: desk.infusions(nurse, number)),
            ("the blind's page", lambda number: desk.blind(nurse, number)),
        )
        for name, read in readings:
            yield _row(name, _timed(numbers, read, repeats), arms, repeats)
    finally:
        desk.close()


def _ready(folder: Path, people: int) -> tuple[FrontDesk, Sequence[str]]:
    """A rehearsal store with that many participants ready to be randomized; their screening numbers."""
    study, demo = read_study(STUDY), read_demo(STUDY)
    if isinstance(study, tuple) or isinstance(demo, Problem):
        raise RuntimeError("the study of the bench cannot be read")
    held = hold(study, {"rehearsal": SEED}, Terms(rehearsal=True))
    if isinstance(held, Problem):
        raise RuntimeError(held.say())
    public = folder / "public"
    public.mkdir(parents=True)
    for name, content in held.public.items():
        (public / name).write_bytes(content)
    today = dt.datetime.now(ZoneInfo(study.sites[0].zone)).date()
    clock = SetClock(dt.datetime.combine(today, dt.time(), dt.UTC) - dt.timedelta(days=90))
    made = create_store(folder / "store", study, "rehearsal", clock=clock)
    if isinstance(made, tuple):
        raise RuntimeError(made[0].say())
    problems = load_staff(made, demo, today) or publish_allocation(made, public)
    problems = problems or load_participants(made, _alike(demo, people), clock, today)
    made.close()
    desk = open_desk(folder / "store", kind=FrontDesk)
    if problems or isinstance(desk, Problem):
        raise RuntimeError((problems[0] if problems else Problem("")).say())
    return desk, [row.number for row in desk.subjects(_nurse(desk)) or ()]


def _alike(demo: Demo, people: int) -> Demo:
    """As many participants as asked for, who differ in name and telephone alone."""
    model = next(one for one in demo.participants if one["id"] == MODEL)
    made = [
        {**model, "id": f"{MODEL}{n}", "name": f"{model['name']}{n}", "phone": f"000{n:08d}"}
        for n in range(people)
    ]
    return replace(demo, participants=tuple(made))


def _nurse(desk: FrontDesk) -> Who:
    one = next(each for each in desk.personas() if each.role == "coordinator" and each.site == "01")
    who = desk.who(one.user, one.role)
    if who is None:
        raise RuntimeError("the coordinator of the bench has no role")
    return who


def _randomized(desk: FrontDesk, nurse: Who, numbers: Sequence[str]) -> Timed:
    taken: dict[str, float] = {}
    for number in numbers:
        subject = desk.subject_id(number) or ""
        start = time.perf_counter()
        done = desk.submit(nurse, Randomize(subject), key=f"bench {number}")
        taken[number] = (time.perf_counter() - start) * 1000
        if not done.accepted:
            raise RuntimeError(done.problems[0].say())
    return taken


def _arms(desk: FrontDesk, folder: Path, numbers: Sequence[str]) -> Mapping[str, int]:
    """Participant -> the arm of their slot, which the bench works out again from its known seed."""
    study: Study = desk.study
    made = make_list(study, study_digest(study), combined([SEED]))
    if isinstance(made, Problem):
        raise RuntimeError(made.say())
    by_number = {slot.number: slot.content.arm for slots in made.slots.values() for slot in slots}
    found: dict[str, int] = {}
    for number in numbers:
        page = desk.infusions(_nurse(desk), number)
        found[number] = by_number[(page.randomization_number if page else "") or ""]
    return found


def _timed(numbers: Sequence[str], read: Callable[[str], object], repeats: int) -> Timed:
    taken: dict[str, list[float]] = {number: [] for number in numbers}
    order = list(numbers)
    for number in numbers:
        read(number)  # the first reading of a participant folds the whole stream
    for _ in range(repeats):
        random.shuffle(order)
        for number in order:
            start = time.perf_counter()
            read(number)
            taken[number].append((time.perf_counter() - start) * 1000)
    return {number: statistics.median(values) for number, values in taken.items()}


def permutation(first: Sequence[float], second: Sequence[float], permutations: int = PERMUTATIONS) -> float:
    """The two-sided p-value of a difference of means, by random permutations of who belongs where; 1 counts itself."""
    values, size = [*first, *second], len(first)
    seen = abs(statistics.fmean(first) - statistics.fmean(second))
    extreme = 1
    for _ in range(permutations):
        random.shuffle(values)
        extreme += abs(statistics.fmean(values[:size]) - statistics.fmean(values[size:])) >= seen - 1e-12
    return extreme / (permutations + 1)


def _row(name: str, taken: Timed, arms: Mapping[str, int], repeats: int) -> Row:
    first = [value for number, value in taken.items() if arms[number] == 0]
    second = [value for number, value in taken.items() if arms[number] == 1]
    ratio = statistics.fmean(first) / statistics.fmean(second)
    p = permutation(first, second)
    note = f"{len(first)} and {len(second)} participants, {repeats} each; permutation p {p:.2f}"
    middle = f"{statistics.median(taken.values()):.1f}"
    return Row("time by arm, as a ratio", name, f"{ratio:.3f} arm/arm", middle, note=note)
