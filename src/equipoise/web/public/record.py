"""What the public record itself says, part by part, for the public page.

Read through `Record`, whatever the grain of the study's fields; nothing here knows a trial. Registry text is plain
text: it is handed on as it is and escaped where it is shown.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping

from equipoise.protocol.study import Study
from equipoise.standards import registry_vocabulary as words
from equipoise.standards.registry_record import Published, Record, readable, words_of
from equipoise.web.public import labels
from equipoise.web.public.parts import Contact, Disagreement, Field, Outcome, Place, Provenance, Said
from equipoise.words.text import Language, Text

_TONES = {"RECRUITING": "good", "NOT_YET_RECRUITING": "warn", "ENROLLING_BY_INVITATION": "good"}
_DATES = (
    ("start", words.START),
    ("primary-completion", words.PRIMARY_COMPLETION),
    ("completion", words.COMPLETION),
    ("first-submitted", words.FIRST_SUBMITTED),
    ("first-posted", words.FIRST_POSTED),
    ("last-posted", words.LAST_POSTED),
    ("verified", words.STATUS_VERIFIED),
)
_OUTCOMES = (
    ("primary", words.PRIMARY_OUTCOMES),
    ("secondary", words.SECONDARY_OUTCOMES),
    ("other", words.OTHER_OUTCOMES),
)


def status(record: Record, language: Language) -> tuple[str, str]:
    """The status in words and its tone (good, warn, plain)."""
    found = record.text(words.STATUS)
    return labels.code("public.status-", found, language), _TONES.get(found or "", "plain")


def why_stopped(record: Record) -> Said | None:
    """Why a trial was stopped, where the record says so."""
    found = record.text(words.WHY_STOPPED)
    return Said(Text(readable(found))) if found else None


def paragraphs(record: Record, path: str) -> tuple[Text, ...]:
    """A long text in paragraphs."""
    found = readable(record.text(path) or "")
    return tuple(Text(part.strip("\n")) for part in re.split(r"\n\s*\n", found) if part.strip())


def texts(record: Record, path: str) -> tuple[Text, ...]:
    """A list of texts."""
    return tuple(Text(readable(found)) for found in record.texts(path))


def identifiers(record: Record) -> tuple[str, ...]:
    """Registry number first, then the sponsor's, then all others."""
    found = [record.text(words.NCT_ID), record.text(words.ORG_ID)]
    found += [words_of(entry, "id") for entry in record.objects(words.SECONDARY_IDS)]
    found += list(record.texts(words.NCT_ALIASES))
    return tuple(dict.fromkeys(entry for entry in found if entry))


def funders(record: Record, language: Language) -> str:
    """The classes of lead sponsor and collaborators, as registered, even where they look wrong."""
    codes = [record.text(words.SPONSOR_CLASS)]
    codes += [words_of(entry, "class") for entry in record.objects(words.COLLABORATORS)]
    shown = [labels.code("public.funder-", found, language) for found in codes if found]
    return labels.joined(dict.fromkeys(shown or record.texts(words.PAGE_FUNDERS)), language)


def enrolment(record: Record, study: Study, language: Language) -> Said | None:
    """The number of participants, and whether it is an estimate."""
    count = record.count(words.ENROLMENT_COUNT)
    kind = record.text(words.ENROLMENT_TYPE)
    if count is None:
        count = study.design.target
    if count is None:
        return None
    note = labels.code("public.enrolment-", kind, language) or None
    return Said(labels.told("public.people" if count != 1 else "public.person", language, n=count), note)


def volunteers(record: Record, language: Language) -> str:
    """Whether healthy volunteers are accepted."""
    found = record.truth(words.VOLUNTEERS)
    return (
        ""
        if found is None
        else labels.told("public.volunteers-yes" if found else "public.volunteers-no", language)
    )


