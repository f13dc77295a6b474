"""A participant's casebook as it is filed: every form as recorded, its queries, signatures, and its audit trail.

The rules that must stay true: the same values give the same bytes; whatever was changed is shown with what stood there
before, by whom, when and why; nobody but the participant's number and the staff's printed names is named. Sources: ICH
E6(R3) 4.2.2 and 21 CFR 11.10(b), (e) (a human-readable copy of the record with its audit trail).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from equipoise.documents.typeset import Issue, chinese_font, pdf, said, words_in
from equipoise.words.text import Language, Text

_WORDS = (
    "documents.sheet-rehearsal",
    "documents.book-contents",
    "documents.book-visits",
    "documents.book-visit",
    "documents.book-window",
    "documents.book-date",
    "documents.book-state",
    "documents.book-question",
    "documents.book-answer",
    "documents.book-queries",
    "documents.book-trail",
    "documents.book-item",
    "documents.book-before",
    "documents.book-after",
    "documents.book-who",
    "documents.book-when",
    "documents.book-why",
    "documents.book-signatures",
    "documents.book-no-answer",
    "documents.book-not-dated",
    "documents.book-end",
    "documents.book-deviations",
    "documents.book-deviation",
    "documents.book-classed",
    "documents.book-said",
)


@dataclass(frozen=True, slots=True)
class Answer:
    """One question and what stands there, in words. `section` heads the questions that follow it."""

    number: str
    label: str
    value: str
    section: str = ""
    changed: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """A query: the item it is about, its state, and everything that was said, each with who and when in front."""

    item: str
    state: str
    said: Sequence[str]


@dataclass(frozen=True, slots=True)
class Changed:
    """One line of the audit trail, in words; the moment on the site's clock."""

    item: str
    before: str
    after: str
    who: str
    when: str
    why: str


@dataclass(frozen=True, slots=True)
class FormPage:
    """One form. `remarks`: how it stands (complete, missing with its reason, entered in error, …)."""

    label: str
    code: str
    state: str
    answers: Sequence[Answer]
    remarks: Sequence[str] = ()
    totals: Sequence[tuple[str, str]] = ()
    queries: Sequence[Asked] = ()
    signatures: Sequence[str] = ()
    trail: Sequence[Changed] = ()


@dataclass(frozen=True, slots=True)
class VisitPages:
    """One visit, or the running lists: its name, day (empty where none was recorded; None: it has none), and forms."""

    label: str
    date: str | None
    forms: Sequence[FormPage]


@dataclass(frozen=True, slots=True)
class Casebook:
    """The whole book. `facts`: label and value. `schedule`: visit, window, date, state. `end`: what closes the book.

    deviations: what departed from the protocol, when and where, how serious it is held to be, and what was said of it.
    """

    subject: str
    lead: str
    facts: Sequence[tuple[str, str]]
    schedule: Sequence[tuple[str, str, str, str]]
    visits: Sequence[VisitPages]
    end: Sequence[str]
    deviations: Sequence[tuple[str, str, str, str]] = ()


def language_of_paper(wanted: Language) -> Language:
    """Chinese only where this machine has a font for it; the foot of each page says so otherwise."""
    return wanted if chinese_font() is not None else "en"


def casebook_pdf(book: Casebook, issue: Issue, language: Language) -> bytes:
    """The book as PDF, in one language (see `language_of_paper`)."""
    title = said("documents.book-title", language, subject=book.subject)
    values = {
        "lang": language,
        "heading": title,
        **{name: value for name, value in asdict(book).items() if name != "visits"},
        "visits": [asdict(visit) for visit in book.visits],
        "words": words_in(_WORDS, language),
    }
    return pdf("casebook", Text(title), issue, values)
