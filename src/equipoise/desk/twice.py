"""How far the double entry of a form is, as every page may say it: by whom and when, never what.

The rule that must stay true: what is said here of a pair of entries is the same for everybody.
"""

from __future__ import annotations

from equipoise.capture.double.applies import asked_twice, begun
from equipoise.capture.entered import Typed
from equipoise.capture.evolve import Place
from equipoise.desk.desk import Desk
from equipoise.desk.standing import Standing
from equipoise.desk.views import TwiceView
from equipoise.protocol.forms import Form
from equipoise.words.clock import local


def twice(desk: Desk, now: Standing, form: Form, place: Place, *, may_save: bool) -> TwiceView | None:
    """Where the double entry of a form stands; None where it is not typed twice."""
    pair = now.case.capture.pairs.get(place)
    if pair is not None:
        first, second = (
            _by(desk, now, pair.first),
            None if pair.second is None else _by(desk, now, pair.second),
        )
        return TwiceView(pair.stage, first=first, second=second, open=may_save and pair.pending)
    asked = asked_twice(form, now.case.screening.site)
    if asked is None or begun(now.case.capture, place) or now.case.capture.form(place).omitted is not None:
        return None
    return TwiceView("DUE", if_paper=asked.written_on is not None, open=may_save)


def _by(desk: Desk, now: Standing, one: Typed) -> tuple[str, str]:
    return by_whom(desk, now, one.by, one.at)


def by_whom(desk: Desk, now: Standing, actor: str, at: str) -> tuple[str, str]:
    """A person's name, and a moment (UTC) as the site's clock showed it."""
    return desk.register.staff_name(actor) or actor, local(at, now.site.zone)
