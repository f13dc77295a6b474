"""The forms of the definition in force, on paper: they hold nothing of any participant, so everybody may have them."""

from __future__ import annotations

from functools import lru_cache

from equipoise.desk.desk import Desk
from equipoise.documents.crf import crf_pdf
from equipoise.documents.typeset import issue_of
from equipoise.protocol.digest import study_from_text
from equipoise.words.dates import parse_date
from equipoise.words.text import Language


def paper_forms(desk: Desk, form: str | None, language: Language, *, annotated: bool) -> bytes | None:
    """Every form, or one of them, as PDF; None where there is no such form, or no definition was released yet."""
    with desk.reading() as reader:
        version = desk.trial(reader).state.in_force
        if version is None or (form is not None and desk.trial(reader).study.form(form) is None):
            return None
    return _made(version.definition, version.digest, form, language, annotated, desk.purpose == "rehearsal")


@lru_cache(maxsize=8)
def _made(
    definition: str,
    digest: str,
    form: str | None,
    language: Language,
    annotated: bool,  # noqa: FBT001  # part of the cache's key
    rehearsal: bool,  # noqa: FBT001  # as above
) -> bytes:
    """A book of forms takes seconds to set, and is the same until the next version of the definition."""
    study = study_from_text(definition)
    dated = parse_date(study.dated)
    on = dated.earliest if dated is not None and dated.complete else None
    issue = issue_of(study, on, rehearsal=rehearsal)
    return crf_pdf(
        study, digest, issue, forms=(form,) if form else (), language=language, annotated=annotated
    )
