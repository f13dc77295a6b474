"""Saving a form: by the page's script, and as a plain form without it."""

from __future__ import annotations

import json

import pytest
from samples import nihss_items

from equipoise.capture.commands import RecordForm
from equipoise.ledger.entries import Datum
from equipoise.ledger.store import StoreFault
from equipoise.web import problems
from equipoise.words.problem import Problem, problem

FORM = "/subjects/01007/forms/V2/NIHSS"
SCORED = [one for one in nihss_items() if one.required]


def save(client, items, base=0, key="key-00000001", **more):
    body = {"key": key, "base": base, "items": items} | more
    return client.post(
        FORM, json.dumps(body), content_type="application/json", HTTP_ACCEPT="application/json"
    )


def whole(client, changes, **more):
    """A plain post of every field the page shows, with changes."""
    page = client.get(FORM)
    fields = {"whole": "1", "base": str(page.context["view"].base), "key": "key-whole-1"}
    for row in page.context["rows"]:
        if not row.item.revealing:
            fields |= {f"v.{row.item.id}": row.typed, f"m.{row.item.id}": row.missing}
    return client.post(FORM, fields | changes | more)


def test_a_save_answers_with_a_strip_and_no_input(desk, coordinator):
    answer = save(coordinator, {"NIH0101": {"value": "2"}})
    strip = answer.json()
    assert answer.status_code == 200
    assert strip["accepted"]
    assert strip["base"] == desk.seq == 1
    assert "<input" not in answer.text
    assert desk.values["NIH0101"] == Datum("2")


def test_the_strip_is_small(coordinator):
    assert len(save(coordinator, {"NIH0101": {"value": "2"}}).content) < 3000


def test_a_retry_under_the_same_key_changes_nothing_and_is_answered_alike(desk, coordinator):
    first = save(coordinator, {"NIH0101": {"value": "2"}}).json()
    again = save(coordinator, {"NIH0101": {"value": "2"}}).json()
    assert again["replayed"]
    assert again["base"] == first["base"]
    assert len([one for one in desk.commands if isinstance(one, RecordForm)]) == 1


def test_the_key_the_base_and_the_time_of_the_browser_reach_the_desk(desk, coordinator, monkeypatch):
    seen = {}
    real = desk.submit

    def submit(who, command, *, key, client_at=None):
        seen.update(key=key, client_at=client_at, base=command.base)
        return real(who, command, key=key, client_at=client_at)

    monkeypatch.setattr(desk, "submit", submit)
    save(
        coordinator, {"NIH0101": {"value": "2"}}, base=7, key="key-abcdefgh", client_at="2026-08-14T01:41:06Z"
    )
    assert seen == {"key": "key-abcdefgh", "client_at": "2026-08-14T01:41:06Z", "base": 7}


def test_a_stale_page_is_told_what_stands_now_in_both_languages(desk, coordinator):
    save(coordinator, {"NIH0101": {"value": "2"}}, key="key-other-person")
    answer = save(coordinator, {"NIH0101": {"value": "3"}}, base=0, key="key-00000002")
    assert answer.status_code == 409
    assert answer.json()["values"]["NIH0101"] == ["2", "", ""]
    assert desk.values["NIH0101"] == Datum("2"), "nothing was overwritten"


def test_a_strip_shows_what_others_changed_because_its_base_covers_it(desk, coordinator):
    save(coordinator, {"NIH0101": {"value": "2"}}, key="key-other-person")
    strip = save(coordinator, {"NIH0102": {"value": "1"}}, base=0, key="key-00000002").json()
    assert strip["base"] == 2
    assert strip["values"] == {"NIH0101": ["2", "", ""], "NIH0102": ["1", "", ""]}


def test_a_refused_value_is_named_beside_its_item(coordinator):
    answer = save(coordinator, {"WEIGHT": {"value": "999"}})
    assert answer.status_code == 422
    assert answer.json()["problems"][0]["where"] == "WEIGHT"


def test_a_missing_code_and_its_reason_travel_as_such(desk, coordinator):
    save(coordinator, {"NIH0107": {"value": "", "missing": "UN", "why": "amputated"}})
    assert desk.values["NIH0107"] == Datum(missing="UN", why="amputated")


@pytest.mark.parametrize(
    "body", [b" ", b"[]", b"{", b'{"key": 5}', b'{"key": "key-00000001", "base": "x", "items": {}}', b'{"key":"short","base":0}',
             b'{"key":"key-00000001","base":0,"items":{"A":"text"}}', b'{"key":"key-00000001","base":0,"do":"drop"}']
)  # fmt: skip
def test_what_is_no_save_is_refused_without_a_trace(desk, coordinator, body):
    answer = coordinator.post(FORM, body, content_type="application/json", HTTP_ACCEPT="application/json")
    assert answer.status_code == 400
    assert desk.commands == []


def test_a_script_that_is_signed_out_is_told_so(anybody):
    answer = save(anybody, {"NIH0101": {"value": "2"}})
    assert answer.status_code == 401
    assert answer.json()["problems"][0]["rule"] == "pages.sign-in-first"


