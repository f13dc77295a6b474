"""The case report forms on paper, made from the same definition that the pages are made from.

Blank: to be written on when there is no screen, with a code that says which form of which version it is. Annotated:
beside every question where its answer goes in SDTM. The rules that must stay true: a form has the questions of
`capture.questions`, in their order, and no others; an answer offered on the page is offered on paper; what is kept
behind the second door is named and takes no value. Sources: CDISC SDTM Metadata Submission Guidelines 2.0 (annotated
case report form); ICH E6(R3), glossary (case report form).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from equipoise.capture.questions import Question, questions
from equipoise.documents.squares import drawing
from equipoise.documents.typeset import Issue, chinese_font, pdf, said, words_in
from equipoise.protocol.assessments import scale_of
from equipoise.protocol.forms import Form, SdtmTarget
from equipoise.protocol.study import Study, Visit
from equipoise.words.codelists import MISSING
from equipoise.words.text import Language, Text

_WORDS = (
    "documents.sheet-rehearsal",
    "documents.crf-version",
    "documents.crf-digest",
    "documents.crf-forms",
    "documents.crf-schedule",
    "documents.crf-subject",
    "documents.crf-visit",
    "documents.crf-visit-date",
    "documents.crf-question",
    "documents.crf-answer",
    "documents.crf-signature",
    "documents.crf-day",
    "documents.crf-not-done",
    "documents.crf-reason",
    "documents.crf-second-door",
    "documents.crf-required",
    "documents.crf-log",
)
_SHAPES: Mapping[str, str] = {
    "date": "date",
    "time": "time",
    "integer": "number",
    "decimal": "number",
    "text": "text",
}
"""Type of an item that is written -> how its place on paper looks; whatever is chosen has boxes to tick."""
_WHO: Mapping[str, Text] = {
    "INVESTIGATOR": Text("Investigator", "研究者"),
    "INDEPENDENT ASSESSOR": Text("Independent assessor, blinded", "独立评估者（盲态）"),
    "STUDY SUBJECT": Text("Participant", "受试者"),
    "CAREGIVER": Text("Caregiver", "照护者"),
}


@dataclass(frozen=True, slots=True)
class _Paper:
    """What every form of one book shares."""

    study: Study
    digest: str
    language: Language
    annotated: bool

    def say(self, text: Text | None) -> str:
        return "" if text is None else text.say(self.language)


def crf_pdf(
    study: Study,
    digest: str,
    issue: Issue,
    *,
    forms: Sequence[str] = (),
    language: Language = "en",
    annotated: bool = False,
) -> bytes:
    """The forms named (all of the study where none is), as PDF. `digest`: the definition's own, in hexadecimal.

    Chinese is asked for in vain where no font has it: the English is printed then, and the foot of the page says so.
    """
    wanted = [form for form in study.forms if not forms or form.id in forms]
    paper = _Paper(study, digest, language if chinese_font() else "en", annotated)
    title = said("documents.crf-annotated-title" if annotated else "documents.crf-title", paper.language)
    values: Mapping[str, object] = {
        "lang": paper.language,
        "heading": title,
        "name": paper.say(study.title),
        "version": f"{study.version} ({study.dated})",
        "digest": digest,
        "whole": not forms,
        "annotated": annotated,
        "visits": [visit.id for visit in _visits(study)],
        "legend": [f"{visit.id} {paper.say(visit.label)}" for visit in _visits(study)] if not forms else [],
        "forms": [_form(paper, form) for form in wanted],
        "words": words_in(_WORDS, paper.language),
    }
    return pdf("crf", Text(title), issue, values)


def _visits(study: Study) -> tuple[Visit, ...]:
    return study.schedule.visits


def _form(paper: _Paper, form: Form) -> Mapping[str, object]:
    used = scale_of(form)
    code = f"CRF {paper.study.demo_id} {paper.study.version} {paper.digest[:12]} {form.id}"
    domain = used.sdtm_domain if used is not None else ""
    return {
        "id": form.id,
        "label": paper.say(form.label),
        "domain": (form.domain or domain) if paper.annotated else "",
        "who": paper.say(_WHO.get(form.evaluator or "")),
        "repeats": form.repeats,
        "code": code,
        "square": drawing(code),
        "planned": [visit.id for visit in _visits(paper.study) if form in paper.study.forms_at(visit.id)],
        "licence": paper.say(used.licence.terms)
        if used is not None and used.licence.wording == "neutral"
        else "",
        "questions": [_question(paper, form, asked) for asked in questions(form)],
        "totals": [
            {
                "label": paper.say(total.label),
                "maximum": str(total.maximum),
                "note": _finding(domain, total.testcd) if paper.annotated else "",
            }
            for total in (used.totals if used is not None else ())
        ],
    }


def _question(paper: _Paper, form: Form, asked: Question) -> Mapping[str, object]:
    own, scored, used = asked.own, asked.scored, scale_of(form)
    section = own.section if own is not None else None
    if scored is not None and used is not None:
        section = used.sections.get(scored.section)
    return {
        "number": asked.id if scored is not None else "",
        "label": paper.say(asked.label),
        "section": paper.say(section),
        "help": paper.say(own.help if own is not None else scored.note if scored is not None else None),
        "unit": (own.unit or "") if own is not None else "",
        "shape": "choice" if own is None else _SHAPES.get(own.type, "choice"),
        "options": [] if asked.revealing else [list(option) for option in _options(paper, asked)],
        "missing": []
        if asked.revealing
        else [f"{code} {paper.say(MISSING[code])}" for code in asked.missing],
        "required": asked.required,
        "revealing": asked.revealing,
        "note": _annotation(form, asked) if paper.annotated else "",
    }


def _options(paper: _Paper, asked: Question) -> list[tuple[str, str]]:
    """Code and words of every answer that is ticked."""
    if asked.scored is not None:
        return [(str(option.score), paper.say(option.label)) for option in asked.scored.options]
    item = asked.own
    if item is not None and item.type == "truth":
        return [
            ("Y", said("documents.crf-yes", paper.language)),
            ("N", said("documents.crf-no", paper.language)),
        ]
    known = paper.study.codelist(item.codelist) if item is not None and item.codelist else None
    return [(term.code, paper.say(term.decode)) for term in (known.terms if known is not None else ())]


def _annotation(form: Form, asked: Question) -> str:
    """Where the answer goes, as an annotated form says it; `[NOT SUBMITTED]` for what goes nowhere."""
    used = scale_of(form)
    if asked.scored is not None and used is not None:
        return _finding(used.sdtm_domain, asked.scored.testcd)
    return _target(asked.own.sdtm if asked.own is not None else None)


def _target(target: SdtmTarget | None) -> str:
    if target is None:
        return "[NOT SUBMITTED]"
    if target.testcd is not None:
        return _finding(target.domain, target.testcd)
    return f"{target.domain}.{target.variable}" if target.variable else target.domain


def _finding(domain: str, testcd: str) -> str:
    return f"{domain}ORRES when {domain}TESTCD = {testcd}"
