"""What of captured data an amendment touches: two versions of a study compared by forms, items, checks and visits.

The rules that must stay true: a check counts as changed whenever what it decides may differ (its rule, its visits, its
severity, an input or an item that it reads), never because of its words alone; pure, and known before any release.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from equipoise.protocol.digest import canonical_part
from equipoise.protocol.elements import Part
from equipoise.protocol.forms import Form
from equipoise.protocol.rules import names_in, tree
from equipoise.protocol.study import Study

Plan = tuple[str, str]
"""A visit and a form that the schedule asks for there."""


@dataclass(frozen=True, slots=True)
class Touched:
    """`items`: form -> items that are gone or differ; `checks`: form -> checks that are new or differ, by their names.

    `gone`, `planned`: forms at visits that are no longer, or newly, asked for. `visits`: those whose plan differs.
    """

    items: Mapping[str, frozenset[str]]
    checks: Mapping[str, frozenset[str]]
    gone: frozenset[Plan]
    planned: frozenset[Plan]
    visits: frozenset[str]
    consents: tuple[str, ...]


def touched(before: Study, after: Study) -> Touched:
    """What an amendment from `before` to `after` touches."""
    earlier, later = _plans(before), _plans(after)
    olds = {form.id: form for form in before.forms}
    inputs = _differing({one.name: one for one in before.inputs}, {one.name: one for one in after.inputs})
    lists = _differing({one.id: one for one in before.codelists}, {one.id: one for one in after.codelists})
    items, checks = {}, {}
    for form in after.forms:
        old = olds.get(form.id)
        items[form.id] = frozenset(_items(old, form, lists)) if old is not None else frozenset()
        checks[form.id] = frozenset(_checks(old, form, inputs | items[form.id]))
    for form in before.forms:
        items.setdefault(form.id, frozenset(item.id for item in form.items))
    visits = _differing(
        {one.id: one for one in before.schedule.visits}, {one.id: one for one in after.schedule.visits}
    )
    known = {one.id for one in before.consent.versions}
    return Touched(
        items,
        checks,
        earlier - later,
        later - earlier,
        visits,
        tuple(one.id for one in after.consent.versions if one.id not in known),
    )


def _plans(study: Study) -> frozenset[Plan]:
    return frozenset(
        (visit.id, form.id) for visit in study.schedule.visits for form in study.forms_at(visit.id)
    )


def _differing(before: Mapping[str, Part], after: Mapping[str, Part]) -> frozenset[str]:
    """The names that only one has, or that stand for different content."""
    found = before.keys() ^ after.keys()
    both = before.keys() & after.keys()
    unlike = {name for name in both if before[name] != after[name]}  # most are equal, and that is soon seen
    return frozenset(
        found | {name for name in unlike if canonical_part(before[name]) != canonical_part(after[name])}
    )


def _items(old: Form, new: Form, lists: frozenset[str]) -> Iterator[str]:
    yield from _differing({one.id: one for one in old.items}, {one.id: one for one in new.items})
    yield from (one.id for one in new.items if one.codelist in lists)


def _checks(old: Form | None, new: Form, changed: frozenset[str]) -> Iterator[str]:
    known = {one.id: one for one in old.checks} if old is not None else {}
    for check in new.checks:
        before = known.get(check.id)
        same = before is not None and tree(before.holds) == tree(check.holds) and (
            (before.visits, before.severity) == (check.visits, check.severity)
        )  # fmt: skip
        if not same or names_in(check.holds) & changed:
            yield check.id
    asked = {one.id: one for one in old.items} if old is not None else {}
    for item in new.items:
        expected = asked[item.id].expected if item.id in asked else None
        if item.expected is not None and item.expected != expected:
            yield f"expected:{item.id}"
