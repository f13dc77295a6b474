"""The study as it is captured behind the second door: of each form its revealing items, and what is about them alone.

The rules that must stay true: what stands in this part of the study and what the first door captures have no item in
common, and together they are the whole; no rule of this part needs a value of the first door. A question that the
first door's values decide whether to ask is always shown here and never required, because those values are not here.
Sources: DESIGN 5; the static check `protocol.checks.taint`, which keeps the other side free of these items.
"""

from __future__ import annotations

from collections.abc import Mapping

from equipoise.protocol.forms import Check, Derivation, Form, Item
from equipoise.protocol.rules import names_in
from equipoise.protocol.study import Activity, Study
from equipoise.words.kept import Kept


def revealing_study(study: Study) -> Study:
    """The part of the study that is captured here; the same object for the same definition, because every save asks.

    In it the items are open: whoever may come here may see them, and the rooms below need not know of two doors.
    """
    return _MADE(study)


def whole_study(study: Study) -> Study:
    """The study with every item open: for closed work, which reads what both doors hold."""
    forms = tuple(
        form.model_copy(
            update={
                "items": tuple(item.model_copy(update={"blinding": "open"}) for item in form.items),
                "derivations": tuple(_derivation(one) for one in form.derivations),
            }
        )
        for form in study.forms
    )
    return study.model_copy(update={"forms": forms})


def _part_of(study: Study) -> Study:
    clock = frozenset(each.name for each in study.inputs if each.origin.clock is not None)
    forms = {form.id: made for form in study.forms if (made := _form(form, clock)) is not None}
    activities = tuple(
        kept for activity in study.schedule.activities if (kept := _activity(activity, forms)) is not None
    )
    return study.model_copy(
        update={
            "forms": tuple(forms.values()),
            "inputs": tuple(each for each in study.inputs if each.name in clock),
            "criteria": (),
            "endpoints": (),
            "schedule": study.schedule.model_copy(update={"activities": activities}),
        }
    )


_MADE = Kept(_part_of, 8)


def _form(form: Form, clock: frozenset[str]) -> Form | None:
    """The form with its revealing items alone; None where it has none."""
    own = {item.id for item in form.items if item.blinding == "revealing"}
    if not own:
        return None
    known = clock | own
    return form.model_copy(
        update={
            "instrument": None,
            "parts": (),
            "items": tuple(_item(item, known) for item in form.items if item.id in own),
            "checks": tuple(check for check in form.checks if _is_about(check, own, known)),
            "derivations": tuple(_derivation(one) for one in form.derivations if one.blinding == "revealing"),
        }
    )


def _item(item: Item, known: frozenset[str]) -> Item:
    if item.visible_when is None or names_in(item.visible_when) <= known:
        return item.model_copy(update={"blinding": "open"})
    return item.model_copy(update={"blinding": "open", "visible_when": None, "required": False})


def _is_about(check: Check, own: set[str], known: frozenset[str]) -> bool:
    """Whether a check speaks on revealing items alone and can be told from what is known here."""
    return bool(check.items) and set(check.items) <= own and names_in(check.holds) <= known


def _derivation(one: Derivation) -> Derivation:
    return one.model_copy(update={"blinding": "open"})


def _activity(activity: Activity, forms: Mapping[str, Form]) -> Activity | None:
    kept = tuple(form for form in activity.forms if form in forms)
    return activity.model_copy(update={"forms": kept}) if kept else None
