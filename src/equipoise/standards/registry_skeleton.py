"""A study skeleton from a registry record: what the record says, in the words of the study model, and nothing more.

The rule that must stay true: no value that the record does not give. Where the model asks for something the record
is silent on (a title, a number), the skeleton says that it is missing, in words nobody takes for a value. What
disagrees is kept on both sides as a contradiction.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from equipoise.protocol.study import Study
from equipoise.standards import registry_vocabulary as words
from equipoise.standards.registry_contradictions import contradictions
from equipoise.standards.registry_criteria import Criteria, Point
from equipoise.standards.registry_record import Published, Record, readable, words_of
from equipoise.standards.registry_report import RECORD, Findings
from equipoise.words.dates import parse_date

Skeleton = dict[str, Any]  # Any: a definition in its notation, before the model has judged it
NO_DATE = "0001"
"""The date of a version whose source bears none: plainly not a date of this trial."""
_NCT = re.compile(r"NCT\d{8}")
_YEAR = re.compile(r"\b(20\d\d)\b")
_OUTCOMES = (
    (words.PRIMARY_OUTCOMES, "primary", "P"),
    (words.SECONDARY_OUTCOMES, "secondary", "S"),
    (words.OTHER_OUTCOMES, "exploratory", "O"),
)
_ROLES = {
    "PARTICIPANT": "Participant",
    "CARE_PROVIDER": "Care provider",
    "INVESTIGATOR": "Investigator",
    "OUTCOMES_ASSESSOR": "Outcomes assessor",
}


def skeleton(record: Record, criteria: Criteria, findings: Findings, *, source: str) -> Skeleton:
    """The definition as the notation writes it. `source` describes the file. What is left out goes to `findings`."""
    number = record.text(words.NCT_ID)
    interventions = _interventions(record)
    made: Skeleton = {
        "notation": 1,
        "id": number.lower() if number and _NCT.fullmatch(number) else "unidentified",
        "version": "import",
        "dated": _dated(record, findings),
        "languages": ["en"],
        "acronym": _line(record, words.ACRONYM),
        "title": _title(record, findings),
        "official_title": _line(record, words.OFFICIAL_TITLE),
        "sponsor": _line(record, words.SPONSOR),
        "sources": {RECORD: source},
        "design": _design(record, findings),
        "arms": _arms(record, interventions, findings),
        "interventions": interventions,
        "endpoints": _endpoints(record),
        "criteria": [*_criteria(criteria.of("inclusion"), "I"), *_criteria(criteria.of("exclusion"), "E")],
        "registry": _registry(record, number, findings),
    }
    return {key: value for key, value in made.items() if value not in (None, [], {})}


def build(made: Skeleton) -> Study:
    """The model's reading of a skeleton. It always has one: `skeleton` writes nothing that the model refuses."""
    return Study.model_validate(made)


def _line(record: Record, path: str) -> str | None:
    text = record.text(path)
    return readable(text) if text else None


def _title(record: Record, findings: Findings) -> str:
    found = _line(record, words.BRIEF_TITLE) or _line(record, words.OFFICIAL_TITLE)
    return found or f"(no title in {findings.name})"


def _dated(record: Record, findings: Findings) -> str:
    """The day the record was last changed; on a page the year of its copyright line; else NO_DATE."""
    paths = (words.LAST_POSTED + ".date", words.LAST_SUBMITTED, words.VERSION_HOLDER, words.STATUS_VERIFIED)
    for path in paths:
        date = _date(record.text(path))
        if date:
            return date
    year = _YEAR.search(record.text(words.PAGE_COPYRIGHT) or "")
    line = record.line(words.PAGE_COPYRIGHT) or 1
    findings.notice("year-only" if year else "no-date", line, year=year[1] if year else NO_DATE)
    return year[1] if year else NO_DATE


def _date(text: str | None) -> str | None:
    found = parse_date(text) if text and re.fullmatch(r"\d{4}(-\d{2}(-\d{2})?)?", text) else None
    return found.iso() if found else None


def _design(record: Record, findings: Findings) -> Skeleton:
    target = record.count(words.ENROLMENT_COUNT)
    if target is not None and target < 1:
        findings.notice("enrolment", record.line(words.ENROLMENT_COUNT) or 1, count=target)
        target = None
    made: Skeleton = {
        "study_type": record.text(words.STUDY_TYPE),
        "phases": list(record.texts(words.PHASES)),
        "primary_purpose": record.text(words.PURPOSE),
        "allocation": record.text(words.ALLOCATION),
        "intervention_model": record.text(words.MODEL),
        "masking": record.text(words.MASKING),
        "target": target,
        "masked_roles": _masked_roles(record),
    }
    filled = {key: value for key, value in made.items() if value not in (None, [])}
    return {**filled, "source": RECORD} if filled else {}


