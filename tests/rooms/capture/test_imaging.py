"""Imaging: headers looked at without pictures, reads under numbers without order, differences decided by a third.

The DICOM files are made here, by pydicom itself; nothing of a real person or machine is in them.
Sources: DICOM PS3.5 9.1 and PS3.15 Annex E; the study's own reading rules (assumed).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import io

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

from equipoise.capture.imaging.commands import (
    CancelImaging,
    OpenAdjudication,
    OpenReading,
    OrderImaging,
    RecordImaging,
    ReferenceImages,
    ScoreReading,
)
from equipoise.capture.imaging.decide import decide
from equipoise.capture.imaging.evolve import START, evolve, state_from_json, state_to_json
from equipoise.capture.imaging.headers import is_uid, judge, read_header
from equipoise.capture.imaging.reading import differences, order_id, read_number, together
from equipoise.ledger.entries import Datum, ReadingConcluded, ReadingDiffered, SeriesSeen
from equipoise.ledger.facts import Facts
from rooms.capture.conduct_study import OCCASION, folded, rules, written
from stories.conftest import first_study

STUDY = first_study()
BRAIN = STUDY.imaging.procedure("BRAIN")
MRI = STUDY.form("MRI")
READERS = ("anna", "bo", "cai")
CERTIFIED = {
    one: {"MR": ("2026-01-01", "2026-08-14")} for one in READERS
}  # to the day of OCCASION, which counts
KNOWN = Facts(subject_known=True, readers_named=frozenset(READERS), readers_certified=CERTIFIED)
PIXELS = b"PIXELS" * 40


def dicom(**changed) -> bytes:
    """One made-up image of participant 01001 on 14 August 2026."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = MRImageStorage
    meta.MediaStorageSOPInstanceUID = "1.2.826.0.1.99.3.1"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    said = {
        "PatientName": "01001", "PatientID": "01001", "StudyDate": "20260814", "Modality": "MR",
        "StudyInstanceUID": "1.2.826.0.1.99.1", "SeriesInstanceUID": "1.2.826.0.1.99.2",
        "SOPClassUID": MRImageStorage, "SOPInstanceUID": "1.2.826.0.1.99.3.1", "PixelData": PIXELS,
        "Rows": 8, "Columns": 15, "BitsAllocated": 16, "SamplesPerPixel": 1,
    }  # fmt: skip
    for name, value in (said | changed).items():
        if value is not None:
            setattr(made, name, value)
    made["PixelData"].VR = "OW"
    kept = io.BytesIO()
    pydicom.dcmwrite(kept, made, enforce_file_format=True)
    return kept.getvalue()


def looked(*files, modalities=("MR",), on="2026-08-14"):
    return judge(files, "01001", modalities, on)


def test_a_file_without_names_is_known_by_its_header():
    found = looked(dicom(), dicom(SOPInstanceUID="1.2.826.0.1.99.3.2"), dicom())
    assert (found.wrong, found.tags) == ((), ())
    assert found.study_uid == "1.2.826.0.1.99.1"
    assert found.series == (SeriesSeen("1.2.826.0.1.99.2", "MR", 2),)  # the same image twice is one image


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"PatientID": "01002", "PatientName": ""}, "OTHER_PATIENT"),
        ({"StudyDate": "20260813"}, "OTHER_DATE"),
        ({"StudyDate": ""}, "OTHER_DATE"),
        ({"Modality": "US"}, "OTHER_MODALITY"),
        ({"BurnedInAnnotation": "YES"}, "BURNED_IN"),
        ({"SeriesInstanceUID": ""}, "NO_UID"),
    ],
)
def test_what_does_not_fit_is_named(changed, code):
    assert looked(dicom(**changed)).wrong == (code,)


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        ("PatientName", "Zhang^San"),
        ("PatientBirthDate", "19620307"),
        ("InstitutionName", "A hospital"),
        ("ReferringPhysicianName", "Doctor^A"),
        ("OperatorsName", "Somebody"),
        ("AccessionNumber", "A-1"),
        ("OtherPatientIDs", "77"),
    ],
)
def test_what_identifies_is_refused_by_its_tag_and_never_by_its_value(tag, value):
    found = looked(dicom(**{tag: value}))
    assert found.wrong == ("IDENTIFIES",)
    assert found.tags == (tag,)
    assert value not in repr(found)


