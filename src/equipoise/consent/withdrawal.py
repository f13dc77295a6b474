"""How far a withdrawal goes: one literal table of what each level stops.

The rule that must stay true: what was collected before stays in the trial (its removal would bias the result), and what
a level does not name goes on. Source: ICH E6(R3) 2.8.11; FDA guidance on data retention when subjects withdraw (2008);
ICH E9(R1) on intercurrent events; Declaration of Helsinki 2024, 28.
"""

from __future__ import annotations

from collections.abc import Mapping

STOPS: Mapping[str, frozenset[str]] = {
    "FROM_SAMPLES": frozenset({"samples"}),
    "FROM_TREATMENT": frozenset({"treatment"}),
    "FROM_VISITS": frozenset({"treatment", "visits"}),
    "FROM_CONTACT": frozenset({"treatment", "visits", "contact"}),
    "FULL": frozenset({"treatment", "visits", "contact", "samples", "records"}),
}
"""Level -> what no longer happens: infusions; study visits (those from afar go on while contact does); any contact;
use of stored samples; reading of records."""
EVERYTHING = ("treatment", "visits", "contact", "records", "samples")
"""Everything that a level may stop, in the order in which a page names it."""
