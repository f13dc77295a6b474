"""Pages of the values behind the second door: found by number, filled in by keyboard, refused beside the item, kept.

Source of the rules: DESIGN 5 and 7; WCAG 2.2.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import pytest
from django.conf import settings

from doors import pages_of
from equipoise.vault.web.settings import second_door
from rooms.vault.test_values_doors import place_of, ready
from rooms.vault.two_doors import Doors

KEY = re.compile(r'name="key" value="([^"]+)"')
SHOWN = re.compile(r'name="(o\.\w+)" value="([^"]*)"')
BASE = re.compile(r'name="base" value="(\d+)"')


@pytest.fixture
def both(doors: Doors, tmp_path_factory) -> Iterator[Doors]:
    """Both doors, and the pages of the second over them."""
    ready(doors)
    with pages_of(second_door(doors.vault, tmp_path_factory.mktemp("pages"), "s" * 64)):
        from equipoise.pages.accounts.logins import persona_account
        from equipoise.pages.accounts.models import Account, Login

        Login.objects.all().delete()
        Account.objects.all().delete()
        for actor, name, chinese in (
            ("lab", "Wu Ting", "吴婷"),
            ("chk", "He Yun", "何云"),
            ("inv", "Zhao Min", "赵敏"),
        ):
            persona_account(actor, name, chinese, "")
        assert doors.enrol("inv", "BREAK").accepted
        settings.VAULT = doors.vault
        yield doors


def enter(user: str, purpose: str, language: str = "en"):
    from django.test import Client

    client = Client(HTTP_HOST="localhost", HTTP_ACCEPT_LANGUAGE=language)
    assert client.post("/enter", {"user": user, "purpose": purpose}).status_code == 302
    client.post("/language", {"language": language})
    return client


def sheet(both: Doors) -> str:
    visit, form, _ = place_of(both)
    return f"/values/S-s1/{visit}/{form}"


def carried(page: str) -> dict[str, str]:
    """What the page carries for the save."""
    return {
        "key": KEY.findall(page)[0],
        "base": BASE.findall(page)[0],
        **{name: html.unescape(held) for name, held in SHOWN.findall(page)},
    }


def fill(client, address: str, **given: str):
    """Post the page as a browser would, with the key and the base that it carried."""
    page = client.get(address).text
    return client.post(
        address, carried(page) | {name.replace("__", "."): value for name, value in given.items()}
    )


def test_the_work_list_names_participants_by_screening_number(both):
    page = enter("lab", "LAB").get("/values").text
    assert 'href="/values/S-s1"' in page
    assert "Second door · unblinded" in page
    assert "S-s1" not in enter("lab", "LAB").get("/values?q=nobody").text


@pytest.mark.parametrize(("language", "said"), [("en", "Forms by visit"), ("zh", "各访视的表单")])
def test_the_forms_of_a_participant_stand_at_their_visits(both, language, said):
    page = enter("lab", "LAB", language).get("/values/S-s1").text
    assert said in page
    assert f'href="{sheet(both)}"' in page


def test_a_form_has_the_revealing_items_alone(both):
    page = enter("lab", "LAB").get(sheet(both)).text
    asked = set(re.findall(r'name="v\.(\w+)"', page))
    form = both.study.form("IMMUN")
    assert asked == {item.id for item in form.items if item.blinding == "revealing"}


def test_a_save_is_kept_and_shown_with_its_history(both):
    client = enter("lab", "LAB")
    answer = fill(client, sheet(both), v__CD4="44.5", v__HLA1="!ND")
    assert answer.status_code == 302
    page = client.get(answer.headers["Location"]).text
    assert 'value="44.5"' in page
    assert re.search(r'value="!ND" checked', page)
    history = client.get(f"{sheet(both)}/history").text
    assert "44.5" in history
    assert "Wu Ting" in history
    assert "吴婷" in enter("lab", "LAB", "zh").get(f"{sheet(both)}/history").text


def test_what_is_refused_is_said_beside_its_item_and_nothing_typed_is_lost(both):
    answer = fill(enter("lab", "LAB"), sheet(both), v__CD4="444", v__CD8="20.5")
    assert answer.status_code == 422
    assert 'name="v.CD4" value="444"' in answer.text
    assert 'name="v.CD8" value="20.5"' in answer.text
    assert "Nothing was saved: 1 to correct" in answer.text
    assert 'aria-invalid="true"' in answer.text


def test_a_value_below_its_limit_is_typed_and_not_emptied_by_the_next_save(both):
    client = enter("lab", "LAB")
    assert fill(client, sheet(both), v__CD4="<0.5").status_code == 302
    assert 'name="v.CD4" value="&lt;0.5"' in client.get(sheet(both)).text
    assert fill(client, sheet(both), v__CD4="<0.5", v__CD8="20.5").status_code == 302
    page = client.get(sheet(both)).text
    assert 'name="v.CD4" value="&lt;0.5"' in page
    assert 'inputmode="decimal"' not in page, "a phone's pad of digits has no <"
    assert "BLQ Below the limit of quantification (&lt;0.5 %)" in client.get(f"{sheet(both)}/history").text


def test_a_value_above_its_limit_is_typed_and_not_emptied_by_the_next_save(both):
    client = enter("lab", "LAB")
    assert fill(client, sheet(both), v__CD4="＞90").status_code == 302
    assert 'name="v.CD4" value="&gt;90"' in client.get(sheet(both)).text
    assert fill(client, sheet(both), v__CD4=">90", v__CD8="20.5").status_code == 302
    assert 'name="v.CD4" value="&gt;90"' in client.get(sheet(both)).text
    history = enter("lab", "LAB", "zh").get(f"{sheet(both)}/history").text
    assert "ALQ 高于定量限 (&gt;90 %)" in history


def test_a_stale_page_is_told_so(both):
    client = enter("lab", "LAB")
    old = client.get(sheet(both)).text
    assert fill(client, sheet(both), v__CD4="44.5").status_code == 302
    late = client.post(sheet(both), carried(old) | {"key": KEY.findall(old)[0] + "x", "v.CD4": "11.5"})
    assert late.status_code == 409


def test_a_page_sent_twice_is_saved_once(both):
    client = enter("lab", "LAB")
    page = client.get(sheet(both)).text
    fields = carried(page) | {"v.CD4": "44.5"}
    assert client.post(sheet(both), fields).status_code == 302
    assert client.post(sheet(both), fields).status_code == 302
    assert len(re.findall("<li>", client.get(f"{sheet(both)}/history").text)) == 1


def test_a_query_is_answered_by_one_and_accepted_by_another(both):
    lab, checker = enter("lab", "LAB"), enter("chk", "CHECK")
    fill(lab, sheet(both), v__CD4="99.5")  # expected: 10 to 75
    page = lab.get(sheet(both)).text
    visit, form, repeat = place_of(both)
    query = re.findall(r'name="query" value="([^"]+)"', page)[0]
    place = {"query": query, "visit": visit, "form": form, "repeat": str(repeat)}
    assert lab.post("/values/S-s1/query", place | {"key": "q-1", "text": "Repeated."}).status_code == 302
    waiting = checker.get(sheet(both)).text
    assert "Repeated." in waiting
    assert (
        checker.post("/values/S-s1/query", place | {"key": "q-2", "text": "", "close": "1"}).status_code
        == 302
    )
    assert "Repeated." not in checker.get(sheet(both)).text


def test_who_only_checks_sees_a_form_that_takes_nothing(both):
    checker = enter("chk", "CHECK")
    page = checker.get(sheet(both)).text
    assert "disabled" in page
    assert 'name="complete"' not in page
    assert (
        checker.post(
            sheet(both), {"key": "k-check-1", "base": "0", "v.CD4": "44.5", "o.CD4": "||"}
        ).status_code
        == 422
    )


@pytest.mark.parametrize("address", ["/values", "/values/S-s1", "/values/S-s1/V1/IMMUN"])
def test_for_another_purpose_there_is_no_such_page(both, address):
    assert enter("inv", "BREAK").get(address).status_code == 404


@pytest.mark.parametrize(
    "address",
    ["/values/S-s1/V1/NOFORM", "/values/S-s9", "/values/S-s1/NOVISIT/IMMUN", "/values/S-s1/V1/IMMUN/7"],
)
def test_what_is_not_there_is_not_found(both, address):
    assert enter("lab", "LAB").get(address).status_code == 404
