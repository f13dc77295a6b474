"""A report as a folder of files: pages and PDF in both languages."""

from __future__ import annotations

from pathlib import Path

from equipoise.documents.report import Report
from equipoise.documents.report_html import report_html
from equipoise.documents.report_pdf import report_pdf
from equipoise.documents.typeset import chinese_font
from equipoise.words.text import LANGUAGES, Language


def write_report_files(report: Report, out: Path, *, pdf: bool = True) -> tuple[Path, ...]:
    """Write the pages and documents into the folder `out`, made when missing; the files in order.

    Without a font for Chinese on this machine there is no Chinese PDF; none at all without `pdf`. Raises OSError where
    `out` cannot be written.
    """
    written = []
    for language in LANGUAGES:
        for name, page in report_html(report, language).items():
            path = out / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(page, "utf-8")
            written.append(path)
        if pdf and _settable(language):
            path = out / f"report.{language}.pdf"
            path.write_bytes(report_pdf(report, language))
            written.append(path)
    return tuple(written)


def write_briefs(report: Report, out: Path) -> tuple[Path, ...]:
    """Write `brief.LANGUAGE.pdf` into the folder `out`, which is there: every exhibit after the other, upright."""
    written = []
    for language in filter(_settable, LANGUAGES):
        path = out / f"brief.{language}.pdf"
        path.write_bytes(report_pdf(report, language, "brief"))
        written.append(path)
    return tuple(written)


def _settable(language: Language) -> bool:
    return language == "en" or chinese_font() is not None
