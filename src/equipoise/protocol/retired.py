"""The definition to read by: the one in force, and after its own parts those that only earlier versions had.

The rule that must stay true: what was captured under any version that was in force can still be shown, named and
exported; what is decided follows the version in force alone, never this one. Source: ICH E6(R3) 4.2.2 and 4.3.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from equipoise.protocol.elements import Part
from equipoise.protocol.study import Study

Named = TypeVar("Named", bound=Part)


def with_retired(study: Study, earlier: Iterable[Study]) -> Study:
    """`study` with the forms, items, codes, visits, criteria and inputs that only `earlier` versions had.

    earlier: newest first. Of a part that several versions have, the newest stands. The result is for
    reading; nothing checks it as a whole.
    """
    for old in earlier:
        schedule = study.schedule.model_copy(
            update={
                "epochs": _all(study.schedule.epochs, old.schedule.epochs),
                "visits": _all(study.schedule.visits, old.schedule.visits),
            }
        )
        study = study.model_copy(
            update={
                "forms": _all(study.forms, old.forms, inner="items"),
                "codelists": _all(study.codelists, old.codelists, inner="terms", by="code"),
                "criteria": _all(study.criteria, old.criteria),
                "inputs": _all(study.inputs, old.inputs, by="name"),
                "schedule": schedule,
            }
        )
    return study


def _all(
    ours: tuple[Named, ...], theirs: tuple[Named, ...], *, inner: str = "", by: str = "id"
) -> tuple[Named, ...]:
    """Ours, then those of theirs that we lack. Of what both have, ours, with the `inner` parts that only theirs has.

    by: the field that names the inner parts, or the parts themselves where there are none.
    """
    name = "id" if inner else by
    known = {getattr(old, name): old for old in theirs}
    kept = [_grown(one, known.get(getattr(one, name)), inner, by) if inner else one for one in ours]
    have = {getattr(one, name) for one in ours}
    return (*kept, *(old for old in theirs if getattr(old, name) not in have))


def _grown(ours: Named, theirs: Named | None, inner: str, by: str) -> Named:
    if theirs is None:
        return ours
    return ours.model_copy(update={inner: _all(getattr(ours, inner), getattr(theirs, inner), by=by)})
