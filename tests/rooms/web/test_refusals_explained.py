"""A refused save says which rule refused it and what the rule saw: without script on the page, with script in the answer.

Source of the rule: the issue ("explain this check" with the data it saw).
"""

from __future__ import annotations

import pytest
from django.conf import settings

from rooms.web.test_infusion_pages import enter
from stories.conftest import STAFF, Story, made_store, story

__all__ = ["made_store", "story"]  # the fixtures, taken over from the stories


@pytest.fixture
def page(pages, story: Story) -> str:
    """The vital signs of a new participant."""
    from equipoise.pages.accounts.models import Account, Login

    Login.objects.all().delete()
    Account.objects.all().delete()
    settings.DESK = story.desk
    return f"/subjects/{story.screen()}/forms/V1/VS"


def _browser():
    return enter("crc", STAFF["crc"][0])


def test_without_script_the_rule_stands_under_its_field(page: str) -> None:
    said = _browser().post(
        page, {"whole": "yes", "base": "0", "v.VSDAT": "2026-06-02", "do": "save", "key": "k"}
    )
    shown = said.content.decode()
    assert said.status_code == 422
    assert (
        shown.count("Why is this refused?") == 2
    )  # under the field, and in the pattern that the script copies
    assert "days(VSDAT, reference_date) &gt;= 0" in shown
    assert 'value="2026-06-02"' in shown


def test_with_script_the_answer_brings_the_rule(page: str) -> None:
    asked = {
        "base": 0,
        "key": "key-00000001",
        "items": {"VSDAT": {"value": "2026-06-02"}, "PULSE": {"value": "fast"}},
    }
    said = _browser().post(page, asked, content_type="application/json")
    told = {one["rule"]: one["why"] for one in said.json()["problems"]}
    assert "days(VSDAT, reference_date) &gt;= 0" in told.pop("capture.check-refuses")
    assert set(told.values()) == {""}  # what cannot be read is no matter of a rule
