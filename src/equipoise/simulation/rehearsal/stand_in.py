"""A plain participant made from the definition alone: for trying the stage where no model of people is at hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from equipoise.capture.questions import Question, questions
from equipoise.protocol.forms import Form
from equipoise.protocol.study import Study
from equipoise.simulation.rehearsal.case import Ending, Filled, Moment

_SAID = {
    "BRTHDAT": "1962-03-07", "SEX": "M", "STRKTYPE": "ISCHEMIC", "CIRCUL": "ANTERIOR", "PSMRS": "0", "HTRANS": "NONE",
    "DEFIDX": "Y", "RELTEMP": "36.8", "BEDTEMP": "36.7", "DSDECOD": "COMPLETED", "ICTIME": "Y", "ICCOPY": "Y",
}  # fmt: skip
_NIHSS = dict(
    zip(["1a", "1b", "1c", "2", "3", "4", "5a", "5b", "6a", "6b", "7", "8", "9", "10", "11"], "000002030200110", strict=True)
)


@dataclass
class StandIn:
    """Somebody who meets every criterion of the first study."""

    study: Study
    index: int
    fails: str = ""
    lacks_capacity: bool = False
    ends: tuple[Ending, int] | None = None
    wait: int = 5

    @property
    def site(self) -> str:
        return self.study.sites[self.index % len(self.study.sites)].id

    @property
    def arrives(self) -> int:
        return 3 + self.index * 5

    def born(self, screened: dt.date) -> dt.date:
        return dt.date(1962, 3, 7)

    def misses(self, visit: str) -> bool:
        return False

    def shift(self, visit: str) -> int:
        return 0

    def dosed(self, dose: str) -> tuple[bool, bool, int]:
        return True, False, 100

    def weight(self, at: Moment) -> str:
        return "62.5"

    def filled(self, visit: str, at: Moment) -> Sequence[Filled]:
        return [
            Filled(form.id, 1, self._answers(form, at))
            for form in self.study.forms_at(visit)
            if form.log is None and form.grid is None and form.id != "PREP"
        ]

    def _answers(self, form: Form, at: Moment) -> dict[str, str]:
        return {
            each.id: self._answer(form, each, at)
            for each in questions(form)
            if each.required and (each.own is None or each.own.visible_when is None)
        }

    def _answer(self, form: Form, asked: Question, at: Moment) -> str:
        if asked.scored is not None:
            return _NIHSS[asked.id] if form.id == "NIHSS" else str(asked.scored.scores[len(asked.scored.scores) // 2])
        item = asked.own
        assert item is not None
        if item.id in _SAID:
            return _SAID[item.id]
        if item.id == "ONSETDAT":
            return (at.screened - dt.timedelta(days=30)).isoformat()
        match item.type:
            case "truth":
                return "N"
            case "date":
                return at.today.isoformat()
            case "time":
                return "10:00"
            case "text":
                return "as told"
            case "code":
                listed = next(one for one in self.study.codelists if one.id == item.codelist)
                return listed.terms[0].code
        low, high = item.expected or (item.minimum or 0, item.maximum or 10)
        return f"{(float(low) + float(high)) / 2:.{item.digits if item.type == 'decimal' else 0}f}"
