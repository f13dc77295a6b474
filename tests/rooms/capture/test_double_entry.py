"""Double entry: two persons, each alone; a third who settles; and a form that comes into being once, by a save."""

from __future__ import annotations

from dataclasses import replace

import pytest

from equipoise.capture.closed import EVERYTHING
from equipoise.capture.commands import MoveForms, RaiseQuery, RecordForm
from equipoise.capture.decide import decide
from equipoise.capture.double.commands import RecordEntry, SettleEntries, WithdrawEntries
from equipoise.capture.evolve import START, Place, evolve
from equipoise.capture.moving import decide_move, kept_version
from equipoise.capture.progress import form_status
from equipoise.capture.snapshot import state_from_json, state_to_json
from equipoise.ledger.codec import encode
from equipoise.ledger.entries import (
    DataFrozen,
    Datum,
    EntriesSettled,
    EntriesWithdrawn,
    FirstEntryRecorded,
    FormOmitted,
    FormSaved,
    Header,
    Recorded,
    SecondEntryRecorded,
)
from equipoise.protocol.check import check_study
from rooms.capture.conduct_study import (
    FORMS,
    KNOWN,
    OCCASION,
    made_study,
    refused,
    rules,
    values,
    written,
)

PLACE = Place("V1", "VS", 1)
AT_SITE = replace(KNOWN, subject_site="01")
PAPER = values(DAT="2026-08-01", SYSBP="120", DIABP="80", SEX="M")
"""What the made-up paper says. Everything that the form requires; VIAB is taken out of it (`open_form`)."""


def open_form(form):
    """The made-up vital signs without the item that is kept behind the second door."""
    return {**form, "items": [item for item in form["items"] if item["id"] != "VIAB"]}


def study_with(**asked):
    vs = {**open_form(FORMS[0]), "double_entry": asked}
    return made_study(forms=[vs, *FORMS[1:]])


STUDY = study_with()


def as_person(who, role="coordinator"):
    return replace(OCCASION, by=who, role=role)


def enter(state, who, items=PAPER, study=STUDY, facts=AT_SITE):
    return decide(study, state, facts, RecordEntry("s1", *PLACE, items), as_person(who))


def settle(state, who="carol", role="data_manager", study=STUDY, base=None, **given):
    pair = state.pairs[PLACE]
    command = SettleEntries("s1", *PLACE, pair.second.seq if base is None else base, **given)
    return decide(study, state, AT_SITE, command, as_person(who, role))


def withdraw(state, who, reason="wrong participant", base=None, role="coordinator", study=STUDY):
    pair = state.pairs[PLACE]
    seq = (pair.second or pair.first).seq if base is None else base
    return decide(study, state, AT_SITE, WithdrawEntries("s1", *PLACE, seq, reason), as_person(who, role))


def folded(start, found):
    """The state after entries, each (who wrote it, the entry), in one chain."""
    state = start
    for seq, (who, entry) in enumerate(found, 1):
        state = evolve(state, recorded_by(who, entry, seq))
    return state


def recorded_by(who, entry, seq):
    header = Header(1, "made-up", "subject/s1", seq, "0" * 64, entry.kind, "d" * 64, who, "coordinator",
                    "2026-08-14T02:30:00.000000Z", None, "Asia/Shanghai", "key", 0, "c" * 64, ())  # fmt: skip
    return Recorded(header, f"{seq:064x}", entry)


def entries(*decisions):
    return [append.entry for decision in decisions for append in written(decision)]


class Course:
    """Decisions one after the other, each on the state after the one before, in one chain."""

    def __init__(self):
        self.chain, self.state = [], START

    def do(self, decision, who="system"):
        return self.written(who, *entries(decision))

    def written(self, who, *found):
        self.chain += [(who, entry) for entry in found]
        self.state = folded(START, self.chain)
        return self

    @property
    def entries(self):
        return [entry for _, entry in self.chain]

    def entry(self, who, items=PAPER, **more):
        return self.do(enter(self.state, who, items, **more), who)

    def both(self, second):
        return self.entry("alice").entry("bob", second)


def test_the_first_entry_is_no_data():
    state = Course().entry("alice").state
    assert PLACE not in state.forms
    assert state.queries == {}
    assert form_status(STUDY, state, *PLACE[:2]).progress == "ENTERED_ONCE"
    assert form_status(STUDY, state, *PLACE[:2]).answered == 0


def test_what_was_typed_stands_in_the_part_that_can_be_withheld():
    for entry in Course().both({**PAPER, **values(SYSBP="130")}).entries:
        assert "120" not in str(encode(entry)["main"])
        assert "2026-08-01" not in str(encode(entry)["main"])


