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

BELOW = "BLQ"
ABOVE = "ALQ"
"""What stands in place of a number that a laboratory could not count, below or above a limit that is said beside it. No
list offers them: "<0.5" and ">500" give them, in a laboratory's file or typed in the field."""
UNCOUNTED: Mapping[str, Text] = {
    BELOW: Text("Below the limit of quantification", "低于定量限"),
    ABOVE: Text("Above the limit of quantification", "高于定量限"),
}


def decoded(code: str) -> Text:
    """A reason in words; the code itself where it is none of ours."""
    return UNCOUNTED.get(code) or MISSING.get(code, Text(code))