def test_what_identifies_is_found_in_sequences_and_private_tags_too():
    inner = pydicom.Dataset()
    inner.PatientBirthDate = "19620307"
    made = pydicom.dcmread(io.BytesIO(dicom()))
    made.ReferencedPatientSequence = pydicom.Sequence([inner])
    made.add_new(0x00091002, "PN", "Somebody")
    kept = io.BytesIO()
    pydicom.dcmwrite(kept, made)
    assert looked(kept.getvalue()).tags == ("(0009,1002)", "PatientBirthDate")


def test_two_studies_and_files_that_are_none_are_named():
    other = dicom(StudyInstanceUID="1.2.826.0.1.99.9", SOPInstanceUID="1.2.826.0.1.99.3.9")
    assert looked(dicom(), other).wrong == ("TWO_STUDIES",)
    assert "NOT_DICOM" in looked(b"%PDF-1.7").wrong
    assert looked().wrong == ("NOT_DICOM",)


def test_no_picture_is_read():
    """The pixels are cut off in the middle: a header is read all the same."""
    whole = dicom()
    assert read_header(whole[: whole.index(PIXELS) + 10], "01001") is not None


@given(st.binary(max_size=300), st.integers(0, 400))
def test_garbage_is_no_dicom_file_and_no_crash(noise, cut):
    whole = dicom()
    for data in (noise, b"\0" * 128 + b"DICM" + noise, whole[:cut]):
        assert looked(data).wrong, "what is no whole header fits no order"


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("1.2.3", True),
        ("1.02.3", False),
        ("1..3", False),
        ("1", False),
        ("1." + "2" * 63, False),
        ("a.b", False),
    ],
)
def test_identifiers(text, fits):
    assert is_uid(text) is fits


# --- numbers and differences -----------------------------------------------------------------------------------------


def test_read_numbers_carry_no_order():
    """Kendall's tau of 400 numbers against visits, readers and subjects in order lies within 4 sd of 0 (sd 0.0335)."""
    numbers = [
        read_number(f"s{n}", order_id(f"s{n}", "BRAIN", f"V{v}", 1), part)
        for n in range(50)
        for v in range(4)
        for part in (1, 2)
    ]
    assert len(set(numbers)) == 400
    pairs = sum(
        (numbers[i] < numbers[j]) - (numbers[i] > numbers[j]) for i in range(400) for j in range(i + 1, 400)
    )
    assert abs(pairs / (400 * 399 / 2)) < 4 * 0.0335


_SCORES = st.fixed_dictionaries(
    {
        "INFVOL": st.integers(0, 3000).map(lambda tenths: Datum(f"{tenths / 10:.1f}"))
        | st.just(Datum(missing="ND")),
        "FAZEKAS": st.integers(0, 3).map(lambda grade: Datum(str(grade))),
        "MRIHEM": st.sampled_from([Datum("Y"), Datum("N"), Datum(missing="UK")]),
    }
)


@given(_SCORES, _SCORES, _SCORES)
def test_the_order_of_readers_changes_nothing_and_a_third_decides_what_differs_only(one, other, third):
    differ = differences(BRAIN, one, other)
    assert differ == differences(BRAIN, other, one)
    result = together(BRAIN, MRI, one, other, third)
    assert result == together(BRAIN, MRI, other, one, third)
    assert set(result) == {"INFVOL", "FAZEKAS", "MRIHEM"}
    for name, datum in result.items():
        assert (datum == third[name]) if name in differ else name not in differ
    assert differences(BRAIN, one, one) == ()
    assert together(BRAIN, MRI, one, one) == one


@pytest.mark.parametrize(
    ("one", "other", "differs"),
    [("10.0", "15.0", False), ("10.0", "15.1", True), ("100.0", "124.9", False), ("100.0", "126.0", True)],
)
def test_five_ml_or_a_fifth_of_the_larger_is_within_the_tolerance(one, other, differs):
    """|10-15.1| = 5.1 > max(5, 3.02); |100-124.9| = 24.9 <= 0.2*124.9 = 24.98; |100-126| = 26 > 25.2."""
    rest = {"FAZEKAS": Datum("1"), "MRIHEM": Datum("N")}
    found = differences(BRAIN, {"INFVOL": Datum(one), **rest}, {"INFVOL": Datum(other), **rest})
    assert found == (("INFVOL",) if differs else ())