def dates(record: Record, language: Language) -> tuple[tuple[str, str, str], ...]:
    """(what, date, estimated or actual) of every date the record gives."""
    found = []
    for key, path in _DATES:
        struct = record.get(path)
        date = words_of(struct, "date") if isinstance(struct, dict) else record.text(path)
        kind = words_of(struct, "type") if isinstance(struct, dict) else None
        if date:
            found.append(
                (
                    labels.told(f"public.dates-{key}", language),
                    date,
                    labels.code("public.enrolment-", kind, language),
                )
            )
    return tuple(found)


def outcomes(record: Record, language: Language) -> tuple[Outcome, ...]:
    """The outcome measures as registered."""
    return tuple(
        Outcome(
            level=labels.told(f"public.outcomes-{level}", language),
            label=Text(readable(measure)),
            detail=_text(
                ". ".join(filter(None, (words_of(entry, "description"), words_of(entry, "timeFrame"))))
            ),
            visit=None,
            assumed=False,
        )
        for level, path in _OUTCOMES
        for entry in record.objects(path)
        if (measure := words_of(entry, "measure"))
    )


def _text(found: str) -> Text | None:
    return Text(readable(found)) if found else None


def location_count(record: Record) -> int | None:
    """How many locations the record states or lists; None where it is silent, which does not mean none."""
    stated = record.count(words.LOCATION_COUNT)
    listed = len(record.objects(words.LOCATIONS))
    return stated if stated is not None else listed or None


def locations(record: Record, language: Language) -> tuple[Place, ...]:
    """The locations listed, in the order of the record."""
    listed = tuple(
        Place(
            facility=words_of(entry, "facility") or "",
            address=labels.joined(
                (words_of(entry, key) or "" for key in ("city", "state", "zip", "country")), "en"
            ),
            status=labels.code("public.status-", words_of(entry, "status"), language),
        )
        for entry in record.objects(words.LOCATIONS)
    )
    return listed or tuple(Place(line, "", "") for line in record.texts(words.PAGE_LOCATIONS))


def contacts(record: Record) -> tuple[Contact, ...]:
    """The central contacts: no more of a person than is public."""
    return tuple(_contact(entry) for entry in record.objects(words.CONTACTS))


def _contact(entry: Mapping[str, Published]) -> Contact:
    phone = words_of(entry, "phone")
    extension = words_of(entry, "phoneExt")
    shown = f"{phone} ext. {extension}" if phone and extension else phone
    link = re.sub(r"[^\d+]", "", phone or "")
    email = words_of(entry, "email")
    plain = email if email and re.fullmatch(r"[\w.+%-]+@[\w.-]+", email) else None
    return Contact(words_of(entry, "name") or "", shown, link if len(link) > 5 else "", plain)


def disagreements(study: Study) -> tuple[Disagreement, ...]:
    """What public statements contradict each other in, with the source of each."""
    found = study.registry.contradictions if study.registry else ()
    return tuple(
        Disagreement(
            about=one.about,
            statements=tuple((s.text, study.sources.get(s.source, s.source)) for s in one.statements),
            reading=one.reading,
        )
        for one in found
    )


def provenance(study: Study, record: Record, today: dt.date, language: Language) -> Provenance | None:
    """Registry, version, age, sources, and every field as published."""
    registry = study.registry
    if registry is None:
        return None
    version = (
        registry.version or record.text(words.VERSION_HOLDER) or record.text(words.LAST_POSTED + ".date")
    )
    used = dict.fromkeys(field.source for field in registry.fields)
    return Provenance(
        registry=registry.registry,
        identifier=registry.identifier,
        url=registry.url if registry.url and registry.url.startswith("https://") else None,
        version=version,
        retrieved=registry.retrieved,
        age=labels.days_since(version, today, language),
        sources=tuple(study.sources.get(source, source) for source in used),
        fields=tuple(Field(f.path, _published(f.value), f.source, f.line) for f in registry.fields),
        not_understood=tuple(statement.text for statement in registry.not_understood),
    )


def _published(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
