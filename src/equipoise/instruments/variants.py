"""A scale as one study uses it: part of it, another alternative counted, the sponsor's licensed wording put in.

Each function gives a new Scale; the shipped one never changes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from equipoise.instruments.scales import Alternative, Scale, Total
from equipoise.words.text import Text


def limited(scale: Scale, parts: Sequence[str]) -> Scale:
    """The scale with only the items of the named totals, and the totals that these items complete.

    No parts named: the scale itself. The main total stays where it is complete; otherwise it is the first named
    part. Raises KeyError for a name that is no total of the scale.
    """
    if not parts:
        return scale
    named = [scale.total(part) for part in parts]
    unknown = [part for part, total in zip(parts, named, strict=True) if total is None]
    if unknown:
        raise KeyError(f"{scale.id} has no total {', '.join(unknown)}")
    kept = {item for total in named if total is not None for item in total.items}
    # An alternative stays whole when its counted group stays.
    for alternative in scale.alternatives:
        if kept & set(alternative.groups[alternative.counted]):
            kept |= {item for group in alternative.groups.values() for item in group}
    totals = tuple(total for total in scale.totals if set(total.items) <= kept)
    main = scale.main_total if scale.main_total in totals else scale.total(parts[0])
    return dataclasses.replace(
        scale,
        items=tuple(item for item in scale.items if item.id in kept),
        totals=totals,
        main_total=main or scale.main_total,
        derived=tuple(total for total in scale.derived if set(total.items) <= kept),
        gates=tuple(gate for gate in scale.gates if gate.item in kept),
        alternatives=tuple(each for each in scale.alternatives if set(each.groups[each.counted]) <= kept),
        expectations=tuple(each for each in scale.expectations if {*each.given, *each.expected} <= kept),
        measures=tuple(measure for measure in scale.measures if measure.item in kept),
    )


def counting(scale: Scale, alternative_id: str, group: str) -> Scale:
    """The scale with another group of an alternative in its totals; the group counted so far is kept apart.

    Raises KeyError for an alternative or group that the scale does not have.
    """
    found = next((each for each in scale.alternatives if each.id == alternative_id), None)
    if found is None or group not in found.groups:
        raise KeyError(f"{scale.id} has no alternative {alternative_id} with {group}")
    out, into = set(found.groups[found.counted]), found.groups[group]
    chosen = Alternative(found.id, found.groups, group)

    def swap(total: Total) -> Total:
        if not out & set(total.items):
            return total
        kept = (set(total.items) - out) | set(into)
        return dataclasses.replace(total, items=tuple(item.id for item in scale.items if item.id in kept))

    return dataclasses.replace(
        scale,
        items=tuple(
            dataclasses.replace(item, optional=item.id not in into) if item.id in out | set(into) else item
            for item in scale.items
        ),
        totals=tuple(swap(total) for total in scale.totals),
        main_total=swap(scale.main_total),
        derived=tuple(swap(total) for total in scale.derived),
        alternatives=tuple(chosen if each.id == alternative_id else each for each in scale.alternatives),
    )


def worded(scale: Scale, wording: Mapping[str, Text]) -> Scale:
    """The scale with the sponsor's licensed text as the labels of items, by item id.

    The words come from the sponsor's own files at run time and are never part of this program.
    Raises KeyError for a text that belongs to no item.
    """
    strangers = set(wording) - {item.id for item in scale.items}
    if strangers:
        raise KeyError(f"{scale.id} has no item {', '.join(sorted(strangers))}")
    given = MappingProxyType(dict(wording))
    return dataclasses.replace(
        scale,
        items=tuple(
            dataclasses.replace(item, label=given[item.id]) if item.id in given else item
            for item in scale.items
        ),
    )