def test_the_mean_has_the_digits_of_its_item():
    rest = {"FAZEKAS": Datum("1"), "MRIHEM": Datum("N")}
    said = together(BRAIN, MRI, {"INFVOL": Datum("10.0"), **rest}, {"INFVOL": Datum("10.5"), **rest})
    assert said["INFVOL"] == Datum("10.2")  # 10.25, to the even digit (ISO 80000-1, rule A)


# --- the course ------------------------------------------------------------------------------------------------------


class Course:
    """Commands in a row on one subject."""

    def __init__(self):
        self.entries = []

    @property
    def state(self):
        return folded(evolve, START, self.entries)

    def ask(self, command, by="crc", facts=KNOWN):
        return decide(STUDY, self.state, facts, command, dataclasses.replace(OCCASION, by=by))

    def do(self, command, by="crc"):
        new = [append.entry for append in written(self.ask(command, by))]
        self.entries += new
        return new


ORDER = order_id("s1", "BRAIN", "V1", 1)
SERIES = (SeriesSeen("1.2.3.4", "MR", 12),)


def ready() -> Course:
    course = Course()
    course.do(OrderImaging("s1", "BRAIN", "V1", "2026-08-01", "2026-08-10"))
    course.do(RecordImaging("s1", ORDER, "2026-08-05", "GOOD", "3 T"))
    course.do(ReferenceImages("s1", ORDER, "1.2.3", SERIES))
    return course


def scores(volume, grade="1", bleeding="N"):
    return {"INFVOL": Datum(volume), "FAZEKAS": Datum(grade), "MRIHEM": Datum(bleeding)}


def scored(course, part, reader, items):
    return course.do(ScoreReading("s1", read_number("s1", ORDER, part), "MRI", items), by=reader)


@pytest.mark.parametrize(
    ("on", "raised"), [("2026-07-31", ("EARLY",)), ("2026-08-10", ()), ("2026-08-11", ("LATE",))]
)
def test_an_early_or_late_day_is_recorded_and_raises_itself(on, raised):
    course = Course()
    course.do(OrderImaging("s1", "BRAIN", "V1", "2026-08-01", "2026-08-10"))
    assert course.do(RecordImaging("s1", ORDER, on, "GOOD"))[0].deviations == raised
    future = (dt.date(2026, 8, 14) + dt.timedelta(days=1)).isoformat()
    assert rules(course.ask(RecordImaging("s1", ORDER, future, "GOOD"))) == {"imaging.day-in-future"}


def test_what_is_not_planned_turned_round_or_asked_twice_is_refused():
    course = Course()
    assert rules(course.ask(OrderImaging("s1", "BRAIN", "V2", "2026-08-01", "2026-08-10"))) == {
        "imaging.not-planned"
    }
    assert rules(course.ask(OrderImaging("s1", "BRAIN", "V1", "2026-08-11", "2026-08-10"))) == {
        "imaging.window-turned"
    }
    course.do(OrderImaging("s1", "BRAIN", "V1", "2026-08-01", "2026-08-10"))
    again = OrderImaging("s1", "BRAIN", "V1", "2026-08-01", "2026-08-10")
    assert rules(course.ask(again)) == {"imaging.ordered-already"}
    assert rules(course.ask(ReferenceImages("s1", ORDER, "1.2.3", SERIES))) == {"imaging.not-performed"}
    course.do(CancelImaging("s1", ORDER, "no machine"))
    course.do(again)
    assert len(course.state.orders) == 2


def test_identifiers_and_series_that_cannot_be_are_refused():
    course = ready()
    for command, rule in (
        (ReferenceImages("s1", ORDER, "1.02", SERIES), "uid-unfit"),
        (ReferenceImages("s1", ORDER, "1.2.3", ()), "series-unfit"),
        (ReferenceImages("s1", ORDER, "1.2.3", (SeriesSeen("1.2", "US", 3),)), "modality-other"),
    ):
        assert rules(course.ask(command)) == {f"imaging.{rule}"}


def test_two_readers_who_agree_conclude():
    course = ready()
    course.do(OpenReading("s1", ORDER, "anna", "bo"))
    assert len(scored(course, 1, "anna", scores("10.0"))) == 1
    done = scored(course, 2, "bo", scores("14.0"))
    assert done[-1] == ReadingConcluded(ORDER, scores("12.0"), ())
    assert state_from_json(state_to_json(course.state)) == course.state


