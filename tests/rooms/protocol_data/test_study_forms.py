"""The schedule and the forms: complete for screening and baseline, codable, and silent about arms."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from equipoise.instruments import scale
from equipoise.protocol.assessments import scale_of
from equipoise.protocol.forms import Form, Item
from equipoise.protocol.study import Study

# Row of the collected schedule -> our activity ids.
ROWS = {
    "informed consent": ["consent"],
    "capacity assessment / re-consent check": ["capacity"],
    "eligibility": ["eligibility"],
    "demographics, medical history, stroke details (onset, TOAST, side, reperfusion)": ["demography", "stroke", "history"],
    "pre-stroke mRS": ["prestroke"],
    "randomization": ["randomize"],
    "NIHSS": ["nihss"],
    "FMA motor+sensory (full 226 optional)": ["fma", "fma-rest"],
    "mRS (structured interview)": ["mrs"],
    "mRS by phone": ["mrs-phone"],
    "Barthel Index": ["barthel"],
    "MMSE": ["mmse"],
    "physical and neurological exam": ["examination"],
    "vital signs": ["vital-signs"],
    "infusion record + serial vital signs": ["infusion"],
    "12-lead ECG": ["ecg"],
    "haematology, chemistry, coagulation, urinalysis": ["safety-labs"],
    "virology, pregnancy test": ["virology"],
    "tumour markers (optional)": ["tumour-markers"],
    "immunology: lymphocyte subsets, Ig, anti-HLA antibodies": ["immunology"],
    "biomarkers: IL-6, TNF-a, IL-10, CRP, BDNF, VEGF, S100B, NfL, GFAP": ["biomarkers"],
    "brain MRI (DWI/FLAIR/SWI/DTI)": ["brain-mri"],
    "vascular imaging (MRA or CTA; TCD/carotid duplex)": ["vascular"],
    "chest CT or X-ray": ["chest"],
    "blinding questionnaire (participant, assessor)": ["guess"],
    "diary dispense/review": ["diary"],
    "concomitant medication, rehabilitation dose, assistive devices": ["medication"],
    "adverse events": ["adverse-events"],
    "disposition": ["disposition"],
}  # fmt: skip


def items(study: Study) -> list[tuple[Form, Item]]:
    return [(form, item) for form in study.forms for item in form.items]


def test_visits_and_windows_are_those_of_the_schedule(first: Study, domain: dict[str, Any]) -> None:
    facts = [
        (visit["id"], visit["target_day"], tuple(visit["window_days"]) if visit["window_days"] else None)
        for visit in domain["schedule"]["visits"]
    ]
    assert [(visit.id, visit.day, visit.window) for visit in first.schedule.visits] == facts
    modes = {visit["id"]: visit["mode"] for visit in domain["schedule"]["visits"]}
    for visit in first.schedule.visits:
        assert visit.mode == {"phone or clinic": "any"}.get(modes[visit.id], modes[visit.id]), visit.id


def test_activities_stand_at_the_visits_of_the_schedule(first: Study, domain: dict[str, Any]) -> None:
    activities = {activity.id: activity for activity in first.schedule.activities}
    rows = domain["schedule"]["activities"]
    assert set(rows) == set(ROWS)
    # between the planned visits, of which the notes say nothing, the examinations are offered
    assert {name for names in ROWS.values() for name in names} == set(activities) - {"as-needed"}
    for row, names in ROWS.items():
        for name in names:
            visits = [visit for visit in activities[name].visits if (name, visit) != ("disposition", "UNS")]
            assert visits == rows[row], name  # a death can be recorded between visits: ours has UNS besides


@pytest.mark.parametrize("visit", ["V1", "V2"])
def test_screening_and_baseline_ask_for_a_form_in_every_row(first: Study, visit: str) -> None:
    commands = {"capacity", "randomize"}  # entries of their own rooms
    for activity in first.schedule.activities:
        if visit in activity.visits and activity.id not in commands:
            assert activity.forms, activity.id
    asked = {form.id for form in first.forms_at(visit)}
    needed = {
        "V1": {"ICF", "DM", "STROKE", "MH", "PSMRS", "EXCHK", "NIHSS", "MRS", "VS", "EG", "LBHEM", "LBCHEM", "LBVIR", "MRI", "VASC"},
        "V2": {"EXCHK", "NIHSS", "MRS", "FMA", "BI", "MMSE", "PE", "VS", "INF", "INFVS", "IMMUN", "BIOM", "AE", "CM"},
    }  # fmt: skip
    assert needed[visit] <= asked


def test_all_five_scales_stand_on_forms(first: Study) -> None:
    assert {form.instrument for form in first.forms if form.instrument} == {
        "NIHSS",
        "MRS",
        "FMA",
        "BI",
        "MMSE",
    }
    for form in first.forms:
        if form.instrument:
            found = scale(form.instrument)
            assert found is not None
            assert form.domain == found.sdtm_domain


def test_every_item_can_be_answered_and_coded(first: Study, second: Study) -> None:
    for study in (first, second):
        for form, item in items(study):
            where = f"{form.id}.{item.id}"
            assert (item.type == "code") == (item.codelist is not None), where
            assert item.codelist is None or study.codelist(item.codelist) is not None, where
            if item.type in {"integer", "decimal"}:
                assert item.minimum is not None, where
                assert item.maximum is not None, where
                assert item.minimum < item.maximum, where
                assert (item.digits > 0) == (item.type == "decimal"), where
            if item.expected:
                assert item.minimum is not None, where
                assert item.maximum is not None, where
                low, high = item.expected
                assert item.minimum <= low < high <= item.maximum, where
            if item.sdtm and item.sdtm.testcd:
                # SDTMIG: a test code has at most 8 characters, a test name at most 40
                assert len(item.sdtm.testcd) <= 8, where
                assert item.sdtm.test is not None, where
                assert len(item.sdtm.test) <= 40, where
            assert item.missing or item.complete or item.type != "date" or item.critical, where


def test_safety_laboratory_codes_are_cdisc_s(first: Study, shared_data: Path) -> None:
    name = "cdisc_sdtm_dataset_specializations_latest.csv"
    with (shared_data / "cosmos" / name).open(encoding="utf-8-sig", newline="") as lines:
        known = {
            row["assigned_value"] for row in csv.DictReader(lines) if row["sdtm_variable"] in {"LBTESTCD", "VSTESTCD", "EGTESTCD"}
        }  # fmt: skip
    panels = {"LBHEM", "LBCHEM", "LBCOAG", "LBUA", "VS", "EG"}
    ours = {
        item.sdtm.testcd
        for form, item in items(first)
        if form.id in panels and item.sdtm and item.sdtm.testcd
    }
    assert len(ours) > 50
    # fibrinogen has a code in SDTM CT but no specialization in that file
    assert ours - known == {"FIBRINO"}


def test_biomarker_codes_and_units_agree(first: Study, domain: dict[str, Any]) -> None:
    form = first.form("BIOM")
    assert form is not None
    ours = {item.sdtm.testcd: item.unit for item in form.items if item.sdtm and item.sdtm.testcd}
    assert ours == {row["LBTESTCD"]: row["unit"] for row in domain["biomarkers"]["rows"]}


def test_reference_ranges_lie_inside_what_is_plausible(first: Study, domain: dict[str, Any]) -> None:
    blood = {
        item.sdtm.testcd: item
        for form, item in items(first)
        if item.sdtm and item.sdtm.domain == "LB" and item.sdtm.category != "URINALYSIS"
    }
    for row in domain["lab_reference_adult_default"]["rows"]:
        expected, (low, high) = blood[row["LBTESTCD"]].expected, row["ref"]
        assert expected is not None, row
        # a result inside the reference range of a healthy adult must never raise a query; where the notes give 0 as
        # lower end it stands for "no lower limit"
        assert low == 0 or expected[0] <= Decimal(str(low)), row
        assert Decimal(str(high)) <= expected[1], row


# What the masked team must not see (list of the blinding notes) -> items that hold it.
KEPT_BACK = {
    "bag type": {"PREP.BAGTYPE"},
    "cell count": {"PREP.CELLPLAN", "PREP.CELLGIVN"},
    "viability": {"PREP.VIABPCT"},
    "thaw log": {"PREP.THAWSTRT", "PREP.THAWEND", "PREP.THAWMIN"},
    "photo of bag": {"PREP.BAGPHOTO"},
    "anti-HLA results": {"IMMUN.HLA1", "IMMUN.HLA2"},
    "individual cytokines": {"BIOM.IL6", "BIOM.TNFA", "BIOM.IL10", "BIOM.IL1B"},
    "unblinded deviations text": {"PREP.BAGDEV"},
}


def test_what_could_tell_the_arm_is_behind_the_second_door(first: Study, domain: dict[str, Any]) -> None:
    revealing = {f"{form.id}.{item.id}" for form, item in items(first) if item.blinding == "revealing"}
    hidden = [
        kind for kind in domain["blinding"]["fields_hidden_from_blind_roles"] if kind != "treatment code"
    ]
    assert set(hidden) == set(KEPT_BACK)  # the treatment code is no item at all
    for kind in hidden:
        assert KEPT_BACK[kind] <= revealing, kind
    subsets = {f"IMMUN.{name}" for name in ("CD3", "CD4", "CD8", "CD19", "NK", "TREG")}
    assert subsets <= revealing
    assert "PREP.STORTEMP" in revealing  # alarms of the cold chain can tell the kind of bag


def test_forms_of_preparation_hold_nothing_else(first: Study) -> None:
    prepared = first.form("PREP")
    assert prepared is not None
    assert {item.blinding for item in prepared.items} == {"revealing"}
    for name in ("IMMUN", "BIOM"):
        form = first.form(name)
        assert form is not None
        shown = [item for item in form.items if item.blinding == "open"]
        assert not any(item.sdtm and item.sdtm.testcd for item in shown), name


def test_open_forms_name_no_contents(first: Study) -> None:
    words = ("cell", "viab", "thaw", "vehicle", "placebo", "lot")
    for form, item in items(first):
        if item.blinding == "open" and form.id in {"INF", "INFVS"}:
            asked = f"{item.id} {item.label.en}".lower()
            assert not any(word in asked for word in words), item.id


def test_what_eligibility_and_endpoints_rest_on_is_critical(first: Study) -> None:
    for given in first.inputs:
        form = first.form(given.origin.form or "")
        item = form.item(given.origin.item or "") if form else None
        used = any(criterion.enabled and given.name in (criterion.rule or "") for criterion in first.criteria)
        if item is not None and used:
            assert item.critical, given.name


def test_every_rule_name_comes_from_somewhere(first: Study) -> None:
    for given in first.inputs:
        origin = given.origin
        if origin.form:
            form = first.form(origin.form)
            assert form is not None, given.name
            assert origin.item is None or form.item(origin.item) is not None, given.name
            assert origin.item is not None or form.instrument == given.instrument, given.name
        elif origin.consent is None and origin.clock is None and origin.dose is None:
            # limits of normal belong to a laboratory, not to a form: only `screen` may give them
            assert given.name.endswith("_uln"), given.name


def test_endpoints_are_measured_where_the_schedule_says(first: Study) -> None:
    for endpoint in first.endpoints:
        if endpoint.form and endpoint.visit:
            assert endpoint.form in {form.id for form in first.forms_at(endpoint.visit)}, endpoint.id
        if endpoint.variable:
            form = first.form(endpoint.form or "")
            used = scale_of(form) if form is not None else None
            assert used is not None, endpoint.id
            assert endpoint.variable in {total.testcd for total in used.totals}, endpoint.id
    assert {name for each in first.objectives for name in each.endpoints} == {
        each.id for each in first.endpoints
    }
    assert {each.endpoint for each in first.estimands} <= {each.id for each in first.endpoints}


# Without a value these rows and forms are nothing: their key, or what a person always has.
KEYS = {"DM.SEX", "MH.MHTERM", "CM.CMTRT", "REHAB.RHTYPE", "REHAB.RHOTHER", "DEVICE.DVTYPE", "DEVICE.DVOTHER", "AE.AETERM",
        "DOSREL.RELDAT", "DOSBED.BEDDAT", "PREP.BAGTYPE", "PREP.LOTNO", "PREP.BAGCOA", "PREP.BAGMASK"}  # fmt: skip
LATER = {"BIOM", "IMMUN", "MRI", "VASC", "CHEST"}
"""Forms of samples and images, which have targets of their own to settle."""


def test_every_item_offers_a_reason_for_having_no_value(first: Study) -> None:
    bare = {
        f"{form.id}.{item.id}" for form, item in items(first) if not item.missing and form.id not in LATER
    }
    assert bare <= KEYS, sorted(bare - KEYS)


def test_every_item_goes_somewhere_or_says_why_not(first: Study) -> None:
    for form, item in items(first):
        if form.id not in LATER:
            assert item.sdtm or item.no_target or form.no_target, f"{form.id}.{item.id}"


def test_every_form_is_checked(first: Study) -> None:
    bare = {form.id for form in first.forms if not form.checks} - LATER
    assert bare <= {"PREP"}, bare  # every rule about it stands behind the second door


def test_medication_events_and_what_happens_around_a_dose_are_hidden_from_who_rates(first: Study) -> None:
    hidden = {form.id for form in first.forms if "rater" in form.hidden_from}
    assert {"AE", "CM", "VS", "INF", "INFVS", "PREP", "BGP", "BGC"} <= hidden
    asked = {form.id for form in first.forms_at("V4")} & {form.id for form in first.forms_at("V9")}
    assert {"BGP", "BGC", "BGA"} <= asked
