"""A report as PDF: first page with contents, then every exhibit; deterministic, as every document of the house."""

from __future__ import annotations

import datetime as dt

from equipoise.documents.figure import svg
from equipoise.documents.report import Exhibit, Report, both_of
from equipoise.documents.typeset import Issue, pdf
from equipoise.words.text import Language, Text


def report_pdf(report: Report, language: Language, template: str = "report") -> bytes:
    """The report in one language (see `casebook.language_of_paper`); issued on the day of the cut.

    template: `report`, an exhibit a page after its contents; `brief`, one exhibit after another on upright pages.
    """
    title = report.title.say(language)
    banner = report.banner.say(language) if report.banner is not None else ""
    if report.rehearsal:
        banner = " · ".join(part for part in (banner, report.words["rehearsal"].say(language)) if part)
    values = {
        "lang": language,
        "heading": title,
        "said": [text.say(language) for text in report.said],
        "banner": banner,
        "facts": [[label.say(language), both_of(value, language)] for label, value in report.facts],
        "exhibits": [_exhibit(report, one, language) for one in report.exhibits],
        "words": {name: text.say(language) for name, text in report.words.items()},
    }
    issue = Issue(report.study, dt.date.fromisoformat(report.cut), rehearsal=False)
    return pdf(template, Text(title), issue, values)


def _exhibit(report: Report, one: Exhibit, language: Language) -> dict[str, object]:
    return {
        "id": one.id,
        "title": one.title.say(language),
        "population": one.about(language),
        "estimand": one.estimand.say(language) if one.estimand is not None else "",
        "columns": [text.say(language) for text in (one.lead, *one.columns)],
        "lines": [
            {
                "label": line.say(language),
                "indent": line.indent,
                "head": line.head,
                "cells": [cell.say(language) for cell in line.cells],
            }
            for line in one.lines
        ],
        "empty": report.words["nobody"].say(language) if not one.lines else "",
        "notes": [note.say(language) for note in one.notes],
        "figures": [
            {"svg": svg(each.description[language]).decode(), "alt": each.alternative.say(language)}
            for each in one.figures
        ],
        "wide": one.wide,
    }
