"""Participants for a measurement, or a test, that begins after randomization: planted, not gone the whole way.

The entries that a screening, a consent and a randomization leave are written as such. Nobody here exists.
"""

from __future__ import annotations

import datetime as dt

from equipoise.desk.desk import Desk
from equipoise.ledger.commit import Act, Committed, commit
from equipoise.ledger.entries import (
    Append,
    CaregiverConsented,
    ConsentDocumented,
    Entry,
    SubjectRandomized,
    SubjectScreened,
)
from equipoise.protocol.study import Study


def plant(
    desk: Desk,
    study: Study,
    digest: str,
    number: int,
    at: dt.datetime,
    *,
    caregiver: str = "",
    randomized: bool = True,
) -> str:
    """A new participant of site 01, randomized at `at`; the subject's id. `digest`: that of the study.

    RuntimeError where the ledger does not take it.
    """
    subject, day = f"planted{number:06d}", at.date().isoformat()
    entries: list[Entry] = [
        SubjectScreened(subject, "01", f"01{number:05d}", f"person{number:06d}"),
        ConsentDocumented(study.consent.versions[0].id, "PARTICIPANT", given=True, on=day),
    ]
    if caregiver:
        entries.append(CaregiverConsented(caregiver, given=True, on=day))
    if randomized:
        entries.append(SubjectRandomized(f"R{number:06d}", "A"))
    stream, key = f"subject/{subject}", f"plant {subject}"
    act = Act(study.id, digest, "crc", "coordinator", at, None, "Asia/Shanghai", key, "0" * 64)
    done = commit(desk.ledger, act, [stream], lambda _: tuple(Append(stream, one) for one in entries))
    if not isinstance(done, Committed):
        raise RuntimeError(done.problems[0].say())
    return subject
