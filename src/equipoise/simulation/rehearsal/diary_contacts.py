"""What the coordinators of a rehearsal do with the diary: red flags answered, gaps asked about, entries read at visits.

The rules that must stay true: a coordinator goes by what the desk shows, and everything said is a command of the
desk's own; how often what comes of it is the staff model's. What the coordinators cannot find out stays open.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from equipoise.desk.diary_standing import SIDES, rules_of, side_standing
from equipoise.desk.diary_waiting import DIARIES, WAITING
from equipoise.diary.evolve import Side
from equipoise.diary.reminders import site_to_call
from equipoise.diary.site_commands import Because, ExplainDiaryGap, HandleDiaryFlag, Outcome, ReviewDiary
from equipoise.ledger.store import Row
from equipoise.simulation.rehearsal.stage import Stage

_SAID: dict[Outcome, str] = {
    "NO_EVENT": "Called: nothing that needs care.",
    "SENT_TO_CARE": "Called and asked to come to the hospital.",
    "NOT_REACHED": "Called three times and not reached.",
}


class DiaryContacts:
    """The coordinators' part with the diaries of one stage. `index_of`: subject -> number of the participant."""

    def __init__(self, stage: Stage, index_of: Callable[[str], int]) -> None:
        self._stage, self._rates, self._index_of = stage, stage.staff.rates.diary, index_of
        self._asked: set[tuple[str, Side, str, str]] = set()
        self._read: dict[str, int] = {}

    def round(self, site: str, *, all_of_them: bool = False) -> None:
        """Work off what waits at a site: red flags and calls for help, then whoever is silent is called."""
        with self._stage.desk.reading() as reader:
            waiting = reader.rows.find(WAITING, {"site": site, "state": "WAITING", "kind": ["FLAG", "HELP"]})
        for row in sorted(waiting, key=lambda row: (str(row["at"]), self._index_of(str(row["subject"])))):
            self._handle(site, row, surely=all_of_them)
        for subject in self._silent(site):
            self._stage.tally.counts["silent participants called"] += bool(self._explain(site, subject))

    def at_visit(self, site: str, subject: str, visit: str) -> None:
        """Go through the diary with the participant: what is lacking is asked about, what came is read."""
        self._explain(site, subject)
        stage = self._stage
        with stage.desk.reading() as reader:
            made = stage.desk.diary(reader, subject).made.values()
        upto = max((one.seq for one in made), default=0)
        if upto > self._read.get(subject, 0):
            stage.must(stage.person("coordinator", site), ReviewDiary(subject, visit, 1, upto))
            self._read[subject] = upto

    def _handle(self, site: str, row: Row, *, surely: bool) -> None:
        """Call about a red flag, in the share of rounds in which somebody comes to it."""
        stage, rates, subject = self._stage, self._rates, str(row["subject"])
        key = (self._index_of(subject), row["at"])
        if not surely and not stage.chance.happens(rates.handled, "handled", *key, stage.clock.at.date()):
            return
        drawn = stage.chance.share("what came of a flag", *key)
        outcome: Outcome = "NO_EVENT"
        if drawn < rates.sent_to_care:
            outcome = "SENT_TO_CARE"
        elif drawn < rates.sent_to_care + rates.not_reached:
            outcome = "NOT_REACHED"
        command = HandleDiaryFlag(subject, str(row["about"]), outcome, _SAID[outcome])
        stage.must(stage.person("coordinator", site), command)
        stage.tally.counts["diary flags handled"] += 1

    def _silent(self, site: str) -> list[str]:
        """Participants of a site of whom the definition says that they are to be called, by their numbers."""
        stage = self._stage
        with stage.desk.reading() as reader:
            rules = stage.desk.trial(reader).study.diary
            before = (stage.desk.now() - dt.timedelta(days=rules.reminders.site_days)).isoformat()
            rows = reader.rows.find(DIARIES, {"begun": 1, "site": site}, order=("number",))
            found = []
            for subject in (str(row["subject"]) for row in rows if str(row["heard_at"]) < before):
                now, state = stage.desk.standing_light(reader, subject), stage.desk.diary(reader, subject)
                if site_to_call(rules_of(rules), side_standing(now, state, "PARTICIPANT").stood):
                    found.append(subject)
        return found

    def _explain(self, site: str, subject: str) -> int:
        """Ask about every gap that was not asked about before, and say of some why there is no entry; how many."""
        stage, rates = self._stage, self._rates
        with stage.desk.reading() as reader:
            now, state = stage.desk.standing_light(reader, subject), stage.desk.diary(reader, subject)
        gaps = [
            (side, one.period.form, one.period.period)
            for side in SIDES
            for one in side_standing(now, state, side).stood
            if one.state == "MISSED"
            and (subject, side, one.period.form, one.period.period) not in self._asked
        ]
        for side, form, period in gaps:
            self._asked.add((subject, side, form, period))
            key = (self._index_of(subject), side, form, period)
            because = self._because(key)
            if because is None or not stage.chance.happens(rates.explained, "explained", *key):
                continue
            note = "" if because != "OTHER" else "Something else came in between."
            command = ExplainDiaryGap(subject, form, period, side, because, note)
            stage.must(stage.person("coordinator", site), command)
            stage.tally.counts["diary gaps explained"] += 1
        return len(gaps)

    def _because(self, key: tuple[object, ...]) -> Because | None:
        """Why there is no entry, by the shares of the staff model; None where it names no reason."""
        shares = self._rates.because
        drawn = self._stage.chance.share("because", *key) * sum(shares.values())
        for because, share in shares.items():
            drawn -= share
            if drawn < 0:
                return because
        return None
