"""Visits, deviations, specimens, imaging, ranges and forms not done, from the first study's own definition.

Sources: CDISC SDTMIG 3.4: SV (one row a visit number, SVPRESP and SVOCCUR of planned visits), DV, BE, PR, LB (--NRIND,
reference ranges), and tests not done (a row --ALL for a form). The expected rows are written by hand from the entries.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from equipoise.ledger.entries import (
    AliquotMoved,
    AliquotsMade,
    ConsentDocumented,
    Datum,
    DeviationClassed,
    DeviationRaised,
    DeviationWithdrawn,
    Entry,
    FormOmitted,
    FormReinstated,
    FormSaved,
    ImagingCancelled,
    ImagingOrdered,
    ImagingPerformed,
    InfusionEnded,
    InfusionStarted,
    RangeRow,
    ReadingConcluded,
    SpecimenCollected,
    SpecimenMissed,
    SpecimenProcessed,
    SubjectRandomized,
    SubjectScreened,
    VisitDated,
    VisitDescribed,
    VisitMissed,
    VisitReopened,
)
from equipoise.protocol.load import load_study
from equipoise.protocol.study import Study
from equipoise.standards.sdtm import sdtm
from rooms.standards.sdtm_example import form, stream, study

FOLDER = Path(__file__).resolve().parents[3] / "studies" / "nct07197606"


@pytest.fixture(scope="module")
def first() -> Study:
    study = load_study(FOLDER)
    assert isinstance(study, Study)
    return study


def rows(
    study: Study, domain: str, *entries: Entry, ranges: tuple[RangeRow, ...] = ()
) -> list[dict[str, object]]:
    found = sdtm(
        study,
        [stream("a", SubjectScreened("a", "01", "001", "person-a"), *entries)],
        {"01": ranges},
        rehearsal=False,
    )[domain]
    names = [column.name for column in found.columns]
    return [
        {name: cell for name, cell in zip(names, row, strict=True) if cell is not None} for row in found.rows
    ]


def saved(form: str, visit: str, **items: str | Datum) -> FormSaved:
    data = {name: one if isinstance(one, Datum) else Datum(one) for name, one in items.items()}
    return FormSaved(visit, form, 1, data, {}, complete=False)


def label(study: Study, visit: str) -> str:
    found = study.visit(visit)
    assert found is not None
    return found.label.en.upper()


def unscheduled(study: Study) -> tuple[int, str]:
    return next((n, v.id) for n, v in enumerate(study.schedule.visits, 1) if v.unscheduled)


def test_visits_held_missed_and_unscheduled(first: Study) -> None:
    place, extra = unscheduled(first)
    found = rows(
        first, "SV",
        VisitDated("V9", "2026-09-01"),
        VisitMissed("V8", "UNREACHABLE"),
        VisitDated(extra, "2026-05-01", 1), VisitDescribed(extra, 1, mode="phone", because="SAFETY"),
        VisitDated(extra, "2026-06-01", 2), VisitDescribed(extra, 2, mode="clinic", because="REQUEST"),
    )  # fmt: skip
    told = [(row["VISIT"], row.get("SVPRESP"), row.get("SVOCCUR"), row.get("SVSTDTC")) for row in found]
    assert told == [
        (label(first, "V8"), "Y", "N", None),
        (label(first, "V9"), "Y", "Y", "2026-09-01"),
        (label(first, extra), None, None, "2026-05-01"),
        (label(first, extra), None, None, "2026-06-01"),
    ]
    assert found[0]["SVREASOC"] == "UNREACHABLE"
    assert [row["VISITNUM"] for row in found[2:]] == [place, place + Decimal("0.02")]
    assert [(row["SVCNTMOD"], row["SVUPDES"]) for row in found[2:]] == [
        ("TELEPHONE CALL", "SAFETY"),
        ("IN PERSON", "REQUEST"),
    ]


def test_a_visit_that_was_a_mistake_has_no_row_and_dates_no_result(first: Study) -> None:
    taken_back = (VisitDated("V1", "2026-02-01"), VisitReopened("V1", 1, reason="another's"))
    assert rows(first, "SV", *taken_back) == []
    weighed = form("DEMOG", WEIGHT="70")  # a form without a day of its own
    [row] = rows(study(), "VS", *taken_back, weighed)
    assert "VSDTC" not in row
    [row] = rows(study(), "VS", VisitDated("V1", "2026-02-01"), weighed)
    assert row["VSDTC"] == "2026-02-01"


def test_a_deviation_is_a_row_until_it_is_withdrawn(first: Study) -> None:
    late = DeviationRaised("d1", "out-of-window", "V8", 1, "", 5, "2026-08-20")
    by_hand = DeviationRaised("d2", "manual", text="Blood drawn after the meal", on="2026-08-21")
    found = rows(first, "DV", late, DeviationClassed("d1", "MINOR", important=False), by_hand)
    assert [(row["DVSPID"], row["DVTERM"], row["DVSTDTC"]) for row in found] == [
        ("d1", "Visit outside its window (5 days late)", "2026-08-20"),
        ("d2", "Blood drawn after the meal", "2026-08-21"),
    ]
    assert (found[0]["DVDECOD"], found[0]["DVCAT"], found[0]["EQIMPORT"]) == (
        "VISIT OUT OF WINDOW",
        "MINOR",
        "N",
    )
    assert "DVCAT" not in found[1]
    assert "EQIMPORT" not in found[1]
    assert str(found[0]["EQLEDGER"]).endswith("/3")  # raised by the second entry, classed by the third
    left = rows(first, "DV", late, by_hand, DeviationWithdrawn("d1", automatic=True))
    assert [row["DVSPID"] for row in left] == ["d2"]


def test_a_tube_from_the_vein_to_the_freezer(first: Study) -> None:
    # 01:00 UTC is 09:00 at a site in Shanghai.
    found = rows(
        first, "BE",
        SpecimenCollected("S1", "BIO", "V2", "2026-03-05T01:00:00Z", "N", ("NOT_FASTING",)),
        SpecimenProcessed("S1", "2026-03-05T01:30:00Z", "2026-03-05T02:00:00Z", "NONE"),
        AliquotsMade("S1", ("S1-01",), "0.5", "M80"),
        AliquotMoved("S1-01", "M20", thawed=True),
        SpecimenMissed("BIO", "V3", "REFUSED"),
    )  # fmt: skip
    told = [(row.get("BEREFID"), row["BEDECOD"], row["BECAT"], row.get("BESTDTC")) for row in found]
    assert told == [
        ("S1", "COLLECTING", "COLLECTION", "2026-03-05T09:00"),
        ("S1", "CENTRIFUGING", "PREPARATION", "2026-03-05T09:30"),
        ("S1", "FREEZING", "PREPARATION", "2026-03-05T10:00"),
        ("S1-01", "ALIQUOTING", "PREPARATION", None),
        ("S1-01", "THAWING", "STORAGE", None),
        (None, "COLLECTING", "COLLECTION", None),
    ]
    assert found[0]["EQDEVIAT"] == "NOT_FASTING"
    assert [row["VISIT"] for row in found[:5]] == [label(first, "V2")] * 5
    assert (found[5]["BESTAT"], found[5]["BEREASND"]) == ("NOT DONE", "REFUSED")
    assert found[5]["VISIT"] == label(first, "V3")


def test_imaging_is_a_procedure_once_it_was_done_or_cancelled(first: Study) -> None:
    ordered = ImagingOrdered("o1", "BRAIN", "V1", "2026-02-01", "2026-02-10")
    assert rows(first, "PR", ordered) == []
    [row] = rows(first, "PR", ordered, ImagingPerformed("o1", "2026-02-03", "GOOD"))
    assert (row["PRTRT"], row["PRCAT"], row["PROCCUR"], row["PRSTDTC"]) == (
        "BRAIN MRI",
        "IMAGING",
        "Y",
        "2026-02-03",
    )
    [row] = rows(first, "PR", ordered, ImagingCancelled("o1", "claustrophobia"))
    assert (row["PROCCUR"], row["PRREASOC"]) == ("N", "claustrophobia")
    assert "PRSTDTC" not in row


def test_a_central_read_stands_beside_the_site_s_and_replaces_nothing(first: Study) -> None:
    found = rows(
        first, "NV",
        saved("MRI", "V1", MRIDAT="2026-02-03", INFVOL="12.5"),
        ImagingOrdered("o1", "BRAIN", "V1", "2026-02-01", "2026-02-10"),
        ImagingPerformed("o1", "2026-02-03", "GOOD"),
        ReadingConcluded("o1", {"INFVOL": Datum("14"), "FAZEKAS": Datum("2")}, ("INFVOL",)),
    )  # fmt: skip
    assert [(row["NVTESTCD"], row["NVSTRESN"], row.get("NVEVALID"), row["NVDTC"]) for row in found] == [
        ("VOLUME", Decimal("12.5"), None, "2026-02-03"),
        ("VOLUME", Decimal(14), "CENTRAL READ", "2026-02-03"),
    ]
    assert found[1]["EQNOTE"] == "Decided by a third reader"
    taken_over = saved("MRI", "V1", MRIDAT="2026-02-03", INFVOL="14")
    [row] = rows(
        first, "NV", ImagingOrdered("o1", "BRAIN", "V1", "2026-02-01", "2026-02-10"),
        ImagingPerformed("o1", "2026-02-03", "GOOD"), ReadingConcluded("o1", {"INFVOL": Datum("14")}), taken_over,
    )  # fmt: skip
    assert row["NVSTRESN"] == 14


def test_a_laboratory_value_has_the_range_of_its_day(first: Study) -> None:
    panel = next(one for one in first.forms if one.panel is not None and one.tests())
    test = next(item for item in panel.tests() if item.sdtm is not None and item.sdtm.testcd)
    assert panel.panel is not None
    assert test.sdtm is not None
    domain = test.sdtm.domain
    lab = tuple(
        RangeRow("Lab", test.id, test.unit, low, high, None, None, None, since, None)
        for low, high, since in (("1", "5", "2026-01-01"), ("1", "9", "2026-06-01"))
    )
    values = saved(panel.id, "V1", **{panel.panel.sampled: "2026-05-31", test.id: "7"})
    [row] = [
        one for one in rows(first, domain, values, ranges=lab) if one[f"{domain}TESTCD"] == test.sdtm.testcd
    ]
    assert (row[f"{domain}STNRLO"], row[f"{domain}STNRHI"], row[f"{domain}NRIND"]) == ("1", "5", "HIGH")
    assert (row[f"{domain}ORNRLO"], row[f"{domain}ORNRHI"]) == ("1", "5")
    later = saved(panel.id, "V1", **{panel.panel.sampled: "2026-06-01", test.id: "7"})
    [row] = [
        one for one in rows(first, domain, later, ranges=lab) if one[f"{domain}TESTCD"] == test.sdtm.testcd
    ]
    assert row[f"{domain}NRIND"] == "NORMAL"


def test_a_form_that_was_not_done_is_one_row_that_stands_for_all_its_tests(first: Study) -> None:
    omitted = FormOmitted("V2", "VS", 1, "RF", "tired")
    [row] = rows(first, "VS", omitted)
    assert (row["VSTESTCD"], row["VSSTAT"], row["VSREASND"]) == ("VSALL", "NOT DONE", "REFUSED")
    assert row["VISIT"] == label(first, "V2")
    assert "VSORRES" not in row
    assert rows(first, "VS", omitted, FormReinstated("V2", "VS", 1, "it was done")) == []


def test_what_a_form_not_done_would_have_asked_by_name_was_not_asked(first: Study) -> None:
    found = {row["MHTERM"]: row for row in rows(first, "MH", FormOmitted("V1", "RISK", 1, "ND"))}
    assert (found["HYPERTENSION"]["MHSTAT"], found["HYPERTENSION"]["MHPRESP"]) == ("NOT DONE", "Y")
    assert "MHOCCUR" not in found["HYPERTENSION"]


def test_reference_dates_of_dm(first: Study) -> None:
    signed = ConsentDocumented("1", "PARTICIPANT", True, "2026-02-27")
    drawn = SubjectRandomized("R100", "X")  # on 1 March at the site (the header's day)
    [row] = rows(first, "DM", signed, drawn)
    assert row["RFSTDTC"] == "2026-03-01"
    # 20:00 UTC on 3 March is 04:00 of the 4th in Shanghai: day 1 is the day of the first dose there.
    dosed = (
        InfusionStarted("q", "B1", "2026-03-03T20:00:00Z"),
        InfusionEnded("q", "2026-03-03T21:00:00Z", "COMPLETE", "100"),
    )
    [row] = rows(first, "DM", signed, drawn, *dosed)
    assert (row["RFSTDTC"], row["RFXSTDTC"], row["RFXENDTC"]) == (
        "2026-03-04",
        "2026-03-04T04:00",
        "2026-03-04T05:00",
    )
    died = FormSaved(
        "V11",
        "DS",
        1,
        {"DSDECOD": Datum("DEATH"), "DSSTDAT": Datum("2026-09-11"), "DTHDAT": Datum("2026-09-11")},
        {},
        complete=True,
    )
    [row] = rows(first, "DM", signed, drawn, died)
    assert (row["RFPENDTC"], row["RFENDTC"], row["DTHDTC"], row["DTHFL"]) == (*["2026-09-11"] * 3, "Y")
