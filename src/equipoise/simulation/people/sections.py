"""Reading the sections of a model: forms, running lists, adverse events, diary, failures of screening, targets.

The rule that must stay true: a section that cannot be read is a Problem with its place, and reading goes on, so that
every fault is named at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import cast, get_args

from equipoise.protocol.notation import Plain, Steps
from equipoise.protocol.study import Study
from equipoise.simulation.people.definition import (
    DiaryModel,
    EventModel,
    Events,
    Failure,
    FormModel,
    Measured,
    Reason,
    RowModel,
    Shared,
    Target,
)
from equipoise.simulation.people.draws import Draw, Reading, formula_at, read_draw, read_rate
from equipoise.simulation.people.formula import Formula

_NO_MAPPING: Mapping[str, Plain] = {}


def mapping(written: Plain, path: Steps, reading: Reading) -> Mapping[str, Plain]:
    """The mapping at a path; nothing written is an empty one, anything else is a fault."""
    if isinstance(written, dict):
        return written
    if written is not None:
        reading.fault(path, "protocol.value-not-mapping", found=written)
    return _NO_MAPPING


def sequence(written: Plain, path: Steps, reading: Reading) -> Sequence[Plain]:
    """The list at a path; nothing written is an empty one, anything else is a fault."""
    if isinstance(written, list):
        return written
    if written is not None:
        reading.fault(path, "protocol.value-not-list", found=written)
    return ()


def text(written: Plain, path: Steps, reading: Reading) -> str:
    """The text at a path; an empty one and a fault where there is none."""
    if isinstance(written, str) and written:
        return written
    reading.fault(path, "protocol.value-not-text", found="null" if written is None else written)
    return ""


def number(written: Plain, path: Steps, reading: Reading, least: float | None = None) -> float:
    """The number at a path; 0 and a fault where there is none, or where it is less than the least."""
    if isinstance(written, bool) or not isinstance(written, int | Decimal):
        reading.fault(path, "protocol.value-not-number", found="null" if written is None else written)
        return 0.0
    if least is not None and written < least:
        reading.fault(path, "protocol.value-too-small", found=written, limit=f"{least:g}")
    return float(written)


def names_of(written: Mapping[str, Plain]) -> tuple[str, ...]:
    """The keys of a mapping in their order."""
    return tuple(written)


def formula_or_none(written: Plain, path: Steps, reading: Reading) -> Formula | None:
    """The formula at a path, written without its sign “=”; None where nothing is written or it cannot be read."""
    if written is None:
        return None
    return formula_at(str(written), path, reading)


def reason_of(
    written: Mapping[str, Plain], path: Steps, sources: Mapping[str, str], reading: Reading
) -> Reason:
    """Where the numbers at a path come from; a fault where neither a source nor a reason stands."""
    source, because = written.get("source"), written.get("because")
    if source is None and because is None:
        reading.fault(path, "virtual.no-reason")
    if source is not None and source not in sources:
        reading.fault((*path, "source"), "virtual.source-unknown", source=source, known=", ".join(sources))
    return Reason("" if source is None else str(source), "" if because is None else str(because))


def draws(written: Plain, path: Steps, reading: Reading) -> dict[str, Draw]:
    """A draw for each key."""
    return {
        key: read_draw(one, (*path, key), reading) for key, one in mapping(written, path, reading).items()
    }


def read_forms(
    written: Plain, study: Study, sources: Mapping[str, str], reading: Reading
) -> dict[str, FormModel]:
    """How each form is answered. Whether form and items exist is judged by `check_forms`."""
    found = {}
    for form, one in mapping(written, ("forms",), reading).items():
        path: Steps = ("forms", form)
        given = mapping(one, path, reading)
        rows = given.get("rows")
        significance = given.get("significance")
        found[form] = FormModel(
            draws(given.get("items"), (*path, "items"), reading),
            _shared(given.get("totals"), (*path, "totals"), reading),
            None if significance is None else read_draw(significance, (*path, "significance"), reading),
            None if rows is None else text(rows, (*path, "rows"), reading),
            formula_or_none(given.get("when"), (*path, "when"), reading),
            reason_of(given, path, sources, reading),
        )
    return found


def _shared(written: Plain, path: Steps, reading: Reading) -> tuple[Shared, ...]:
    found = []
    for total, one in mapping(written, path, reading).items():
        given = mapping(one, (*path, total), reading)
        easy = {
            key: number(value, (*path, total, "easy", key), reading)
            for key, value in mapping(given.get("easy"), (*path, total, "easy"), reading).items()
        }
        noise = number(given.get("noise", 0), (*path, total, "noise"), reading)
        if noise < 0:
            reading.fault((*path, total, "noise"), "virtual.spread", found=given.get("noise"))
        found.append(
            Shared(total, read_draw(given.get("draw"), (*path, total, "draw"), reading), easy, noise)
        )
    return tuple(found)


def read_logs(
    written: Plain, study: Study, sources: Mapping[str, str], reading: Reading
) -> dict[str, tuple[RowModel, ...]]:
    """The rows that people have on running lists. `items` of the list hold for each row that does not say otherwise."""
    found = {}
    for form, one in mapping(written, ("logs",), reading).items():
        path: Steps = ("logs", form)
        given = mapping(one, path, reading)
        common = draws(given.get("items"), (*path, "items"), reading)
        rows = []
        for position, row in enumerate(sequence(given.get("rows"), (*path, "rows"), reading)):
            here: Steps = (*path, "rows", position)
            inner = mapping(row, here, reading)
            rows.append(
                RowModel(
                    text(inner.get("id"), (*here, "id"), reading),
                    formula_or_none(inner.get("when"), (*here, "when"), reading),
                    draws(inner.get("names"), (*here, "names"), reading),
                    common | draws(inner.get("items"), (*here, "items"), reading),
                    reason_of({**given, **inner}, here, sources, reading),
                )
            )
        found[form] = tuple(rows)
    return found


def read_events(written: Plain, study: Study, sources: Mapping[str, str], reading: Reading) -> Events | None:
    """The adverse events, or None where the model has none."""
    path: Steps = ("events",)
    given = mapping(written, path, reading)
    if not given:
        return None
    rows = []
    for position, row in enumerate(sequence(given.get("rows"), (*path, "rows"), reading)):
        here: Steps = (*path, "rows", position)
        inner = mapping(row, here, reading)
        rows.append(
            EventModel(
                text(inner.get("id"), (*here, "id"), reading),
                read_rate(inner.get("rate"), (*here, "rate"), reading),
                number(inner.get("ratio", 1), (*here, "ratio"), reading, least=0),
                draws(inner.get("names"), (*here, "names"), reading),
                reason_of({**given, **inner}, here, sources, reading),
            )
        )
    marks = {
        key: formula
        for key, one in mapping(given.get("marks"), (*path, "marks"), reading).items()
        if (formula := formula_or_none(one, (*path, "marks", key), reading)) is not None
    }
    return Events(
        text(given.get("form"), (*path, "form"), reading),
        number(given.get("frailty", 0), (*path, "frailty"), reading, least=0),
        draws(given.get("names"), (*path, "names"), reading),
        draws(given.get("items"), (*path, "items"), reading),
        tuple(rows),
        marks,
    )


def read_diary(written: Plain, sources: Mapping[str, str], reading: Reading) -> dict[str, DiaryModel]:
    """How each form of the diary is answered."""
    found = {}
    for form, one in mapping(written, ("diary",), reading).items():
        path: Steps = ("diary", form)
        given = mapping(one, path, reading)
        found[form] = DiaryModel(
            read_draw(given.get("made"), (*path, "made"), reading),
            read_draw(given.get("reporter"), (*path, "reporter"), reading),
            draws(given.get("items"), (*path, "items"), reading),
            tuple(str(event) for event in sequence(given.get("after"), (*path, "after"), reading)),
            reason_of(given, path, sources, reading),
        )
    return found


def read_failures(
    written: Plain, study: Study, sources: Mapping[str, str], reading: Reading
) -> tuple[Failure, ...]:
    """The ways to fail screening."""
    found = []
    known = [criterion.id for criterion in study.criteria if criterion.enabled]
    for position, one in enumerate(sequence(written, ("screening", "failures"), reading)):
        path: Steps = ("screening", "failures", position)
        given = mapping(one, path, reading)
        criterion = text(given.get("criterion"), (*path, "criterion"), reading)
        if criterion not in known:
            reading.fault(
                (*path, "criterion"), "virtual.criterion", criterion=criterion, known=", ".join(known)
            )
        items = mapping(given.get("items"), (*path, "items"), reading)
        found.append(
            Failure(
                criterion,
                number(given.get("share"), (*path, "share"), reading, least=0),
                draws(given.get("set"), (*path, "set"), reading),
                formula_or_none(given.get("accept"), (*path, "accept"), reading),
                {form: draws(inner, (*path, "items", form), reading) for form, inner in items.items()},
                reason_of(given, path, sources, reading),
            )
        )
    return tuple(found)


def read_targets(written: Plain, sources: Mapping[str, str], reading: Reading) -> tuple[Target, ...]:
    """The moments that the model is held to."""
    found = []
    for position, one in enumerate(sequence(written, ("targets",), reading)):
        path: Steps = ("targets", position)
        given = mapping(one, path, reading)
        measured = str(given.get("measured"))
        kinds = get_args(Measured)
        if measured not in kinds:
            reading.fault(
                (*path, "measured"), "protocol.value-not-listed", found=measured, allowed=", ".join(kinds)
            )
        of = formula_or_none(given.get("of"), (*path, "of"), reading)
        if of is None:
            reading.fault(path, "protocol.field-missing", field="of")
            continue
        optional = {
            key: None if given.get(key) is None else str(given[key])
            for key in ("since", "with_at", "scenario")
        }
        found.append(
            Target(
                text(given.get("id"), (*path, "id"), reading),
                cast("Measured", measured),
                of,
                text(given.get("at"), (*path, "at"), reading),
                optional["since"],
                formula_or_none(given.get("with"), (*path, "with"), reading),
                optional["with_at"],
                optional["scenario"],
                number(given.get("value"), (*path, "value"), reading),
                number(given.get("within"), (*path, "within"), reading, least=0),
                reason_of(given, path, sources, reading),
            )
        )
    return tuple(found)
