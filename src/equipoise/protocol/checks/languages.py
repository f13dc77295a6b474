"""Every text stands in every language that the study declares."""

from __future__ import annotations

from equipoise.protocol.checks.finding import Findings, fault
from equipoise.protocol.parts import texts
from equipoise.protocol.study import Study


def texts_are_complete(study: Study) -> Findings:
    """Chinese where `zh` is declared; no empty text in either language."""
    for path, text in texts(study):
        if not text.en.strip():
            yield fault("protocol.value-no-english", path)
        if "zh" in study.languages and not (text.zh or "").strip():
            yield fault(
                "protocol.study-no-chinese", path, text=text.en if len(text.en) <= 60 else text.en[:59] + "…"
            )
    if "en" not in study.languages:
        yield fault("protocol.study-no-english", ("languages",))
