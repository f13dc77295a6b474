"""A small study and ledger entries made by hand, for the tests of the SDTM tables."""

from __future__ import annotations

from typing import Any

from equipoise.ledger.entries import Datum, Entry, FormSaved, Header, Recorded, SubjectScreened
from equipoise.protocol.study import Study

STUDY: dict[str, Any] = {
    "notation": 1,
    "id": "walk-1",
    "version": "2.0",
    "dated": "2026-01-02",
    "demo_id": "DEMO-0042",
    "title": "A small study of walking",
    "registry": {"registry": "A registry", "identifier": "REG00000042"},
    "arms": [{"id": "A", "label": "Walking"}, {"id": "B", "label": "Resting"}],
    "criteria": [
        {"id": "I01", "category": "inclusion", "text": "Adult"},
        {"id": "I02", "category": "inclusion", "text": "Able to consent"},
        {"id": "E01", "category": "exclusion", "text": "Cannot stand"},
    ],
    "sites": [{"id": "07", "name": "Site seven", "zone": "Asia/Shanghai"}],
    "schedule": {
        "epochs": [{"id": "SCR", "label": "Screening"}, {"id": "FUP", "label": "Follow-up"}],
        "visits": [
            {"id": "V1", "label": "Screening", "epoch": "SCR", "day": -7},
            {"id": "V2", "label": "Month 1", "epoch": "FUP", "day": 30},
            {"id": "UNS", "label": "Unscheduled", "epoch": "FUP", "unscheduled": True},
        ],
    },
    "forms": [
        {
            "id": "DEMOG",
            "label": "Demographics",
            "items": [
                {
                    "id": "BIRTH",
                    "label": "Birth",
                    "type": "date",
                    "sdtm": {"domain": "DM", "variable": "BRTHDTC"},
                },
                {"id": "SEX", "label": "Sex", "type": "text", "sdtm": {"domain": "DM", "variable": "SEX"}},
                {
                    "id": "ARM",
                    "label": "A mistake",
                    "type": "text",
                    "sdtm": {"domain": "DM", "variable": "ARM"},
                },
                {
                    "id": "WEIGHT",
                    "label": "Weight",
                    "type": "decimal",
                    "unit": "kg",
                    "sdtm": {"domain": "VS", "testcd": "WEIGHT", "test": "Weight", "category": "BODY"},
                },
                {
                    "id": "CELLS",
                    "label": "Cells",
                    "type": "integer",
                    "blinding": "revealing",
                    "sdtm": {"domain": "VS", "testcd": "CELLS", "test": "Cells"},
                },
            ],
        },
        {
            "id": "STROKESC",
            "label": "Stroke scale",
            "instrument": "NIHSS",
            "evaluator": "INDEPENDENT ASSESSOR",
            "items": [
                {"id": "DAY", "label": "Day", "type": "date", "sdtm": {"domain": "RS", "variable": "RSDTC"}},
                {
                    "id": "HOUR",
                    "label": "Hour",
                    "type": "time",
                    "sdtm": {"domain": "RS", "variable": "RSDTC"},
                },
            ],
        },
        {
            "id": "BEFORE",
            "label": "Grade before",
            "items": [
                {
                    "id": "GRADE",
                    "label": "Grade",
                    "type": "integer",
                    "sdtm": {
                        "domain": "RS",
                        "testcd": "MRS0101",
                        "test": "MRS01-Modified Rankin Scale Score",
                        "category": "MRS",
                    },
                }
            ],
        },
        {
            "id": "RANKIN",
            "label": "Rankin",
            "instrument": "MRS",
            "items": [
                {"id": "DAY", "label": "Day", "type": "date", "sdtm": {"domain": "RS", "variable": "--DTC"}}
            ],
        },
        {
            "id": "HAND",
            "label": "Wrist and hand",
            "instrument": "FMA",
            "parts": ["FMAUEB", "FMAUEC"],
            "items": [
                {
                    "id": "SIDE",
                    "label": "Side",
                    "type": "text",
                    "sdtm": {"domain": "FT", "variable": "FTLAT"},
                },
                {"id": "DAY", "label": "Day", "type": "date", "sdtm": {"domain": "FT", "variable": "FTDTC"}},
            ],
        },
        {"id": "DAILY", "label": "Daily life", "instrument": "BI"},
    ],
}


def study() -> Study:
    """The small study: two sites' worth of nothing, three visits, four scales."""
    return Study.model_validate(STUDY)


def recorded(stream: str, seq: int, entry: Entry | None, at: str = "2026-03-01T02:00:00.000000Z") -> Recorded:
    """An entry as it stands in a stream; only what the tables look at is real."""
    header = Header(
        v=1,
        study="walk-1",
        stream=stream,
        seq=seq,
        prev="0" * 64,
        kind=type(entry).__name__,
        study_digest="0" * 64,
        actor="actor",
        role="coordinator",
        at=at,
        client_at=None,
        zone=None,
        idempotency_key=f"{stream}-{seq}",
        part=0,
        command="0" * 64,
        bodies=(),
    )
    return Recorded(header, "0" * 64, entry)


def screened(subject: str, number: str, *, again: str | None = None) -> SubjectScreened:
    """Entry into screening at site 07."""
    return SubjectScreened(subject, "07", number, f"person-{subject}", again)


def form(form_id: str, visit: str = "V1", *, repeat: int = 1, **items: str | Datum | None) -> FormSaved:
    """A save of a form: text is a value, None empties the item. Item ids that start with a digit are written `_1a`."""
    data = {
        name.removeprefix("_"): value if isinstance(value, Datum) else Datum(value)
        for name, value in items.items()
    }
    return FormSaved(visit, form_id, repeat, data, {}, complete=False)


def stream(subject: str, *entries: Entry | None) -> list[Recorded]:
    """The entries of one subject's stream, numbered from 1."""
    return [recorded(f"subject/{subject}", seq, entry) for seq, entry in enumerate(entries, start=1)]
