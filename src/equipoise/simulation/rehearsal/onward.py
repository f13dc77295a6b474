"""A rehearsal that stays in play: people look at it and enter things of their own, and time is moved on when they ask.

    onward = Onward(playing, clock, finish, state_file)
    onward.rest()                      # people come in
    onward.move("day")                 # in a thread of its own; `standing()` says how far it is

The rules that must stay true: one turn at a time, and nobody's page is answered meanwhile; who looked and wrote nothing
has changed nothing of what comes; what a visitor entered stands, and is the source from then on; a step that is refused
because of it is passed over and told, and never ends the play. Between two turns both doors hear of each other as soon
as a visitor has written something at one of them, and not before.
"""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from equipoise.ledger.entries import FormSaved, Recorded
from equipoise.ledger.notes import write_whole
from equipoise.pages.journey import Gate, PlayClock, Standing, State, day_of
from equipoise.simulation.rehearsal.case import Case
from equipoise.simulation.rehearsal.rehearse import Play, seldom_looking
from equipoise.simulation.rehearsal.stage import StageDesk, Stopped
from equipoise.words.problem import Problem, problem
from equipoise.words.text import Text

Step = Literal["day", "week", "lock"]
STEPS: dict[str, dt.timedelta | None] = {
    "day": dt.timedelta(days=1), "week": dt.timedelta(days=7), "lock": None,
}  # fmt: skip
"""What may be asked for, and how long it is; None: to the end."""
SHOWN = 20
"""What was passed over is listed up to here, the latest first."""
EVERY_SECONDS = 3.0
"""How often it is looked whether a visitor has written something that the other door should hear of."""
Finish = Callable[[dt.date], str | Problem]
"""(the last day) -> what the verification of the list said, once the report is written; or why there is none."""


