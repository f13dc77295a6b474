"""From the shape of a checked instrument file to a `Scale`: names are resolved, selections spelled out.

Called only after `checks.faults` found nothing: a name that resolves to nothing here is our bug.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType

from equipoise.instruments import notation, scales


def join(shape: notation.ScaleShape) -> scales.Scale:
    """The scale of a faultless file."""
    totals = tuple(_total(shape, total) for total in shape.totals)
    return scales.Scale(
        id=shape.id,
        name=shape.name.text(),
        version=shape.version,
        direction=shape.direction,
        step=shape.step,
        items=tuple(_item(shape, item) for item in shape.items),
        totals=totals,
        main_total=next(total for total in totals if total.testcd == shape.main_total),
        derived=tuple(_total(shape, total) for total in shape.derived),
        sections=MappingProxyType({name: label.text() for name, label in shape.sections.items()}),
        gates=tuple(scales.Gate(gate.item, selected(shape, gate.opened_by)) for gate in shape.gates),
        alternatives=tuple(_alternative(alternative) for alternative in shape.alternatives),
        expectations=tuple(_expectation(expectation) for expectation in shape.expectations),
        measures=tuple(_measure(measure) for measure in shape.measures),
        bands=tuple(scales.Band(band.low, band.high, band.label.text()) for band in shape.bands),
        responders=tuple(_responder(responder) for responder in shape.responders),
        unscored=tuple(scales.Unscored(code.testcd, code.test, code.label.text()) for code in shape.unscored),
        sdtm_domain=shape.sdtm.domain,
        category=shape.sdtm.category,
        test_codes=shape.sdtm.test_codes,
        codes=scales.Codes(**shape.codes.model_dump()),
        citation=shape.citation,
        licence=scales.Licence(shape.licence.holder, shape.licence.terms.text(), shape.licence.wording),
        evaluation_interval=shape.evaluation_interval,
        window=shape.window.text(),
        missing_rule=shape.missing_rule.text(),
        notes=tuple(note.text() for note in shape.notes),
        sources=MappingProxyType(dict(shape.sources)),
        references=MappingProxyType(dict(shape.references)),
    )


def selected(
    shape: notation.ScaleShape,
    selection: notation.Selection,
    among: Sequence[notation.TotalShape] | None = None,
) -> tuple[str, ...]:
    """Item ids of a selection in the order of the file; items of an alternative that does not count are left out.

    A total is built of totals before it (`among`), so that no ring of names can run for ever.
    """
    totals = shape.totals if among is None else among
    chosen = set(selection.items)
    chosen |= {item.id for item in shape.items if item.section in selection.sections}
    for position, total in enumerate(totals):
        if total.testcd in selection.totals:
            chosen |= set(selected(shape, total.of, totals[:position]))
    return tuple(item.id for item in shape.items if item.id in chosen - set(optional(shape)))


def optional(shape: notation.ScaleShape) -> tuple[str, ...]:
    """Ids of items that stand in a group which does not count."""
    return tuple(
        item
        for alternative in shape.alternatives
        for name, group in alternative.groups.items()
        if name != alternative.counted
        for item in group
    )


def options_of(
    shape: notation.ScaleShape, item: notation.ItemShape
) -> Sequence[tuple[int, notation.Labelled]]:
    """The options of an item, its own or those of the set it names, ascending; none where the set is unknown."""
    own: Mapping[int, notation.Labelled]
    own = shape.option_sets.get(item.options, {}) if isinstance(item.options, str) else item.options
    return sorted(own.items(), key=lambda option: option[0])


def _item(shape: notation.ScaleShape, item: notation.ItemShape) -> scales.ScaleItem:
    rule = shape.untestable.get(item.untestable) if item.untestable else None
    return scales.ScaleItem(
        id=item.id,
        testcd=item.testcd,
        test=item.test,
        label=item.label.text(),
        section=item.section,
        options=tuple(scales.ScoreOption(value, label.text()) for value, label in options_of(shape, item)),
        untestable=scales.Untestable(rule.code, rule.reason.text(), rule.explain, rule.counts)
        if rule
        else None,
        optional=item.id in optional(shape),
        loinc=item.loinc,
        note=item.note.text() if item.note else None,
    )


def _total(shape: notation.ScaleShape, total: notation.TotalShape) -> scales.Total:
    return scales.Total(
        testcd=total.testcd,
        test=total.test,
        label=total.label.text(),
        items=selected(shape, total.of),
        minimum=total.minimum,
        maximum=total.maximum,
        rule=total.rule,
        loinc=total.loinc,
    )


def _alternative(alternative: notation.AlternativeShape) -> scales.Alternative:
    groups = {name: tuple(items) for name, items in alternative.groups.items()}
    return scales.Alternative(alternative.id, MappingProxyType(groups), alternative.counted)


def _expectation(expectation: notation.ExpectationShape) -> scales.Expectation:
    return scales.Expectation(
        id=expectation.id,
        given=MappingProxyType({item: tuple(scores) for item, scores in expectation.given.items()}),
        expected=MappingProxyType({item: tuple(scores) for item, scores in expectation.expected.items()}),
        message=expectation.message.text(),
    )


def _measure(measure: notation.MeasureShape) -> scales.Measure:
    levels = tuple(
        (level.score, None if level.below is None else Decimal(level.below)) for level in measure.levels
    )
    return scales.Measure(measure.item, measure.unit, levels, measure.note.text())


def _responder(responder: notation.ResponderShape) -> scales.Responder:
    return scales.Responder(
        responder.id,
        responder.measure,
        responder.comparison,
        responder.number(),
        responder.label.text(),
        responder.source,
    )