def test_equal_entries_settle_themselves_in_one_append():
    course = Course().entry("alice").entry("bob")
    first, second, settled, saved = course.entries
    assert isinstance(first, FirstEntryRecorded)
    assert isinstance(second, SecondEntryRecorded)
    assert second.differing == ()
    assert settled == EntriesSettled(*PLACE, compared=("DAT", "SYSBP", "DIABP", "SEX"), differing=(), choices={},
                                     automatic=True)  # fmt: skip
    assert isinstance(saved, FormSaved)
    assert saved.complete
    # (120 + 2 * 80) / 3 = 93.333…, to one place
    assert saved.derived["MAP"] == Datum("93.3")
    assert course.state.form(PLACE).values["SYSBP"] == Datum("120")


def test_the_same_day_written_in_two_ways_is_the_same():
    typed = {**PAPER, **values(DAT="01-AUG-2026")}
    assert Course().entry("alice").entry("bob", typed).state.form(PLACE).complete


def test_checks_follow_when_the_form_is_there_and_not_before():
    low = {**PAPER, **values(SYSBP="80", DIABP="70")}  # below the plausible 90
    course = Course().entry("alice", low)
    assert course.state.queries == {}
    course.entry("bob", low)
    assert [query.rule for query in course.state.queries.values()] == ["expected:SYSBP"]


def test_the_two_persons_differ():
    state = Course().entry("alice").state
    assert rules(enter(state, "alice")) == {"double.same-person"}


def test_entries_that_differ_wait_for_a_third_person():
    state = Course().both({**PAPER, **values(SYSBP="130")}).state
    pair = state.pairs[PLACE]
    assert (pair.stage, pair.differing) == ("DIFFERS", ("SYSBP",))
    assert form_status(STUDY, state, *PLACE[:2]).progress == "TO_SETTLE"
    assert PLACE not in state.forms
    assert rules(settle(state, "alice", choices={"SYSBP": "FIRST"})) == {"double.third-person"}
    assert rules(enter(state, "dora")) == {"double.both-in"}
    found = entries(settle(state, choices={"SYSBP": "SECOND"}, reasons={"SYSBP": "read again"}))
    assert found[0].choices == {"SYSBP": "SECOND"}
    assert found[0].reasons == {"SYSBP": "read again"}
    assert found[1].items["SYSBP"] == Datum("130")
    assert found[1].items["DIABP"] == Datum("80"), "what both entered alike comes along"


def test_the_study_may_let_one_of_the_two_settle_and_name_the_roles():
    study = study_with(by_enterer=True, settled_by=["investigator"])
    course = Course()
    course.entry("alice", study=study).entry("bob", {**PAPER, **values(SYSBP="130")}, study=study)
    choices = {"SYSBP": "FIRST"}
    assert rules(settle(course.state, "carol", "data_manager", study, choices=choices)) == {
        "double.not-this-role"
    }
    assert entries(settle(course.state, "alice", "investigator", study, choices=choices))


def test_neither_needs_its_value_and_why():
    state = Course().both({**PAPER, **values(SYSBP="130")}).state
    neither = {"SYSBP": "NEITHER"}
    assert refused(settle(state, choices=neither, items=values(SYSBP="125"))) == [
        ("double.why-neither", "SYSBP")
    ]
    assert ("capture.incomplete", "SYSBP") in refused(
        settle(state, choices=neither, reasons={"SYSBP": "illegible"})
    )
    same = settle(state, choices=neither, items=values(SYSBP="130"), reasons={"SYSBP": "x"})
    assert refused(same) == [("double.neither-is-one", "SYSBP")]
    unknown = settle(
        state, choices=neither, items={"SYSBP": Datum(missing="UK")}, reasons={"SYSBP": "illegible"}
    )
    assert entries(unknown)[1].items["SYSBP"] == Datum(missing="UK")


@pytest.mark.parametrize(
    ("given", "rule", "where"),
    [
        ({"choices": {}}, "double.choose", "SYSBP"),
        ({"choices": {"SYSBP": "THIRD"}}, "double.choose", "SYSBP"),
        ({"choices": {"SYSBP": "FIRST", "SEX": "FIRST"}}, "double.not-differing", "SEX"),
        ({"choices": {"SYSBP": "NEITHER"}, "items": values(SYSBP="many"), "reasons": {"SYSBP": "x"}},
         "capture.not-an-integer", "SYSBP"),
        ({"choices": {"SYSBP": "FIRST"}, "base": 1}, "double.stale", ""),
    ],
)  # fmt: skip
def test_a_settlement_says_everything_or_nothing(given, rule, where):
    state = Course().both({**PAPER, **values(SYSBP="130")}).state
    assert (rule, where) in refused(settle(state, **given))


