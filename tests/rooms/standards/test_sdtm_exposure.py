"""EC from the record of a dose: entered once, at the bedside, and joined by what only a form asks.

Sources: CDISC SDTMIG 3.4, EC (a planned dose that was not given is a row with ECOCCUR N and its reason); the times and
minutes of each expected row are worked out by hand in the comment beside them. Decision 0025.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from equipoise.ledger.entries import (
    BagChecked,
    BagReleased,
    Datum,
    DosingDecided,
    DosingHeld,
    DosingJudged,
    Entry,
    FormSaved,
    InfusionEnded,
    InfusionInterrupted,
    InfusionResumed,
    InfusionStarted,
    PreparationRequested,
    SubjectScreened,
    WrongBagGiven,
)
from equipoise.protocol.load import load_study
from equipoise.protocol.study import Study
from equipoise.standards.sdtm import sdtm
from rooms.standards.sdtm_example import stream

FOLDER = Path(__file__).resolve().parents[3] / "studies" / "nct07197606"
BEGUN = SubjectScreened("a", "01", "001", "person-a")
ASKED = PreparationRequested("q1", "D1", "2026-08-05T01:00:00Z", "70.5")
RELEASED = BagReleased("q1", "412345", "2026-08-05T03:15:00Z", 1, "00")
CHECKED = BagChecked("q1", "412345", "nurse")
JUDGED = DosingJudged("q1", "BEDSIDE", "GO", {}, {})
BEGAN = InfusionStarted("q1", "412345", "2026-08-05T02:00:00Z")
READY = (ASKED, RELEASED, CHECKED, JUDGED, BEGAN)
WHOLE = InfusionEnded("q1", "2026-08-05T02:45:00Z", "COMPLETE", "100")
FORM = FormSaved("V2", "INF", 1, {"INFSITE": Datum("ARM"), "INFVOL": Datum("98.5")}, {}, complete=False)


@pytest.fixture(scope="module")
def first() -> Study:
    study = load_study(FOLDER)
    assert isinstance(study, Study)
    return study


def rows(study: Study, *entries: Entry) -> list[dict[str, object]]:
    found = sdtm(study, [stream("a", BEGUN, *entries)], rehearsal=False)["EC"]
    names = [column.name for column in found.columns]
    return [
        {name: cell for name, cell in zip(names, row, strict=True) if cell is not None} for row in found.rows
    ]


def test_a_dose_that_was_given_whole_is_one_row_with_what_the_form_adds(first: Study) -> None:
    [row] = rows(first, *READY, WHOLE, FORM)
    assert (row["ECTRT"], row["ECSPID"], row["ECOCCUR"], row["ECPRESP"]) == ("STUDY INFUSION", "D1", "Y", "Y")
    # 02:00 and 02:45 UTC are 10:00 and 10:45 in Shanghai (UTC+8).
    assert (row["ECSTDTC"], row["ECENDTC"], row["ECMIN"]) == ("2026-08-05T10:00", "2026-08-05T10:45", "45")
    assert (row["ECREFID"], row["ECTWO"], row["ECRECHK"], row["ECWT"]) == ("412345", "Y", "Y", "70.5")
    assert (row["ECCOMPL"], row["ECSHARE"], row["ECINTP"]) == ("COMPLETE", "100", "N")
    assert (row["ECDOSE"], row["ECDOSU"], row["ECLOC"]) == ("98.5", "mL", "ARM")
    assert "ECINTMIN" not in row


def test_the_row_names_the_last_entry_that_shaped_it(first: Study) -> None:
    """The stream: screening 1, the five entries before the end 2 to 6, the end 7, the form 8."""
    assert str(rows(first, *READY)[0]["EQLEDGER"]).endswith("/6")
    assert str(rows(first, *READY, WHOLE)[0]["EQLEDGER"]).endswith("/7")
    assert str(rows(first, *READY, WHOLE, FORM)[0]["EQLEDGER"]).endswith("/8")
    assert str(rows(first, *READY, FORM, WHOLE)[0]["EQLEDGER"]).endswith("/8")


def test_a_stopped_dose_says_how_much_and_why_and_counts_its_pauses(first: Study) -> None:
    [row] = rows(
        first,
        *READY,
        InfusionInterrupted("q1", "2026-08-05T02:10:00Z", "line blocked"),
        InfusionResumed("q1", "2026-08-05T02:17:00Z"),
        InfusionInterrupted("q1", "2026-08-05T02:30:00Z", "chills"),
        InfusionEnded("q1", "2026-08-05T02:40:00Z", "STOPPED", "60", "reaction"),
    )
    assert (row["ECCOMPL"], row["ECSHARE"], row["ECADJ"]) == ("STOPPED", "60", "reaction")
    # 7 minutes, and 10 from the second pause to the end, which closes it.
    assert (row["ECINTP"], row["ECINTMIN"], row["ECINTRSN"]) == ("Y", "17", "line blocked; chills")
    assert row["ECMIN"] == "40"


def test_a_dose_left_out_is_a_row_and_one_put_off_is_none(first: Study) -> None:
    held = (ASKED, DosingHeld("q1", ("no-fever",), "38.4"))
    [row] = rows(first, *held, DosingDecided("q1", "OMIT", "fever for a week"))
    assert (row["ECOCCUR"], row["ECREASOC"], row["ECTRT"]) == ("N", "fever for a week", "STUDY INFUSION")
    assert not {"ECSTDTC", "ECREFID", "ECTWO", "ECINTP"} & row.keys()
    assert rows(first, *held, DosingDecided("q1", "POSTPONE", "fever")) == []
    assert rows(first, ASKED, RELEASED, CHECKED) == []


def test_a_bag_meant_for_another_is_the_one_that_is_named(first: Study) -> None:
    mixed = WrongBagGiven("q1", "412345", "499999", "mix-up")
    [row] = rows(first, ASKED, RELEASED, mixed, InfusionStarted("q1", "499999", "2026-08-05T02:00:00Z"))
    assert (row["ECREFID"], row["ECTWO"], row["ECRECHK"]) == ("499999", "N", "N")
    assert "ECENDTC" not in row


def test_a_form_without_a_dose_keeps_its_row(first: Study) -> None:
    [row] = rows(first, FORM)
    assert (row["ECSPID"], row["ECDOSE"], row["ECDOSU"]) == ("INF-V2", "98.5", "mL")
    assert "ECOCCUR" not in row
    elsewhere = FormSaved("V4", "INF", 1, {"INFVOL": Datum("50")}, {}, complete=False)
    assert [row["ECSPID"] for row in rows(first, *READY, WHOLE, elsewhere)] == ["D1", "INF-V4"]


def test_what_was_given_is_the_same_whatever_the_bag_holds_and_no_form_asks_for_it_again(
    first: Study,
) -> None:
    asked = {
        item.sdtm.variable for form in first.forms for item in form.items if item.sdtm and item.sdtm.domain == "EC"
    }  # fmt: skip
    assert asked.isdisjoint({"ECSTDTC", "ECENDTC", "ECREFID", "ECADJ", "ECCOMPL", "ECTWO", "ECWT"})
