"""Laws of double entry: whatever two persons and a third do, nothing leaks from the first to the second, nothing counts
before it is settled, and it is settled once.

Source: GCDMP, data entry processes (independent double entry with third-party verification).
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.capture.commands import RecordForm
from equipoise.capture.decide import decide
from equipoise.capture.double.commands import RecordEntry, SettleEntries, WithdrawEntries
from equipoise.capture.evolve import Place
from equipoise.capture.snapshot import state_from_json, state_to_json
from equipoise.ledger.entries import Datum, EntriesSettled, EntriesWithdrawn, FormSaved, SecondEntryRecorded
from equipoise.ledger.facts import Refusal
from laws.test_assessor_blind import readings, said
from rooms.capture.conduct_study import values
from rooms.capture.test_double_entry import AT_SITE, PAPER, PLACE, STUDY, Course, as_person
from stories.conftest import Story, made_store, story

__all__ = ["made_store", "story"]  # the fixtures, taken over from the stories

PEOPLE = ("alice", "bob", "carol", "dora")
TYPED = st.fixed_dictionaries(
    {"SYSBP": st.sampled_from(["120", "130", "5000", "many"]), "SEX": st.sampled_from(["M", "F"])},
    optional={"PREG": st.sampled_from(["Y", "N"]), "NOTE": st.sampled_from(["as written", "as it stands"])},
)
"""Two of the numbers cannot be recorded; PREG belongs to F alone."""
ACTS = st.lists(
    st.tuples(
        st.sampled_from(PEOPLE),
        st.sampled_from(["enter", "enter", "enter", "settle", "withdraw", "save", "omit"]),
        TYPED,
        st.sampled_from(["FIRST", "SECOND", "NEITHER"]),
    ),
    max_size=14,
)


def command_of(course: Course, act: str, typed: dict[str, str], choice: str) -> object:
    """The command that a page would send now."""
    pair = course.state.pairs.get(PLACE)
    base = (pair.second or pair.first).seq if pair is not None else 0
    given = {**PAPER, **values(**typed)}
    match act:
        case "enter":
            return RecordEntry("s1", *PLACE, given)
        case "settle":
            apart = pair.differing if pair is not None else ()
            choices = dict.fromkeys(apart, choice)
            items = (
                {name: given.get(name, Datum(missing="UK")) for name in apart} if choice == "NEITHER" else {}
            )
            return SettleEntries("s1", *PLACE, base, choices, items, dict.fromkeys(apart, "read again"))
        case "withdraw":
            return WithdrawEntries("s1", *PLACE, base, "a reason")
        case "omit":
            return RecordForm("s1", *PLACE, {}, 0, omit="ND")
    return RecordForm("s1", *PLACE, values(SYSBP="110"), course.state.form(PLACE).seq, reason="source")


def done(course: Course, who: str, act: str, typed: dict[str, str], choice: str) -> Any:
    """What came of an act; what was accepted is part of the course from now on."""
    role = "data_manager" if act == "settle" else "coordinator"
    decision = decide(
        STUDY, course.state, AT_SITE, command_of(course, act, typed, choice), as_person(who, role)
    )
    if not isinstance(decision, Refusal):
        course.do(decision, who)
    return decision


@given(ACTS)
def test_nothing_counts_before_it_is_settled_and_it_is_settled_once(acts):
    course = Course()
    for act in acts:
        done(course, *act)
        kinds = [type(entry) for entry in course.entries]
        settled = kinds.count(EntriesSettled)
        assert settled <= 1
        first_save = kinds.index(FormSaved) if FormSaved in kinds else None
        if settled:
            assert first_save == kinds.index(EntriesSettled) + 1, (
                "the form comes into being in the same append"
            )
        else:
            assert first_save is None
            assert not course.state.form(PLACE).values
            assert course.state.queries == {}
        pair = course.state.pairs.get(PLACE)
        if pair is not None and pair.second is not None:
            assert pair.first.by != pair.second.by
            second = max(place for place, kind in enumerate(kinds) if kind is SecondEntryRecorded)
            assert EntriesWithdrawn not in kinds[second:]
        assert state_from_json(state_to_json(course.state)) == course.state


@given(ACTS)
def test_a_settled_form_holds_what_both_typed_or_what_was_chosen(acts):
    course = Course()
    for act in acts:
        done(course, *act)
        settled = [entry for entry in course.entries if isinstance(entry, EntriesSettled)]
        if settled:
            break
    else:
        return
    pair, saved = course.state.pairs[PLACE], course.entries[-1]
    assert isinstance(saved, FormSaved)
    assert saved.complete
    held = {**saved.items, **saved.texts}
    for name in settled[0].compared:
        first, second = pair.first.items.get(name), pair.second.items.get(name)
        if name not in pair.differing:
            assert first == second == held.get(name)
        elif settled[0].choices.get(name) in {"FIRST", "SECOND"}:
            assert held.get(name) == (first if settled[0].choices[name] == "FIRST" else second)
    assert held.keys() <= set(settled[0].compared)


@given(
    st.lists(st.tuples(st.sampled_from(["bob", "carol", "alice"]), TYPED), max_size=6),
    st.tuples(TYPED, TYPED),
)
def test_what_the_second_is_told_does_not_depend_on_what_the_first_typed(attempts, firsts):
    """Two worlds that differ only in the first entry: until the second is taken, every answer is the same."""
    worlds = []
    for first in firsts:
        course = Course()
        opened = done(course, "alice", "enter", first, "FIRST")
        if isinstance(opened, Refusal):
            return
        worlds.append(course)
    for who, typed in attempts:
        one, other = (done(course, who, "enter", typed, "FIRST") for course in worlds)
        assert isinstance(one, Refusal) == isinstance(other, Refusal)
        if not isinstance(one, Refusal):
            return  # both are in: from here on both may be compared
        assert one == other


# --- over every reading of the desk ----------------------------------------------------------------------------

WORD = "canaryword"
QUESTIONNAIRE = Place("V4", "BGP", 1)
SAID = {"BGPDAT": "2026-06-01", "BGPGS": "ACTIVE", "BGPSU": "LIKELY", "BGPWH": "LOOK"}
READERS = ("crc", "pi", "cra", "dm", "rater")


def entry_of(story: Story, number: str, **more: str) -> RecordEntry:
    typed = {name: Datum(value) for name, value in {**SAID, **more}.items()}
    return RecordEntry(story.subject(number), *QUESTIONNAIRE, typed)


def who_reads(story: Story, number: str, actor: str) -> set[str]:
    """The methods of the desk by which a person reads the word."""
    every = readings(story.desk, story.who(actor), number, ["V4"])
    return {name.split()[0] for name, answer in every if WORD in said(answer)}


@pytest.fixture
def typed_once(story: Story) -> tuple[Story, str]:
    number = story.screen()
    story.done("crc", entry_of(story, number, BGPTX=WORD))
    return story, number


def test_nobody_reads_the_first_entry_anywhere(typed_once):
    story, number = typed_once
    for actor in READERS:
        assert who_reads(story, number, actor) == set(), actor
    said_of_it = f"it said {WORD}"
    with story.desk.reading() as reader:
        seq = story.desk.standing_light(reader, story.subject(number)).case.seq
    story.done("crc", WithdrawEntries(story.subject(number), *QUESTIONNAIRE, seq, said_of_it))
    for actor in READERS:
        assert who_reads(story, number, actor) == set(), "nor what was said when it was withdrawn"


def test_the_search_finds_it_once_both_are_in(typed_once):
    story, number = typed_once
    story.done("pi", entry_of(story, number))
    assert who_reads(story, number, "pi") == {"double"}
    assert who_reads(story, number, "rater") == set(), "who never sees the form never sees its entries"


def test_the_tables_and_the_main_parts_hold_nothing_of_it(typed_once):
    story, number = typed_once
    with story.desk.reading() as reader:
        entries = reader.entries(f"subject/{story.subject(number)}")
        rows = [row for table in tables() for row in reader.rows.find(table)]
    assert WORD in str(entries[-1].entry)
    assert "ACTIVE" not in str(rows)
    assert WORD not in str(rows)


def tables() -> list[Any]:
    from equipoise.desk.followers import FOLLOWERS

    return [table for follower in FOLLOWERS for table in follower.tables]
