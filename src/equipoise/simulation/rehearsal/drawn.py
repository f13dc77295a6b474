"""The virtual participants of the model of people, as the script of a rehearsal asks for them.

The rule that must stay true: nothing is drawn here; every answer, date and course is the model's, asked for with what
came to pass at the stage.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

from equipoise.ledger.entries import Datum
from equipoise.protocol.study import Study
from equipoise.simulation.arms import control_arm
from equipoise.simulation.people import DiaryEntry, Lived, PeopleModel, VirtualParticipant, draw_participant
from equipoise.simulation.rehearsal.case import Ending, Filled, Moment
from equipoise.words.problem import Problem


class NobodyDrawn(Exception):
    """The model draws nobody: why."""

    def __init__(self, found: Problem) -> None:
        super().__init__(found.say("en"))
        self.problem = found


class Drawn:
    """One virtual participant at the stage."""

    def __init__(self, study: Study, drawn: VirtualParticipant) -> None:
        self._study, self._drawn = study, drawn
        self._control = control_arm(study) or study.arms[-1].id

    @property
    def site(self) -> str:
        """Where the person comes to."""
        return self._drawn.site

    @property
    def arrives(self) -> int:
        """The day of screening, counted from the day on which the first site opened."""
        return self._drawn.arrives_day

    @property
    def wait(self) -> int:
        """Days from screening to day 1."""
        return self._drawn.course.wait

    @property
    def fails(self) -> str:
        """The criterion by which screening fails; empty for who is eligible."""
        return self._drawn.fails or ""

    @property
    def lacks_capacity(self) -> bool:
        """Whether a legal representative signs."""
        return self._drawn.answer("capacity_lacking") == "Y"

    @property
    def ends(self) -> tuple[Ending, int] | None:
        """How and on which study day participation ends early; None where it does not."""
        return self._drawn.course.end  # type: ignore[return-value]  # its terms are those of NCOMPLT

    def born(self, screened: dt.date) -> dt.date:
        """The date of birth; in the middle of what is known of it where that is not the day."""
        said = (self._drawn.birth or f"{screened.year - 60}").split("-")
        year, month, day = (int(part) for part in (*said, "6", "15")[:3]) if len(said) < 3 else map(int, said)
        return dt.date(year, month, day)

    def misses(self, visit: str) -> bool:
        """Whether a visit does not take place."""
        return visit in self._drawn.course.missed

    def shift(self, visit: str) -> int:
        """Days that a visit is early (below 0) or late."""
        return self._drawn.course.shift.get(visit, 0)

    def dosed(self, dose: str) -> bool:
        """Whether a planned dose is given."""
        return self._drawn.course.doses.get(dose, 100) > 0

    def share(self, visit: str, at: Moment) -> int:
        """The share (%) that is given of the dose of a visit, which is the last of `at.doses`."""
        lived = Lived(at.arm or self._control, at.doses)
        return min(max(self._drawn.dose_share(visit, at.today, lived), 1), 100)

    def filled(self, visit: str, at: Moment) -> Sequence[Filled]:
        """Everything that is answered at a visit: its forms, what could tell the arm, and the lists as they stand."""
        lived = None if at.today == at.screened else Lived(at.arm or self._control, at.doses)
        first = self._drawn.screening if at.today == at.screened else None
        open_forms = (
            first if first is not None else self._drawn.visit(visit, at.today, lived or self._untreated())
        )
        results = self._drawn.results(visit, at.today, lived) if lived is not None else {}
        rows = self._drawn.logs(at.today, lived)
        found = [
            Filled(form, repeat, {**answers, **_beside(results, form, repeat)})
            for form, repeated in open_forms.items()
            for repeat, answers in enumerate(repeated, start=1)
        ]
        return [
            *found,
            *(
                Filled(form, repeat, answers, row=True)
                for form, listed in rows.items()
                for repeat, answers in enumerate(listed, start=1)
            ),
        ]

    def diary(self, form: str, day: dt.date, at: Moment) -> DiaryEntry | None:
        """What is tapped into a form of the diary about a day, and by whom; None where nothing is."""
        return self._drawn.diary(form, day, Lived(at.arm or self._control, at.doses))

    def begins(self, form: str, day: dt.date, at: Moment) -> bool:
        """Whether something happens on a day after which a form of the diary is begun."""
        model = self._drawn.nature.model.diary.get(form)
        if model is None or not model.after:
            return False
        events = self._drawn.events(Lived(at.arm or self._control, at.doses))
        return any(one.starts == day and one.id in model.after for one in events)

    def _untreated(self) -> Lived:
        return Lived(self._control)

    def weight(self, at: Moment) -> str:
        """Body weight in kg, as it is written on a request for a dose."""
        del at
        for form, repeated in self._drawn.screening.items():
            asked = self._study.form(form)
            for item in asked.items if asked is not None else ():
                said = repeated[0].get(item.id)
                if item.unit == "kg" and said is not None and said.value:
                    return said.value
        return "65"


def _beside(results: object, form: str, repeat: int) -> dict[str, Datum]:
    """The values of the same form that could tell the arm."""
    rows = results.get(form, ()) if isinstance(results, dict) else ()
    return dict(rows[repeat - 1]) if len(rows) >= repeat else {}


def drawing(
    model: PeopleModel, study: Study, scenario: str, seed: int, opens: dt.date
) -> Callable[[int], Drawn]:
    """What draws participant number `index`. The function raises NobodyDrawn where the model draws nobody."""

    def draw(index: int) -> Drawn:
        found = draw_participant(model, study, scenario, seed, index, opens)
        if isinstance(found, Problem):
            raise NobodyDrawn(found)
        return Drawn(study, found)

    return draw