def test_a_pair_is_settled_once():
    course = Course().both({**PAPER, **values(SYSBP="130")})
    course.do(settle(course.state, choices={"SYSBP": "FIRST"}))
    assert rules(settle(course.state, choices={"SYSBP": "SECOND"})) == {"double.settled-already"}
    assert rules(enter(course.state, "dora")) == {"double.recorded-already"}
    assert rules(withdraw(course.state, "carol", role="data_manager")) == {"double.nothing-to-withdraw"}


def test_an_item_that_no_longer_applies_is_not_to_be_decided():
    woman = {**PAPER, **values(SEX="F", PREG="N")}
    course = Course().entry("alice", woman).entry("bob")
    assert course.state.pairs[PLACE].differing == ("SEX", "PREG")
    settled, saved = entries(settle(course.state, choices={"SEX": "SECOND"}))
    assert settled.choices == {"SEX": "SECOND"}
    assert settled.differing == ("SEX", "PREG")
    assert "PREG" not in saved.items
    assert ("double.choose", "PREG") in refused(settle(course.state, choices={"SEX": "FIRST"}))


def test_an_entry_is_the_whole_paper_and_possible():
    assert refused(enter(START, "alice", values(SYSBP="120"))) == [
        ("capture.incomplete", name) for name in ("DAT", "DIABP", "SEX")
    ]
    future = {**PAPER, **values(DAT="2026-09-01")}  # the occasion is 14 August 2026
    assert rules(enter(START, "alice", future)) == {"capture.check-refuses"}
    assert refused(enter(START, "alice", {**PAPER, **values(SYSBP="many")})) == [
        ("capture.not-an-integer", "SYSBP")
    ]
    assert rules(enter(START, "alice", {**PAPER, "NOSUCH": Datum("1")})) == {"capture.item-unknown"}
    blank = {**PAPER, "SYSBP": Datum(missing="ND")}
    assert entries(enter(START, "alice", blank))


def test_nothing_is_saved_in_the_usual_way_before_it_is_settled():
    usual = RecordForm("s1", *PLACE, values(SYSBP="120"), 0)
    assert rules(decide(STUDY, START, AT_SITE, usual, as_person("dora"))) == {"double.only-twice"}
    state = Course().entry("alice").state
    assert rules(decide(STUDY, state, AT_SITE, usual, as_person("dora"))) == {"double.pending"}
    omit = replace(usual, items={}, omit="ND")
    assert rules(decide(STUDY, state, AT_SITE, omit, as_person("dora"))) == {"double.pending"}
    (gone,) = entries(decide(STUDY, START, AT_SITE, omit, as_person("dora")))
    assert isinstance(gone, FormOmitted)
    assert rules(enter(Course().written("dora", gone).state, "alice")) == {"entry.form-not-done"}


def test_afterwards_it_is_changed_as_any_form():
    course = Course().entry("alice").entry("bob")
    change = RecordForm("s1", *PLACE, values(SYSBP="121"), course.state.form(PLACE).seq)
    assert rules(decide(STUDY, course.state, AT_SITE, change, as_person("dora"))) == {
        "capture.reason-required"
    }
    assert entries(decide(STUDY, course.state, AT_SITE, replace(change, reason="source"), as_person("dora")))


def test_the_author_takes_the_first_entry_back_and_nobody_else():
    course = Course().entry("alice")
    assert rules(withdraw(course.state, "bob")) == {"double.not-the-author"}
    assert rules(withdraw(course.state, "alice", reason="  ")) == {"capture.reason-required"}
    assert rules(withdraw(course.state, "alice", base=99)) == {"double.stale"}
    found = entries(withdraw(course.state, "alice"))
    assert found == [EntriesWithdrawn(*PLACE, "wrong participant")]
    course.do(withdraw(course.state, "alice"))
    assert course.state.pairs == {}
    assert course.entry("bob").state.pairs[PLACE].first.by == "bob"


def test_who_settles_may_send_both_back():
    course = Course().both({**PAPER, **values(SYSBP="130")})
    assert rules(withdraw(course.state, "alice")) == {"double.third-person"}
    course.do(withdraw(course.state, "carol", role="data_manager"))
    assert course.state.pairs == {}
    assert course.entry("bob").state.pairs[PLACE].stage == "FIRST"


def test_only_sites_that_work_on_paper_type_twice():
    study = study_with(sites=["02"])
    assert rules(enter(START, "alice", study=study)) == {"double.not-asked"}
    usual = RecordForm("s1", *PLACE, values(SYSBP="120"), 0)
    assert entries(decide(study, START, AT_SITE, usual, as_person("alice")))
    assert entries(enter(START, "alice", study=study, facts=replace(AT_SITE, subject_site="02")))


