"""Law: nothing that the desk lets an assessor read holds what happened around an infusion, or a score to score by.

Every method of the desk that takes a reader is asked, for every visit and form; what it answers is searched for words and
numbers that stand nowhere else. Sources: reliability notes 2.2 (L18), domain notes 5.4, ux notes 1.2 (anchoring).
"""

from __future__ import annotations

import dataclasses
import inspect
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from equipoise.access.commands import Who
from equipoise.capture.commands import DateVisit, RaiseQuery, RecordForm
from equipoise.capture.evolve import Place
from equipoise.desk.audit import Search
from equipoise.desk.batches import Filter
from equipoise.desk.covering import COVERED
from equipoise.desk.front import FrontDesk
from equipoise.desk.inbox import Filters
from equipoise.desk.lock_pages import LISTS
from equipoise.ledger.entries import Datum, InfusionStarted, PreparationRequested
from equipoise.protocol.forms import LOG, Form
from rooms.vault.two_doors import Append, Committed, commit, digest
from stories.conftest import Story, made_store, story

__all__ = ["made_store", "story"]  # the fixtures, taken over from the stories

WORD, NUMBER = "canaryword", "87"
"""A word and a whole number that are recorded on forms that raters never see, and nowhere else."""
WHERE = ("V1", "V2", LOG)
"""Where the canaries stand: at the first two visits and in the running lists."""
NOT_READING = {"dry_run", "consent_foreseen", "would", "would_class", "prove", "may_read", "standing_of_site"}
"""Methods that judge a file or a command which the reader brings, or ask for no page; what writes has an idempotency key."""


def by_hand(one: Story, key: str, *appends: Append) -> None:
    """Entries with no room asked: what supply would have written."""
    from equipoise.ledger.commit import Act

    with one.desk.reading() as reader:
        trial = one.desk.trial(reader)
    act = Act(
        trial.study.id, trial.digest, "crc", "coordinator", one.desk.now(), None, None, key, digest(key)
    )
    done = commit(
        one.desk.ledger, act, list(dict.fromkeys(each.stream for each in appends)), lambda reader: appends
    )
    assert isinstance(done, Committed), done


def canaries(form: Form) -> dict[str, str | Datum]:
    """A canary for every item of a form that takes free text or the number."""
    found: dict[str, str | Datum] = {}
    for item in form.items:
        if item.visible_when is not None or item.blinding == "revealing":
            continue
        if item.type == "text":
            found[item.id] = WORD
        elif (
            item.type == "integer" and item.minimum is not None and item.minimum <= 87 <= (item.maximum or 87)
        ):
            found[item.id] = NUMBER
    return found


@pytest.fixture
def infused(story: Story) -> tuple[Story, str]:
    """A participant who was infused, with canaries on every form that raters never see."""
    study = story.desk.study
    number = story.eligible()
    subject = story.subject(number)
    assert story.randomize(number).accepted
    day = story.clock.at.date().isoformat()
    story.done("crc", DateVisit(subject, "V2", day))
    moment = story.desk.now().isoformat()
    stream = f"subject/{subject}"
    by_hand(story, "ask", Append(stream, PreparationRequested("q1", "D1", moment, "60")))
    by_hand(story, "begin", Append(stream, InfusionStarted("q1", "111111", moment)))
    written = 0
    for form in study.forms:
        if "rater" not in form.hidden_from:
            continue
        visit = next(v.id for v in study.schedule.visits if form in study.forms_at(v.id) and v.id != "V1")
        visit, items = (LOG if form.log is not None else visit), canaries(form)
        if items:
            assert story.record("crc", number, form.id, items, visit).accepted, form.id
            item = next(iter(items))
            story.done("cra", RaiseQuery(subject, visit, form.id, 1, item, f"Is {WORD} right?"))
            written += 1
    assert written >= 4, "the study has forms that raters never see"
    return story, number


def refusable(desk: FrontDesk, number: str, where: Sequence[str]) -> Iterator[RecordForm]:
    """A save of each form at each place that is likely to be refused: days far ahead, and nought for everything else."""
    for visit, form in itertools.product(where, desk.study.forms):
        items = {one.id: Datum("2999-01-01" if one.type == "date" else "0") for one in form.items}
        yield RecordForm(desk.subject_id(number) or "", visit, form.id, 1, items, 0)


def readings(
    desk: FrontDesk, who: Who, number: str, where: Sequence[str] = WHERE
) -> Iterator[tuple[str, Any]]:
    """Every reading of the desk: the method with its arguments, and what it answers. `where`: the visits asked for."""
    study = desk.study
    offered: dict[str, list[Any]] = {
        "number": [number],
        "screening_number": [number],
        "site": ["01"],
        "visit": list(where),
        "form": [form.id for form in study.forms],
        "repeat": [1],
        "item": [None],
        "place": [Place(visit, form.id, 1) for visit in where for form in study.forms],
        "source": ["none-such"],
        "query": ["none-such"],
        "name": ["none-such"],
        "search": [Search()],
        "wanted": [Filter(form.id) for form in study.forms],
        "limit": [20],
        "line": list(LISTS),
        "user": ["crc", "none-such"],
        "filters": [Filters()],
        "command": [*refusable(desk, number, where)],
    }
    for name, method in inspect.getmembers(type(desk), inspect.isfunction):
        parameters = list(inspect.signature(method).parameters.values())
        if "key" in inspect.signature(method).parameters or name.startswith("_") or name in NOT_READING:
            continue
        if len(parameters) < 2 or parameters[1].name != "who":
            continue
        asked = [
            one for one in parameters[2:] if one.default is inspect.Parameter.empty or one.name in offered
        ]
        unknown = [one.name for one in asked if one.name not in offered]
        assert not unknown, f"{name} asks for {unknown}: say here what to offer"
        for values in itertools.product(*(offered[one.name] for one in asked)):
            arguments = dict(zip((one.name for one in asked), values, strict=True))
            yield f"{name} {arguments}", getattr(desk, name)(who, **arguments)


