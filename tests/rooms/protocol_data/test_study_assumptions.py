"""What the public record is silent on says so, with its reason and what else it could be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from equipoise.protocol.elements import Assumption
from equipoise.protocol.study import Study


def parts(value: Any) -> Iterator[BaseModel]:
    """Every part of a definition, from the top."""
    if isinstance(value, BaseModel):
        yield value
        for name in type(value).model_fields:
            yield from parts(getattr(value, name))
    elif isinstance(value, tuple):
        for each in value:
            yield from parts(each)


def assumed(part: Any) -> Assumption:
    assert part.assumption is not None, part
    found = part.assumption
    assert isinstance(found, Assumption)
    return found


def _by_id(elements: Any, name: str) -> Any:
    return next(element for element in elements if element.id == name)


def _parameter(study: Study, name: str) -> Any:
    everywhere = [*study.parameters, *(each for one in study.interventions for each in one.parameters)]
    return _by_id(everywhere, name)


# Key of the collected list of silent points -> where the study says that it is an assumption.
PLACES: dict[str, Any] = {
    "randomization.ratio": lambda s: s.randomization,
    "randomization.method": lambda s: s.randomization,
    "randomization.strata": lambda s: s.randomization.factors[0],
    "endpoint.primary": lambda s: _by_id(s.endpoints, "fma-d180"),
    "endpoint.key_secondary_order": lambda s: _by_id(s.endpoints, "mrs-d180"),
    "visits": lambda s: s.schedule,
    "dose.per_infusion": lambda s: _parameter(s, "dose"),
    "dose.infusions": lambda s: _parameter(s, "infusion-days"),
    "dose.infusion_volume_mL": lambda s: _parameter(s, "infusion-volume"),
    "dose.infusion_minutes": lambda s: _parameter(s, "infusion-minutes"),
    "product.format": lambda s: _parameter(s, "product-format"),
    "product.thaw_to_end_limit_min": lambda s: _parameter(s, "thaw-to-end"),
    "product.viability_release_pct": lambda s: _parameter(s, "viability-release"),
    "premedication": lambda s: _parameter(s, "premedication"),
    "observation": lambda s: _parameter(s, "observation"),
    "age.mode": lambda s: _by_id(s.criteria, "I01"),
    "onset.anchor": lambda s: next(each for each in s.inputs if each.name == "onset_date"),
    "onset.evaluated_at": lambda s: _parameter(s, "onset-judged"),
    "onset.day_rule": lambda s: _by_id(s.criteria, "I02"),
    "nihss.un_policy_total": lambda s: _parameter(s, "nihss-untestable"),
    "rescreening": lambda s: s.eligibility,
    "sites.number": lambda s: s.design.recruitment,
    "sample_size.basis": lambda s: _parameter(s, "sample-size"),
    "interim": lambda s: _parameter(s, "interim"),
    "followup.long_term": lambda s: _parameter(s, "long-term"),
}


def test_every_silent_point_that_was_collected_is_an_assumption(first: Study, domain: dict[str, Any]) -> None:
    keys = {row["key"] for row in domain["assumptions"]}
    assert keys == set(PLACES)
    for key in keys:
        assert assumed(PLACES[key](first)).alternatives, key


@pytest.mark.parametrize("key", sorted(PLACES))
def test_each_says_why_and_what_else(first: Study, key: str) -> None:
    found = assumed(PLACES[key](first))
    assert len(found.because) > 15
    assert found.alternatives
    assert found.status == "assumed"


def test_death_sets_and_pregnancy_are_marked(first: Study) -> None:
    # named one by one in the plan of this study: strata rule, death in the estimand, analysis set, pregnancy
    for factor in first.randomization.factors if first.randomization else ():
        assert assumed(factor).alternatives
    primary = _by_id(first.estimands, "primary")
    death = next(event for event in primary.intercurrent_events if event.event.en == "Death")
    assert death.strategy == "composite"
    assert "while alive" in assumed(death).alternatives
    assert "infused" in " ".join(assumed(_by_id(first.analysis_sets, "FAS")).alternatives)
    pregnancy = _by_id(first.criteria, "X01")
    assert not pregnancy.enabled
    assert assumed(pregnancy).alternatives


def test_nothing_of_ours_is_stated_as_if_it_were_known(first: Study) -> None:
    extensions = [criterion for criterion in first.criteria if criterion.source is None]
    assert extensions
    for element in [
        *extensions,
        *first.parameters,
        *first.endpoints,
        *first.estimands,
        *first.analysis_sets,
        *first.sites,
        first.supply,
        *first.supply.doses,
        *first.supply.gate,
        *first.supply.products,
        *first.supply.bench,
        *(parameter for one in first.interventions for parameter in one.parameters),
        *(role for role in first.design.masked_roles if role.registry is None),
    ]:
        assert assumed(element).because, element
    assert not any(criterion.enabled for criterion in extensions)


def test_extensions_cover_what_trials_of_the_kind_exclude(first: Study, domain: dict[str, Any]) -> None:
    ours = [criterion for criterion in first.criteria if not criterion.enabled]
    listed = domain["eligibility"]["extensions_off_by_default"]
    words = [
        "Pregnant", "Malignant", "HIV", "ALT", "liver", "dimethyl", "cell therapy", "another interventional", "Magnetic", "Life expectancy",
    ]  # fmt: skip
    assert len(words) == len(listed)  # one word of ours for each of the ten listed
    for word in words:
        assert any(word in criterion.text.en for criterion in ours), word


def test_the_allocation_is_the_house_s_default(first: Study) -> None:
    # DESIGN 5: central list, strata NIHSS 6-12/13-20 x day 14-45/46-90, big stick 3, 1:1
    allocation = first.randomization
    assert allocation is not None
    assert (allocation.method, dict(allocation.parameters)) == ("big_stick", {"imbalance": "3"})
    assert dict(allocation.ratio) == {arm.id: 1 for arm in first.arms}
    assert [[level.code for level in factor.levels] for factor in allocation.factors] == [
        ["N6-12", "N13-20"],
        ["D14-45", "D46-90"],
    ]
    assert any("permuted blocks" in other for other in assumed(allocation).alternatives)


def test_no_assumption_is_empty(first: Study, second: Study) -> None:
    found = [part for study in (first, second) for part in parts(study) if getattr(part, "assumption", None)]
    assert len(found) > 80  # measured against nothing: a floor that shows the walk reached the parts
    for part in found:
        assert assumed(part).because.strip()


def test_the_limits_of_supply_are_those_that_the_design_assumes(first: Study) -> None:
    """One number, two places that people read: they may not drift apart."""
    supply = first.supply
    assert supply.cells_per_kg == _parameter(first, "dose").value
    assert supply.cells_at_most == _parameter(first, "dose-cap").value
    assert supply.viability_at_least == _parameter(first, "viability-release").value
    assert str(supply.use_within) == _parameter(first, "thaw-to-end").value
    assert supply.volume == _parameter(first, "infusion-volume").value
    days = {first.visit(dose.visit).day for dose in supply.doses}  # type: ignore[union-attr]  # the study has no fault
    assert {str(day) for day in days} == set(_parameter(first, "infusion-days").value.split(" and "))
    said = _parameter(first, "sentinel").value
    assert f"{supply.sentinel_hours} hours" in said
    assert f"first {supply.sentinel_first} " in said
