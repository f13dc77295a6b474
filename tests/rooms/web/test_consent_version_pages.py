"""The page of consent forms: a version is approved at a site after a look at whom it asks to sign again.

Sources: ICH E6(R3) 2.8; Declaration of Helsinki 23. Days by hand: 2026-06-03 and 30 days is 2026-07-03.
"""

from __future__ import annotations

import datetime as dt

import pytest
from django.conf import settings

from equipoise.desk.setup import adopt, release
from equipoise.protocol.study import ConsentVersion
from rooms.web.test_infusion_pages import enter
from stories.conftest import STAFF, Story, made_store, story

__all__ = ["made_store", "story"]  # the fixtures, taken over from the stories

PAGE = "/amendments/consent"
SECOND = {"site": "01", "version": "2.0", "approval": "EC-01-C2", "on": "2026-06-03"}


@pytest.fixture
def site(pages, story: Story) -> Story:
    """A participant who signed 1.0; then a definition with a second form, dated 2 June, in force at the site."""
    from equipoise.pages.accounts.models import Account, Login

    Login.objects.all().delete()
    Account.objects.all().delete()
    settings.DESK = story.desk
    story.consent(story.screen())
    story.clock.at += dt.timedelta(days=2)
    study, today = story.desk.study, story.clock.at.date().isoformat()
    second = ConsentVersion.model_validate(
        {"id": "2.0", "dated": "2026-06-02", "label": {"en": "Second", "zh": "第二版"}}
    )
    consent = study.consent.model_copy(update={"versions": (*study.consent.versions, second)})
    assert release(story.desk, study.model_copy(update={"version": "2.0", "consent": consent})) == ()
    assert adopt(story.desk, "01", "2.0", "EC-01-2", today, today) == ()
    return story


def _tasks(one: Story) -> list[str]:
    today = one.desk.today(one.who("crc"))
    assert today is not None
    return [task.kind for task in today.tasks if task.kind.startswith("reconsent")]


def test_an_approval_is_looked_at_recorded_and_asks_for_new_signatures(site: Story) -> None:
    browser = enter("dm", STAFF["dm"][0])
    shown = browser.get(PAGE).content.decode()
    assert "not approved" in shown
    dry = browser.post(PAGE, {**SECOND, "do": "look"}).content.decode()
    assert (
        "1 participants of the site would be asked to sign again by 2026-07-03. Nothing was written." in dry
    )
    assert 'value="EC-01-C2"' in dry  # what was typed stays
    assert _tasks(site) == []
    assert browser.post(PAGE, {**SECOND, "do": "approve", "key": "c"}).status_code == 302
    shown = browser.get(PAGE).content.decode()
    assert "1, by 2026-07-03" in shown
    assert "EC-01-C2" in shown
    assert _tasks(site) == ["reconsent_version"]


def test_a_version_that_is_not_in_force_or_a_day_to_come_is_refused(site: Story) -> None:
    browser = enter("dm", STAFF["dm"][0])
    assert (
        "not in the site&#x27;s version of the protocol yet" in browser.get(PAGE).content.decode()
    )  # site 02
    for wrong in ({"site": "02"}, {"on": "2026-07-01"}, {"approval": " "}, {"do": "nothing"}):
        refused = browser.post(PAGE, {**SECOND, "do": "look", **wrong})
        assert refused.status_code == 422, wrong
    assert _tasks(site) == []


@pytest.mark.parametrize("actor", ["crc", "cra"])
def test_who_does_not_look_after_versions_finds_no_page(site: Story, actor: str) -> None:
    assert enter(actor, STAFF[actor][0]).get(PAGE).status_code == 404