def _masked_roles(record: Record) -> list[Skeleton]:
    """The roles the record lists. It says nothing of other roles, so neither does the skeleton."""
    return [
        {
            "id": f"role{place}",
            "label": _ROLES.get(code, code),
            "masked": True,
            "registry": code,
            "source": RECORD,
        }
        for place, code in enumerate(record.texts(words.WHO_MASKED), 1)
    ]


def _interventions(record: Record) -> list[Skeleton]:
    made = []
    for place, entry in enumerate(record.objects(words.INTERVENTIONS), 1):
        name = words_of(entry, "name")
        if name:
            item = {"id": f"treatment{place}", "name": readable(name), "type": words_of(entry, "type")}
            item["description"] = _readable(entry, "description")
            made.append(_given({**item, "source": RECORD}))
    return made


def _arms(record: Record, interventions: Sequence[Skeleton], findings: Findings) -> list[Skeleton]:
    made = []
    for place, entry in enumerate(record.objects(words.ARMS), 1):
        label = words_of(entry, "label")
        if label:
            ids = _given_in(entry, label, record, interventions, findings)
            arm = {"id": f"arm{place}", "label": readable(label), "type": words_of(entry, "type")}
            arm["description"] = _readable(entry, "description")
            made.append(_given({**arm, "interventions": ids, "source": RECORD}))
    return made


def _given_in(
    entry: Mapping[str, Published],
    label: str,
    record: Record,
    interventions: Sequence[Skeleton],
    findings: Findings,
) -> list[str]:
    """Ids of the treatments of an arm: those it names as `Type: name`, and those that name the arm."""
    named = entry.get("interventionNames")
    wanted = [text for text in named if isinstance(text, str)] if isinstance(named, list) else []
    ids = []
    for text in wanted:
        name = readable(text.partition(": ")[2] or text)
        hit = next((made["id"] for made in interventions if made["name"] in (name, readable(text))), None)
        if hit:
            ids.append(hit)
        else:
            findings.notice("treatment-not-listed", record.line(words.ARMS) or 1, arm=label, text=text)
    for place, treatment in enumerate(record.objects(words.INTERVENTIONS), 1):
        labels = treatment.get("armGroupLabels")
        if isinstance(labels, list) and label in labels and words_of(treatment, "name"):
            ids.append(f"treatment{place}")
    return list(dict.fromkeys(ids))


def _endpoints(record: Record) -> list[Skeleton]:
    made = []
    for path, level, letter in _OUTCOMES:
        for place, entry in enumerate(record.objects(path), 1):
            measure = words_of(entry, "measure")
            if measure:
                note = "\n".join(
                    text for key in ("description", "timeFrame") if (text := _readable(entry, key))
                )
                item = {"id": f"{letter}{place:02d}", "level": level, "label": readable(measure)}
                made.append(_given({**item, "source": RECORD, "note": note or None}))
    return made


def _criteria(points: Sequence[Point], letter: str) -> list[Skeleton]:
    width = max(2, len(str(len(points))))
    return [
        _given(
            {
                "id": f"{letter}{place:0{width}d}",
                "category": point.category,
                "text": point.text,
                "source": RECORD,
                "line": point.line,
                "note": f"Under the heading: {point.under}" if point.under else None,
            }
        )
        for place, point in enumerate(points, 1)
    ]


def _registry(record: Record, number: str | None, findings: Findings) -> Skeleton:
    known = bool(number and _NCT.fullmatch(number))
    version = _date(record.text(words.VERSION_HOLDER))
    return _given(
        {
            "registry": "ClinicalTrials.gov" if known or record.has(words.PAGE_SOURCE) else "not stated",
            "identifier": number or "not stated",
            "url": f"https://clinicaltrials.gov/study/{number}" if known else None,
            "version": version,
            "fields": [
                {
                    key: value
                    for key, value in field.model_dump().items()
                    if key == "value" or value is not None
                }
                for field in record.fields
            ],
            "contradictions": contradictions(record),
            "not_understood": [
                {"text": _told(problem.arguments, problem.say()), "source": RECORD}
                for problem in findings.notices
            ],
        }
    )


def _told(arguments: Mapping[str, str], says: str) -> str:
    line = arguments.get("line")
    return f"line {line}: {says}" if line else says


def _readable(entry: Mapping[str, Published], key: str) -> str | None:
    text = words_of(entry, key)
    return readable(text) if text else None


def _given(made: Skeleton) -> Skeleton:
    return {key: value for key, value in made.items() if value not in (None, [])}