def test_readers_who_differ_are_decided_between_by_a_third_who_is_neither():
    course = ready()
    course.do(OpenReading("s1", ORDER, "anna", "bo"))
    scored(course, 2, "bo", scores("10.0"))
    assert rules(course.ask(OpenAdjudication("s1", ORDER, "cai"))) == {"imaging.no-difference"}
    assert scored(course, 1, "anna", scores("30.0"))[-1] == ReadingDiffered(ORDER, ("INFVOL",))
    assert rules(course.ask(OpenAdjudication("s1", ORDER, "bo"))) == {"imaging.same-reader"}
    course.do(OpenAdjudication("s1", ORDER, "cai"))
    done = scored(course, 3, "cai", scores("28.0", grade="3"))
    assert done[-1] == ReadingConcluded(ORDER, scores("28.0"), ("INFVOL",))  # the grade was not in question


@pytest.mark.parametrize(
    ("held", "said"),
    [
        ({}, "uncertified"),
        ({"CT": ("2026-01-01", "")}, "uncertified"),  # for other images
        ({"MR": ("2026-08-15", "2028-08-14")}, "uncertified"),  # from tomorrow on
        ({"MR": ("2024-08-14", "2026-08-13")}, "lapsed"),  # until yesterday
    ],
)
def test_who_holds_no_certificate_that_counts_today_is_given_nothing_and_scores_nothing(held, said):
    course = ready()

    def known(*named):
        return dataclasses.replace(KNOWN, readers_certified={**CERTIFIED, **dict.fromkeys(named, held)})

    both = OpenReading("s1", ORDER, "anna", "bo")
    assert rules(course.ask(both, facts=known("bo"))) == {f"imaging.second-{said}"}
    assert rules(course.ask(both, facts=known("anna", "bo"))) == {
        f"imaging.first-{said}",
        f"imaging.second-{said}",
    }
    course.do(both)
    mine = ScoreReading("s1", read_number("s1", ORDER, 1), "MRI", scores("10.0"))
    assert rules(course.ask(mine, by="anna", facts=known("anna"))) == {f"imaging.own-{said}"}
    course.do(mine, by="anna")
    scored(course, 2, "bo", scores("30.0"))
    third = OpenAdjudication("s1", ORDER, "cai")
    assert rules(course.ask(third, facts=known("cai"))) == {f"imaging.third-{said}"}
    course.do(third)


def test_a_study_that_asks_for_no_certificate_of_readers_has_them_read_without():
    course = ready()
    free = STUDY.model_copy(update={"imaging": STUDY.imaging.model_copy(update={"certificates": ()})})
    nobody = dataclasses.replace(KNOWN, readers_certified={})
    asked = OpenReading("s1", ORDER, "anna", "bo")
    assert written(decide(free, course.state, nobody, asked, OCCASION))


def test_a_read_is_scored_once_by_the_reader_it_was_given_to():
    course = ready()
    assert rules(course.ask(OpenReading("s1", ORDER, "anna", "anna"))) == {"imaging.same-reader"}
    assert rules(course.ask(OpenReading("s1", ORDER, "anna", "dora"))) == {"imaging.no-reader"}
    knows = dataclasses.replace(KNOWN, code_broken_for=frozenset({"bo"}))
    assert rules(course.ask(OpenReading("s1", ORDER, "anna", "bo"), facts=knows)) == {"imaging.reader-knows"}
    course.do(OpenReading("s1", ORDER, "anna", "bo"))
    mine = ScoreReading("s1", read_number("s1", ORDER, 1), "MRI", scores("10.0"))
    assert rules(course.ask(mine, by="bo")) == {"imaging.read-unknown"}
    assert rules(course.ask(dataclasses.replace(mine, items={"INFVOL": Datum("x")}), by="anna")) == {
        "capture.not-a-number", "imaging.score-missing"
    }  # fmt: skip
    course.do(mine, by="anna")
    assert rules(course.ask(mine, by="anna")) == {"imaging.scored-already"}
    assert rules(course.ask(RecordImaging("s1", ORDER, "2026-08-06", "POOR"))) == {"imaging.read-already"}
