"""What a version would touch is said before it counts; checks run over old data open nothing by themselves.

Sources of the rules: decisions 0019 and 0009; the property "a dry run is what is then opened".
"""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from equipoise.capture.batch import decide_findings, findings_due
from equipoise.capture.commands import AnswerQuery, CloseQuery, RaiseFindings
from equipoise.capture.evolve import START, Place
from equipoise.capture.evolve import evolve as evolve_capture
from equipoise.desk.batches import (
    Filter,
    Line,
    ask,
    changed_rules,
    findings,
    listing,
    open_findings,
    still_to_ask,
)
from equipoise.desk.impact import impact
from equipoise.desk.setup import adopt, release
from equipoise.ledger.entries import Datum, FormSaved, QueryRaised
from equipoise.ledger.facts import Facts, Occasion
from equipoise.protocol.forms import Check
from equipoise.protocol.study import Study
from equipoise.protocol.touched import touched
from equipoise.words.dates import PartialDate
from rooms.desk.test_versions_at_sites import with_item
from rooms.oversight.test_versions import _recorded
from stories.conftest import NIHSS, Story, made_store, story

__all__ = ["made_store", "story"]  # the fixtures, taken over from the stories

ASKED = {"en": "Hypertension is rare here: is it so?", "zh": "请核实是否有高血压。"}


def with_check(study: Study, version: str, form_id: str, holds: str, **more: object) -> Study:
    """The study with one more check on a form, and a number of its own."""
    check = Check.model_validate({"id": "NEWCHK", "holds": holds, "items": ["HTN"], "message": ASKED, **more})
    forms = tuple(
        form.model_copy(update={"checks": (*form.checks, check)}) if form.id == form_id else form
        for form in study.forms
    )
    return study.model_copy(update={"version": version, "forms": forms})


@pytest.fixture
def amended(story: Story) -> tuple[Story, list[str]]:
    """Three participants with hypertension and one without; then a version whose new check asks about it."""
    numbers = [story.screen(name) for name in ("甲", "乙", "丙", "丁")]
    for number, value in zip(numbers, "YYYN", strict=True):
        assert story.record("crc", number, "RISK", {"HTN": value}).accepted
    today = story.clock.at.date().isoformat()
    assert release(story.desk, with_check(story.desk.study, "2.0", "RISK", "not HTN")) == ()
    assert adopt(story.desk, "01", "2.0", "EC-01-2", today, today) == ()
    return story, numbers


def _due(one: Story, actor: str = "dm") -> tuple[Line, ...]:
    with one.desk.reading() as reader:
        first = one.desk.trial(reader).released[0].study.version
        return tuple(findings(one.desk, reader, one.who(actor), changed_rules(one.desk, reader, first)))


def _queries(one: Story, number: str) -> list[str]:
    with one.desk.reading() as reader:
        case = one.desk.standing_light(reader, one.subject(number)).case
    return [query.state for query in case.capture.queries.values() if query.rule == "NEWCHK"]


def test_a_dry_run_opens_nothing_and_what_it_lists_is_opened(amended: tuple[Story, list[str]]) -> None:
    story, numbers = amended
    lines = _due(story)
    assert [(line.number, line.rule, line.item) for line in lines] == [
        (number, "NEWCHK", "HTN") for number in numbers[:3]
    ]
    assert [_queries(story, number) for number in numbers] == [[], [], [], []]
    opened = open_findings(story.desk, story.who("dm"), lines, key="batch 1")
    assert (opened.queries, opened.participants, opened.problems) == (3, 3, ())
    assert [_queries(story, number) for number in numbers] == [["OPEN"], ["OPEN"], ["OPEN"], []]
    assert _due(story) == ()


def test_a_batch_is_taken_up_where_it_stopped_and_asks_nothing_twice(
    amended: tuple[Story, list[str]],
) -> None:
    story, numbers = amended
    lines = _due(story)
    assert open_findings(story.desk, story.who("dm"), lines[:1], key="batch 1").queries == 1
    assert (
        open_findings(story.desk, story.who("dm"), lines, key="batch 1").queries == 2
    )  # the same key: a replay
    assert (
        open_findings(story.desk, story.who("dm"), lines, key="batch 2").queries == 0
    )  # another key: nothing left
    assert [len(_queries(story, number)) for number in numbers] == [1, 1, 1, 0]


