"""What is counted as it changes is what counting everything gives, and is the same when the tables are built anew.

The oracle of each count is the sentence that the page says, worked out here over every row and every participant.
"""

from __future__ import annotations

import random
from collections import Counter
from decimal import Decimal

import pytest

from equipoise.capture.closing.commands import ReviewForm, VerifyItems
from equipoise.capture.closing.verifying import in_full
from equipoise.capture.commands import DateVisit, MissVisit, ReopenVisit
from equipoise.capture.evolve import Place
from equipoise.desk.closing_tables import CLOSING_CASES, CLOSING_COUNTS, CLOSINGS, count_closings
from equipoise.desk.followers import FOLLOWERS, SUBJECTS
from equipoise.desk.lock_checklist import missing_forms, planned_forms
from equipoise.desk.queues import page_of
from equipoise.desk.setup import adopt, release
from equipoise.desk.verification_plan import critical_forms, planned, to_verify
from equipoise.desk.visit_tables import OPEN_VISITS
from equipoise.ledger.followers import rebuild
from equipoise.ledger.store import Condition, Row
from equipoise.protocol.study import Verification
from stories.conftest import NIHSS, Story, made_store, story

__all__ = ["made_store", "story"]  # the fixtures, taken over from the stories


def _live(one: Story, draw: random.Random) -> None:
    """Participants at every stage, and in the middle of it another plan of verification."""
    for turn in range(4):
        number = one.eligible(f"人{turn}")
        if turn:
            assert one.randomize(number).accepted
        subject, place = one.subject(number), Place("V1", "NIHSS", 1)
        state = one.captured(number)
        if state.form(place).complete:
            if draw.random() < 0.7:
                items = tuple(draw.sample(sorted(state.form(place).values), k=draw.choice([3, 16])))
                one.done("cra", VerifyItems(subject, *place, state.form(place).seq, items))
            if draw.random() < 0.5:
                one.done("dm", ReviewForm(subject, *place, state.form(place).seq))
            if draw.random() < 0.5:
                one.sign("pi", number, [place])
            if draw.random() < 0.5:
                one.record("rater", number, "NIHSS", {"8": "2"}, reason="misread")
        if turn:
            one.record("rater", number, "NIHSS", {**NIHSS, "NIHSSDAT": "2026-06-01"}, "V6", complete=True)
            for visit in draw.sample(["V6", "V7", "V8"], k=2):
                one.done("crc", MissVisit(subject, visit, "TRAVEL"))
                if draw.random() < 0.5:
                    one.done("crc", ReopenVisit(subject, visit, 1, "mistake"))
            one.done("crc", DateVisit(subject, "V2", "2026-06-01"))
        if turn == 3:
            one.done("crc", DateVisit(subject, "ET", "2026-06-01", because="REQUEST"))
        if turn == 2:
            plan = Verification(first=0, share=Decimal("0.5"), critical_forms=("MRS",))
            study = one.desk.study.model_copy(update={"version": "9.9", "verification": plan})
            assert release(one.desk, study) == ()
            today = one.clock.at.date().isoformat()
            assert adopt(one.desk, "01", "9.9", "EC-9", today, today) == ()


def _rows(one: Story) -> dict[str, tuple[Row, ...]]:
    with one.desk.reading() as reader:
        return {table.name: reader.rows.find(table) for follower in FOLLOWERS for table in follower.tables}


@pytest.mark.parametrize("seed", range(3))
def test_counts_and_queues_are_those_of_every_row(story: Story, seed: int) -> None:
    _live(story, random.Random(seed))
    followed = _rows(story)
    rebuild(story.desk.ledger.store, story.desk.ledger.keys, story.desk.ledger.followers)
    assert _rows(story) == followed
    study = story.desk.study
    every = followed["closings"]
    assert {
        tuple(row[name] for name in CLOSING_COUNTS.key): row["n"] for row in followed["closing_counts"]
    } == Counter(tuple(row[name] for name in CLOSING_COUNTS.key) for row in every)
    with story.desk.reading() as reader:
        ranks: Counter[str] = Counter()
        full = set()
        for row in reader.rows.find(SUBJECTS, order=("randomized_at",)):
            if row["randomized_at"] is not None:
                ranks[str(row["site"])] += 1
                if in_full(study.verification, str(row["number"]), ranks[str(row["site"])]):
                    full.add(row["subject"])
        assert {row["subject"] for row in reader.rows.find(CLOSING_CASES) if row["full"]} == full
        taken = [
            row
            for row in every
            if row["complete"] and (row["subject"] in full or row["form"] in critical_forms(study))
        ]
        assert sum(count_closings(reader.rows, where) for where in planned(study)) == len(taken)
        where: dict[str, Condition] = {"complete": 1, "signed": ["", "BROKEN"], "site": ["01"]}
        unsigned = sorted(
            (row["number"], row["visit"], row["form"])
            for row in every
            if row["complete"] and row["signed"] != "SIGNED"
        )
        listed = [(row["number"], row["visit"], row["form"]) for row in page_of(reader, [where], (), 500)]
        assert listed == unsigned
        assert count_closings(reader.rows, where) == len(unsigned)
        left = [dict(one) for one in to_verify(study)]
        assert len(page_of(reader, left, (), 500)) == sum(count_closings(reader.rows, one) for one in left)
        trial = story.desk.trial(reader)
        assert missing_forms(reader, trial) == _missing(followed, planned_forms(study))
        assert {row["subject"] for row in reader.rows.find(OPEN_VISITS)} == {
            row["subject"] for row in followed["courses"] if "ET" not in str(row["held"]).split()
        }


def _missing(rows: dict[str, tuple[Row, ...]], wanted: object) -> int:
    """Planned forms of everybody randomized that were not begun, one by one, where the visit is expected.

    It was not missed, nor left open by who came to the visit of early termination (ET).
    """
    assert isinstance(wanted, dict)
    begun = {(row["subject"], row["visit"], row["form"]) for row in rows["closings"] if row["repeat"] == 1}
    missed = {(row["subject"], row["visit"]) for row in rows["missed_visits"]}
    held = {row["subject"]: str(row["held"]).split() for row in rows["courses"]}
    return sum(
        (subject, visit, form) not in begun
        for subject in (row["subject"] for row in rows["closing_cases"] if row["randomized"])
        for visit, forms in wanted.items()
        if (subject, visit) not in missed and ("ET" not in held[subject] or visit in held[subject])
        for form in forms
    )


def test_a_page_of_a_queue_follows_the_one_before(story: Story) -> None:
    _live(story, random.Random(5))
    where: dict[str, Condition] = {"complete": 1, "signed": ["", "BROKEN"], "site": ["01", "02"]}
    with story.desk.reading() as reader:
        whole = page_of(reader, [where], (), 500)
        found, key = [], ()
        while rows := page_of(reader, [where], key, 2):
            found += rows
            key = tuple(rows[-1][name] for name in ("number", *CLOSINGS.key))  # type: ignore[assignment]
    assert found == whole
    assert len(whole) > 2