def test_only_what_is_on_paper_is_typed_twice_where_the_form_says_what_it_is_on():
    study = study_with(written_on="SEX", paper=["F"])  # any choice of the made-up form will do
    usual = RecordForm("s1", *PLACE, values(SYSBP="120", SEX="M"), 0)
    saved = entries(decide(study, START, AT_SITE, usual, as_person("alice")))
    onto = replace(usual, items=values(SEX="F"))
    assert rules(decide(study, START, AT_SITE, onto, as_person("alice"))) == {"double.paper-twice"}
    assert refused(enter(START, "alice", study=study)) == [("double.not-paper", "SEX")]
    paper = {**PAPER, **values(SEX="F", PREG="N")}
    assert entries(enter(START, "alice", paper, study=study))
    assert rules(enter(Course().written("dora", *saved).state, "alice", paper, study=study)) == {
        "double.recorded-already"
    }
    later = replace(onto, base=1)
    state = Course().written("dora", *saved).state
    assert rules(decide(study, state, AT_SITE, later, as_person("alice"))) == {"double.paper-twice"}


def test_a_frozen_form_takes_no_entry_and_is_not_settled():
    course = Course().both({**PAPER, **values(SYSBP="130")})
    frozen = course.written("carol", DataFrozen(*PLACE)).state
    assert rules(settle(frozen, choices={"SYSBP": "FIRST"})) == {"closing.frozen"}
    assert rules(withdraw(frozen, "carol", role="data_manager")) == {"closing.frozen"}
    whole = Course().written("carol", DataFrozen(*EVERYTHING)).state
    assert rules(enter(whole, "alice")) == {"closing.frozen"}


def test_both_are_typed_under_one_version_whatever_is_released_meanwhile():
    course = Course().entry("alice")
    pair = course.state.pairs[PLACE]
    assert kept_version(course.state, PLACE) == pair.version != ""
    move = MoveForms("s1", (PLACE,), "new version")
    moved = decide_move(STUDY, "e" * 64, course.state, AT_SITE, move, as_person("carol", "data_manager"))
    assert rules(moved) == {"double.pending"}


def test_a_question_may_be_asked_while_an_entry_waits():
    state = Course().entry("alice").state
    asked = RaiseQuery("s1", *PLACE, "", "Where is the paper?")
    assert entries(decide(STUDY, state, AT_SITE, asked, as_person("dora")))


def test_the_state_returns_from_its_snapshot():
    course = Course().both({**PAPER, **values(SYSBP="130", NOTE="as written")})
    assert state_from_json(state_to_json(course.state)) == course.state
    course.do(settle(course.state, choices={"SYSBP": "FIRST", "NOTE": "SECOND"}))
    assert state_from_json(state_to_json(course.state)) == course.state


# --- the definition --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "asked", "rule"),
    [
        (FORMS[0], {}, "double.study-revealing"),
        (FORMS[1], {}, "double.study-scored"),
        ({**open_form(FORMS[0]), "evaluator": "INDEPENDENT ASSESSOR"}, {}, "double.study-scored"),
        (open_form(FORMS[0]), {"written_on": "SEX"}, "double.study-source-half"),
        (open_form(FORMS[0]), {"paper": ["M"]}, "double.study-source-half"),
        (open_form(FORMS[0]), {"written_on": "PREG", "paper": ["Y"]}, "double.study-source"),
        (open_form(FORMS[0]), {"written_on": "SYSBP", "paper": ["Y"]}, "double.study-source"),
        (open_form(FORMS[0]), {"written_on": "SEX", "paper": ["X"]}, "double.study-source-code"),
        ({**FORMS[2], "repeats": False, "log": {"columns": ["TERM"]}}, {}, "double.study-kind"),
    ],
)
def test_a_definition_that_cannot_be_typed_twice_is_named(form, asked, rule):
    others = [each for each in FORMS if each["id"] != form["id"]]
    study = made_study(forms=[{**form, "double_entry": asked}, *others])
    assert rule in {finding.problem.rule for finding in check_study(study) if finding.fault}


def test_a_form_that_a_laboratory_fills_is_not_typed_twice():
    kit = {"id": "K", "label": "Kit", "tube": "Tube", "visits": ["V1"], "storage": "F", "laboratory": "L",
           "tests": [{"code": "T", "form": "STROKE", "item": "RANKIN"}]}  # fmt: skip
    plan = {
        "laboratories": [{"id": "L", "label": "L"}],
        "storages": [{"id": "F", "label": "F"}],
        "kits": [kit],
    }
    forms = [*FORMS[:3], {**FORMS[3], "double_entry": {}}]
    found = {one.problem.rule for one in check_study(made_study(forms=forms, specimens=plan)) if one.fault}
    assert "double.study-filled" in found


def test_a_sound_definition_has_no_fault():
    assert not [
        one
        for one in check_study(study_with(written_on="SEX", paper=["F"]))
        if one.problem.rule.startswith("double.")
    ]
