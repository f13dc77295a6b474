"""What must hold in an instrument file: codes unique, names resolved, declared ranges equal to what the items make.

Each check yields Problems that name the file and the element; all are run, so that one reading shows every fault.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation

from equipoise.instruments.join import options_of, selected
from equipoise.instruments.notation import Labelled, ScaleShape, Selection, Shape, TotalShape
from equipoise.words.problem import Problem, problem

_HAN = re.compile("[\u4e00-\u9fff]")
SOURCED = ("version", "items", "sdtm", "codes", "licence", "window", "missing_rule", "labels")
"""Groups of facts that must carry a source tag in every file; optional groups only where they are used."""
_SOURCED_WHEN_USED = ("untestable", "derived", "gates", "alternatives", "expectations", "measures", "bands")


def faults(shape: ScaleShape, where: str) -> Iterator[Problem]:
    """Every fault of a file that has the right shape; `where` names the file."""
    yield from _repeated(shape, where)
    yield from _names(shape, where)
    yield from _items(shape, where)
    for total in (*shape.totals, *shape.derived):
        yield from _total(shape, total, where)
    yield from _rules(shape, where)
    yield from _bands(shape, where)
    yield from _sources(shape, where)
    yield from _chinese(shape, where)


def _repeated(shape: ScaleShape, where: str) -> Iterator[Problem]:
    single = {item.testcd for item in shape.items} if len(shape.items) == 1 else set()
    codes = [item.testcd for item in shape.items]
    # A scale of one item may give its total the item's own code: they are one observation.
    codes += [total.testcd for total in (*shape.totals, *shape.derived) if total.testcd not in single]
    codes += [code.testcd for code in shape.unscored]
    tests = [item.test for item in shape.items]
    tests += [total.test for total in (*shape.totals, *shape.derived) if total.testcd not in single]
    for kind, values in (("id", [item.id for item in shape.items]), ("testcd", codes), ("test", tests)):
        for value, times in Counter(values).items():
            if times > 1:
                yield problem("instruments.file-repeated", f"{where}: {value}", kind=kind, value=value)


def _names(shape: ScaleShape, where: str) -> Iterator[Problem]:
    items = {item.id for item in shape.items}
    totals = {total.testcd for total in shape.totals}
    sections = set(shape.sections)
    for item in shape.items:
        sets = {item.options} if isinstance(item.options, str) else set()
        yield from _unknown(sets, set(shape.option_sets), f"{where}: {item.id}.options")
        yield from _unknown({item.section}, sections, f"{where}: {item.id}.section")
        yield from _unknown(
            {item.untestable} - {None}, set(shape.untestable), f"{where}: {item.id}.untestable"
        )
    earlier: set[str] = set()
    for name, selection in _selections(shape):
        yield from _unknown(selection.items, items, f"{where}: {name}")
        yield from _unknown(selection.sections, sections, f"{where}: {name}")
        yield from _unknown(selection.totals, earlier, f"{where}: {name}")
        earlier |= {name} & totals
    for alternative in shape.alternatives:
        place = f"{where}: {alternative.id}"
        yield from _unknown({alternative.counted}, set(alternative.groups), place)
        yield from _unknown({item for group in alternative.groups.values() for item in group}, items, place)
    for expectation in shape.expectations:
        yield from _unknown({*expectation.given, *expectation.expected}, items, f"{where}: {expectation.id}")
    yield from _unknown({gate.item for gate in shape.gates}, items, f"{where}: gates")
    yield from _unknown({measure.item for measure in shape.measures}, items, f"{where}: measures")
    yield from _unknown({shape.main_total}, totals, f"{where}: main_total")


def _selections(shape: ScaleShape) -> Iterator[tuple[str, Selection]]:
    for total in (*shape.totals, *shape.derived):
        yield total.testcd, total.of
    for gate in shape.gates:
        yield f"gate of {gate.item}", gate.opened_by


def _unknown(used: Iterable[object], known: Iterable[object], where: str) -> Iterator[Problem]:
    for name in sorted(str(name) for name in set(used) - set(known)):
        yield problem("instruments.file-unknown-name", where, name=name)


def _items(shape: ScaleShape, where: str) -> Iterator[Problem]:
    for item in shape.items:
        scores = [value for value, _ in options_of(shape, item)]
        if len(scores) < 2 or scores[0] < 0 or any(value % shape.step for value in scores):
            yield problem("instruments.file-options", f"{where}: {item.id}", scores=scores, step=shape.step)
        rule = shape.untestable.get(item.untestable or "")
        if rule and rule.counts is not None and scores and not scores[0] <= rule.counts <= scores[-1]:
            yield problem(
                "instruments.file-options", f"{where}: {item.id}", scores=rule.counts, step=shape.step
            )


def _total(shape: ScaleShape, total: TotalShape, where: str) -> Iterator[Problem]:
    chosen = set(selected(shape, total.of))
    ends = [
        (options[0][0], options[-1][0])
        for item in shape.items
        if item.id in chosen and (options := options_of(shape, item))
    ]
    combine = sum if total.rule == "sum" else max
    found = (combine(low for low, _ in ends), combine(high for _, high in ends)) if ends else (0, 0)
    if found != (total.minimum, total.maximum):
        yield problem(
            "instruments.file-range",
            f"{where}: {total.testcd}",
            declared=f"{total.minimum}–{total.maximum}",
            found=f"{found[0]}–{found[1]}",
        )
    for gate in shape.gates:
        # Without the gate's own items a total could be given while it is unknown whether the item counts.
        if gate.item in chosen and not set(selected(shape, gate.opened_by)) <= chosen:
            yield problem("instruments.file-gate", f"{where}: {total.testcd}", item=gate.item)


def _rules(shape: ScaleShape, where: str) -> Iterator[Problem]:
    allowed = {item.id: {value for value, _ in options_of(shape, item)} for item in shape.items}
    for expectation in shape.expectations:
        for item, scores in (*expectation.given.items(), *expectation.expected.items()):
            if not set(scores) <= allowed.get(item, set()):
                yield problem(
                    "instruments.file-unknown-name", f"{where}: {expectation.id}", name=f"{item}={scores}"
                )
    for measure in shape.measures:
        try:
            bounds = [None if level.below is None else Decimal(level.below) for level in measure.levels]
        except InvalidOperation:
            bounds = []
        numbers = [bound for bound in bounds[:-1] if bound is not None]
        scored = {level.score for level in measure.levels} == allowed.get(measure.item, set())
        whole = bool(bounds) and bounds[-1] is None and len(numbers) == len(bounds) - 1
        if not scored or not whole or numbers != sorted(set(numbers)):
            yield problem("instruments.file-levels", f"{where}: {measure.item}")


def _bands(shape: ScaleShape, where: str) -> Iterator[Problem]:
    main = next((total for total in shape.totals if total.testcd == shape.main_total), None)
    if main is None or not shape.bands:
        return
    expected = main.minimum
    for band in shape.bands:
        if band.low != expected or band.high < band.low:
            yield problem("instruments.file-bands", f"{where}: bands", low=band.low, expected=expected)
        expected = band.high + 1
    if expected != main.maximum + 1:
        yield problem("instruments.file-bands", f"{where}: bands", low=expected, expected=main.maximum + 1)


def _sources(shape: ScaleShape, where: str) -> Iterator[Problem]:
    needed = set(SOURCED) | {name for name in _SOURCED_WHEN_USED if getattr(shape, name)}
    for name in sorted(needed - set(shape.sources)):
        yield problem("instruments.file-unsourced", f"{where}: {name}", name=name)
    tags = [*shape.sources.values(), *(responder.source for responder in shape.responders)]
    named = {tag.split()[0].removeprefix("src:") for tag in tags if tag.startswith("src:")}
    yield from _unknown(named, set(shape.references), f"{where}: sources")


def _chinese(shape: ScaleShape, where: str) -> Iterator[Problem]:
    for path, label in _labels(shape, ""):
        if not _HAN.search(label.zh):
            yield problem("instruments.file-no-chinese", f"{where}: {path}", text=label.zh)


def _labels(part: object, path: str) -> Iterator[tuple[str, Labelled]]:
    if isinstance(part, Labelled):
        yield path, part
    elif isinstance(part, Shape):
        for name in type(part).model_fields:
            yield from _labels(getattr(part, name), f"{path}.{name}".lstrip("."))
    elif isinstance(part, dict):
        for name, inner in part.items():
            yield from _labels(inner, f"{path}.{name}")
    elif isinstance(part, list):
        for position, inner in enumerate(part):
            yield from _labels(inner, f"{path}[{position}]")
