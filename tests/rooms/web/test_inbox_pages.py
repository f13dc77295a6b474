"""The inbox of queries: filters and pages, one query, acts in place, on to the next without going back."""

from __future__ import annotations

import pytest
from samples import NUMBER, FakeDesk

from equipoise.capture.commands import AnswerQuery, CancelQuery, CloseQuery, ReopenQuery
from equipoise.ledger.entries import Datum
from equipoise.words.problem import problem
from equipoise.words.text import Text


@pytest.fixture
def asked(desk: FakeDesk) -> FakeDesk:
    for number in ("NIH0101", "NIH0102", "NIH0103"):
        desk.ask(number, Text(f"About {number}?", "？"))
    return desk


def act(client, query, do, text="yes", **more):
    return client.post(
        f"/queries/{NUMBER}/{query}?state=open", {"do": do, "text": text, "key": f"k-{query}-{do}", **more}
    )


def test_an_answer_leads_to_the_next_query_and_empties_no_item(asked, coordinator):
    asked.values["NIH0101"] = Datum("1")
    answer = act(coordinator, "q1", "answer")
    assert answer["Location"] == f"/queries/{NUMBER}/q2?state=open"
    assert asked.commands == [AnswerQuery("s-1", "q1", "yes")]
    assert asked.values["NIH0101"] == Datum("1")
    assert act(coordinator, "q2", "answer", back="list")["Location"] == "/queries?state=open"
    last = act(coordinator, "q3", "answer")
    assert last["Location"] == "/queries?state=open"


def test_who_answers_begins_with_what_is_open_and_others_with_all_that_waits(asked, coordinator):
    act(coordinator, "q1", "answer")
    page = coordinator.get("/queries")
    assert [line["query"].id for line in page.context["lines"]] == ["q2", "q3"]
    assert page.context["total"] == 2
    coordinator.post("/enter", {"user": "u-mon", "role": "monitor"})
    page = coordinator.get("/queries")
    assert [line["query"].id for line in page.context["lines"]] == ["q1", "q2", "q3"]


@pytest.mark.parametrize(
    ("do", "command"),
    [
        ("close", CloseQuery("s-1", "q1", "fine")),
        ("cancel", CancelQuery("s-1", "q1", "fine")),
        ("reopen", ReopenQuery("s-1", "q1", "fine")),
    ],
)
def test_each_button_gives_its_command(asked, anybody, do, command):
    anybody.post("/enter", {"user": "u-mon", "role": "monitor"})
    assert act(anybody, "q1", do, "fine").status_code == 302
    assert asked.commands == [command]


def test_what_is_refused_stays_typed_beside_its_reason(asked, coordinator):
    asked.answers_with = (problem("capture.text-too-long", "answer", item="answer", limit=4000),)
    page = act(coordinator, "q1", "answer", "many words")
    assert page.status_code == 422
    assert "many words" in page.content.decode()
    assert "4000" in page.content.decode()


@pytest.mark.parametrize(
    "address", ["?state=none&older=x&rule=%27", "?older=99999", "?after=nowhere", "?before=~~~"]
)
def test_an_address_that_nobody_offered_is_no_fault(asked, coordinator, address):
    assert coordinator.get(f"/queries{address}").status_code == 200


def test_what_is_not_there_is_not_found(asked, coordinator):
    assert coordinator.get(f"/queries/{NUMBER}/q9").status_code == 404
    assert coordinator.get("/queries/09999/q1").status_code == 404
    assert act(coordinator, "q1", "nothing").status_code == 400
