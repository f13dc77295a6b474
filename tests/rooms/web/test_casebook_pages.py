"""The pages around a subject: list, casebook, consent, eligibility, randomizing."""

from __future__ import annotations

import re

import pytest
from samples import NUMBER

from equipoise.capture.commands import DateVisit
from equipoise.consent.commands import (
    AnswerOption,
    RecordCapacity,
    RecordCaregiver,
    RecordConsent,
    WithdrawConsent,
)
from equipoise.documents.unit_writing import shown_unit
from equipoise.eligibility.commands import ConfirmEligibility, FailScreening
from equipoise.randomization.commands import Randomize
from equipoise.words.problem import problem
from equipoise.words.text import Text

HERE = f"/subjects/{NUMBER}"


def test_the_list_is_found_by_number_and_goes_on_from_the_last_one_shown(desk, coordinator):
    desk.people = 120
    first = coordinator.get("/subjects")
    assert len(first.context["rows"]) == 50
    rest = coordinator.get("/subjects", {"after": first.context["more"]})
    assert rest.context["rows"][0].number > first.context["rows"][-1].number
    assert [row.number for row in coordinator.get("/subjects", {"q": "01033"}).context["rows"]] == ["01033"]
    assert "No number contains" in coordinator.get("/subjects", {"q": "<b>"}).text


def test_a_cell_of_the_matrix_says_form_visit_and_state_and_leads_to_the_form(desk, coordinator):
    page = coordinator.get(HERE).text
    cells = dict(re.findall(r'<a class="cell[^"]*" href="([^"]+)" aria-label="([^"]+)"', page))
    assert cells[f"{HERE}/forms/V1/NIHSS"] == "NIHSS, V1 Screening: Complete"
    assert (
        cells[f"{HERE}/forms/V1/DM"]
        == "Demographics, V1 Screening: In progress, 3 of 9 items; Answered query"
    )
    assert f"{HERE}/forms/V2/DM" not in cells, "nothing is planned there"


def test_the_matrix_is_in_the_readers_language(coordinator):
    coordinator.post("/language", {"language": "zh"})
    page = coordinator.get(HERE).text
    assert "人口学资料，V1 筛选访视：填写中，已填3/9项；已答复质疑" in page


@pytest.mark.parametrize(
    ("code", "english", "chinese"),
    # UCUM codes with their meaning as in https://ucum.org; 次/分 and 个 as in Chinese laboratory reports
    [
        ("a", "years", "年"),
        ("10*9/L", "10⁹/L", "10⁹/L"),
        ("/min", "per minute", "次/分"),
        ("kg", "kg", "kg"),
        (None, "", ""),
    ],
)
def test_units_are_written_as_people_write_them(code, english, chinese):
    assert shown_unit(code, "en") == english
    assert shown_unit(code, "zh") == chinese


def test_what_the_study_says_is_text_and_never_markup(desk, coordinator):
    desk.ask("NIH0101", Text("<img src=x onerror=alert(1)>"))
    page = coordinator.get(f"{HERE}/forms/V2/NIHSS").text
    assert "<img" not in page
    assert "&lt;img" in page


def test_a_visit_is_dated_in_any_way_a_date_is_written_and_never_half(desk, coordinator):
    assert coordinator.post(f"{HERE}/visits", {"visit": "V2", "on": "14-AUG-2026"}).status_code == 302
    assert desk.commands[-1] == DateVisit("s-1", "V2", "2026-08-14")
    refused = coordinator.post(f"{HERE}/visits", {"visit": "V2", "on": "2026-08"})
    assert refused.status_code == 422
    assert "not a complete date" in refused.text
    assert 'value="2026-08"' in refused.text, "what was typed is still there"


@pytest.mark.parametrize(
    ("posted", "command"),
    [
        ({"do": "consent", "version": "1.0", "by": "PARTICIPANT", "given": "yes", "on": "2026-08-01"},
         RecordConsent("s-1", "1.0", "PARTICIPANT", True, "2026-08-01")),
        ({"do": "consent", "version": "1.0", "by": "LEGAL_REPRESENTATIVE", "given": "no", "on": "2026-08-01", "relation": "wife"},
         RecordConsent("s-1", "1.0", "LEGAL_REPRESENTATIVE", False, "2026-08-01", "wife")),
        ({"do": "capacity", "capacity": "LACKS", "on": "2026-08-01"}, RecordCapacity("s-1", "LACKS", "2026-08-01")),
        ({"do": "withdraw", "by": "PARTICIPANT", "on": "2026-08-01", "reason": "moves"},
         WithdrawConsent("s-1", "PARTICIPANT", "2026-08-01", "moves")),
        ({"do": "withdraw", "by": "PARTICIPANT", "on": "2026-08-01", "level": "FROM_VISITS"},
         WithdrawConsent("s-1", "PARTICIPANT", "2026-08-01", "", "FROM_VISITS")),
        ({"do": "consent", "version": "1.0", "by": "PARTICIPANT", "given": "yes", "on": "2026-08-01", "time": "09:30",
          "explained": "u-crc", "copy": "yes", "option.SAMPLES": "yes", "option.CONTACT": "no"},
         RecordConsent("s-1", "1.0", "PARTICIPANT", True, "2026-08-01", None, "09:30", "u-crc", True,
                       agreed=("SAMPLES",), declined=("CONTACT",))),
        ({"do": "option", "option": "SAMPLES", "given": "no", "by": "PARTICIPANT", "on": "2026-08-01"},
         AnswerOption("s-1", "SAMPLES", False, "PARTICIPANT", "2026-08-01")),
        ({"do": "caregiver", "name": "赵敏", "given": "yes", "on": "2026-08-01", "relation": "wife"},
         RecordCaregiver("s-1", "", True, "2026-08-01", "wife")),
    ],
)  # fmt: skip
def test_each_part_of_the_consent_page_gives_its_command(desk, coordinator, posted, command):
    assert coordinator.post(f"{HERE}/consent", posted).status_code == 302
    assert desk.commands[-1] == command