def test_what_a_person_closed_is_not_asked_again(amended: tuple[Story, list[str]]) -> None:
    story, numbers = amended
    lines, subject = _due(story), story.subject(numbers[0])
    open_findings(story.desk, story.who("dm"), lines[:1], key="batch 1")
    with story.desk.reading() as reader:
        asked = next(iter(story.desk.standing_light(reader, subject).case.capture.queries))
    story.done("crc", AnswerQuery(subject, asked, "it is so"))
    story.done("dm", CloseQuery(subject, asked))
    assert [line.number for line in _due(story)] == numbers[1:3]


def test_a_value_corrected_between_the_dry_run_and_the_opening_is_not_asked_about(
    amended: tuple[Story, list[str]],
) -> None:
    story, numbers = amended
    lines = _due(story)
    assert story.record("crc", numbers[0], "RISK", {"HTN": "N"}).accepted
    assert open_findings(story.desk, story.who("dm"), lines, key="batch 1").queries == 2


def test_a_site_that_has_not_adopted_the_version_is_not_judged_by_it(story: Story) -> None:
    number = story.screen("李四", "1960-01-01", actor="crc2", site="02")
    assert story.record("crc2", number, "RISK", {"HTN": "Y"}).accepted
    assert release(story.desk, with_check(story.desk.study, "2.0", "RISK", "not HTN")) == ()
    assert _due(story) == ()


def test_who_may_not_open_a_batch_opens_nothing(amended: tuple[Story, list[str]]) -> None:
    story, _ = amended
    opened = open_findings(story.desk, story.who("crc"), _due(story), key="batch 1")
    assert (opened.queries, {one.rule for one in opened.problems}) == (0, {"access.not-allowed"})


def test_one_question_about_a_listing(story: Story) -> None:
    numbers = [story.screen(name) for name in ("甲", "乙", "丙")]
    for number, data in zip(numbers, ({"HTN": "Y"}, {"HTN": Datum(None, "UK")}, {"DIAB": "Y"}), strict=True):
        assert story.record("crc", number, "RISK", data).accepted
    who = story.who("cra")

    def found(wanted: Filter) -> list[str]:
        with story.desk.reading() as reader:
            return [line.number for line in listing(story.desk, reader, who, wanted)]

    assert found(Filter("RISK")) == numbers
    assert found(Filter("RISK", "HTN", wanted="VALUE")) == numbers[:1]
    assert found(Filter("RISK", "HTN", wanted="MISSING")) == numbers[1:2]
    assert found(Filter("RISK", "HTN", wanted="EMPTY")) == numbers[2:]
    assert found(Filter("RISK", "HTN", wanted="EQUAL", value="UK")) == numbers[1:2]
    assert found(Filter("RISK", complete=True)) == []
    assert found(Filter("RISK", visit="V2")) == []
    with story.desk.reading() as reader:
        lines = tuple(listing(story.desk, reader, who, Filter("RISK", "HTN")))
        assert still_to_ask(story.desk, reader, lines, "Please look again.") == lines
    assert ask(story.desk, who, lines, "Please look again.", key="listing 1").queries == 3
    assert ask(story.desk, who, lines, "Please look again.", key="listing 2").queries == 0
    with story.desk.reading() as reader:
        assert still_to_ask(story.desk, reader, lines, "Please look again.") == ()
        assert still_to_ask(story.desk, reader, lines, "Another question.") == lines
    assert {one.rule for one in ask(story.desk, who, lines, " ", key="listing 3").problems} == {
        "capture.text-required"
    }


def test_the_impact_is_said_before_anything_is_released(story: Story) -> None:
    number, today = story.screen(), story.clock.at.date().isoformat()
    assert story.record("rater", number, "NIHSS", {**NIHSS, "NIHSSDAT": today}, complete=True).accepted
    assert story.record("crc", number, "RISK", {"HTN": "Y", "SMOKING": "FORMER"}).accepted
    after = with_item(with_check(story.desk.study, "2.0", "RISK", "not HTN"), "2.0", "NIHSS", id="SLEEP")
    without = tuple(
        form.model_copy(update={"items": tuple(item for item in form.items if item.id != "SMOKING")})
        if form.id == "RISK"
        else form
        for form in after.forms
    )
    with story.desk.reading() as reader:
        heads = reader.streams()
        found = impact(story.desk, reader, after.model_copy(update={"forms": without}))
    assert [(hit.kind, hit.place) for hit in found.hits] == [
        ("item_gone", ("V1", "RISK", "1", "SMOKING")),
        ("answers_lacking", ("V1", "NIHSS", "1")),
        ("check_fires", ("V1", "RISK", "1", "NEWCHK")),
    ]
    assert found.participants == {"01": 1}
    assert found.touched_participants("01") == 1
    assert {change.path.split(".")[0] for change in found.changes} == {"version", "forms"}
    with story.desk.reading() as reader:
        assert reader.streams() == heads
        assert impact(story.desk, reader, after, hidden={"RISK", "NIHSS"}).hits == ()


