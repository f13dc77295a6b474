"""The SDTM tables against rows written by hand.

Source of the expected rows: CDISC SDTMIG 3.4 for variables and their meaning; the scales' published items and scores.
"""

from __future__ import annotations

import hashlib
import random
from decimal import Decimal

import pytest

from equipoise.ledger.entries import (
    ConsentDocumented,
    ConsentWithdrawn,
    Datum,
    EligibilityJudged,
    Entry,
    FormSaved,
    Recorded,
    ScreeningFailed,
    SubjectRandomized,
    VisitDated,
)
from equipoise.standards.dataset import Cell, Dataset
from equipoise.standards.sdtm import sdtm
from rooms.standards.sdtm_example import form, recorded, screened, stream, study

SIGNED = ConsentDocumented("1", "PARTICIPANT", True, "2026-03-01")
JUDGED = EligibilityJudged("ELIGIBLE", {"I01": "T", "I02": "T", "E01": "F"}, {}, (1,), confirmed=True)


def tables(*subjects: list[Recorded], rehearsal: bool = False) -> dict[str, Dataset]:
    return dict(sdtm(study(), subjects, rehearsal=rehearsal))


def rows(dataset: Dataset, *names: str) -> list[tuple[Cell, ...]]:
    return list(zip(*(dataset.column(name) for name in names), strict=True)) if dataset.rows else []


def reference(subject: str, seq: int) -> str:
    return hashlib.sha256(f"subject/{subject}".encode()).hexdigest()[:12] + f"/{seq}"


def nihss(**changed: str | Datum | None) -> FormSaved:
    """All fifteen items 1 (a valid score of each), then what differs."""
    items = ["1a", "1b", "1c", "2", "3", "4", "5a", "5b", "6a", "6b", "7", "8", "9", "10", "11"]
    given: dict[str, str | Datum | None] = {f"_{item}": "1" for item in items}
    return form("STROKESC", **{**given, **changed})


def test_the_files_depend_on_the_definition_and_not_on_the_data() -> None:
    assert list(tables()) == ["DM", "DS", "DV", "IE", "SV", "FT", "QS", "RS", "VS"]
    assert list(tables(stream("a", screened("a", "001")))) == list(tables())


def test_dm_has_one_row_a_subject_and_knows_no_arm() -> None:
    dm = tables(
        stream(
            "a",
            screened("a", "001"),
            SIGNED,
            form("DEMOG", BIRTH="1956-08-14", SEX="F", ARM="A"),
            JUDGED,
            SubjectRandomized("R100", "X"),
        ),
        stream("b", screened("b", "002"), ScreeningFailed(("E01",))),
        stream("c", screened("c", "003", again="b")),
    )["DM"]
    assert rows(dm, "STUDYID", "DOMAIN", "USUBJID", "SUBJID", "SITEID") == [
        ("walk-1", "DM", "walk-1-07-001", "001", "07"),
        ("walk-1", "DM", "walk-1-07-002", "002", "07"),
        ("walk-1", "DM", "walk-1-07-003", "003", "07"),
    ]
    # Born 14 August 1956, consent 1 March 2026: the 70th birthday is still to come.
    assert rows(dm, "BRTHDTC", "AGE", "AGEU", "SEX", "RFICDTC")[0] == (
        "1956-08-14",
        69,
        "YEARS",
        "F",
        "2026-03-01",
    )
    assert rows(dm, "ARM", "ARMCD", "ACTARM", "ACTARMCD") == [(None, None, None, None)] * 3
    assert dm.column("ARMNRS") == ("NOT YET UNBLINDED", "SCREEN FAILURE", "NOT ASSIGNED")
    assert dm.column("EQRESCR") == (None, None, "walk-1-07-002")
    assert dm.column("EQLEDGER") == (reference("a", 5), reference("b", 2), reference("c", 1))


def test_the_arm_changes_nothing_because_no_entry_names_it() -> None:
    # A form item aimed at ARM by mistake is not followed either.
    first = stream("a", screened("a", "001"), form("DEMOG", ARM="A"), SubjectRandomized("R100", "X"))
    second = stream("a", screened("a", "001"), form("DEMOG", ARM="B"), SubjectRandomized("R100", "X"))
    assert tables(first) == tables(second)


def test_age_of_a_partial_birth_date_is_given_only_where_it_is_certain() -> None:
    # Born in March 2000, consent on 1 March 2026: 25 or 26. Born in April 2000: 25.
    dm = tables(
        stream("a", screened("a", "001"), SIGNED, form("DEMOG", BIRTH="2000-03")),
        stream("b", screened("b", "002"), SIGNED, form("DEMOG", BIRTH="2000-04")),
    )["DM"]
    assert rows(dm, "BRTHDTC", "AGE", "AGEU") == [("2000-03", None, None), ("2000-04", 25, "YEARS")]


