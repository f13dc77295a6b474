"""The scales against the collected facts, item by item, and the differences that were settled on purpose."""

from __future__ import annotations

from typing import Any

import pytest

from equipoise.instruments import Scale, scale

# Reflex items say which tendons (two lists are in use and are not exchangeable item by item).
RENAMED = {"FMAUE01", "FMAUE02", "FMALE01", "FMALE02"}


def of(name: str) -> Scale:
    found = scale(name)
    assert found is not None
    return found


@pytest.mark.parametrize("name", ["NIHSS", "MRS", "FMA", "BI"])
def test_items_codes_names_and_scores_agree(name: str, domain: dict[str, Any]) -> None:
    facts = domain["instruments"][name]["items"]
    ours = [(item.id, item.testcd, item.test, list(item.scores)) for item in of(name).items]
    theirs = [(item["id"], item["testcd"], item["test"], item["scores"]) for item in facts]
    assert [each for each in ours if each[1] not in RENAMED] == [
        each for each in theirs if each[1] not in RENAMED
    ]
    assert [(each[0], each[3]) for each in ours] == [(each[0], each[3]) for each in theirs]


def test_mmse_codes_and_points_agree(domain: dict[str, Any]) -> None:
    facts = domain["instruments"]["MMSE"]
    assert [(item.testcd, item.maximum) for item in of("MMSE").items] == [
        (item["testcd"], item["max"]) for item in facts["items"]
    ]
    assert {item.testcd for item in of("MMSE").items if item.optional} == {
        item["testcd"] for item in facts["items"] if item.get("counts_in_total") is False
    }
    assert of("MMSE").main_total.testcd == facts["total"]["testcd"]
    assert of("MMSE").unscored[0].testcd == facts["other"]["testcd"]


@pytest.mark.parametrize("name", ["NIHSS", "BI"])
def test_the_total_agrees(name: str, domain: dict[str, Any]) -> None:
    facts = domain["instruments"][name]
    whole = of(name)
    assert [whole.main_total.testcd, whole.main_total.test] == [
        facts["total"]["testcd"],
        facts["total"]["test"],
    ]
    assert [whole.minimum, whole.maximum] == facts["range"]
    assert whole.codes.loinc_total == facts["loinc_total"]


def test_fma_totals_and_groups_agree(domain: dict[str, Any]) -> None:
    facts = domain["instruments"]["FMA"]
    assert [(total.testcd, total.test, total.maximum) for total in of("FMA").totals] == [
        (total["testcd"], total["test"], total["max"]) for total in facts["totals"]
    ]
    groups = {
        "FMA-UE motor": "FMAUETOT",
        "FMA-LE motor": "FMALETOT",
        "FMA sensation": "FMASETOT",
        "FMA balance": "FMABATOT",
        "FMA passive joint motion": "FMAROTOT",
        "FMA joint pain": "FMAPNTOT",
    }
    for group, testcd in groups.items():
        total = of("FMA").total(testcd)
        assert total is not None
        assert list(total.items) == [item["id"] for item in facts["items"] if item["group"] == group]


@pytest.mark.parametrize("name", ["NIHSS", "MRS", "FMA", "BI", "MMSE"])
def test_names_direction_and_direction_agree(name: str, domain: dict[str, Any]) -> None:
    facts = domain["instruments"][name]
    assert of(name).name.zh == facts["name_zh"]
    assert facts["name"].startswith(of(name).name.en)
    assert of(name).direction == facts["direction"]
    assert facts["sdtm"]["domain"].startswith(of(name).sdtm_domain)
    category = next(value for key, value in facts["sdtm"].items() if key.endswith("cat"))
    assert of(name).category == category


def test_nihss_untestable_items_agree(domain: dict[str, Any]) -> None:
    facts = domain["instruments"]["NIHSS"]["items"]
    assert {item.id for item in of("NIHSS").items if item.untestable} == {
        item["id"] for item in facts if item.get("untestable") == "UN"
    }
    assert all(
        item.untestable.explain and item.untestable.counts == 0
        for item in of("NIHSS").items
        if item.untestable
    )
