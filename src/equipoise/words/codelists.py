"""The reasons for which a value may be missing."""

from __future__ import annotations

from collections.abc import Mapping

from equipoise.words.text import Text

MISSING: Mapping[str, Text] = {
    "ND": Text("Not done", "未做"),
    "UK": Text("Unknown", "不详"),
    "NA": Text("Not applicable", "不适用"),
    "RF": Text("Refused", "拒绝"),
    "UN": Text("Untestable", "无法评估"),
}
"""Reasons an item has no value. Chinese case report forms print ND, UK and NA; UN is the NIHSS's own code
and is offered only where an instrument allows it."""
