"""Real registry records: every leaf kept with its line, ids and titles equal, criteria at least as many as bullets."""

from __future__ import annotations

import gzip
import json
import re
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from equipoise.protocol.study import RegistryField
from equipoise.standards import registry_vocabulary as words
from equipoise.standards.registry import Imported, import_registry
from equipoise.standards.registry_record import Record, readable

VECTORS = Path(__file__).parents[2] / "vectors" / "registry"


def leaves(value: Any, path: str = "") -> list[tuple[str, object]]:
    """The leaves of a JSON value: walked here on their own, so that the importer's walk is not its own judge."""
    if isinstance(value, dict) and value:
        return [leaf for key, inner in value.items() for leaf in leaves(inner, f"{path}.{key}".lstrip("."))]
    if isinstance(value, list) and value:
        return [leaf for place, inner in enumerate(value) for leaf in leaves(inner, f"{path}[{place}]")]
    return [(path, value)]


def kept(fields: tuple[RegistryField, ...]) -> set[tuple[str, str]]:
    return {(path, json.dumps(value)) for field in fields for path, value in leaves(field.value, field.path)}


def as_kept(value: object) -> object:
    """Numbers with a fraction are kept as the text of the file, texts in normal form C; all else as it is."""
    if isinstance(value, float):
        return str(value)
    return unicodedata.normalize("NFC", value) if isinstance(value, str) else value


def judge(data: bytes, name: str) -> None:
    """All that must hold of one imported record."""
    published = json.loads(data)
    found = import_registry(data, name)
    assert isinstance(found, Imported), [problem.say() for problem in found]
    assert found.study.registry is not None
    fields = (*found.study.registry.fields, *found.aside)
    expected = {(path, json.dumps(as_kept(value))) for path, value in leaves(published)}
    assert kept(fields) == expected, "a value was lost, changed or invented"
    judge_study(found, published["protocolSection"])
    judge_criteria(found, published["protocolSection"]["eligibilityModule"].get("eligibilityCriteria", ""))


def judge_study(found: Imported, protocol: dict[str, Any]) -> None:
    study, record = found.study, Record(found.study.registry.fields)
    identification = protocol["identificationModule"]
    assert study.id == identification["nctId"].lower()
    assert study.registry.identifier == found.report.identifier == identification["nctId"]
    assert study.title.en == readable(identification["briefTitle"])
    count = protocol["designModule"].get("enrollmentInfo", {}).get("count")
    assert record.count(words.ENROLMENT_COUNT) == count
    assert study.design.target == (count or None)
    assert study.sponsor.en == readable(protocol["sponsorCollaboratorsModule"]["leadSponsor"]["name"])
    arms = protocol.get("armsInterventionsModule", {}).get("armGroups", [])
    assert [arm.label.en for arm in study.arms] == [readable(arm["label"]) for arm in arms]
    outcomes = protocol.get("outcomesModule", {})
    assert len(study.endpoints) == sum(
        len(outcomes.get(kind, [])) for kind in ("primaryOutcomes", "secondaryOutcomes", "otherOutcomes")
    )


def judge_criteria(found: Imported, text: str) -> None:
    bullets = [line for line in text.split("\n") if re.match(r"(?:\*|\d{1,3}\\?[.)]) +\S", line)]
    headings = [line for line in bullets if re.search(r"clusion criteria\W*$", line, re.I)]
    unplaced = [p for p in found.report.not_understood if p.rule == "registry.criteria-no-heading"]
    assert len(found.study.criteria) + len(unplaced) >= len(bullets) - len(headings)
    everything = re.sub(r"\s", "", unicodedata.normalize("NFC", readable(text)))
    for criterion in found.study.criteria:
        for line in criterion.text.en.split("\n"):
            words_only = re.sub(r"\s", "", line.strip().removeprefix("•"))
            assert words_only in everything, "words that the record does not have"


def records(folder: Path) -> list[Path]:
    return sorted((folder / "registry").glob("NCT*.json"))


def test_every_single_record_is_kept_whole(shared_data):
    found = records(shared_data)
    assert len(found) == 28  # INDEX.md of the data folder and the issue: 28 records
    for path in found:
        judge(path.read_bytes(), path.name)


def test_values_stand_on_their_lines(shared_data):
    for path in records(shared_data):
        data = path.read_bytes()
        found = import_registry(data, path.name)
        assert isinstance(found, Imported)
        lines = data.decode().split("\n")
        assert len(lines) > 50, "these files are pretty-printed; a file on one line would prove nothing"
        for field in found.study.registry.fields:
            key = re.sub(r"\[\d+\]$", "", field.path).rsplit(".", 1)[-1]
            line = lines[(field.line or 0) - 1]
            if not re.search(r"\]$", field.path):
                assert f'"{key}":' in line, field
            if isinstance(field.value, str | bool) and not re.fullmatch(r"-?[\d.]+", str(field.value)):
                assert json.loads(line.split(": ", 1)[1].strip().rstrip(",")) == field.value


def bulk(folder: Path) -> list[bytes]:
    with gzip.open(folder / "registry" / "bulk.jsonl.gz") as lines:
        return list(lines)


def test_a_spread_of_the_bulk_is_kept_whole(shared_data):
    lines = bulk(shared_data)
    assert len(lines) == 1594  # INDEX.md of the data folder
    for number in range(0, len(lines), 11):
        judge(lines[number], f"bulk-{number}.json")


@pytest.mark.nightly
def test_the_whole_bulk_is_kept_whole(shared_data):
    for number, line in enumerate(bulk(shared_data)):
        judge(line, f"bulk-{number}.json")


def test_a_record_of_our_own_is_kept_whole():
    judge((VECTORS / "lantern.json").read_bytes(), "lantern.json")


def test_unfamiliar_modules_and_codes_are_kept_and_told():
    found = import_registry((VECTORS / "lantern.json").read_bytes(), "lantern.json")
    assert isinstance(found, Imported)
    told = [
        (p.rule, p.where, p.arguments.get("code") or p.arguments.get("path"))
        for p in found.report.not_understood
    ]
    assert (
        told
        == [  # lantern.json: lightModule begins on line 169 (its value on 170), the type CTIS is on line 11
            ("registry.unknown-code", "lantern.json:11", "CTIS"),
            ("registry.unknown-module", "lantern.json:170", "protocolSection.lightModule"),
        ]
    )


def test_what_disagrees_is_kept_on_both_sides():
    found = import_registry((VECTORS / "lantern.json").read_bytes(), "lantern.json")
    assert isinstance(found, Imported)
    sides = {c.id: [s.text for s in c.statements] for c in found.study.registry.contradictions}
    title = (
        found.study.official_title.en
    )  # it says Multicentre and Double-Blind; masking is QUADRUPLE, one location
    assert sides == {"masking": ["QUADRUPLE", title], "centres": ["1", title]}
    assert found.study.design.masking == "QUADRUPLE"
