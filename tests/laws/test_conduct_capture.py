"""Laws of capture, over random series of saves by several people.

1. What was accepted is there: the folded state equals a plain dictionary kept beside it.
2. A refused save changes nothing, and names a reason.
3. Derived totals are always those of the scale.
4. Going on from a JSON snapshot gives the same decisions and the same state.
5. Nobody's accepted value disappears except by a later accepted change of the same item, or by hiding it.
6. Nothing is emptied by hiding that was changed after the page was read.
7. Free text stands only in the part of an entry that can be withheld or erased alone.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.capture.binding import answers
from equipoise.capture.commands import RaiseQuery, RecordForm
from equipoise.capture.decide import decide
from equipoise.capture.evolve import START, Place, State, evolve, given_by, is_empty
from equipoise.capture.snapshot import state_from_json, state_to_json
from equipoise.instruments import scales, score
from equipoise.ledger.codec import encode
from equipoise.ledger.entries import Datum, FormSaved
from equipoise.ledger.facts import Decision, Refusal
from equipoise.words.canonical import canonical_bytes, read_canonical
from rooms.capture.conduct_study import KNOWN, OCCASION, made_study, recorded

STUDY = made_study()
NIHSS = scales()["NIHSS"]
MISSING = st.sampled_from(["ND", "UK", "NA", "RF"])

vital = st.fixed_dictionaries(
    {},
    optional={
        "SYSBP": st.integers(-1, 301).map(lambda number: Datum(str(number))),
        "DIABP": st.one_of(
            st.integers(0, 200).map(lambda n: Datum(str(n))), MISSING.map(lambda code: Datum(missing=code))
        ),
        "TEMP": st.decimals(30, 45, places=1).map(lambda number: Datum(str(number))),
        "SEX": st.sampled_from([Datum("F"), Datum("M"), Datum(), Datum("X"), Datum(missing="UK")]),
        "PREG": st.sampled_from([Datum("Y"), Datum("N"), Datum()]),
        "PREGDAT": st.sampled_from([Datum("2026-12"), Datum()]),
        "DAT": st.dates().map(lambda day: Datum(day.isoformat())),
        "NOTE": st.text(max_size=12).map(Datum),
        "UNTEST": st.builds(
            Datum, missing=st.sampled_from(["UN", "ND"]), why=st.sampled_from([None, "cast"])
        ),
    },
)
scored = st.dictionaries(
    st.sampled_from([item.id for item in NIHSS.items]),
    st.one_of(st.integers(0, 2).map(lambda n: Datum(str(n))), st.builds(Datum, missing=MISSING, why=st.just("cast")), st.just(Datum(missing="UN", why="cast")), st.just(Datum())),
    max_size=15,
)  # fmt: skip
save = st.one_of(
    st.tuples(st.just("VS"), st.sampled_from(["V1", "V2"]), vital),
    st.tuples(st.just("NIHSS"), st.just("V1"), scored),
)
saves = st.lists(
    st.tuples(
        save, st.integers(0, 3), st.sampled_from([None] * 8 + [True]), st.sampled_from([None, "because"])
    ),
    max_size=12,
)


def play(series: Any, *, snapshots: bool) -> tuple[State, list[Decision], dict[Place, dict[str, Datum]]]:
    """Decide and fold a series; beside it a plain book: place -> item -> datum, as accepted entries say."""
    state, seq = START, 0
    said: list[Decision] = []
    book: dict[Place, dict[str, Datum]] = {}
    for (form, visit, items), behind, complete, reason in series:
        place = Place(visit, form, 1)
        base = max(0, state.form(place).seq - behind)
        command = RecordForm("s1", visit, form, 1, items, base, complete, reason)
        decision = decide(STUDY, state, KNOWN, command, OCCASION)
        said.append(decision)
        if isinstance(decision, Refusal):
            assert decision.problems
            continue
        for append in decision:
            seq += 1
            state = evolve(state, recorded("subject/s1", seq, append.entry))
            if isinstance(append.entry, FormSaved):
                mine = book.setdefault(place, {})
                mine |= given_by(append.entry)
                for name in [name for name, datum in mine.items() if is_empty(datum)]:
                    del mine[name]
        if snapshots:
            state = state_from_json(read_canonical(canonical_bytes(state_to_json(state))))
    return state, said, book


@given(saves)
def test_the_fold_is_what_was_accepted(series):
    state, _, book = play(series, snapshots=False)
    assert {place: dict(instance.values) for place, instance in state.forms.items()} == book


@given(saves)
def test_totals_are_always_those_of_the_scale(series):
    state, _, _ = play(series, snapshots=False)
    form = STUDY.form("NIHSS")
    assert form is not None
    instance = state.form(Place("V1", "NIHSS", 1))
    expected = {
        testcd: Datum(str(total.official))
        for testcd, total in score(NIHSS, answers(form, instance.values)).items()
        if total.official is not None
    }
    assert dict(instance.derived) == expected


@given(saves)
def test_a_snapshot_changes_no_decision(series):
    assert play(series, snapshots=True) == play(series, snapshots=False)


hiding = st.sampled_from(
    [
        {"SEX": Datum("F")},
        {"SEX": Datum("M")},
        {"PREG": Datum("Y")},
        {"PREG": Datum("N")},
        {"PREGDAT": Datum("2026-12")},
        {"SEX": Datum("F"), "PREG": Datum("Y")},
    ]
)


@given(st.lists(st.tuples(hiding, st.integers(0, 2)), min_size=2, max_size=10))
def test_what_was_not_seen_is_not_hidden_away(series):
    """SEX hides PREG, and PREG hides PREGDAT; each save is made from a page that is some saves behind."""
    state, place = START, Place("V1", "VS", 1)
    for seq, (items, behind) in enumerate(series, start=1):
        before = state.form(place)
        base = max(0, before.seq - behind)
        decision = decide(STUDY, state, KNOWN, RecordForm("s1", *place, items, base), OCCASION)
        if isinstance(decision, Refusal):
            continue
        entry = decision[0].entry
        assert isinstance(entry, FormSaved)
        emptied = {name for name, datum in entry.items.items() if is_empty(datum)}
        assert all(before.changed[name] <= base for name in emptied - items.keys())
        state = evolve(state, recorded("subject/s1", seq, entry))


@given(saves)
def test_an_accepted_save_has_stored_every_value_typed(series):
    _, said, _ = play(series, snapshots=False)
    for ((_, _, items), _, _, _), decision in zip(series, said, strict=True):
        if isinstance(decision, Refusal):
            continue
        entry = decision[0].entry
        assert isinstance(entry, FormSaved)
        stored = {**entry.items, **entry.texts}
        for name, datum in items.items():
            # Left out only where it is what stood there already; then the fold has it.
            if name in stored:
                assert (stored[name].missing, is_empty(stored[name])) == (
                    datum.missing,
                    not (datum.missing or _said(datum)),
                )


def _said(datum: Datum) -> str:
    """What is left of a text once what cannot be seen is taken away."""
    return "".join(c for c in datum.value or "" if c.isprintable() or c in "\t\n\r").strip()


@given(saves, st.integers(0, 11))
def test_a_value_goes_only_by_a_change_of_its_own_item(series, cut):
    before, _, _ = play(series[:cut], snapshots=False)
    after, said, _ = play(series, snapshots=False)
    touched = {
        (append.entry.visit, append.entry.form, name)
        for decision in said[cut:]
        if not isinstance(decision, Refusal)
        for append in decision
        if isinstance(append.entry, FormSaved)
        for name in (*append.entry.items, *append.entry.texts)
    }
    for place, instance in before.forms.items():
        for name, datum in instance.values.items():
            if (place.visit, place.form, name) not in touched:
                assert after.form(place).values[name] == datum


FREE = "free text that must be erasable"


@pytest.mark.parametrize("where", ["reason", "why", "text", "query"])
def test_free_text_stands_only_in_the_part_that_can_be_withheld_alone(where):
    place = Place("V1", "VS", 1)
    items = {
        "reason": {"SYSBP": Datum("120")},
        "why": {"UNTEST": Datum(missing="UN", why=FREE)},
        "text": {"NOTE": Datum(FREE)},
        "query": {},
    }[where]
    command = (
        RaiseQuery("s1", *place, "SYSBP", FREE)
        if where == "query"
        else RecordForm("s1", *place, items, 0, reason=FREE)
    )
    decision = decide(STUDY, START, KNOWN, command, OCCASION)
    assert not isinstance(decision, Refusal)
    written = [encode(append.entry) for append in decision]
    assert FREE not in str([parts["main"] for parts in written])
    assert FREE in str([parts.get("aside") for parts in written])
    state = START
    for seq, append in enumerate(decision, 1):
        state = evolve(state, recorded("subject/s1", seq, append.entry))
    if where == "why":
        assert state.form(place).values["UNTEST"] == Datum(missing="UN", why=FREE)
    assert state_from_json(state_to_json(state)) == state
