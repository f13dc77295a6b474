"""A report as a folder of files: pages and PDF in both languages."""

from __future__ import annotations

from pathlib import Path

from equipoise.documents.report import Report
from equipoise.documents.report_html import report_html
from equipoise.documents.report_pdf import report_pdf
from equipoise.documents.typeset import chinese_font
from equipoise.words.text import LANGUAGES


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
        if pdf and (language == "en" or chinese_font() is not None):
            path = out / f"report.{language}.pdf"
            path.write_bytes(report_pdf(report, language))
            written.append(path)
    return tuple(written)
