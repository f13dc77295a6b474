"""The public record stands in the study as published: every value, its line on the page, and the contradictions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from equipoise.protocol.study import Study
from equipoise.standards.registry import Imported, import_registry

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
    "designModule.enrollmentInfo.type": "86 estimated patients",
    "eligibilityModule.sex": "All",
    "eligibilityModule.minimumAge": "18 to 70 years old",
    "eligibilityModule.maximumAge": "18 to 70 years old",
    "eligibilityModule.healthyVolunteers": "No Healthy Volunteers",
    "eligibilityModule.eligibilityCriteria": "Inclusion criteria",
    "armsInterventionsModule.armGroups[0].type": "Experimental group",
    "armsInterventionsModule.armGroups[1].type": "Placebo Comparator group",
    "armsInterventionsModule.interventions[0].type": "Drug: ",
    "armsInterventionsModule.interventions[1].type": "Drug: ",
    "contactsLocationsModule.centralContacts[0].role": "Ming Xiao, PHD",
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
        value = field.value[0] if isinstance(field.value, list | tuple) else field.value
        printed = PRINTED.get(field.path.removeprefix(PREFIX), value)
        assert str(printed) in page[field.line], field.path


def test_long_texts_are_the_page_s_own_to_the_letter(first: Study, page: list[str]) -> None:
    assert first.registry is not None
    value = first.registry.value
    assert value(PREFIX + "descriptionModule.briefSummary") == page[42]
    assert value(PREFIX + "descriptionModule.detailedDescription") == page[46]
    assert value(PREFIX + "eligibilityModule.eligibilityCriteria").splitlines() == [
        line.rstrip() for line in [page[64], "", *page[66:71], "", page[72], "", *page[74:79]]
    ]


def test_reading_the_page_gives_what_stands_here(first: Study, shared_reference: Path) -> None:
    assert first.registry is not None
    name = "nct07197606-page.txt"
    read = import_registry((shared_reference / name).read_bytes(), name)
    assert isinstance(read, Imported)
    assert read.study.registry is not None
    ours = {field.path: field for field in first.registry.fields}
    for field in read.study.registry.fields:
        if field.path == PREFIX + "sponsorCollaboratorsModule.leadSponsor.name":
            assert ours[field.path].value.startswith(field.value)  # the page prints the short form
            continue
        assert ours[field.path].line == field.line, field.path
        assert _solid(ours[field.path].value) == _solid(field.value), field.path


def _solid(value: Any) -> Any:
    """A value without its empty lines: how sections are set apart is no matter of the record."""
    return [line for line in value.splitlines() if line] if isinstance(value, str) else value


def _apart(path: str, value: Any) -> dict[str, Any]:
    """A collected value as fields: objects and lists of objects taken apart, nulls left out."""
    if value is None:
        return {}
    if isinstance(value, dict):
        return {
            key: each
            for name, inner in value.items()
            for key, each in _apart(f"{path}.{name}", inner).items()
        }
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return {
            key: each
            for place, one in enumerate(value)
            for key, each in _apart(f"{path}[{place}]", one).items()
        }
    return {path: value}


def _collected(domain: dict[str, Any]) -> dict[str, Any]:
    """Path -> value of the collected record; texts that are only pointed at are held to the page itself above."""
    found: dict[str, Any] = {}
    for row in domain["registry_record"]:
        path, value = row["api_v2_path"], row["value"]
        if isinstance(value, str) and value.startswith("(seed text"):
            continue
        if path.endswith("minimumAge / maximumAge"):
            found[path.removesuffix(" / maximumAge")], found[PREFIX + "eligibilityModule.maximumAge"] = value
        else:
            found |= _apart(path.partition("[]")[0], value)
    return found


def test_every_collected_value_is_kept(first: Study, domain: dict[str, Any]) -> None:
    assert first.registry is not None
    cut = PREFIX + "outcomesModule.primaryOutcomes[0].measure"
    collected = _collected(domain)
    assert len(collected) >= 50
    for path, value in collected.items():
        ours = first.registry.value(path)
        # the copy of the record ends inside this word; the notes add that it does
        assert value.startswith(ours) if path == cut else ours == value, path


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
    assert design.cap == value(PREFIX + "designModule.enrollmentInfo.count")
    for place, arm in enumerate(first.arms):
        group = f"{PREFIX}armsInterventionsModule.armGroups[{place}]"
        assert arm.description is not None
        assert [arm.label.en, arm.type, arm.description.en] == [
            value(f"{group}.{name}") for name in ("label", "type", "description")
        ]
    for place, given in enumerate(first.interventions):
        stated = f"{PREFIX}armsInterventionsModule.interventions[{place}]"
        assert [given.name.en, given.type] == [value(f"{stated}.{name}") for name in ("name", "type")]
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
