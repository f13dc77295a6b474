"""What the headers of DICOM files say, without their pictures: read, held against the order, and never kept.

The rules that must stay true: reading stops before the pixels, and nothing of a picture is ever stored; a file that
identifies a person is refused by the names of its tags and never by their values; a file belongs to one participant,
one study and one day. Sources: DICOM PS3.3 (attributes), PS3.15 Annex E (what identifies), PS3.5 9.1 (unique
identifiers).
"""

from __future__ import annotations

import hashlib
import io
import logging
import re
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from equipoise.ledger.entries import SeriesSeen

IDENTIFYING = frozenset(
    {
        "PatientBirthDate", "PatientBirthTime", "PatientBirthName", "PatientAddress", "PatientTelephoneNumbers",
        "PatientTelecomInformation", "PatientMotherBirthName", "OtherPatientIDs", "OtherPatientIDsSequence",
        "OtherPatientNames", "IssuerOfPatientID", "MilitaryRank", "EthnicGroup", "Occupation", "PatientComments",
        "PatientInsurancePlanCodeSequence", "CountryOfResidence", "RegionOfResidence", "PatientReligiousPreference",
        "ResponsiblePerson", "ResponsibleOrganization", "InstitutionName", "InstitutionAddress",
        "InstitutionalDepartmentName", "AccessionNumber", "AdmissionID", "CurrentPatientLocation",
        "PatientInstitutionResidence", "RequestingService", "ImageComments", "AdditionalPatientHistory",
    }
)  # fmt: skip
"""Attributes that identify a person or a site where they have a value; every person's name (VR PN) does besides."""
_UID = re.compile(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))+")
_NUMBER = ("PatientName", "PatientID")


@dataclass(frozen=True, slots=True)
class Header:
    """One file: what it belongs to, and what is wrong with it. `tags`: keywords of attributes that identify."""

    study_uid: str
    series_uid: str
    instance_uid: str
    modality: str
    date: str
    patient: str
    burned_in: bool
    tags: tuple[str, ...]
    digest: str


@dataclass(frozen=True, slots=True)
class Looked:
    """All files of an upload: `wrong` are codes (see `judge`), empty where they may be taken."""

    files: int
    study_uid: str
    series: tuple[SeriesSeen, ...]
    wrong: tuple[str, ...]
    tags: tuple[str, ...]
    digest: str


def is_uid(text: str) -> bool:
    """Whether a text is a unique identifier: digits and points, no leading zeros, at most 64 characters."""
    return len(text) <= 64 and _UID.fullmatch(text) is not None


def read_header(data: bytes, number: str) -> Header | None:
    """The header of one file; None for what is no DICOM file. `number`: what may stand in place of a name and an id."""
    import pydicom
    from pydicom import config

    # Its notes and warnings quote what stands in a file, which may be a person's name.
    config.logger.setLevel(logging.CRITICAL)
    config.settings.reading_validation_mode = config.IGNORE
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = pydicom.dcmread(io.BytesIO(data), stop_before_pixels=True)
            return _header(found, data, number)
    except Exception:  # noqa: BLE001  # whatever a damaged or foreign file makes of its reader: it is no DICOM file
        return None


def _header(found: Any, data: bytes, number: str) -> Header:  # Any: pydicom's data set
    def said(keyword: str) -> str:
        return str(found.get(keyword, "") or "").strip()

    return Header(
        said("StudyInstanceUID"), said("SeriesInstanceUID"), said("SOPInstanceUID"), said("Modality"),
        _day(said("StudyDate")), said("PatientID"), said("BurnedInAnnotation").upper() == "YES",
        tuple(sorted(set(_identifying(found, number)))), hashlib.sha256(data).hexdigest(),
    )  # fmt: skip


def _identifying(found: Any, number: str) -> Iterator[str]:  # Any: as above
    for element in found:
        if element.VR == "SQ":
            for inner in element.value or ():
                yield from _identifying(inner, number)
        keyword = element.keyword or str(element.tag)
        value = str(element.value or "").strip()
        names = element.VR == "PN" or keyword in IDENTIFYING
        if names and value and not (keyword in _NUMBER and value.replace("^", "") == number):
            yield keyword


def _day(text: str) -> str:
    return f"{text[:4]}-{text[4:6]}-{text[6:8]}" if re.fullmatch(r"[0-9]{8}", text) else ""


def judge(files: Sequence[bytes], number: str, modalities: Sequence[str], on: str) -> Looked:
    """Look at files that are meant for a participant's imaging on a day.

    Codes: NOT_DICOM, IDENTIFIES, OTHER_PATIENT, OTHER_DATE, OTHER_MODALITY, BURNED_IN, TWO_STUDIES, NO_UID.
    """
    read = [read_header(data, number) for data in files]
    headers = [one for one in read if one is not None]
    wrong = {code for one in headers for code in _against(one, number, modalities, on)}
    if len(headers) < len(files) or not files:
        wrong.add("NOT_DICOM")
    studies = {one.study_uid for one in headers}
    if len(studies) > 1:
        wrong.add("TWO_STUDIES")
    once = {one.instance_uid: one for one in headers}.values()
    counted = Counter((one.series_uid, one.modality) for one in once)
    series = tuple(SeriesSeen(uid, modality, count) for (uid, modality), count in sorted(counted.items()))
    digest = hashlib.sha256("".join(sorted(one.digest for one in once)).encode()).hexdigest()
    tags = tuple(sorted({tag for one in headers for tag in one.tags}))
    return Looked(len(files), next(iter(studies), ""), series, tuple(sorted(wrong)), tags, digest)


def _against(one: Header, number: str, modalities: Sequence[str], on: str) -> Iterator[str]:
    if one.tags:
        yield "IDENTIFIES"
    if one.patient != number:
        yield "OTHER_PATIENT"
    if one.date != on:
        yield "OTHER_DATE"
    if one.modality not in modalities:
        yield "OTHER_MODALITY"
    if one.burned_in:
        yield "BURNED_IN"
    if not all(is_uid(uid) for uid in (one.study_uid, one.series_uid, one.instance_uid)):
        yield "NO_UID"
