"""The public record stands in the study as published: every value, its line on the page, and the contradictions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from equipoise.protocol.study import Study

PREFIX = "protocolSection."
# How the page prints what the registry codes (page labels as on the page of 2026; registry words of its API v2).
PRINTED = {
    "statusModule.overallStatus": "Not yet enrolling",
    "sponsorCollaboratorsModule.leadSponsor.class": "Other",
    "designModule.studyType": "Interventional",
    "designModule.phases": "Phase 2",
    "designModule.designInfo.allocation": "Randomized",
    "designModule.designInfo.interventionModel": "Parallel Assignment",
    "designModule.designInfo.primaryPurpose": "Treatment",
    "designModule.designInfo.maskingInfo.masking": "Triple Blind",
    "designModule.enrollmentInfo": "86 estimated patients",
    "eligibilityModule.sex": "All",
    "eligibilityModule.minimumAge": "18 to 70 years old",
    "eligibilityModule.maximumAge": "18 to 70 years old",
    "eligibilityModule.healthyVolunteers": "No Healthy Volunteers",
    "eligibilityModule.eligibilityCriteria": "Inclusion criteria",
    "armsInterventionsModule.armGroups": "MSCs treatment",
    "armsInterventionsModule.interventions": "IxCell hUC-MSC-S (Human Umbilical Cord Mesenchymal Stem Cells)",
    "conditionsModule.conditions": "Ischemic Stroke",
    "contactsLocationsModule.centralContacts": "Ming Xiao, PHD",
    "contactsLocationsModule.locations.count": "1",
}


@pytest.fixture(scope="module")
def page(shared_reference: Path) -> list[str]:
    """The lines of the page as saved; line 1 is at index 1."""
    return ["", *(shared_reference / "nct07197606-page.txt").read_text("utf-8").splitlines()]


def test_every_field_of_the_page_stands_on_its_line(first: Study, page: list[str]) -> None:
    assert first.registry is not None
    from_page = [field for field in first.registry.fields if field.source == "page"]
    assert len(from_page) >= 20  # the page shows more than twenty facts
    for field in from_page:
        assert field.line is not None, field.path
        printed = PRINTED.get(field.path.removeprefix(PREFIX), field.value)
        assert str(printed) in page[field.line], field.path


def test_long_texts_are_the_page_s_own_to_the_letter(first: Study, page: list[str]) -> None:
    assert first.registry is not None
    value = first.registry.value
    assert value(PREFIX + "descriptionModule.briefSummary") == page[42]
    assert value(PREFIX + "descriptionModule.detailedDescription") == page[46]
    criteria = value(PREFIX + "eligibilityModule.eligibilityCriteria")
    bullets = [line.strip().lstrip("•").strip() for line in page[66:71] + page[74:79]]
    assert [line.removeprefix("* ") for line in criteria.splitlines() if line.startswith("* ")] == bullets


def test_arms_are_described_as_on_the_page(first: Study, page: list[str]) -> None:
    assert first.registry is not None
    groups = first.registry.value(PREFIX + "armsInterventionsModule.armGroups")
    assert [group["label"] for group in groups] == [page[100], page[106]]
    assert [group["description"] for group in groups] == [page[103], page[109]]
    assert [group["interventionNames"] for group in groups] == [[page[105]], [page[111]]]


def _collected(domain: dict[str, Any]) -> dict[str, Any]:
    """Path -> value of the collected record; joined paths taken apart, texts that stand on the page left out."""
    found: dict[str, Any] = {}
    for row in domain["registry_record"]:
        path, value = row["api_v2_path"], row["value"]
        if value is None or (isinstance(value, str) and value.startswith("(seed text")):
            continue
        if path.endswith("minimumAge / maximumAge"):
            found[path.removesuffix(" / maximumAge")], found[PREFIX + "eligibilityModule.maximumAge"] = value
        else:
            found[path.partition("[]")[0]] = value
    return found


def test_every_collected_value_is_kept(first: Study, domain: dict[str, Any]) -> None:
    assert first.registry is not None
    special = {
        "protocolSection.outcomesModule.primaryOutcomes",
        "protocolSection.contactsLocationsModule.locations",
    }
    collected = _collected(domain)
    assert len(collected) >= 40
    for path, value in collected.items():
        if path in special:
            continue
        ours = first.registry.value(path)
        if isinstance(value, list) and value and isinstance(value[0], dict):
            assert [
                {key: each[key] for key in one} for one, each in zip(value, ours, strict=True)
            ] == value, path
        else:
            assert ours == value, path
    [outcome] = first.registry.value("protocolSection.outcomesModule.primaryOutcomes")
    assert collected["protocolSection.outcomesModule.primaryOutcomes"][0]["measure"].startswith(
        outcome["measure"]
    )
    assert first.registry.value("protocolSection.contactsLocationsModule.locations.count") == 1


def test_criteria_keep_the_page_s_words(first: Study, page: list[str]) -> None:
    stated = [criterion for criterion in first.criteria if criterion.source == "page"]
    assert [criterion.id for criterion in stated] == [
        *(f"I0{n}" for n in range(1, 8)),
        *(f"E0{n}" for n in range(1, 6)),
    ]
    for criterion in stated:
        assert criterion.line is not None
        assert criterion.text.en.removesuffix(".") in page[criterion.line], criterion.id


def test_contradictions_stand_side_by_side(first: Study, page: list[str]) -> None:
    assert first.registry is not None
    assert len(first.registry.contradictions) == 6  # the six that the notes on the public text list
    for contradiction in first.registry.contradictions:
        assert len({statement.text for statement in contradiction.statements}) >= 2
        for statement in contradiction.statements:
            assert statement.source in first.sources
            if statement.source == "page":
                assert any(statement.text in line for line in page), statement.text


def test_masked_roles_are_those_of_the_record(first: Study) -> None:
    assert first.registry is not None
    listed = first.registry.value(PREFIX + "designModule.designInfo.maskingInfo.whoMasked")
    ours = [role.registry for role in first.design.masked_roles if role.registry is not None]
    assert ours == listed
    assert all(role.masked for role in first.design.masked_roles if role.registry)
    care_provider = next(role for role in first.design.masked_roles if role.id == "care-provider")
    assert not care_provider.masked
    assert care_provider.assumption is not None


def test_design_agrees_with_the_record(first: Study) -> None:
    assert first.registry is not None
    value, design = first.registry.value, first.design
    assert design.study_type == value(PREFIX + "designModule.studyType")
    assert list(design.phases) == value(PREFIX + "designModule.phases")
    assert design.masking == value(PREFIX + "designModule.designInfo.maskingInfo.masking")
    assert design.allocation == value(PREFIX + "designModule.designInfo.allocation")
    assert design.intervention_model == value(PREFIX + "designModule.designInfo.interventionModel")
    assert design.primary_purpose == value(PREFIX + "designModule.designInfo.primaryPurpose")
    assert design.cap == value(PREFIX + "designModule.enrollmentInfo")["count"]
    groups = value(PREFIX + "armsInterventionsModule.armGroups")
    assert [(arm.label.en, arm.type) for arm in first.arms] == [
        (each["label"], each["type"]) for each in groups
    ]
    assert first.title.en == value(PREFIX + "identificationModule.briefTitle")
    assert first.official_title is not None
    assert first.official_title.en == value(PREFIX + "identificationModule.officialTitle")


def test_every_named_source_is_cited(first: Study, second: Study) -> None:
    for study in (first, second):
        named = set(_sources(study.model_dump()))
        assert named
        assert named <= set(study.sources)


def _sources(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["source"]] if isinstance(value.get("source"), str) else []
        return own + [found for each in value.values() for found in _sources(each)]
    if isinstance(value, list | tuple):
        return [found for each in value for found in _sources(each)]
    return []
