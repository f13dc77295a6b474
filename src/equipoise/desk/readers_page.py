"""The readers of images: who they are, which certificates they hold, which they lack; what runs out.

The rules that must stay true: what a reader lacks is said by what decides whether a read is recorded; nothing of a
read, or of whose images somebody reads, stands here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from equipoise.access.commands import Certified, RecordCertificate, Who
from equipoise.access.decide import may, may_read
from equipoise.access.evolve import State as PersonState
from equipoise.access.rating import counts
from equipoise.desk.desk import Desk
from equipoise.desk.followers import GRANTS
from equipoise.desk.staff_page import SOON_DAYS
from equipoise.desk.views import Task
from equipoise.desk.words import task
from equipoise.ledger.facts import Facts
from equipoise.ledger.reader import Reader

READS = "readers"


@dataclass(frozen=True, slots=True)
class ReaderLine:
    """One reader: the certificates for kinds of images, and the kinds (DICOM codes) without one that counts today."""

    user: str
    name: str
    certificates: tuple[Certified, ...]
    lacking: tuple[str, ...]
    own: bool


@dataclass(frozen=True, slots=True)
class ReadersView:
    """The page. `kinds`: the DICOM codes for which the study asks for certificates."""

    kinds: tuple[str, ...]
    readers: tuple[ReaderLine, ...]
    may_record: bool


def readers_page(desk: Desk, who: Who) -> ReadersView | None:
    """The readers of images; None for who may not see them."""
    if not may_read(who, READS, None):
        return None
    with desk.reading() as reader:
        study = desk.trial(reader).study
        kinds, today = study.imaging.certificates, desk.now().date().isoformat()
        lines = tuple(
            ReaderLine(
                user, desk.register.staff_name(user), held, lacking(kinds, state, today), user == who.actor
            )
            for user, state in _readers(desk, reader)
            for held in (of_images(kinds, state),)
        )
    recording = may(who, RecordCertificate("", "", "", "", ""), Facts()) is None
    return ReadersView(kinds, lines, recording)


def own_certificates(desk: Desk, who: Who) -> ReadersView:
    """The same of the reader alone, who looks at the own list of reads."""
    with desk.reading() as reader:
        kinds, state = desk.trial(reader).study.imaging.certificates, desk.person(reader, who.actor)
    today = desk.now().date().isoformat()
    name = desk.register.staff_name(who.actor)
    own = ReaderLine(who.actor, name, of_images(kinds, state), lacking(kinds, state, today), own=True)
    return ReadersView(kinds, (own,), may_record=False)


def reader_tasks(desk: Desk, reader: Reader, who: Who) -> Iterator[Task]:
    """Certificates of readers that run out soon, or ran out, for who may record the next."""
    if not may_read(who, READS, None) or may(who, RecordCertificate("", "", "", "", ""), Facts()) is not None:
        return
    kinds = desk.trial(reader).study.imaging.certificates
    limit = (desk.now().date() + dt.timedelta(days=SOON_DAYS)).isoformat()
    for user, state in _readers(desk, reader):
        for one in of_images(kinds, state):
            if one.until is not None and one.until <= limit:
                name = desk.register.staff_name(user)
                said = {"person": name, "instrument": one.instrument, "until": one.until}
                yield task("reader_certificate_ends", "", (), one.until, **said)


def of_images(kinds: tuple[str, ...], state: PersonState) -> tuple[Certified, ...]:
    """The certificates of a person that are for kinds of images."""
    return tuple(one for one in state.certified if one.instrument in kinds and not one.language)


def lacking(kinds: tuple[str, ...], state: PersonState, today: str) -> tuple[str, ...]:
    """The kinds for which a person holds no certificate that counts on a day (ISO)."""
    held = {one.instrument for one in of_images(kinds, state) if counts(one, today)}
    return tuple(kind for kind in kinds if kind not in held)


def _readers(desk: Desk, reader: Reader) -> list[tuple[str, PersonState]]:
    rows = reader.rows.find(GRANTS, {"role": "reader", "held": 1}, order=("user",))
    return [(user, desk.person(reader, user)) for user in dict.fromkeys(str(row["user"]) for row in rows)]
