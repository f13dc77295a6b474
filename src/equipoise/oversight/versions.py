"""Which released version of the definition counts at a site, and for one of its participants, on a day.

The rules that must stay true: a version counts at a site from the day that its adoption names, never before; a site and
a participant only go forward; a site begins with the version under which it was first approved. Pure: the same
entries and the same day, the same version. Source: ICH E6(R3) 4.3.5 (activate per site only after approvals).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal

from equipoise.ledger.entries import Recorded, SiteApproved, SubjectMoved, VersionAdopted, VersionApproved


@dataclass(frozen=True, slots=True)
class Adoption:
    """A version's digest, the day (ISO) from which it counts, and what becomes of those who are in already."""

    digest: str
    on: str
    existing: Literal["MOVE", "STAY"] = "MOVE"


@dataclass(frozen=True, slots=True)
class SiteVersions:
    """`opened`: the digest under which the site was first approved; `approvals`: digest -> ISO date."""

    opened: str | None = None
    adoptions: tuple[Adoption, ...] = ()
    approvals: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class SubjectVersions:
    """The digest of the version that the participant was last moved to by an entry of the participant's own."""

    moved: str | None = None


SUBJECT_START = SubjectVersions()


def evolve_versions(state: SiteVersions, recorded: Recorded) -> SiteVersions:
    """The versions of a site after one more entry of its stream.

    An adoption that has not begun gives way to another of the same version.
    """
    entry = recorded.entry
    if isinstance(entry, SiteApproved) and state.opened is None:
        return replace(state, opened=recorded.header.study_digest)
    if isinstance(entry, VersionApproved):
        return replace(state, approvals=MappingProxyType({**state.approvals, entry.digest: entry.on}))
    if isinstance(entry, VersionAdopted):
        kept = (one for one in state.adoptions if one.digest != entry.digest)
        return replace(state, adoptions=(*kept, Adoption(entry.digest, entry.on, entry.existing)))
    return state


def evolve_subject(state: SubjectVersions, recorded: Recorded) -> SubjectVersions:
    """The participant's own version after one more entry of the stream."""
    entry = recorded.entry
    return SubjectVersions(entry.digest) if isinstance(entry, SubjectMoved) else state


def deciding(
    released: Sequence[str],
    site: SiteVersions,
    today: dt.date,
    *,
    screened_on: dt.date | None = None,
    moved: str | None = None,
) -> str:
    """The digest of the version that decides on `today`, at the site or for one participant: the newest that counts.

    released: digests, oldest first. screened_on: the day on which the participant came in; None for the site itself.
    moved: the participant's own version. An empty text where nothing was released.
    """
    if not released:
        return ""
    counting = [site.opened if site.opened in released else released[-1], moved]
    for one in site.adoptions:
        comes = screened_on is None or one.existing == "MOVE" or screened_on.isoformat() >= one.on
        if comes and one.on <= today.isoformat():
            counting.append(one.digest)
    return next(digest for digest in reversed(released) if digest in counting)
