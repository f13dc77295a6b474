"""What the pages of closing are made of: forms as they are shown to who signs or verifies them, queues, the lock.

The rule that must stay true: what a page shows of a form that is signed is read from the very rendering whose digest is
signed (capture.closing.shown), so that nothing is signed that was not shown, and nothing shown that is not signed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from equipoise.access.roles import label_of
from equipoise.capture.closed import Signature
from equipoise.capture.closing.shown import shown_form
from equipoise.capture.evolve import Place, State
from equipoise.capture.history import history
from equipoise.capture.questions import named, questions
from equipoise.desk.log_page import LOG_LABEL
from equipoise.desk.views import SignatureView
from equipoise.desk.words import shown
from equipoise.ledger.entries import Datum, Recorded
from equipoise.protocol.forms import LOG
from equipoise.protocol.study import Study
from equipoise.words.canonical import digest
from equipoise.words.clock import local
from equipoise.words.text import Text


@dataclass(frozen=True, slots=True)
class ShownRow:
    """One question with what it holds. `was`: what it held before it changed; `revealing`: kept elsewhere."""

    id: str
    label: Text
    value: Text | None
    was: Text | None = None
    changed: bool = False
    revealing: bool = False


@dataclass(frozen=True, slots=True)
class ShownForm:
    """A form as it is shown to be signed. `digest` is of everything shown; `before` a signature that is broken.

    queries: what is asked, its state, and the item that it is about, if one.
    """

    number: str
    place: tuple[str, str, int]
    visit: Text
    form: Text
    dated: str | None
    rows: tuple[ShownRow, ...]
    derived: tuple[tuple[Text, str], ...]
    queries: tuple[tuple[Text, str, Text | None], ...]
    digest: str
    before: SignatureView | None


def shown_view(
    study: Study,
    state: State,
    number: str,
    place: Place,
    before: SignatureView | None,
    then: Mapping[str, Datum] | None,
) -> ShownForm:
    """A form as shown. `then`: what its items held when it was signed before; None where it never was."""
    rendering = cast("Mapping[str, Any]", shown_form(study, state, place))  # Any: the JSON of shown_form
    form = study.form(place.form)
    return ShownForm(
        number,
        place,
        LOG_LABEL if place.visit == LOG else _words(rendering["visit"][1], place.visit),
        _words(rendering["form"][1], place.form),
        rendering["dated"],
        _rows(study, state, place, rendering["items"], then),
        tuple((_words(label, name), value) for name, label, value in rendering["derived"]),
        tuple(
            (
                _words(one["asked"], ""),
                one["state"],
                named(form, [one["item"]]) if one["item"] else None,
            )
            for one in rendering["queries"]
        ),
        digest(rendering),
        before,
    )


def _rows(
    study: Study, state: State, place: Place, items: Iterable[Any], then: Mapping[str, Datum] | None
) -> tuple[ShownRow, ...]:
    form, values = study.form(place.form), state.form(place).values
    asked = {each.id: each for each in questions(form)} if form is not None else {}
    rows = []
    for item, label, value in items:
        old, new = (then or {}).get(item, Datum()), values.get(item, Datum())
        changed = then is not None and old != new
        was = shown(study, asked.get(item), old) if changed else None
        rows.append(ShownRow(item, _words(label, item), _value(value), was, changed, isinstance(value, str)))
    return tuple(rows)


def _value(value: Any) -> Text | None:
    """A value of the rendering in words."""
    if not isinstance(value, Mapping):
        return None
    if "missing" in value:
        means, why = _words(value["means"], ""), f" ({value['why']})" if value["why"] else ""
        return Text(f"{value['missing']} {means.en}{why}", f"{value['missing']} {means.say('zh')}{why}")
    unit = f" {value['unit']}" if value["unit"] else ""
    if value["means"] is None:
        return Text(f"{value['value']}{unit}")
    means = _words(value["means"], "")
    code = f"{value['value']} " if str(value["value"]).isdigit() else ""
    return Text(f"{code}{means.en}", f"{code}{means.say('zh')}")


def _words(label: Any, otherwise: str) -> Text:
    return (
        Text(label.get("en", otherwise), label.get("zh")) if isinstance(label, Mapping) else Text(otherwise)
    )


def signature_view(name: str, one: Signature, zone: str) -> SignatureView:
    """A signature in words. `name` is the printed name of the signer, from the register."""
    return SignatureView(
        name,
        label_of(one.role),
        local(one.at, zone, seconds=True),
        f"closing.meaning-{one.meaning.lower()}",
        one.method == "DEMO",
        bool(one.broken),
        one.shown,
    )


def values_at(stream: Iterable[Recorded], place: Place, seq: int) -> Mapping[str, Datum]:
    """What the items of a form held after an entry of the stream."""
    then: dict[str, Datum] = {}
    for change in history(stream, *place):
        if change.header.seq <= seq:
            then[change.item] = change.new
    return then
