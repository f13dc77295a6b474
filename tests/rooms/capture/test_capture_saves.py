"""One save of one form: what is recorded, what is refused and beside which item, what follows from it."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from equipoise.capture.commands import RecordForm
from equipoise.capture.decide import decide
from equipoise.capture.evolve import START, Place, State, evolve, given_by
from equipoise.capture.parsing import parse
from equipoise.capture.questions import Question
from equipoise.instruments import scales, score
from equipoise.ledger.entries import Datum, FormSaved, QueryClosed, QueryRaised
from equipoise.protocol.forms import Item
from rooms.capture.conduct_study import (
    FORMS,
    KNOWN,
    OCCASION,
    folded,
    made_study,
    recorded,
    refused,
    rules,
    scores,
    values,
    written,
)

STUDY = made_study()
EMPTY = Datum()


def save(state, items, *, form="VS", visit="V1", repeat=1, base=None, complete=None, reason=None):
    place = Place(visit, form, repeat)
    seen = state.form(place).seq if base is None else base
    command = RecordForm("s1", visit, form, repeat, items, seen, complete, reason)
    return decide(STUDY, state, KNOWN, command, OCCASION)


class Casebook:
    """A state with the stream that made it."""

    def __init__(self):
        self.entries = []

    @property
    def state(self) -> State:
        return folded(evolve, START, self.entries)

    def save(self, items, **options):
        new = [append.entry for append in written(save(self.state, items, **options))]
        self.entries += new
        return new


FULL = values(DAT="2026-08-14", SYSBP="120", DIABP="80", SEX="M")


@pytest.mark.parametrize(
    ("item", "typed", "stored"),
    [
        ("SYSBP", "１２０", "120"),  # full-width digits, as a Chinese keyboard gives them
        ("SYSBP", " 0120 ", "120"),
        ("TEMP", "36.5", "36.5"),
        ("TEMP", "３６．５", "36.5"),
        ("DAT", "2026年8月14日", "2026-08-14"),
        ("DAT", "14-AUG-2026", "2026-08-14"),
        ("TIM", "8:05", "08:05"),
        ("TIM", "0805", "08:05"),
        ("SEX", "M", "M"),
        ("NOTE", "  左侧 cafe\u0301 \x00", "左侧 café"),  # one normal form, nothing unseen
    ],
)
def test_a_value_is_stored_in_its_one_form(item, typed, stored):
    (append,) = written(save(START, {item: Datum(typed)}))
    assert isinstance(append.entry, FormSaved)
    assert {**append.entry.items, **append.entry.texts} == {item: Datum(stored)}


@pytest.mark.parametrize(
    ("item", "typed", "rule"),
    [
        ("SYSBP", "12o", "capture.not-an-integer"),
        ("SYSBP", "120.5", "capture.not-an-integer"),
        ("SYSBP", "301", "capture.impossible-value"),
        ("SYSBP", "-1", "capture.impossible-value"),
        ("TEMP", "36.55", "capture.too-many-digits"),
        ("TEMP", "36,5", "capture.not-a-number"),
        ("TEMP", "1e1", "capture.not-a-number"),
        ("TEMP", "nan", "capture.not-a-number"),
        ("DAT", "2026-08", "capture.date-incomplete"),
        ("DAT", "08/14/2026", "capture.not-a-date"),
        ("DAT", "2026-02-30", "capture.not-a-date"),
        ("SEX", "X", "capture.not-in-list"),
        ("TIM", "24:00", "capture.not-a-time"),
        ("NOTE", "x" * 4001, "capture.text-too-long"),
        ("VIAB", "91.0", "capture.revealing-item"),
        ("NOPE", "1", "capture.item-unknown"),
    ],
)
def test_an_impossible_value_is_refused_beside_its_item(item, typed, rule):
    assert (rule, item) in refused(save(START, {item: Datum(typed)}))


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        (Datum(missing="ND"), None),
        (Datum(missing="UN", why="cast on the arm"), None),
        (Datum(missing="UN"), "capture.code-unexplained"),
        (Datum(missing="UN", why="  "), "capture.code-unexplained"),
        (Datum(missing="RF"), "capture.code-not-offered"),
        (Datum("3", missing="ND"), "capture.value-and-code"),
    ],
)
def test_only_offered_reasons_for_a_missing_value_and_untestable_says_why(given, rule):
    decision = save(START, {"UNTEST": given})
    if rule is None:
        entry = written(decision)[0].entry
        assert given_by(entry) == {"UNTEST": given}
        assert entry.items == {"UNTEST": Datum(missing=given.missing)}
    else:
        assert refused(decision) == [(rule, "UNTEST")]


def test_every_fault_of_a_save_is_named_at_once():
    bad = {"SYSBP": Datum("999"), "SEX": Datum("?"), "NOPE": Datum("1"), "DIABP": Datum("80")}
    assert {where for _, where in refused(save(START, bad))} == {"SYSBP", "SEX", "NOPE"}


def test_a_place_that_the_study_does_not_have_is_refused():
    assert rules(save(START, FULL, visit="V9")) == {"capture.visit-unknown"}
    assert rules(save(START, FULL, form="XX")) == {"capture.form-unknown"}
    assert rules(save(START, FULL, form="STROKE", visit="V2")) == {"capture.form-not-planned"}
    assert rules(save(START, FULL, repeat=2)) == {"capture.repeat-unknown"}
    assert rules(save(START, FULL, repeat=0)) == {"capture.repeat-unknown"}
    assert written(save(START, FULL, visit="UNS", repeat=3))
    assert written(save(START, values(TERM="asthma"), form="MH", repeat=7))


def test_only_what_changed_is_written_and_an_unchanged_save_is_refused():
    book = Casebook()
    book.save(FULL)
    (entry,) = book.save({**FULL, **values(SYSBP="130")})
    assert entry.items == values(SYSBP="130")
    assert refused(save(book.state, FULL | values(SYSBP="130"))) == [("capture.nothing-changed", "")]


def test_an_emptied_item_is_gone_and_its_emptying_is_written():
    book = Casebook()
    book.save(FULL)
    (entry,) = book.save({"SEX": Datum("")})
    assert entry.items == {"SEX": EMPTY}
    assert "SEX" not in book.state.form(Place("V1", "VS", 1)).values


def test_free_text_stands_in_the_part_that_can_be_withheld():
    book = Casebook()
    (entry,) = book.save({**FULL, **values(NOTE="called the wife, 555-1234")})
    assert set(entry.texts) == {"NOTE"}
    assert "NOTE" not in entry.items


# --- derived values ----------------------------------------------------------------------------------------------


def test_a_derivation_is_written_when_it_changes_and_emptied_when_it_is_not_known():
    book = Casebook()
    (entry,) = book.save(FULL)
    assert entry.derived == {"MAP": Datum("93.3")}  # (120 + 2 * 80) / 3, to one decimal
    (entry,) = book.save(values(SEX="F"))
    assert entry.derived == {}
    (entry,) = book.save({"DIABP": Datum(missing="ND")})
    assert entry.derived == {"MAP": EMPTY}
    assert "MAP" not in book.state.form(Place("V1", "VS", 1)).derived


MODERATE = ["0", "0", "0", "0", "0", "2", "0", "3", "0", "2", "0", "1", "0", "1", "0"]


def test_the_total_of_a_scale_is_its_official_total():
    (append,) = written(save(START, scores(MODERATE), form="NIHSS"))
    assert append.entry.derived["NIH0116"] == Datum("9")  # 2 + 3 + 2 + 1 + 1
    answers = {name: int(datum.value) for name, datum in scores(MODERATE).items()}
    assert Decimal(9) == score(scales()["NIHSS"], answers)["NIH0116"].official


def test_an_untestable_item_counts_nothing_and_a_missing_one_leaves_no_total():
    # domain.md 3.2: UN contributes 0 to the official total; a missing item is not UN and no total is computed.
    untestable = [*MODERATE[:7], "UN", *MODERATE[8:]]
    (append,) = written(save(START, scores(untestable), form="NIHSS"))
    assert append.entry.derived["NIH0116"] == Datum("6")
    (append,) = written(save(START, scores([*MODERATE[:14], ""]), form="NIHSS"))
    assert "NIH0116" not in append.entry.derived


@pytest.mark.parametrize(
    ("item", "given", "rule"),
    [
        ("1a", Datum("4"), "capture.score-not-allowed"),
        ("1a", Datum("x"), "capture.score-not-allowed"),
        ("1a", Datum("1.0"), "capture.score-not-allowed"),
        ("1a", Datum(missing="UN", why="?"), "capture.code-not-offered"),
        ("5a", Datum(missing="UN"), "capture.code-unexplained"),
    ],
)
def test_a_scale_takes_its_own_scores_only(item, given, rule):
    assert refused(save(START, {item: given}, form="NIHSS")) == [(rule, item)]


# --- hidden items --------------------------------------------------------------------------------------------------


def test_a_hidden_item_is_emptied_with_everything_that_hangs_on_it():
    book = Casebook()
    book.save(FULL | values(SEX="F", PREG="Y", PREGDAT="2026-12"))
    (entry,) = book.save(values(SEX="M"))
    assert entry.items == {"SEX": Datum("M"), "PREG": EMPTY, "PREGDAT": EMPTY}


def test_hiding_what_somebody_else_entered_meanwhile_asks_a_person():
    book = Casebook()
    book.save(values(SEX="F"))
    seen = book.state.form(Place("V1", "VS", 1)).seq
    book.save(values(PREG="Y"))
    unseen = save(book.state, values(SEX="M"), base=seen)
    assert refused(unseen) == [("capture.stale", "PREG")]
    assert written(save(book.state, values(SEX="M")))


def test_no_value_is_taken_for_a_hidden_item():
    assert refused(save(START, values(SEX="M", PREG="Y"))) == [("capture.item-hidden", "PREG")]
    assert refused(save(START, values(PREG="Y"))) == [
        ("capture.item-hidden", "PREG")
    ]  # sex unknown: not TRUE
    assert written(save(START, values(SEX="F", PREG="Y")))


# --- complete, reason for change -----------------------------------------------------------------------------------


def test_a_form_is_complete_only_with_every_required_item_that_applies():
    assert refused(save(START, values(SYSBP="120", SEX="F"), complete=True)) == [
        ("capture.incomplete", "DAT"),
        ("capture.incomplete", "DIABP"),
        ("capture.incomplete", "PREG"),
    ]
    (append,) = written(save(START, FULL, complete=True))
    assert append.entry.complete


def test_a_reason_code_completes_an_item_and_a_scale_needs_every_score():
    assert written(save(START, {**FULL, "SYSBP": Datum(missing="ND")}, complete=True))
    assert refused(save(START, scores([*MODERATE[:14], ""]), form="NIHSS", complete=True)) == [
        ("capture.incomplete", "11")
    ]
    assert written(save(START, scores(MODERATE), form="NIHSS", complete=True))


def test_a_change_of_a_completed_form_needs_a_reason_for_ever():
    book = Casebook()
    book.save(FULL, complete=True)
    assert ("capture.reason-required", "SYSBP") in refused(save(book.state, values(SYSBP="121")))
    (entry,) = book.save(values(SYSBP="121"), reason="misread")
    assert (entry.reason, entry.complete) == ("misread", True)
    assert "capture.reason-required" in rules(save(book.state, {}, complete=False))
    book.save({}, complete=False, reason="to be done again")
    assert "capture.reason-required" in rules(save(book.state, values(SYSBP="122")))


def test_a_form_that_loses_a_required_answer_is_not_complete_any_more():
    book = Casebook()
    book.save(FULL, complete=True)
    (entry,) = book.save({"SYSBP": EMPTY}, reason="wrong participant")
    assert not entry.complete


# --- two people on one form ----------------------------------------------------------------------------------------


def test_a_save_is_stale_only_for_an_item_that_somebody_else_changed():
    book = Casebook()
    book.save(FULL)  # seq 1, seen by both
    book.save(values(SYSBP="150"), base=1)
    decision = save(book.state, values(SYSBP="140"), base=1)
    assert refused(decision) == [("capture.stale", "SYSBP")]
    assert decision.problems[0].arguments["value"] == "150"
    assert "150" in decision.problems[0].say("zh")
    assert written(save(book.state, values(DIABP="70"), base=1)), (
        "another item of the same form is nobody's conflict"
    )


def test_two_people_who_type_the_same_do_not_conflict():
    book = Casebook()
    book.save(FULL)
    book.save(values(SYSBP="150"), base=1)
    assert refused(save(book.state, values(SYSBP="150"), base=1)) == [("capture.nothing-changed", "")]


# --- checks and queries --------------------------------------------------------------------------------------------


def test_an_unlikely_value_is_recorded_and_queried_once_and_settled_by_correction():
    book = Casebook()
    entry, query = book.save(FULL | values(SYSBP="200"))
    assert entry.items["SYSBP"] == Datum("200")
    assert isinstance(query, QueryRaised)
    assert (query.rule, query.item, query.query) == ("expected:SYSBP", "SYSBP", "fresh-1")
    assert query.message["zh"].startswith("收缩压")
    assert [entry.kind for entry in book.save(values(SYSBP="210"))] == ["FormSaved"], "still the same query"
    entry, closed = book.save(values(SYSBP="120"))
    assert closed == QueryClosed("fresh-1", automatic=True)


def test_a_check_fires_on_false_only_and_asks_again_after_it_held():
    book = Casebook()
    assert len(book.save(values(SYSBP="100"))) == 1  # diastolic unknown: no query
    _, query = book.save(values(DIABP="110"))
    assert (query.rule, query.item) == ("sys-above-dia", "SYSBP")
    book.save(values(DIABP="90"))
    assert [query.state for query in book.state.queries.values()] == ["CLOSED"]
    _, again = book.save(values(DIABP="120"))
    assert again.rule == "sys-above-dia"


def test_a_query_closed_by_a_person_is_raised_again_only_when_its_values_change():
    book = Casebook()
    book.save(FULL | values(SYSBP="200"))
    book.entries.append(QueryClosed("fresh-1", automatic=False))
    assert [entry.kind for entry in book.save(values(SEX="F"))] == ["FormSaved"]
    assert [entry.kind for entry in book.save(values(SYSBP="201"))] == ["FormSaved", "QueryRaised"]


def test_a_query_about_an_item_that_does_not_apply_any_more_is_settled():
    """The check cannot be told any more, so it would stay open for ever on an item that nobody sees."""
    about = {"id": "due-late", "holds": "PREGDAT >= @2027-01", "items": ["PREGDAT"], "message": "Early."}
    forms = [each | {"checks": [about]} if each["id"] == "VS" else each for each in FORMS]
    study, state, entries, seq = made_study(forms=forms), START, [], 0
    for items in (
        values(SEX="F", PREG="Y", PREGDAT="2026-12"),
        values(SEX="M"),
        values(SEX="F", PREG="Y", PREGDAT="2026-11"),
    ):
        command = RecordForm("s1", "V1", "VS", 1, items, state.form(Place("V1", "VS", 1)).seq)
        new = [append.entry for append in written(decide(study, state, KNOWN, command, OCCASION))]
        entries.append([entry.kind for entry in new])
        for entry in new:
            seq += 1
            state = evolve(state, recorded("subject/s1", seq, entry))
    assert entries == [
        ["FormSaved", "QueryRaised"],
        ["FormSaved", "QueryClosed"],
        ["FormSaved", "QueryRaised"],
    ]


def test_a_refusing_check_refuses_beside_the_item_in_both_languages():
    decision = save(START, values(DAT="2026-08-15"))  # today at the site is 14 August
    assert refused(decision) == [("capture.check-refuses", "DAT")]
    for language, words in (("en", "Dated in the future."), ("zh", "日期晚于今天。")):
        said = decision.problems[0].say(language)
        assert said.startswith(words)
        assert len(said) > len(words)  # and then what to do
    assert written(save(START, values(DAT="2026-08-14")))


def test_a_check_limited_to_a_visit_keeps_quiet_elsewhere():
    assert len(written(save(START, values(TEMP="39.0"), visit="V1"))) == 1
    assert [append.entry.kind for append in written(save(START, values(TEMP="39.0"), visit="V2"))] == [
        "FormSaved",
        "QueryRaised",
    ]


def test_a_check_may_look_at_the_score_of_its_form():
    nothing = save(START, scores(["0"] * 15), form="NIHSS")
    assert [append.entry.rule for append in written(nothing)[1:]] == ["not-recovered"]


def test_scores_that_do_not_go_together_are_queried():
    # domain.md 3.2: item 9 = 3 (mute, global aphasia) expects item 1b = 2.
    odd = [*MODERATE[:12], "3", *MODERATE[13:]]
    raised = [append.entry.rule for append in written(save(START, scores(odd), form="NIHSS"))[1:]]
    assert len(raised) == 1
    assert raised[0].startswith("NIHSS:")


# --- what is typed into dates and times: the case file that the browser is held to as well ---------------------------

TYPED = json.loads((Path(__file__).parents[2] / "vectors" / "typed.json").read_text("utf-8"))
DAY = replace(OCCASION, at=dt.datetime.fromisoformat(f"{TYPED['today']}T03:00:00+00:00"))


@pytest.mark.parametrize(("text", "six", "iso"), TYPED["dates"])
def test_a_typed_date_is_stored_as_it_was_meant(text, six, iso):
    study = made_study(entry={"six_digit_dates": six})
    command = RecordForm("s1", "V1", "STROKE", 1, {"ONSET": Datum(text)}, 0)
    decision = decide(study, START, KNOWN, command, DAY)
    if iso is not None:
        assert written(decision)[0].entry.items == {"ONSET": Datum(iso)}
    else:
        assert rules(decision) == {"capture.not-a-date" if text else "capture.nothing-changed"}


@pytest.mark.parametrize(("text", "six", "iso"), TYPED["past"])
def test_six_digits_of_a_date_that_has_come_are_never_read_ahead(text, six, iso):
    """Decision 0018. A birth on 12 March 1950 was read as 2050; the day of today itself is of this century."""
    item = Item.model_validate({"id": "BORN", "label": "Born", "type": "date", "past": True})
    found = parse(
        made_study(entry={"six_digit_dates": six}), Question("BORN", item.label, item), Datum(text), DAY.today
    )
    assert (found.value if isinstance(found, Datum) else None) == iso


@pytest.mark.parametrize(("text", "time"), TYPED["times"])
def test_a_typed_time_is_stored_to_the_minute(text, time):
    decision = decide(STUDY, START, KNOWN, RecordForm("s1", "V1", "VS", 1, {"TIM": Datum(text)}, 0), OCCASION)
    if time is not None:
        assert written(decision)[0].entry.items == {"TIM": Datum(time)}
    else:
        assert rules(decision) == {"capture.not-a-time" if text else "capture.nothing-changed"}


# --- an answer that closes others -----------------------------------------------------------------------------------


def test_a_person_is_asked_before_answered_items_are_emptied():
    book = Casebook()
    book.save({"SEX": Datum("F"), "PREG": Datum("N")})
    place = Place("V1", "VS", 1)
    asking = RecordForm("s1", *place, values(SEX="M"), book.state.form(place).seq, asks_before_hiding=True)
    decision = decide(STUDY, book.state, KNOWN, asking, OCCASION)
    assert refused(decision) == [("entry.would-hide", "SEX")]
    assert decision.problems[0].arguments["items"] == "Pregnant"
    agreed = replace(asking, asks_before_hiding=False)
    entry = written(decide(STUDY, book.state, KNOWN, agreed, OCCASION))[0].entry
    assert entry.items == {"SEX": Datum("M"), "PREG": Datum()}


def test_nobody_is_asked_where_nothing_would_be_lost():
    asking = RecordForm("s1", "V1", "VS", 1, values(SEX="M"), 0, asks_before_hiding=True)
    assert written(decide(STUDY, START, KNOWN, asking, OCCASION))


def test_a_completed_form_is_reopened_with_a_reason_only():
    book = Casebook()
    everything = {"DAT": Datum("2026-08-01"), **values(SYSBP="120", DIABP="80", SEX="M")}
    assert book.save(everything, complete=True)
    place = Place("V1", "VS", 1)
    command = RecordForm("s1", *place, {}, book.state.form(place).seq, complete=False)
    assert rules(decide(STUDY, book.state, KNOWN, command, OCCASION)) == {"capture.reason-required"}
    told = replace(command, reason="new information")
    entry = written(decide(STUDY, book.state, KNOWN, told, OCCASION))[0].entry
    assert (entry.complete, entry.items, entry.reason) == (False, {}, "new information")
