"""Events and interventions from the first study's own forms: what is asked there must come out as SDTM has it.

Sources: CDISC SDTMIG 3.4: 5.1 and 6.1 (interventions), 6.2 (events), 4.4.7 (relative timing: --ENRTPT, --ENTPT).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from equipoise.ledger.entries import Datum, Entry, FormSaved, RowRestored, RowVoided
from equipoise.protocol.load import load_study
from equipoise.protocol.study import Study
from equipoise.standards.dataset import Dataset
from equipoise.standards.sdtm import sdtm
from rooms.standards.sdtm_example import screened, stream

FOLDER = Path(__file__).resolve().parents[3] / "studies" / "nct07197606"


@pytest.fixture(scope="module")
def first() -> Study:
    study = load_study(FOLDER)
    assert isinstance(study, Study)
    return study


def saved(form: str, visit: str = "LOG", repeat: int = 1, **items: str | Datum) -> FormSaved:
    data = {name: one if isinstance(one, Datum) else Datum(one) for name, one in items.items()}
    return FormSaved(visit, form, repeat, data, {}, complete=False)


def rows(study: Study, domain: str, *entries: Entry) -> list[dict[str, object]]:
    found: Dataset = sdtm(study, [stream("a", screened("a", "001"), *entries)], rehearsal=False)[domain]
    names = [column.name for column in found.columns]
    return [
        {name: cell for name, cell in zip(names, row, strict=True) if cell is not None} for row in found.rows
    ]


def test_a_medicine_that_goes_on(first: Study) -> None:
    given = saved("CM", CMTRT="Aspirin", CMDOSE="100", CMDOSU="mg", CMDOSFRQ="QD", CMROUTE="ORAL", CMSTDAT="2026-08", CMONGO="Y")  # fmt: skip
    [row] = rows(first, "CM", given)
    assert (row["CMTRT"], row["CMDOSE"], row["CMDOSU"], row["CMDOSFRQ"]) == ("Aspirin", "100", "mg", "QD")
    assert (row["CMSTDTC"], row["CMENRTPT"]) == ("2026-08", "ONGOING")
    assert row["CMENTPT"] == "2026-03-01"  # the day on which it was said, at the site
    assert row["CMSPID"] == "CM-1"


def test_a_row_entered_in_error_is_nowhere_until_it_is_taken_back(first: Study) -> None:
    given, void = saved("AE", AETERM="Fever", AETOXGR="2"), RowVoided("LOG", "AE", 1, "another's")
    assert rows(first, "AE", given, void) == []
    [row] = rows(first, "AE", given, void, RowRestored("LOG", "AE", 1, "theirs"))
    assert (row["AETERM"], row["AETOXGR"]) == ("Fever", "2")


def test_an_event_with_its_time_and_seriousness(first: Study) -> None:
    given = saved("AE", AETERM="Chills", AESTDAT="2026-08-05", AESTTIM="10:20", AESER="Y", AESHOSP="Y", AEREL="RELATED", AERELPR="NOT RELATED")  # fmt: skip
    [row] = rows(first, "AE", given)
    assert row["AESTDTC"] == "2026-08-05T10:20"
    assert (row["AESER"], row["AESHOSP"], row["AEREL"], row["AERELPR"]) == (
        "Y",
        "Y",
        "RELATED",
        "NOT RELATED",
    )


def test_what_is_asked_by_name_is_answered_or_says_why_not(first: Study) -> None:
    given = saved("RISK", "V1", HTN="Y", DIAB="N", AFIB=Datum(missing="UK"), SMOKING="FORMER", PACKYRS="20", SMKQUIT="2019", ALCOHOL="N")  # fmt: skip
    found = {row["MHTERM"]: row for row in rows(first, "MH", given)}
    assert (found["HYPERTENSION"]["MHOCCUR"], found["HYPERTENSION"]["MHPRESP"]) == ("Y", "Y")
    assert found["DIABETES MELLITUS"]["MHOCCUR"] == "N"
    assert (found["ATRIAL FIBRILLATION"]["MHSTAT"], found["ATRIAL FIBRILLATION"]["MHREASND"]) == (
        "NOT DONE",
        "UNKNOWN",
    )
    used = {row["SUTRT"]: row for row in rows(first, "SU", given)}
    assert (used["TOBACCO"]["SUNCF"], used["TOBACCO"]["SUPACKYR"], used["TOBACCO"]["SUENDTC"]) == (
        "FORMER",
        "20",
        "2019",
    )
    assert used["ALCOHOL"]["SUOCCUR"] == "N"


def test_the_stroke_is_one_row_of_history_and_reperfusion_two_procedures(first: Study) -> None:
    given = saved("STROKE", "V1", STRKTYPE="ISCHEMIC", ONSETDAT="2026-07-01", ONSETTIM="08:15", TOAST="LAA", LESNSIDE="LEFT",
                  IVT="Y", IVTDAT="2026-07-01", IVTTIM="10:00", IVTDRUG="ALTEPLASE", EVT="Y", EVTDAT="2026-07-01", MTICI="2b")  # fmt: skip
    [stroke] = rows(first, "MH", given)
    assert (stroke["MHTERM"], stroke["MHSTDTC"], stroke["MHTOAST"]) == ("ISCHEMIC", "2026-07-01T08:15", "LAA")
    assert stroke["MHCAT"] == "PRIMARY DIAGNOSIS"
    lysis, thrombectomy = rows(first, "PR", given)
    assert (lysis["PRTRT"], lysis["PRSTDTC"], lysis["PRDRUG"], lysis["PROCCUR"]) == (
        "INTRAVENOUS THROMBOLYSIS",
        "2026-07-01T10:00",
        "ALTEPLASE",
        "Y",
    )
    assert (thrombectomy["PRTRT"], thrombectomy["PRMTICI"]) == ("ENDOVASCULAR TREATMENT", "2b")


def test_rehabilitation_and_devices(first: Study) -> None:
    training = saved("REHAB", RHTYPE="PHYSIOTHERAPY", RHSESS="5", RHMIN="45", RHSTDAT="2026-08-01")
    device = saved("DEVICE", DVTYPE="AFO", DVSIDE="LEFT", DVSTDAT="2026-08-01")
    [row] = rows(first, "PR", training)
    assert (row["PRTRT"], row["PRDOSE"], row["PRSESSWK"]) == ("PHYSIOTHERAPY", "45", "5")
    [row] = rows(first, "DX", device)
    assert (row["DXTRT"], row["DXLAT"]) == ("AFO", "LEFT")


def test_how_participation_ended_stands_in_ds(first: Study) -> None:
    ended = saved("DS", "V11", DSDECOD="DEATH", DSSTDAT="2026-09-11", DTHCAUS="Pneumonia")
    [row] = rows(first, "DS", ended)
    assert (row["DSDECOD"], row["DSTERM"], row["DSSTDTC"], row["DSDTHCAU"]) == (
        "DEATH",
        "DEATH",
        "2026-09-11",
        "Pneumonia",
    )


def test_a_computed_value_is_a_row_of_findings(first: Study) -> None:
    worked = FormSaved(
        "V1", "EG", 1, {"EGHR": Datum("60"), "QT": Datum("400")}, {"QTCFC": Datum("400")}, complete=False
    )
    found = {row["EGTESTCD"]: row for row in rows(first, "EG", worked)}
    assert (found["QTCFAG"]["EGSTRESN"], found["QTCFAG"]["EGORRESU"]) == (400, "ms")


def test_no_person_and_no_revealing_item_is_exported(first: Study) -> None:
    given = saved("BGC", "V4", BGCGS="ACTIVE", BGCTX="Nurse Wang")
    hidden = saved("PREP", "V2", BAGTYPE="CELLS", LOTNO="L-1")
    for dataset in sdtm(first, [stream("a", screened("a", "001"), given, hidden)], rehearsal=False).values():
        cells = {str(cell) for row in dataset.rows for cell in row}
        assert not cells & {"Nurse Wang", "CELLS", "L-1"}