@pytest.mark.parametrize(
    ("rule", "status"),
    [("capture.stale", 409), ("capture.not-a-number", 422), ("access.not-allowed", 403), ("ledger.disk-full", 507),
     ("ledger.busy", 503), ("ledger.unavailable", 503), ("ledger.store-damaged", 503), ("pages.not-found", 404)],
)  # fmt: skip
def test_every_kind_of_problem_has_its_status(rule, status):
    assert problems.status(Problem(rule)) == status


@pytest.mark.parametrize("rule", ["ledger.disk-full", "ledger.unavailable"])
def test_a_fault_of_the_store_is_said_to_script_and_to_page(desk, coordinator, rule):
    desk.raises = StoreFault(problem(rule, "x", path="x", detail="x"))
    code = problems.status(Problem(rule))
    told = save(coordinator, {"NIH0101": {"value": "2"}})
    assert told.status_code == code
    assert told.json()["problems"][0]["rule"] == rule
    page = whole(coordinator, {"v.NIH0101": "2"})
    assert page.status_code == code
    assert "This did not work" in page.text


def test_a_bug_of_ours_becomes_a_page_that_says_what_to_do(desk, coordinator, caplog):
    desk.raises = RuntimeError("boom")
    page = whole(coordinator, {"v.NIH0101": "2"})
    assert page.status_code == 500
    assert "Nothing was changed" in page.text
    assert "boom" not in page.text


def test_without_script_only_what_changed_is_saved(desk, coordinator):
    save(coordinator, {"NIH0101": {"value": "1"}})
    answer = whole(coordinator, {"v.NIH0102": "2", "v.NOTE": "calm"})
    assert answer.status_code == 302
    assert desk.commands[-1].items == {"NIH0102": Datum("2"), "NOTE": Datum("calm")}


def test_without_script_a_refused_value_comes_back_with_everything_typed(desk, coordinator):
    answer = whole(coordinator, {"v.WEIGHT": "999", "v.NOTE": "kept words", "v.NIH0101": "3"})
    assert answer.status_code == 422
    held = {row.item.id: row for row in answer.context["rows"]}
    assert held["WEIGHT"].typed == "999"
    assert held["WEIGHT"].wrong
    assert held["NOTE"].typed == "kept words"
    assert held["NIH0101"].typed == "3"
    assert desk.values == {}


def test_without_script_a_form_is_completed_and_then_wants_a_reason(desk, coordinator):
    answers = {f"v.{one.id}": "0" for one in SCORED}
    assert whole(coordinator, answers, do="complete").status_code == 302
    assert desk.complete
    refused = whole(coordinator, {"v.NIH0101": "1"}, key="key-whole-2")
    assert refused.status_code == 422
    told = whole(coordinator, {"v.NIH0101": "1"}, key="key-whole-3", reason="transcription-error")
    assert told.status_code == 302
    assert desk.commands[-1].reason == "transcription-error"


def test_completing_names_every_item_that_lacks(coordinator):
    answer = whole(coordinator, {"v.NIH0101": "0"}, do="complete")
    assert answer.status_code == 422
    assert sum(row.wrong for row in answer.context["rows"]) == len(SCORED) - 1


def test_what_is_kept_behind_the_second_door_has_no_field(desk, coordinator):
    page = coordinator.get(FORM).text
    assert "Kept behind the second door" in page
    assert 'name="v.PREP"' not in page
    whole(coordinator, {"v.PREP": "cloudy", "v.NIH0101": "1"})
    assert "PREP" not in desk.values


def test_history_shows_old_new_who_when_and_why_as_part_and_as_page(desk, coordinator):
    save(coordinator, {"NIH0101": {"value": "1"}})
    desk.ever_complete = True
    save(coordinator, {"NIH0101": {"value": "2"}}, base=1, key="key-00000002", reason="source-corrected")
    part = coordinator.get(f"{FORM}/history?item=NIH0101&part=1").text
    page = coordinator.get(f"{FORM}/history?item=NIH0101").text
    for shown in (
        "Liu Yan",
        "Source was corrected",
        "2026-08-14 09:41:07",
        "2026-08-14 01:41:07 UTC",
        "abababababab",
    ):
        assert shown in part, shown
        assert shown in page, shown
    assert "<html" not in part
    assert "<html" in page


def test_a_save_asks_the_accounts_file_once(coordinator):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as asked:
        save(coordinator, {"NIH0101": {"value": "2"}})
    assert len(asked) == 1, [one["sql"] for one in asked]


@pytest.mark.parametrize(
    ("recorded", "understood"),
    [
        ("2026-08", "2026-08, day unknown"),
        ("2026", "the year 2026, month and day unknown"),
        ("2026-08-14", ""),
    ],
)
def test_a_partial_date_says_what_was_understood(coordinator, recorded, understood):
    strip = save(coordinator, {"DAT": {"value": recorded}}).json()
    assert understood in strip["notes"].get("DAT", "")
    assert bool(understood) == ("DAT" in strip["notes"])


def test_typed_markup_is_shown_as_text(desk, coordinator):
    save(coordinator, {"NOTE": {"value": "<script>alert(1)</script>"}})
    page = coordinator.get(FORM).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_a_monitor_reads_and_cannot_write(desk, anybody):
    anybody.post("/enter", {"user": "u-mon", "role": "monitor"})
    page = anybody.get(FORM)
    assert 'name="v.NOTE" disabled' in page.text
    assert "data-editable" not in page.text