def said(answer: Any) -> str:
    """Everything that an answer holds, as text."""
    if isinstance(answer, bytes):
        return answer.decode("latin-1")
    return repr(answer)


def test_the_assessor_reads_nothing_of_what_happened_around_an_infusion(infused):
    story, number = infused
    for name, answer in readings(story.desk, story.who("rater"), number):
        assert WORD not in said(answer), name
        assert f"value='{NUMBER}'" not in said(answer), name
        assert f"en='{NUMBER}" not in said(answer), name


def test_the_search_would_find_it(infused):
    """The coordinator, who may, reads the same by the same methods."""
    story, number = infused
    found = {
        name.split()[0]
        for name, answer in readings(story.desk, story.who("crc"), number)
        if WORD in said(answer)
    }
    assert {"form", "history", "today"} <= found


def test_who_began_the_infusion_or_wrote_down_its_course_scores_no_more(infused):
    story, number = infused
    outcome = story.record("crc", number, "NIHSS", {"3": "1"}, "V2")
    assert [one.rule for one in outcome.problems] == ["people.saw-the-infusion"]
    assert story.record("rater", number, "NIHSS", {"3": "1"}, "V2").accepted


# --- earlier scores ---------------------------------------------------------------------------------------------


def scored(story: Story, number: str, visit: str, actor: str = "rater", *, five_a: str = "0") -> None:
    """A complete NIHSS with a canary in it."""
    items: dict[str, str | Datum] = {"NIHSSDAT": story.clock.at.date().isoformat()}
    items |= dict.fromkeys(
        ["1a", "1b", "1c", "2", "3", "4", "5a", "5b", "6a", "6b", "8", "9", "10", "11"], "0"
    )
    items["5a"] = five_a
    items["7"] = Datum(missing="UN", why="canaryscore")
    outcome = story.record(actor, number, "NIHSS", items, visit, complete=True)
    assert outcome.accepted, [problem.say() for problem in outcome.problems]


@pytest.mark.parametrize("first", ["rater", "crc"])
def test_earlier_scores_are_covered_until_the_one_that_is_due_is_complete(story: Story, first: str) -> None:
    number = story.screen()
    story.consent(number)
    scored(story, number, "V1", first)
    rater = story.who("rater")

    def shows() -> set[str]:
        return {
            name.split()[0]
            for name, answer in readings(story.desk, rater, number)
            if "'V1'" in name and "canaryscore" in said(answer)
        }

    assert {"form", "history"} <= shows(), "nothing is due, so what was scored is shown"
    assert story.record("rater", number, "NIHSS", {"3": "1"}, "V2").accepted
    assert shows() == set()
    page = story.desk.form(rater, number, "V1", "NIHSS")
    assert page is not None
    assert page.covered
    assert (page.items, page.derived, page.queries) == ((), (), ())
    rows = story.desk.history(rater, number, "V1", "NIHSS", 1)
    assert rows
    assert {(row.new, row.reason) for row in rows} == {(COVERED, "")}
    assert not page.editable, "a score is not corrected unseen"
    scored(story, number, "V2")
    assert {"form", "history"} <= shows(), "shown again afterwards"


def test_a_visit_that_took_place_covers_before_the_first_item_is_typed(story: Story) -> None:
    number = story.screen()
    story.consent(number)
    scored(story, number, "V1")
    page = story.desk.form(story.who("rater"), number, "V1", "NIHSS")
    assert page is not None
    assert not page.covered
    story.done("crc", DateVisit(story.subject(number), "V2", story.clock.at.date().isoformat()))
    page = story.desk.form(story.who("rater"), number, "V1", "NIHSS")
    assert page is not None
    assert page.covered
    other = story.desk.form(story.who("crc"), number, "V1", "NIHSS")
    assert other is not None
    assert not other.covered, "only raters are anchored by scores"


def test_a_covered_page_is_the_same_whatever_was_scored(story: Story) -> None:
    """Two participants who were scored differently show a rater the same page."""
    pages = []
    for name, value in (("甲", "0"), ("乙", "4")):
        number = story.screen(name)
        story.consent(number)
        scored(story, number, "V1", five_a=value)
        assert story.record("rater", number, "NIHSS", {"3": "1"}, "V2").accepted
        page = story.desk.form(story.who("rater"), number, "V1", "NIHSS")
        assert page is not None
        assert page.covered
        pages.append(dataclasses.replace(page, subject="", base=0))
    assert pages[0] == pages[1]