def test_a_rehearsal_bears_the_demonstration_id_everywhere() -> None:
    found = tables(stream("a", screened("a", "001"), SIGNED, nihss()), rehearsal=True)
    cells = [str(cell) for dataset in found.values() for row in dataset.rows for cell in row]
    assert {dataset.study for dataset in found.values()} == {"DEMO-0042"}
    assert "DEMO-0042-07-001" in cells
    assert not any("walk-1" in cell or "REG00000042" in cell or "subject/" in cell for cell in cells)


def test_ds_has_milestones_and_endings_on_the_site_s_day() -> None:
    # 17:30 UTC is 01:30 of the next day at a site in Shanghai (UTC+8).
    entries: list[tuple[Entry, str]] = [
        (screened("a", "001"), "2026-03-01T02:00:00.000000Z"),
        (ConsentDocumented("1", "PARTICIPANT", False, "2026-02-27"), "2026-03-01T02:00:00.000000Z"),
        (ConsentDocumented("1", "LEGAL_REPRESENTATIVE", True, "2026-03-01"), "2026-03-01T02:00:00.000000Z"),
        (SubjectRandomized("R100", "X"), "2026-03-04T17:30:00.000000Z"),
        (ConsentWithdrawn("PARTICIPANT", "2026-04-01"), "2026-04-02T02:00:00.000000Z"),
    ]
    made = [recorded("subject/a", seq, entry, at) for seq, (entry, at) in enumerate(entries, start=1)]
    other = stream("b", screened("b", "002"), ScreeningFailed(("I01", "E01")))
    ds = tables(made, other)["DS"]
    consent = "INFORMED CONSENT OBTAINED"
    assert rows(ds, "USUBJID", "DSSEQ", "DSTERM", "DSDECOD", "DSCAT", "EPOCH", "DSSTDTC", "EQLEDGER") == [
        ("walk-1-07-001", 1, f"{consent} FROM LEGAL REPRESENTATIVE", consent, "PROTOCOL MILESTONE", "SCREENING", "2026-03-01", reference("a", 3)),
        ("walk-1-07-001", 2, "RANDOMIZED", "RANDOMIZED", "PROTOCOL MILESTONE", "SCREENING", "2026-03-05", reference("a", 4)),
        ("walk-1-07-001", 3, "CONSENT WITHDRAWN", "WITHDRAWAL BY SUBJECT", "DISPOSITION EVENT", None, "2026-04-01", reference("a", 5)),
        ("walk-1-07-002", 1, "SCREEN FAILURE: I01, E01", "SCREEN FAILURE", "DISPOSITION EVENT", "SCREENING", "2026-03-01", reference("b", 2)),
    ]  # fmt: skip


def test_ie_names_criteria_that_were_not_met_by_the_last_judgement() -> None:
    first = EligibilityJudged("INELIGIBLE", {"I01": "F", "I02": "T", "E01": "F"}, {}, (1,))
    last = EligibilityJudged("INELIGIBLE", {"I01": "T", "I02": "U", "E01": "T"}, {}, (1,))
    ie = tables(
        stream("a", screened("a", "001"), first, last),
        stream("b", screened("b", "002"), first, ScreeningFailed(("I01",))),
        stream("c", screened("c", "003"), JUDGED),
    )["IE"]
    assert rows(ie, "USUBJID", "IESEQ", "IETESTCD", "IETEST", "IECAT", "IEORRES", "IESTRESC", "EQLEDGER") == [
        ("walk-1-07-001", 1, "E01", "Cannot stand", "EXCLUSION", "Y", "Y", reference("a", 3)),
        ("walk-1-07-002", 1, "I01", "Adult", "INCLUSION", "N", "N", reference("b", 3)),
    ]


def test_nihss_items_total_and_untestable() -> None:
    # 13 scored items of 1; 5a untestable counts 0; item 10 is scored 2: 13 + 2 = 15.
    un = Datum(missing="UN", why="amputation")
    rs = tables(stream("a", screened("a", "001"), nihss(_5a=un, _10="2", DAY="2026-03-02", HOUR="09:30")))[
        "RS"
    ]
    found = {
        row[0]: row[1:]
        for row in rows(
            rs, "RSTESTCD", "RSTEST", "RSCAT", "RSORRES", "RSSTRESC", "RSSTRESN", "RSSTAT", "EQNOTE"
        )
    }
    assert len(rs.rows) == 16
    assert found["NIH0101"] == ("NIHSS-LOC Alertness", "NIHSS", "1", "1", 1, None, None)
    assert found["NIH0107"] == ("NIHSS-Motor Left Arm", "NIHSS", "UN", "UN", None, None, "amputation")
    assert found["NIH0116"] == ("NIHSS-Total Score", "NIHSS", "15", "15", 15, None, "Untestable: 5a")
    assert set(
        rows(rs, "RSDTC", "VISIT", "VISITNUM", "VISITDY", "EPOCH", "RSEVAL", "RSSPID", "RSEVLINT")
    ) == {("2026-03-02T09:30", "SCREENING", 1, -7, "SCREENING", "INDEPENDENT ASSESSOR", "STROKESC", None)}
    assert rs.column("RSSEQ") == tuple(range(1, 17))