def test_the_same_study_touches_nothing(story: Story) -> None:
    same = touched(story.desk.study, story.desk.study)
    assert not any(same.items.values())
    assert not any(same.checks.values())
    assert (same.gone, same.planned, same.visits, same.consents) == (
        frozenset(),
        frozenset(),
        frozenset(),
        (),
    )


def test_a_check_whose_words_alone_changed_is_not_a_changed_check(story: Story) -> None:
    first = with_check(story.desk.study, "2.0", "RISK", "not HTN")
    said = with_check(
        story.desk.study, "2.1", "RISK", "not  HTN", message={"en": "Is it so?", "zh": "是否如此？"}
    )
    other = with_check(story.desk.study, "2.2", "RISK", "HTN")
    assert touched(first, said).checks["RISK"] == frozenset()
    assert touched(first, other).checks["RISK"] == {"NEWCHK"}


STUDY = Study.model_validate(
    {
        "notation": 1, "id": "s", "version": "2", "dated": "2026-01-01", "title": "t",
        "schedule": {
            "epochs": [{"id": "E", "label": "e"}],
            "visits": [{"id": "V1", "label": "v", "epoch": "E", "day": 1}],
            "activities": [{"id": "A", "label": "a", "forms": ["F"], "visits": ["V1"]}],
        },
        "forms": [
            {
                "id": "F", "label": "f", "repeats": True,
                "items": [
                    {"id": "A", "label": "a", "type": "integer", "expected": ["0", "5"]},
                    {"id": "B", "label": "b", "type": "integer"},
                ],
                "checks": [{"id": "C", "holds": "A <= B", "items": ["A"], "message": "m"}],
            }
        ],
    }
)  # fmt: skip
OCCASION = Occasion(dt.datetime(2026, 8, 10, 3, tzinfo=dt.UTC), "UTC")
SAVES = st.lists(
    st.tuples(st.integers(1, 3), st.dictionaries(st.sampled_from("AB"), st.integers(0, 9), min_size=1)),
    max_size=6,
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(saves=SAVES, chosen=st.data())
def test_a_dry_run_is_what_is_then_opened_whatever_was_recorded(
    saves: list[tuple[int, dict[str, int]]], chosen: st.DataObject
) -> None:
    """Of any recorded data, and any choice among the findings: those, each once, no other, and no value changes."""
    state = START
    for repeat, values in saves:
        items = {name: Datum(str(value)) for name, value in values.items()}
        state = evolve_capture(
            state, _recorded(FormSaved("V1", "F", repeat, items, {}, complete=False), "subject/k")
        )
    facts = Facts(subject_known=True)
    due = list(findings_due(STUDY, state, facts, PartialDate.of(OCCASION.today)))
    picked = (
        chosen.draw(st.lists(st.sampled_from(due), unique_by=lambda one: (one[0], one[1].rule)))
        if due
        else []
    )
    command = RaiseFindings("k", tuple((*place, finding.rule) for place, finding in picked))
    for expected in (picked, []):  # then once more: nothing is asked twice
        decision = decide_findings(STUDY, state, facts, command, OCCASION)
        assert isinstance(decision, tuple)
        opened = [append.entry for append in decision if isinstance(append.entry, QueryRaised)]
        assert len(opened) == len(decision)
        assert sorted((entry.visit, entry.form, entry.repeat, entry.rule) for entry in opened) == sorted(
            (*place, finding.rule) for place, finding in expected
        )
        before = state.forms
        for entry in opened:
            state = evolve_capture(state, _recorded(entry, "subject/k"))
        assert state.forms == before
    assert {Place("V1", "F", repeat) for repeat, _ in saves} == set(state.forms)
