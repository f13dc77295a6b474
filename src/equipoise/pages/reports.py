"""A laboratory's file as a page of either door shows it, before anything of it is taken in."""

from __future__ import annotations

from equipoise.capture.specimens.accession import spaced
from equipoise.capture.specimens.importing import Judged
from equipoise.capture.specimens.results import LARGEST, decoded
from equipoise.pages.uploads import content_of
from equipoise.pages.visit import Visit
from equipoise.words.problem import Problem, problem

LISTED = 200
"""Lines of a report that a page shows; the counts are of all."""


def report_lines(judged: Judged) -> dict[str, object]:
    """Counts by class, faulty lines first, what is still awaited."""
    report = judged.report
    lines = sorted(report.lines, key=lambda line: (line.says is None, line.number))
    return {
        "good": bool(judged.appends),
        "counts": [(_key(name), count) for name, count in report.classes.items()],
        "total": len(report.lines),
        "lines": [{"one": one, "key": _key(one.found)} for one in lines[:LISTED]],
        "more": max(len(lines) - LISTED, 0),
        "silent": [(spaced(specimen), test) for specimen, test in report.silent[:LISTED]],
        "silent_count": len(report.silent),
    }


def _key(found: str) -> str:
    return f"specimens.class-{found.lower().replace('_', '-')}"


def posted_file(request: Visit) -> str | Problem:
    """The text of the file that was chosen, or of the one that was looked through before."""
    file = request.FILES.get("file")
    if file is None:
        text = request.POST.get("text", "").replace("\r\n", "\n")
        return text or problem("attachments.choose", "file")
    data = content_of(file)
    return (
        problem("specimens.file-too-large", "file", limit=LARGEST // 1000)
        if isinstance(data, int)
        else decoded(data)
    )