@pytest.mark.parametrize(
    ("code", "reason"), [("ND", "NOT DONE"), ("UK", "UNKNOWN"), ("NA", "NOT APPLICABLE"), ("RF", "REFUSED")]
)
def test_an_item_not_done_is_said_so_and_leaves_no_total(code: str, reason: str) -> None:
    rs = tables(stream("a", screened("a", "001"), nihss(_9=Datum(missing=code, why="tired"))))["RS"]
    found = {
        row[0]: row[1:]
        for row in rows(rs, "RSTESTCD", "RSORRES", "RSSTRESC", "RSSTRESN", "RSSTAT", "RSREASND", "EQNOTE")
    }
    assert found["NIH0113"] == (None, None, None, "NOT DONE", reason, "tired")
    assert "NIH0116" not in found


def test_the_latest_value_counts_and_a_removed_one_is_gone() -> None:
    rs = tables(
        stream(
            "a",
            screened("a", "001"),
            nihss(DAY="2026-03-02"),
            form("STROKESC", _1a="3"),
            form("STROKESC", _11=None),
            form("STROKESC", DAY="2026-03-03"),
        )
    )["RS"]
    found = {row[0]: row[1:] for row in rows(rs, "RSTESTCD", "RSORRES", "RSDTC", "EQLEDGER")}
    assert found["NIH0101"] == ("3", "2026-03-03", reference("a", 3))
    assert found["NIH0102"] == ("1", "2026-03-03", reference("a", 2))
    assert "NIH0115" not in found
    assert "NIH0116" not in found


def test_a_total_refers_to_the_last_entry_that_it_rests_on() -> None:
    rs = tables(
        stream(
            "a",
            screened("a", "001"),
            nihss(_11=None),
            form("STROKESC", DAY="2026-03-02"),
            form("STROKESC", _11="0"),
            form("STROKESC", HOUR="10:00"),
        )
    )["RS"]
    total = rows(rs, "RSTESTCD", "RSSTRESN", "EQLEDGER")[-1]
    assert total == ("NIH0116", 14, reference("a", 4))


def test_a_scale_of_one_item_gives_one_row_and_two_grades_stay_apart() -> None:
    entries = (
        form("RANKIN", _1="3", DAY="2026-03"),
        form("BEFORE", GRADE="0"),
        VisitDated("V1", "2026-03-02"),
    )
    rs = tables(stream("a", screened("a", "001"), *entries))["RS"]
    assert rows(rs, "RSSPID", "RSTESTCD", "RSCAT", "RSSTRESN", "RSDTC", "RSEVLINT") == [
        # The date of the grade before is that of the visit, since its form has none; the other is known to the month.
        ("BEFORE", "MRS0101", "MRS", 0, "2026-03-02", None),
        ("RANKIN", "MRS0101", "MRS", 3, "2026-03", "-P14D"),
    ]


def test_part_of_a_scale_goes_to_its_own_domain_with_its_totals() -> None:
    # Wrist 5 items and hand 7 items (Fugl-Meyer B and C), all 2, one hand item 1: totals 10 and 13.
    items: dict[str, str | Datum | None] = {f"UE{number}": "2" for number in range(19, 31)}
    ft = tables(stream("a", screened("a", "001"), form("HAND", **{**items, "UE30": "1", "SIDE": "LEFT"})))[
        "FT"
    ]
    found = {row[0]: row[1:] for row in rows(ft, "FTTESTCD", "FTCAT", "FTSTRESN", "FTLAT", "FTDTC")}
    assert len(found) == 12 + 2
    assert found["FMAUEB"] == ("FUGL-MEYER ASSESSMENT", 10, "LEFT", None)
    assert found["FMAUEC"] == ("FUGL-MEYER ASSESSMENT", 13, "LEFT", None)


def test_barthel_goes_to_qs() -> None:
    best = {"1": 10, "2": 15, "3": 5, "4": 10, "5": 5, "6": 15, "7": 10, "8": 10, "9": 10, "10": 10}
    entry = form("DAILY", "V2", **{f"_{item}": str(value) for item, value in best.items()})
    qs = tables(stream("a", screened("a", "001"), entry))["QS"]
    assert rows(qs, "QSTESTCD", "QSCAT", "QSSTRESN", "VISITNUM", "EPOCH")[-1] == (
        "BI0111",
        "BARTHEL INDEX",
        100,
        2,
        "FOLLOW-UP",
    )


