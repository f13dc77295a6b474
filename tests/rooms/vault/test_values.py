"""Values behind the second door: which part of the study they are, and that a save of them is judged as any other is."""

from __future__ import annotations

import dataclasses

import pytest

from equipoise.ledger.entries import Datum, FormSaved, QueryClosed, QueryRaised
from equipoise.protocol.checks.taint import tainted
from equipoise.protocol.load import load_study
from equipoise.protocol.rules import names_in
from equipoise.protocol.study import Study
from equipoise.vault.facts import VaultFacts
from equipoise.vault.revealing import revealing_study
from equipoise.vault.values import (
    COMMANDS,
    START,
    AnswerValueQuery,
    CloseValueQuery,
    RecordValues,
    decide,
    evolve,
    streams,
)
from house.house_files import ROOT
from rooms.capture.conduct_study import (
    FORMS,
    OCCASION,
    folded,
    made_definition,
    made_study,
    refused,
    rules,
    values,
    written,
)

LABORATORY = {
    "id": "LAB",
    "label": "Laboratory",
    "items": [
        {"id": "DONE", "label": "Done", "type": "truth"},
        {"id": "IL6", "label": {"en": "IL-6", "zh": "白介素6"}, "type": "decimal", "digits": 1, "expected": [0, 100],
         "minimum": 0, "blinding": "revealing", "missing": ["ND"]},
        {"id": "CD4", "label": "CD4", "type": "decimal", "digits": 1, "blinding": "revealing"},
        {"id": "CD8", "label": "CD8", "type": "decimal", "digits": 1, "blinding": "revealing"},
        {"id": "SEEN", "label": "Seen", "type": "truth", "blinding": "revealing", "required": False},
        {"id": "WHAT", "label": "What", "type": "text", "blinding": "revealing", "visible_when": "SEEN"},
        {"id": "WHY", "label": "Why", "type": "text", "blinding": "revealing", "visible_when": "not DONE"},
    ],
    "checks": [
        {"id": "four-above-eight", "holds": "CD4 > CD8", "items": ["CD4", "CD8"],
         "message": {"en": "CD4 is not above CD8.", "zh": "CD4应高于CD8。"}},
        {"id": "mixed", "holds": "DONE or IL6 > 1", "items": ["IL6"], "message": {"en": "m", "zh": "混"}},
        {"id": "about-open", "holds": "DONE", "items": ["DONE"], "message": {"en": "o", "zh": "开"}},
    ],
    "derivations": [
        {"id": "RATIO", "label": "Ratio", "rule": "round(CD4 / CD8, 2)", "blinding": "revealing"},
        {"id": "OPEN", "label": "Open", "rule": "days(today, today)"},
    ],
}  # fmt: skip
ACTIVITIES = [
    {"id": "A1", "label": "All", "forms": ["VS", "NIHSS", "LAB"], "visits": ["V1", "V2"]},
    {"id": "A2", "label": "None here", "forms": ["MH", "STROKE"], "visits": ["V1"]},
]


def study() -> Study:
    schedule = {**made_definition()["schedule"], "activities": ACTIVITIES}
    return made_study(forms=[*FORMS, LABORATORY], schedule=schedule)


STUDY = study()
HERE = VaultFacts(subject_site="01", subject_number="01001")


def save(
    base: int = 0, complete: bool | None = None, reason: str | None = None, **given: str
) -> RecordValues:
    return RecordValues("s1", "V1", "LAB", 1, values(**given), base, complete, reason)


def decided(command, state=START, facts=HERE):
    return decide(STUDY, state, facts, command, OCCASION)


def after(*decisions):
    return folded(evolve, START, [append.entry for decision in decisions for append in written(decision)])


def test_the_two_doors_share_no_item_and_leave_none_out():
    here = revealing_study(STUDY)
    mine = {(form.id, item.id) for form in here.forms for item in form.items}
    theirs = {(form.id, item.id) for form in STUDY.forms for item in form.items if item.blinding == "open"}
    every = {(form.id, item.id) for form in STUDY.forms for item in form.items}
    assert mine == {("VS", "VIAB"), *(("LAB", item["id"]) for item in LABORATORY["items"][1:])}
    assert not mine & theirs
    assert mine | theirs == every


def test_rules_of_this_part_read_nothing_of_the_first_door():
    form = revealing_study(STUDY).form("LAB")
    assert form is not None
    assert [check.id for check in form.checks] == ["four-above-eight"]
    assert [one.id for one in form.derivations] == ["RATIO"]
    assert form.item("WHAT").visible_when is not None
    assert form.item("WHY").visible_when is None
    assert not form.item("WHY").required
    assert form.instrument is None


def test_the_schedule_asks_for_forms_with_something_to_keep_only():
    here = revealing_study(STUDY)
    assert [form.id for form in here.forms_at("V1")] == ["VS", "LAB"]
    assert [form.id for form in here.forms_at("V2")] == ["VS", "LAB"]
    assert revealing_study(STUDY) is here
    assert revealing_study(study()) is not here


