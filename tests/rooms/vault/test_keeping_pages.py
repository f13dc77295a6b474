"""The keeper's page of a definition that waits, and of a store that came back from a backup.

Source: issue 3, bad input (forged requests, a restore); DESIGN 5 (channel).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.conf import settings

from doors import pages_of
from equipoise.protocol.digest import study_digest
from equipoise.vault.web.settings import second_door
from rooms.vault.test_break_pages import enter
from rooms.vault.test_keeping import changed, release, restored
from rooms.vault.two_doors import Doors


@pytest.fixture
def both(doors: Doors, tmp_path_factory) -> Iterator[Doors]:
    doors.exchange()
    with pages_of(second_door(doors.vault, tmp_path_factory.mktemp("pages"), "s" * 64)):
        from equipoise.pages.accounts.logins import persona_account
        from equipoise.pages.accounts.models import Account, Login

        Login.objects.all().delete()
        Account.objects.all().delete()
        for actor, purpose in (("phar", "BENCH"), ("keep", "KEEPER")):
            persona_account(actor, actor.title(), "", "")
            assert doors.enrol(actor, purpose).accepted
        yield doors


def fields(page: str, do: str) -> dict[str, str]:
    """The hidden fields of the form that does this."""
    form = next(one for one in re.findall(r"<form.*?</form>", page, re.DOTALL) if f'value="{do}"' in one)
    return dict(re.findall(r'name="(key|digest|heard)" value="([^"]*)"', form))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_keeper_is_shown_what_would_change_at_the_bench_and_confirms_that(
    both: Doors, language: str
) -> None:
    settings.VAULT = both.vault
    keeper, bench = enter("keep", "KEEPER", language), enter("phar", "BENCH", language)
    assert 'value="confirm"' not in keeper.get("/definition").text
    digest = release(both, changed(both.vault.study, "99.5"))
    assert "/definition" in keeper.get("/work").text
    assert "-x99.5" in bench.get("/bench").text  # that another version waits is said where doses are prepared
    page = keeper.get("/definition").text
    assert "99.5" in page
    assert digest in page
    assert bench.get("/definition").status_code == 404
    wrong = keeper.post("/definition", {**fields(page, "decline"), "do": "decline", "reason": " "})
    assert wrong.status_code == 422
    assert keeper.post("/definition", {**fields(page, "confirm"), "do": "confirm"}).status_code == 302
    assert study_digest(both.vault.study) == digest
    assert 'value="confirm"' not in keeper.get("/definition").text
    assert "-x99.5" not in bench.get("/bench").text
    assert keeper.post("/definition", {"do": "whatever"}).status_code == 404


def test_a_declined_definition_can_still_be_looked_at_and_confirmed(both: Doors) -> None:
    settings.VAULT = both.vault
    keeper = enter("keep", "KEEPER")
    digest = release(both, changed(both.vault.study, "99.5"))
    page = keeper.get("/definition").text
    given = {**fields(page, "decline"), "do": "decline", "reason": "nobody reaches that"}
    assert keeper.post("/definition", given).status_code == 302
    after = keeper.get("/definition").text
    assert 'value="decline"' not in after
    assert keeper.post("/definition", {**fields(after, "confirm"), "do": "confirm"}).status_code == 302
    assert study_digest(both.vault.study) == digest


def test_a_store_put_back_goes_on_by_the_keepers_page(both: Doors) -> None:
    restored(both)
    settings.VAULT = both.vault
    assert both.courier.exchange() is not None
    keeper = enter("keep", "KEEPER")
    page = keeper.get("/definition").text
    given = {**fields(page, "restore"), "do": "restore", "reason": "the disk failed"}
    assert keeper.post("/definition", {**given, "heard": "nonsense"}).status_code == 404
    assert keeper.post("/definition", given).status_code == 302
    assert both.courier.exchange() is None
    assert 'value="restore"' not in keeper.get("/definition").text