def test_own_items_with_units_and_items_that_reveal() -> None:
    vs = tables(stream("a", screened("a", "001"), form("DEMOG", WEIGHT="61.5", CELLS="90000000")))["VS"]
    assert rows(vs, "VSTESTCD", "VSTEST", "VSORRES", "VSORRESU", "VSSTRESN", "VSSTRESU") == [
        ("WEIGHT", "Weight", "61.5", "kg", Decimal("61.5"), "kg")
    ]
    assert vs.columns[vs.position("VSSTRESN")].data_type == "decimal"


def test_a_result_has_what_the_site_wrote_and_the_standard_unit() -> None:
    """SDTMIG 3.4, 6.3: --ORRES and --ORRESU as collected, --STRESC, --STRESN and --STRESU in the standard unit."""
    weight = Datum("70.307", entered="155", unit="[lb_av]")
    vs = tables(stream("a", screened("a", "001"), form("DEMOG", WEIGHT=weight)))["VS"]
    names = ("VSTESTCD", "VSORRES", "VSORRESU", "VSSTRESC", "VSSTRESN", "VSSTRESU")
    assert rows(vs, *names) == [("WEIGHT", "155", "[lb_av]", "70.307", Decimal("70.307"), "kg")]


def test_a_result_beyond_its_limit_keeps_what_the_site_wrote() -> None:
    """SDTMIG 3.4, LB: LBORRES and LBSTRESC hold "<0.5" or ">500", LBSTRESN nothing; each in the unit that stands beside it."""
    weight = Datum(missing="BLQ", why="<0.999 kg", entered="<2.2", unit="[lb_av]")
    vs = tables(stream("a", screened("a", "001"), form("DEMOG", WEIGHT=weight)))["VS"]
    names = ("VSORRES", "VSORRESU", "VSSTRESC", "VSSTRESN", "VSSTRESU", "VSSTAT", "VSREASND")
    assert rows(vs, *names) == [("<2.2", "[lb_av]", "<0.999", None, "kg", None, None)]
    plain = Datum(missing="BLQ", why="<0.5 kg")
    vs = tables(stream("a", screened("a", "001"), form("DEMOG", WEIGHT=plain)))["VS"]
    assert rows(vs, *names) == [("<0.5", "kg", "<0.5", None, "kg", None, None)]
    above = Datum(missing="ALQ", why=">227.2 kg", entered=">501", unit="[lb_av]")
    vs = tables(stream("a", screened("a", "001"), form("DEMOG", WEIGHT=above)))["VS"]
    assert rows(vs, *names) == [(">501", "[lb_av]", ">227.2", None, "kg", None, None)]


def test_repeats_of_an_unscheduled_visit_have_numbers_of_their_own() -> None:
    entries = (form("BEFORE", "UNS", GRADE="1"), form("BEFORE", "UNS", repeat=2, GRADE="2"))
    rs = tables(stream("a", screened("a", "001"), *entries))["RS"]
    assert rows(rs, "VISITNUM", "EPOCH", "RSSPID", "RSSTRESN") == [
        (Decimal(3), None, "BEFORE", 1),
        (Decimal("3.02"), None, "BEFORE-2", 2),
    ]


def test_erased_bodies_leave_no_rows_and_no_fault() -> None:
    assert tables(stream("a", None, SIGNED))["DM"].rows == ()
    found = tables(stream("a", screened("a", "001"), None, nihss()))
    assert len(found["RS"].rows) == 16


def test_the_order_in_which_subjects_and_entries_come_changes_nothing() -> None:
    subjects = [
        stream(name, screened(name, f"{place:03d}"), SIGNED, nihss(_1a=str(place % 4)), JUDGED)
        for place, name in enumerate("abcdef", start=1)
    ]
    expected = tables(*subjects)
    mixed = [random.Random(7).sample(entries, len(entries)) for entries in subjects]
    random.Random(5).shuffle(mixed)
    assert tables(*mixed) == expected


def test_every_row_names_an_entry_that_exists() -> None:
    entries = stream(
        "a", screened("a", "001"), SIGNED, nihss(), form("RANKIN", _1="2"), JUDGED, ScreeningFailed(("I01",))
    )
    known = {reference("a", each.header.seq) for each in entries}
    for dataset in tables(entries).values():
        assert set(dataset.column("EQLEDGER")) <= known


def test_names_fit_the_limits_of_sdtm() -> None:
    for dataset in tables().values():
        assert all(len(column.name) <= 8 and len(column.label) <= 40 for column in dataset.columns)
        assert [column.name for column in dataset.columns][:3] == ["STUDYID", "DOMAIN", "USUBJID"]