@pytest.mark.parametrize("folder", ["nct07197606", "second"])
def test_the_real_definitions_split_in_two_without_a_rule_across(folder):
    """For the studies of this repository: nothing revealing is left on the first side, no rule here needs the other."""
    place = (
        ROOT / "studies" / folder if (ROOT / "studies" / folder).exists() else ROOT / "tests/studies" / folder
    )
    whole = load_study(place)
    assert isinstance(whole, Study)
    here = revealing_study(whole)
    mine = {(form.id, item.id) for form in here.forms for item in form.items}
    marked = {
        (form.id, item.id) for form in whole.forms for item in form.items if item.blinding == "revealing"
    }
    assert mine == marked
    told = {node for node in tainted(whole) if node[0]}
    assert told <= mine | {(form.id, one.id) for form in here.forms for one in form.derivations}
    clock = {each.name for each in whole.inputs if each.origin.clock}
    for form in here.forms:
        known = {item.id for item in form.items} | clock
        sources = [check.holds for check in form.checks] + [
            item.visible_when for item in form.items if item.visible_when
        ]
        assert all(names_in(source) <= known for source in sources)


def test_values_and_what_follows_from_them_are_recorded():
    entry = written(decided(save(CD4="31.0", CD8="20.0", IL6="2.5")))[0]
    assert entry.stream == "subject/s1"
    assert isinstance(entry.entry, FormSaved)
    assert dict(entry.entry.items) == values(CD4="31.0", CD8="20.0", IL6="2.5")
    assert dict(entry.entry.derived) == values(RATIO="1.55")  # 31 / 20


def test_a_check_asks_here_and_is_settled_by_the_corrected_value():
    first = decided(save(CD4="10.0", CD8="20.0"))
    raised = written(first)[1].entry
    assert isinstance(raised, QueryRaised)
    assert raised.rule == "four-above-eight"
    state = after(first)
    again = written(decided(save(1, CD4="30.0"), state))
    assert [type(append.entry) for append in again] == [FormSaved, QueryClosed]


def test_an_unlikely_value_is_kept_and_asked_about():
    entries = [append.entry for append in written(decided(save(IL6="5000")))]
    assert isinstance(entries[0], FormSaved)
    assert isinstance(entries[1], QueryRaised)


def test_a_query_is_answered_and_closed():
    state = after(decided(save(IL6="5000")))
    query = next(iter(state.queries))
    state = folded(
        evolve,
        state,
        [
            append.entry
            for append in written(decided(AnswerValueQuery("s1", query, "Repeated: true."), state))
        ],
    )
    closed = written(decided(CloseValueQuery("s1", query, "Seen."), state))
    assert closed[0].entry == QueryClosed(query, automatic=False, note="Seen.")


def test_a_missing_value_needs_a_code_that_is_offered():
    given = RecordValues("s1", "V1", "LAB", 1, {"IL6": Datum(missing="ND")}, 0)
    assert isinstance(written(decided(given))[0].entry, FormSaved)
    other = dataclasses.replace(given, items={"IL6": Datum(missing="RF")})
    assert rules(decided(other)) == {"capture.code-not-offered"}


def test_a_completed_form_changes_with_a_reason_only():
    full = {"IL6": "2.5", "CD4": "30", "CD8": "20"}
    state = after(decided(save(complete=True, **full)))
    assert rules(decided(save(1, IL6="3.5"), state)) == {"capture.reason-required"}
    written(decided(save(1, reason="transcription error", IL6="3.5"), state))


def test_nobody_is_overwritten_unseen():
    state = after(decided(save(IL6="2.5")))
    assert refused(decided(save(0, IL6="9.9"), state)) == [("capture.stale", "IL6")]


@pytest.mark.parametrize("item", ["DONE", "SYSBP", "NOWHERE"])
def test_items_of_the_first_door_are_unknown_here(item):
    assert rules(decided(save(**{item: "Y"}))) == {"capture.item-unknown"}


def test_forms_of_the_first_door_are_unknown_here():
    assert "capture.form-unknown" in rules(
        decided(RecordValues("s1", "V1", "STROKE", 1, values(ONSET="2026-01-01"), 0))
    )


def test_a_subject_of_whom_the_first_door_said_nothing_has_no_values():
    assert rules(decided(save(IL6="1"), facts=VaultFacts())) == {"vault.values-subject-unknown"}


@pytest.mark.parametrize(
    "command", [save(IL6="1"), AnswerValueQuery("s1", "q", "a"), CloseValueQuery("s1", "q")]
)
def test_locked_values_stay_as_they_are(command):
    locked = dataclasses.replace(HERE, values_locked=True)
    assert rules(decided(command, facts=locked)) == {"vault.values-locked"}


def test_who_enters_a_value_does_not_accept_the_explanation():
    assert not COMMANDS[RecordValues] & COMMANDS[CloseValueQuery]
    assert all("KEEPER" not in allowed and "BREAK" not in allowed for allowed in COMMANDS.values())


def test_every_command_writes_to_its_subject_alone():
    assert {
        streams(command) for command in (save(), AnswerValueQuery("s1", "q", "a"), CloseValueQuery("s1", "q"))
    } == {("subject/s1",)}
    with pytest.raises(TypeError):
        streams(object())
    with pytest.raises(TypeError):
        decided(object())
