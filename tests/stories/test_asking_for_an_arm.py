"""An investigator asks for one participant's arm on the first door's pages, and everybody else goes on without it.

Sources: issue Capability 7 and 8, ux notes 1.17 (three steps; if no, the medical monitor; never gated), L16.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.conf import settings

from doors import pages_of
from equipoise.access.commands import SYSTEM, GrantRole
from equipoise.capture.commands import RecordForm
from equipoise.vault.breaks import showing
from equipoise.web.settings import first_door
from locking import lock_database
from rooms.vault.conftest import doors, made_doors
from rooms.vault.test_breaks import arm_of, begin, gone, keeper
from rooms.vault.two_doors import Doors

__all__ = ["doors", "made_doors"]  # the fixtures, taken over from the second door's tests

DOOR = "https://second.example:8443"
PEOPLE = {
    "inv": ("investigator", "01"), "crc": ("coordinator", "01"), "rat": ("rater", "01"), "rat2": ("rater", "01"),
    "inv2": ("investigator", "02"), "cra": ("monitor", None), "dm": ("data_manager", None),
    "stat": ("statistician", None), "spo": ("sponsor", None), "saf": ("safety_desk", None), "insp": ("inspector", None),
}  # fmt: skip
FIELD = re.compile(r'name="(key|request)" value="([^"]+)"')
STEPS = {"urgent": "yes", "category": "EMERGENCY", "reason": "shock", "to": "SELF", "identity": "yes"}


@pytest.fixture
def both(doors: Doors, tmp_path_factory) -> Iterator[Doors]:
    """Both doors with a participant, and the pages of the first over them."""
    for actor, (role, site) in PEOPLE.items():
        doors.desk.submit(SYSTEM, GrantRole(actor, role, site), key=f"story {actor}")
    begin(doors)
    made = first_door(tmp_path_factory.mktemp("pages"), doors.desk, second_door=DOOR)
    with pages_of(made):
        from equipoise.pages.accounts.models import Account, Login

        Login.objects.all().delete()
        Account.objects.all().delete()
        settings.DESK = doors.desk
        yield doors


def enter(user: str, language: str = "en"):
    from django.test import Client

    client = Client(HTTP_HOST="localhost", HTTP_ACCEPT_LANGUAGE=language)
    answer = client.post("/enter", {"user": user, "role": PEOPLE[user][0]})
    assert answer.status_code == 302
    client.post("/language", {"language": language})
    return client


def ask(client, address: str = "/subjects/S-s1/unblind", **changes: str):
    page = client.get(address).text
    carried = dict(FIELD.findall(page))
    return client.post(address, {**carried, **STEPS, **changes})


@pytest.mark.parametrize(("language", "said"), [("en", "Open the second door"), ("zh", "打开第二道门")])
def test_three_steps_lead_to_the_second_door_with_nothing_but_a_random_id(both, language, said):
    client = enter("inv", language)
    assert 'id="unblind"' in client.get("/subjects/S-s1").text
    answer = ask(client)
    assert answer.status_code == 302
    wanted = answer["Location"].rsplit("/", 1)[1]
    page = client.get(answer["Location"]).text
    assert f'href="{DOOR}/break/{wanted}"' in page
    assert said in page
    assert showing.offer(both.vault, keeper(both), wanted) is not None  # it arrived while the page was made


@pytest.mark.parametrize("missing", ["urgent", "category", "reason", "identity"])
def test_a_step_that_is_missing_is_named_and_what_was_typed_stays(both, missing):
    client = enter("inv")
    answer = ask(client, **{missing: ""})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert missing == "reason" or 'value="shock"' in answer.text


def test_when_it_changes_nothing_now_the_monitor_is_named_and_the_decision_stays_the_investigators(both):
    client = enter("inv")
    first = ask(client, urgent="no")
    assert first.status_code == 200
    assert 'id="call"' in first.text
    again = client.post(
        "/subjects/S-s1/unblind",
        {**dict(FIELD.findall(first.text)), **STEPS, "urgent": "no", "anyway": "yes"},
    )
    assert again.status_code == 302


def test_a_request_pressed_twice_is_one(both):
    client = enter("inv")
    carried = dict(FIELD.findall(client.get("/subjects/S-s1/unblind").text))
    answers = [client.post("/subjects/S-s1/unblind", {**carried, **STEPS}) for _ in range(2)]
    assert {answer["Location"] for answer in answers} == {answers[0]["Location"]}
    with both.desk.reading() as reader:
        kinds = [one.header.kind for one in reader.entries("subject/s1")]
    assert kinds.count("CodeBreakRequested") == 1


def test_with_the_second_door_away_the_page_says_how_to_use_the_paper_card(both):
    both.courier._line = gone
    client = enter("inv")
    page = client.get(ask(client)["Location"])
    assert 'id="away"' in page.text
    number = both.desk.subject(both.desk.who("inv", "investigator"), "S-s1").randomization_number
    assert f"the number {number}" in page.text
    assert page["Refresh"] == "5"


def test_only_the_site_the_safety_desk_the_sponsor_and_inspectors_see_that_it_happened(both):
    """L16. Bytes of every page that the others can open are the same with and without a break."""
    pages = ("/today", "/subjects", "/subjects/S-s1", "/subjects/S-s1/eligibility", "/queries", "/subjects/S-s1/blind",
             "/subjects/S-s1/unblind", "/knowledge", "/release")  # fmt: skip
    others = {name: enter(name) for name in ("rat", "inv2", "cra", "dm", "stat")}
    key = re.compile(r'(name="(?:key|csrfmiddlewaretoken)" value=")[^"]+')

    def looks() -> dict[tuple[str, str], tuple[int, str]]:
        found = {}
        for name, client in others.items():
            for page in pages:
                answer = client.get(page)
                found[name, page] = answer.status_code, key.sub(r"\1", answer.text)
        return found

    before = looks()
    client = enter("inv")
    wanted = ask(client)["Location"].rsplit("/", 1)[1]
    showing.show(both.vault, keeper(both), wanted, key="show")
    both.exchange()
    assert looks() == before
    for name in ("crc", "spo", "saf", "insp"):
        assert enter(name).get("/subjects/S-s1/blind").status_code == 200
    for name in ("spo", "saf"):
        assert "a code break on" in enter(name).get("/today").text
    arm = arm_of(both, "s1").say("en")
    for name in PEOPLE:
        assert arm not in enter(name).get("/subjects/S-s1/blind").text
    assert "Code break, shown" in enter("insp").get("/knowledge").text


def test_who_saw_the_arm_rates_no_more_and_another_rater_is_named(both):
    client = enter("inv")
    ask(client)
    me = both.desk.who("inv", "investigator")
    assert me is not None
    for form in ("NIHSS", "MRS"):
        outcome = both.desk.submit(me, RecordForm("s1", "V1", form, 1, {}, 0), key=f"rate {form}")
        assert {one.rule for one in outcome.problems} == {"access.knows-the-arm"}
    outcome = both.desk.submit(me, RecordForm("s1", "V1", "DM", 1, {}, 0), key="demography")
    assert "access.knows-the-arm" not in {one.rule for one in outcome.problems}
    page = client.get("/subjects/S-s1/blind").text
    assert '<option value="rat">' in page
    assert '<option value="rat2">' in page
    key = re.findall(r'name="key" value="([^"]+a)"', page)[0]
    named = client.post("/subjects/S-s1/blind", {"key": key, "do": "rater", "user": "rat2"})
    assert named.status_code == 302
    assert "rat2" in client.get("/subjects/S-s1/blind").text
    refused = client.post("/subjects/S-s1/blind", {"key": key + "x", "do": "rater", "user": "inv"})
    assert refused.status_code == 422


def test_a_card_is_recorded_afterwards_in_the_sites_time(both):
    client = enter("crc")
    given = {
        "do": "card",
        "opened_at": "2026-06-01 11:00",
        "opened_by": "inv",
        "witnessed_by": "crc",
        "reason": "no net",
    }
    both.clock.at = both.clock.at.replace(hour=3, minute=30)  # 11:30 in Shanghai
    assert client.post("/subjects/S-s1/blind", given).status_code == 302
    page = client.get("/subjects/S-s1/blind").text
    assert "2026-06-01 11:00" in page
    lines = {(line.who, line.how) for line in both.desk.knowledge(both.desk.who("insp", "inspector")) or ()}
    assert {("inv", "CARD_OPENED"), ("crc", "CARD_WITNESSED")} <= lines


def test_a_drill_has_the_same_steps_and_a_made_up_participant(both):
    client = enter("inv")
    assert 'href="/drills/01"' in client.get("/today").text
    answer = ask(client, "/drills/01")
    assert answer.status_code == 302
    page = client.get(answer["Location"]).text
    assert "Drill" in page
    assert "S-s1" not in page
    assert client.get("/drills/02").status_code == 404


def test_the_gate_is_green_line_by_line_and_signed_by_two(both):
    keys = iter(range(100))
    lock_database(both.desk, both.desk.who("dm", "data_manager"), both.desk.who("stat", "statistician"))
    conditions = {
        "DEVIATIONS_CLASSED": "dm",
        "PLAN_SIGNED": "stat",
        "SETS_SIGNED": "stat",
    }
    for condition, person in conditions.items():
        given = {
            "do": "condition",
            "condition": condition,
            "met": "yes",
            "reference": "v1",
            "key": f"gate {next(keys)}",
        }
        assert enter(person).post("/release", given).status_code == 302
    for person in ("spo", "stat"):
        client = enter(person)
        page = client.get("/release").text
        (digest,) = re.findall(r'name="digest" value="([0-9a-f]{64})"', page)
        assert (
            client.post("/release", {"do": "sign", "digest": digest, "key": f"sign {person}"}).status_code
            == 302
        )
    page = enter("insp").get("/release").text
    assert page.count("pill good") == 4
    assert "Everything is in place here" in page
    assert enter("crc").get("/release").status_code == 404
