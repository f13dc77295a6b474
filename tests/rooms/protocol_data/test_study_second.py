"""The made-up trial is another trial in every respect that the program could take for granted."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from equipoise.protocol.strata import strata
from equipoise.protocol.study import Study


def test_it_shares_no_name_with_the_first(first: Study, second: Study) -> None:
    for ours, theirs in [
        ({arm.id for arm in first.arms}, {arm.id for arm in second.arms}),
        ({form.id for form in first.forms}, {form.id for form in second.forms}),
        ({visit.id for visit in first.schedule.visits}, {visit.id for visit in second.schedule.visits}),
        ({each.id for each in first.criteria}, {each.id for each in second.criteria}),
        ({name for each in first.inputs for name in (each.name, *each.alias)}, {name for each in second.inputs for name in (each.name, *each.alias)}),
        (set(strata(first)), set(strata(second))),
        ({site.id for site in first.sites}, {site.id for site in second.sites}),
    ]:  # fmt: skip
        assert ours
        assert theirs
        assert not ours & theirs


def test_it_differs_in_kind(first: Study, second: Study) -> None:
    assert second.randomization is not None
    assert first.randomization is not None
    assert sorted(second.randomization.ratio.values()) == [1, 1, 2]
    assert set(second.randomization.ratio) == {arm.id for arm in second.arms}
    assert second.randomization.method != first.randomization.method
    assert second.design.masking == "NONE"
    assert not second.design.masked_roles
    assert second.registry is None
    assert not any(form.instrument for form in second.forms)
    assert any(form.derivations for form in second.forms)
    assert {item.blinding for form in second.forms for item in form.items} == {"open"}
    assert not second.consent.legal_representative
    weeks = [visit.day for visit in second.schedule.visits if visit.day and visit.day > 0]
    assert [later - earlier for earlier, later in pairwise(weeks)] == [7] * 5


def test_it_stays_small(root: Path) -> None:
    """The definition; its model of people for rehearsals is no part of it."""
    files = [
        one for one in (root / "tests" / "studies" / "second").glob("*.yaml") if one.name != "people.yaml"
    ]
    assert files
    assert sum(len(path.read_text("utf-8").splitlines()) for path in files) <= 250
