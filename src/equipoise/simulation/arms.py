"""Which arm of a study is the control."""

from __future__ import annotations

from equipoise.protocol.study import Study


def control_arm(study: Study) -> str | None:
    """The arm that the analysis names, else the first that is none under trial; None where every arm is."""
    return study.analysis.control or next((arm.id for arm in study.arms if arm.type != "EXPERIMENTAL"), None)
