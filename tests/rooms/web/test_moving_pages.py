"""Moving participants and forms to a later version: from the page and from the terminal, a dry run first.

Source of the rules: decision 0019; 21 CFR 11.70 (a signed record keeps what it was signed under).
"""

from __future__ import annotations

import datetime as dt

import pytest
from django.conf import settings

from equipoise.capture.closed import Closing
from equipoise.cli.main import main
from equipoise.desk.setup import adopt, release
from rooms.desk.test_versions_at_sites import with_item
from rooms.web.test_infusion_pages import enter
from stories.conftest import NIHSS, STAFF, Story, made_store, story

__all__ = ["made_store", "story"]  # the fixtures, taken over from the stories

PAGE = "/amendments/moves"


@pytest.fixture
def behind(pages, story: Story) -> tuple[Story, str]:
    """A participant with a complete NIHSS, who stays under the first version when the site adopts the second."""
    from equipoise.pages.accounts.models import Account, Login

    Login.objects.all().delete()
    Account.objects.all().delete()
    settings.DESK = story.desk
    number, today = story.screen(), story.clock.at.date().isoformat()
    assert story.record("rater", number, "NIHSS", {**NIHSS, "NIHSSDAT": today}, complete=True).accepted
    assert release(story.desk, with_item(story.desk.study, "2.0", "NIHSS", id="SLEEP")) == ()
    story.clock.at += dt.timedelta(days=1)  # who comes in on the day of the adoption is a newcomer
    tomorrow = story.clock.at.date().isoformat()
    assert adopt(story.desk, "01", "2.0", "EC-01-2", today, tomorrow, staying=True) == ()
    return story, number


def _as(actor: str):
    return enter(actor, STAFF[actor][0])


def _version(one: Story, number: str) -> str:
    return one.desk.study_of(number).version


def _missing(one: Story, number: str) -> tuple[str, ...]:
    page = one.desk.form(one.who("crc"), number, "V1", "NIHSS")
    assert page is not None
    return page.missing_items


def _send(browser, chosen: str, do: str, reason: str = "signed the new consent"):
    return browser.post(PAGE, {"chosen": chosen, "do": do, "reason": reason, "key": f"{chosen} {do}"})


def test_a_participant_moves_after_a_dry_run_and_then_the_form(behind: tuple[Story, str]) -> None:
    story, number = behind
    browser, form = _as("dm"), f"{number} V1 NIHSS 1"
    shown = browser.get(PAGE).content.decode()
    assert f'name="chosen" value="{number}"' in shown
    assert form not in shown  # it can move only once the participant has
    dry = _send(browser, number, "look").content.decode()
    assert "1 participants and 0 forms would move. Nothing was written." in dry
    assert "would lack More" in dry  # the item by its label, in the impact on this participant
    assert _version(story, number) != "2.0"
    assert _send(browser, number, "move").status_code == 302
    assert _version(story, number) == "2.0"
    shown = browser.get(PAGE).content.decode()
    assert f'name="chosen" value="{form}"' in shown
    assert "would lack More" in shown
    assert "将缺少 更多" in enter("dm", STAFF["dm"][0], "zh").get(PAGE).content.decode()
    assert "0 participants and 1 forms would move" in _send(browser, form, "look").content.decode()
    assert _missing(story, number) == ()
    assert _send(browser, form, "move")["Location"] == f"{PAGE}?moved=0&forms=1"
    assert _missing(story, number) == ("SLEEP",)


def test_what_is_refused_says_so_dry_and_keeps_what_was_typed(behind: tuple[Story, str]) -> None:
    story, number = behind
    browser = _as("dm")
    for do in ("look", "move"):
        refused = _send(browser, number, do, reason=" ")
        assert refused.status_code == 422
        assert f'value="{number}" checked' in refused.content.decode()
    assert browser.post(PAGE, {"do": "look", "reason": "why", "key": "n"}).status_code == 422
    assert _version(story, number) != "2.0"


def test_a_signed_form_is_shown_and_cannot_be_chosen(
    behind: tuple[Story, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from equipoise.capture.evolve import Place

    story, number = behind
    browser = _as("dm")
    assert _send(browser, number, "move").status_code == 302
    monkeypatch.setattr(Closing, "signed_places", lambda self: frozenset({Place("V1", "NIHSS", 1)}))
    shown = browser.get(PAGE).content.decode()
    assert "Signed, stays" in shown
    assert f'value="{number} V1 NIHSS 1"' not in shown
    refused = _send(browser, f"{number} V1 NIHSS 1", "move")
    assert refused.status_code == 422
    assert "is signed and stays with the version" in refused.content.decode()
    assert _missing(story, number) == ()


@pytest.mark.parametrize("actor", ["crc", "pi", "cra"])
def test_who_moves_nobody_finds_no_page(behind: tuple[Story, str], actor: str) -> None:
    assert _as(actor).get(PAGE).status_code == 404


def test_the_terminal_lists_first_and_moves_when_told(
    behind: tuple[Story, str], capsys: pytest.CaptureFixture[str]
) -> None:
    story, number = behind
    where, now = str(story.desk.ledger.places.store.parent), _version(story, number)
    story.desk.close()

    def said(*words: str) -> list[str]:
        assert main(["store", "move", where, "--reason", "asked of everybody", *words]) == 0
        return capsys.readouterr().out.splitlines()

    nobody = "0 participants and 0 forms would move. Nothing was written."
    assert said("--forms") == [nobody]
    line = f"{number}  {now} -> 2.0"
    assert said() == [line, "1 participants and 0 forms would move. Nothing was written."]
    assert said("--do", "--site", "02") == ["0 participants and 0 forms were moved."]
    assert said("--do") == [line, "1 participants and 0 forms were moved."]
    assert said() == [nobody]
    assert said("--forms", "--do")[-1] == "0 participants and 1 forms were moved."
    assert said("--forms") == [nobody]