class Onward:
    """One rehearsal in play. Safe for threads; `close()` before the stage is."""

    def __init__(self, playing: Play, clock: PlayClock, finish: Finish, state: Path) -> None:
        self._playing, self._stage, self._clock = playing, playing.stage, clock
        self._finish, self._state_file = finish, state
        self.gate = Gate()
        self._turn, self._pressing = threading.Lock(), threading.Lock()
        self._rested, self._over = threading.Event(), threading.Event()
        self._state: State = "PLAYS"
        self._why: Text | None = None
        self._verified = ""
        self._passed: Counter[tuple[str, str, str]] = Counter()
        self._stood = self._stood_behind = 0
        self._lived = False
        self._errands = threading.Thread(target=self._carry, name="errands", daemon=True)

    @property
    def desk(self) -> StageDesk:
        """The desk that is played at."""
        return self._stage.desk

    # --- what pages ask --------------------------------------------------------------------------------------------

    def standing(self) -> Standing:
        """Where the rehearsal stands now."""
        cases = self._playing.cases
        at = self._clock() if self._clock.rests else self._clock.at
        day = day_of(self._stage.study, at)
        passed = tuple(
            _passed(step, en, zh, times)
            for (step, en, zh), times in list(reversed(self._passed.items()))[:SHOWN]
        )
        over = min(sum(case.over for case in cases), self._playing.plan.participants)
        return Standing(
            self._state, day, over, self._playing.plan.participants, passed, self._why, self._verified
        )

    def move(self, step: str) -> bool:
        """Begin to let time pass; whether it was begun. Not while it passes already, and not after the end."""
        with self._pressing:
            if step not in STEPS or self._state not in ("RESTS", "STUCK"):
                return False
            self._rested.clear()
            self._state, self._why = "PLAYS", None
        threading.Thread(target=self._take_turn, args=(STEPS[step],), name="turn", daemon=True).start()
        return True

    def wait(self, seconds: float) -> bool:
        """Wait so long for a turn to be over; whether it is."""
        return self._rested.wait(seconds)

    # --- playing ---------------------------------------------------------------------------------------------------

    def rest(self) -> None:
        """Let people in, for the first time."""
        self._stage.passed = self._note
        self._settle("RESTS")
        self._errands.start()

    def close(self) -> None:
        """Let a turn end, and carry nothing any more."""
        self._over.set()
        self.wait(10)
        if self._errands.is_alive():
            self._errands.join(10)
        self._keep()

    def _take_turn(self, length: dt.timedelta | None) -> None:
        state: State = "STUCK"
        with self._turn:  # once nothing is carried between the doors
            try:
                self.gate.shut()
                self._begin()
                state = self._play(length)
            except Exception as fault:  # noqa: BLE001  a turn that fails is told on the page, and the pages go on
                self._why = _why(fault)
            finally:
                self._settle(state)

    def _play(self, length: dt.timedelta | None) -> State:
        """One turn: to its moment, or to the lock and the release where nothing is due any more."""
        until = self._clock.at + length if length is not None else None
        if until is not None:
            if self._playing.run_to(until, self._told):
                return self._end()
            self._clock.at = max(self._clock.at, until)
            return "RESTS"
        with seldom_looking():
            self._playing.run_to(None, self._told)
        return self._end()

    def _end(self) -> State:
        """Lock and release, then write the report."""
        self._stage.passed = None  # a lock is whole, or is none
        try:
            self._playing.close()
            came = self._finish(self._stage.day(self._stage.study.sites[0].id))
        finally:
            self._stage.passed = self._note
        if isinstance(came, Problem):
            self._why = Text(came.say("en"), came.say("zh"))
        else:
            self._verified = came
        return "ENDED"

    def _told(self, day: dt.date, over: int) -> None:
        if self._over.is_set():
            raise Stopped("the end of the program", ())

    def _note(self, step: str, problems: tuple[Problem, ...]) -> None:
        one = problems[0] if problems else None
        key = step, one.say("en") if one else "–", one.say("zh") if one else "–"
        times = self._passed.pop(key, 0)  # the latest stands last
        self._passed[key] = times + 1

    # --- between the turns -----------------------------------------------------------------------------------------

    def _begin(self) -> None:
        """Take in what visitors wrote since; it is past from now on."""
        written = self._entries()
        self._clock.play(lived=self._lived or written != self._stood or self._behind() != self._stood_behind)
        if written != self._stood:
            self._take_in(self._stood)

    def _take_in(self, after: int) -> None:
        """What a visitor recorded of one of ours is the source now: nobody puts it right."""
        desk, cases = self._stage.desk, self._playing.script.cases
        with desk.reading() as reader:
            for _, recorded in reader.everything(after):
                case = cases.get(recorded.header.stream.removeprefix("subject/"))
                if case is not None:
                    believe(case, recorded)

    def _settle(self, state: State) -> None:
        """Let time rest, and people in again."""
        self._clock.rest()
        self._stood, self._lived = self._entries(), False
        self._stood_behind = self._behind()
        self._rest_behind()
        self._keep()
        self._state = state
        self.gate.open()
        self._rested.set()

    def _entries(self) -> int:
        with self._stage.desk.reading() as reader:
            return sum(head.seq for head in reader.streams())

    def _behind(self) -> int:
        """How much stands in the second door's ledger; as before where it does not answer."""
        try:
            return int(self._stage.door.ask("look", self._clock.at)["entries"])
        except Exception:  # noqa: BLE001  told where something is asked of it in earnest
            return self._stood_behind

    def _rest_behind(self) -> None:
        with self._stage.forgiving("the second door"):
            self._stage.door.ask("rest", self._clock() if self._lived else self._clock.at)

    def _keep(self) -> None:
        """Remember where time stands, for a program that is started anew."""
        kept = {"at": self._clock().isoformat(), "state": self._state, "verified": self._verified}
        write_whole(self._state_file, json.dumps(kept) + "\n")

    def _carry(self) -> None:
        """While time rests: carry between the doors once a visitor has written something."""
        carried: tuple[int, int] | None = None
        while not self._over.wait(EVERY_SECONDS):
            if not self._turn.acquire(blocking=False):
                carried = None
                continue
            try:
                if self._state not in ("RESTS", "STUCK", "ENDED"):
                    continue
                self._lived = self._lived or self._stands() != (self._stood, self._stood_behind)
                if self._lived:
                    carried = self._carry_once(carried)
            finally:
                self._turn.release()

    def _stands(self) -> tuple[int, int]:
        return self._entries(), self._behind()

    def _carry_once(self, carried: tuple[int, int] | None) -> tuple[int, int]:
        """Have the second door do what is due; both hear of each other where something is new. What stands then."""
        with self._stage.forgiving("the second door"):
            self._stage.door.ask("tick", self._clock())
            if self._stands() != carried:
                self._stage.courier.exchange()
        self._rest_behind()
        return self._stands()


def believe(case: Case, recorded: Recorded) -> None:
    """Have a participant's source say what somebody else recorded; forms that the script knows nothing of stay so."""
    entry = recorded.entry
    if not isinstance(entry, FormSaved):
        return
    for place, source in case.saved.items():
        if tuple(place) == (entry.visit, entry.form, entry.repeat):
            said = {**entry.items, **entry.texts}
            source.update({item: answer for item, answer in said.items() if item in source})


def _passed(step: str, en: str, zh: str, times: int) -> Text:
    says = problem("travel.passed-over", step=step, why=Text(en, zh), times=times)
    return Text(says.say("en"), says.say("zh"))


def _why(fault: Exception) -> Text:
    """Why time could not pass: what was refused, or the sort of our own fault."""
    problems = getattr(fault, "problems", ()) or tuple(filter(None, [getattr(fault, "problem", None)]))
    step = getattr(fault, "step", "") or type(fault).__name__
    why = Text(problems[0].say("en"), problems[0].say("zh")) if problems else Text("–", "–")
    said = problem("rehearsal.refused", step=step, why=why)
    return Text(said.say("en"), said.say("zh"))
