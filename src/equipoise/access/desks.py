"""What is done at desks away from the ward, by role: tubes and a laboratory's files, images and their reads.

The rule that must stay true: this file adds to the table in `roles.py` and is read by it alone.
"""

from __future__ import annotations

from collections.abc import Mapping

_TUBES = frozenset(
    {
        "CollectSpecimen",
        "MissSpecimen",
        "VoidSpecimen",
        "ProcessSpecimen",
        "MakeAliquots",
        "MoveAliquot",
        "EndAliquot",
        "SendShipment",
    }
)
"""Tubes, aliquots and shipments, by who draws and keeps them."""
_LABORATORY = frozenset({"ReceiveShipment", "ImportResults"})
"""What a laboratory says: of arrival, and in its files of results that tell no arm."""
_SEES = frozenset({"specimens", "imaging", "diary"})
"""The diary is never read by who rates: what a participant writes of the own progress would anchor a score."""

_READERS = frozenset({"readers"})
"""Who reads images and is certified for it: read by roles of the whole study, since a reader belongs to no site."""

_IMAGING = frozenset({"OrderImaging", "RecordImaging", "CancelImaging", "ReferenceImages", "RefuseImages"})
"""Images, by who has them made."""
_READS = frozenset({"OpenReading", "OpenAdjudication"})
"""Giving images to readers."""

_DIARY = frozenset(
    {
        "InviteDevice",
        "RevokeDevice",
        "SetDiaryReminder",
        "ReviewDiary",
        "LinkDiaryEntry",
        "HandleDiaryFlag",
        "ExplainDiaryGap",
        "RecordDiaryInterview",
    }
)
"""Phones of participants and caregivers, and what they wrote."""
_DIARY_DECIDES = frozenset({"DecideDiaryChange"})
"""Changing what counts of an entry is the site's alone, and signed."""
_OUTAGES = frozenset({"RecordInterruption"})

COMMANDS: Mapping[str, frozenset[str]] = {
    "coordinator": _TUBES | _IMAGING | _DIARY,
    "investigator": _TUBES | _IMAGING | _DIARY | _DIARY_DECIDES,
    "data_manager": _LABORATORY | _READS | _OUTAGES,
    "reader": frozenset({"ScoreReading"}),
    "system": frozenset(
        {"EnrolDevice", "RevokeDevice", "KeepDiaryEvidence", "RecordDiaryReminder", "RecordSitePage"}
    )
    | _OUTAGES,
}
READS: Mapping[str, frozenset[str]] = {
    "coordinator": _SEES,
    "investigator": _SEES,
    "monitor": _SEES | _READERS,
    "data_manager": _SEES | _READERS | {"results"},
    "sponsor": _READERS,
    "administrator": _READERS,
    "inspector": _SEES | _READERS,
    "reader": frozenset({"reads"}),
}
"""Role -> words to read."""
NOTHING: frozenset[str] = frozenset()
