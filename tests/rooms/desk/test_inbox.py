"""The inbox over a real desk: every query once whatever the pages, filters that mean what they say, and nothing hidden."""

from __future__ import annotations

import datetime as dt

import pytest

from equipoise.capture.commands import AnswerQuery, CancelQuery, CloseQuery, RaiseQuery, ReopenQuery
from equipoise.desk import inbox as inboxes
from equipoise.desk.inbox import Filters
from stories.conftest import Story, made_store, story

__all__ = ["made_store", "story"]


@pytest.fixture
def asked(story: Story, monkeypatch: pytest.MonkeyPatch) -> Story:
    """Seven queries in three participants, asked on different days; pages of three."""
    monkeypatch.setattr(inboxes, "PAGE", 3)
    for place in range(3):
        number = story.screen(f"人{place}", f"196{place}-01-01")
        for item in ("1a", "1b", "8")[: 3 if place else 1]:
            story.clock.at += dt.timedelta(days=2)
            actor = "dm" if item == "8" else "cra"
            story.done(actor, RaiseQuery(story.subject(number), "V1", "NIHSS", 1, item, f"{number} {item}?"))
    return story


def walk(one: Story, filters: Filters, actor: str = "cra") -> list[str]:
    """Every message from page to page, and the same backwards."""
    found, after, pages = [], "", []
    while True:
        view = one.desk.inbox(one.who(actor), filters, after)
        assert view is not None
        found += [line.message.en for line in view.lines]
        pages.append([line.message.en for line in view.lines])
        if not view.after:
            break
        after = view.after
    back, before = [], view.before
    while before:
        view = one.desk.inbox(one.who(actor), filters, "", before)
        assert view is not None
        back.append([line.message.en for line in view.lines])
        before = view.before
    assert [each for page in reversed(back) for each in page] == [
        each for page in pages[:-1] for each in page
    ]
    return found


ALL = [f"01001 {item}?" for item in ("1a",)] + [
    f"{n} {item}?" for n in ("01002", "01003") for item in ("1a", "1b", "8")
]


def test_pages_show_every_query_once_the_oldest_first(asked):
    assert walk(asked, Filters()) == ALL


def test_each_filter_lets_through_what_it_says(asked):
    subject = asked.subject("01002")
    state = asked.captured("01002")
    first, second, third = state.queries
    asked.done("crc", AnswerQuery(subject, first, "so"))
    asked.done("crc", AnswerQuery(subject, second, "so"))
    asked.done("cra", CloseQuery(subject, second))
    asked.done("dm", CancelQuery(subject, third, "asked twice"))
    assert walk(asked, Filters("answered")) == ["01002 1a?"]
    assert walk(asked, Filters("closed")) == ["01002 1b?"]
    assert walk(asked, Filters("cancelled")) == ["01002 8?"]
    assert len(walk(asked, Filters("all"))) == 7
    assert walk(asked, Filters("waiting", mine=True), "crc") == [
        each for each in ALL if not each.startswith("01002")
    ]
    assert walk(asked, Filters("waiting", mine=True), "cra") == ["01002 1a?"]
    assert walk(asked, Filters("all", rule="checks")) == []
    assert walk(asked, Filters("all", form="MRS")) == []
    assert walk(asked, Filters("all", site="02")) == []
    # asked on days 2, 4, … 14, and it is day 14: the first three are at least eight days old
    assert walk(asked, Filters("all", older=8)) == ALL[:3]
    view = asked.desk.inbox(asked.who("dm"), Filters())
    assert view is not None
    assert {name: view.counts[name] for name in ("waiting", "open", "answered", "closed", "cancelled")} == {
        "waiting": 5,
        "open": 4,
        "answered": 1,
        "closed": 1,
        "cancelled": 1,
    }


def test_neighbours_are_those_of_the_filters(asked):
    names = [
        (number, query) for number in ("01001", "01002", "01003") for query in asked.captured(number).queries
    ]
    for place, (number, query) in enumerate(names):
        view = asked.desk.one_query(asked.who("crc"), number, query, Filters())
        assert view is not None
        assert view.previous == (names[place - 1] if place else None)
        assert view.next == (names[place + 1] if place + 1 < len(names) else None)


def test_an_act_is_offered_where_the_desk_takes_it(asked):
    """What the page offers and what the desk accepts are the same, for every role, state and act."""
    subject = asked.subject("01003")
    query = next(iter(asked.captured("01003").queries))
    steps = [None, ("crc", AnswerQuery(subject, query, "so")), ("cra", ReopenQuery(subject, query, "why")),
             ("cra", CancelQuery(subject, query, "asked twice"))]  # fmt: skip
    commands = {"answer": AnswerQuery(subject, query, "x"), "close": CloseQuery(subject, query),
                "cancel": CancelQuery(subject, query, "x"), "reopen": ReopenQuery(subject, query, "x")}  # fmt: skip
    seen = set()
    for step in steps:
        if step is not None:
            asked.done(*step)
        for actor in ("crc", "pi", "rater", "cra", "dm"):
            view = asked.desk.one_query(asked.who(actor), "01003", query, Filters("all"))
            assert view is not None
            for act, command in commands.items():
                assert (act in view.line.acts) is asked.would(actor, command), (actor, act)
                seen.add((actor, act, act in view.line.acts))
    assert {offered for _, _, offered in seen} == {True, False}


def test_another_site_s_queries_are_neither_shown_nor_counted(asked):
    view = asked.desk.inbox(asked.who("crc2"), Filters("all"))
    assert view is not None
    assert (view.lines, view.counts["all"], view.sites) == ((), 0, ("02",))
    query = next(iter(asked.captured("01001").queries))
    assert asked.desk.one_query(asked.who("crc2"), "01001", query, Filters()) is None
    assert asked.desk.inbox(asked.who("spo"), Filters()) is None