def test_names_beside_a_consent_are_no_part_of_the_command(desk, coordinator):
    posted = {"do": "consent", "version": "1.0", "by": "LEGAL_REPRESENTATIVE", "given": "yes", "on": "2026-08-01",
              "relation": "daughter", "name": "王·阿依古丽", "witness": "李"}  # fmt: skip
    assert coordinator.post(f"{HERE}/consent", posted).status_code == 302
    assert (desk.besides[-1].name, desk.besides[-1].witness) == ("王·阿依古丽", "李")
    assert "阿依古丽" not in repr(desk.commands[-1])


def test_the_consent_page_says_what_each_level_of_a_withdrawal_stops(coordinator):
    page = coordinator.get(f"{HERE}/consent").text
    for words in (
        "From treatment only",
        "further infusions",
        "study visits",
        "What was collected before stays",
    ):
        assert words in page
    assert "2026-08-01 09:30" in page
    assert "by 2026-09-01" in page


def test_capacity_needs_an_answer(desk, coordinator):
    refused = coordinator.post(f"{HERE}/consent", {"do": "capacity", "on": "2026-08-01"})
    assert refused.status_code == 422
    assert desk.commands == []


def test_the_checklist_names_the_failing_criterion_and_says_why(coordinator):
    page = coordinator.get(f"{HERE}/eligibility")
    assert "Not eligible because of" in page.text
    assert "E04" in page.text
    assert "Recorded as present." in page.text
    assert [one.id for one in page.context["failing"]] == ["E04"]


def test_english_text_on_a_chinese_page_is_marked_as_english(coordinator):
    coordinator.post("/language", {"language": "zh"})
    assert '<span lang="en">Only in English</span>' in coordinator.get(f"{HERE}/eligibility").text


def test_screening_is_ended_with_the_reason_given(desk, coordinator):
    coordinator.post(f"{HERE}/eligibility", {"do": "fail", "reason": "moved away"})
    assert desk.commands[-1] == FailScreening("s-1", "moved away")


def test_the_investigator_confirms(desk, anybody):
    anybody.post("/enter", {"user": "u-inv", "role": "investigator"})
    anybody.post(f"{HERE}/eligibility", {"do": "confirm"})
    assert desk.commands[-1] == ConfirmEligibility("s-1")


def test_nobody_is_randomized_before_the_person_was_confirmed(desk, coordinator):
    refused = coordinator.post(f"{HERE}/randomize", {})
    assert refused.status_code == 422
    assert desk.commands == []
    coordinator.post(f"{HERE}/randomize", {"identity": "yes"})
    assert desk.commands == [Randomize("s-1")]


def test_after_randomizing_the_page_shows_a_number_the_time_and_no_arm(desk, coordinator):
    desk.randomized = True
    page = coordinator.get(f"{HERE}/randomize").text
    assert "R-0031" in page
    assert "2026-08-14 09:41:07 Asia/Shanghai" in page  # 01:41:07 UTC is eight hours earlier
    assert "Arm blinded" in page
    assert 'name="identity"' not in page


def test_a_refusal_of_the_desk_is_shown_with_its_status(desk, coordinator):
    desk.answers_with = (problem("access.not-allowed", role="coordinator", command="Randomize"),)
    answer = coordinator.post(f"{HERE}/randomize", {"identity": "yes"})
    assert answer.status_code == 403
    assert "may not do this" in answer.text


def test_the_name_of_a_person_goes_to_the_register_and_the_page_says_so(desk, coordinator):
    page = coordinator.get("/subjects/new").text
    assert "identity register" in page
    refused = coordinator.post("/subjects/new", {"name": "", "birth_date": "1962", "phone": "1"})
    assert refused.status_code == 422
    assert 'value="1962"' in refused.text
    made = coordinator.post("/subjects/new", {"name": "Li", "birth_date": "1962-03-07", "site": "01"})
    assert made["Location"] == HERE


def test_a_role_that_may_not_screen_gets_no_button_for_it(desk, anybody):
    anybody.post("/enter", {"user": "u-mon", "role": "monitor"})
    assert "/subjects/new" not in anybody.get("/today").text


@pytest.mark.parametrize(
    "page", ["", "/consent", "/eligibility", "/randomize", "/forms/V2/NIHSS", "/forms/V2/NIHSS/history"]
)
def test_what_is_not_there_and_what_is_not_for_the_reader_look_alike(coordinator, page):
    answer = coordinator.get(f"/subjects/99999{page}")
    assert answer.status_code == 404
    assert "no such page, or it is not for your role" in answer.text
