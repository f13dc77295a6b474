"""What the first door's entries say to the second: doses wanted, roles, sites, slots, code breaks, the release's gate.

The rule that must stay true: this is a fold of accepted entries and of nothing else, so that two openings of the same
store know the same. Nothing here knows an arm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from equipoise.access.roles import KEEPING, ROLES
from equipoise.capture.specimens.results import Collected
from equipoise.ledger.entries import (
    AllocationPublished,
    BagRejected,
    BagReturned,
    CardOpened,
    CodeBreakRequested,
    DosingDecided,
    DosingHeld,
    Entry,
    Header,
    InfusionEnded,
    InfusionStarted,
    PreparationRequested,
    ReleaseConditionRecorded,
    ReleaseSigned,
    RoleGranted,
    RoleRevoked,
    SpecimenCollected,
    SpecimenVoided,
    StoreOpened,
    StratumCorrected,
    StudyReleased,
    SubjectRandomized,
    SubjectScreened,
)
from equipoise.vault.facts import AskedBreak, Wanted

_NONE: Mapping[str, Any] = MappingProxyType({})
Grant = tuple[str, str | None]
"""(role, site)."""


@dataclass(frozen=True, slots=True)
class Told:
    """What holds at the first door as far as it was said here; every mapping is by subject, request or actor."""

    definitions: Mapping[str, str] = field(default_factory=lambda: _NONE)
    """digest -> canonical JSON of every definition that the first door released. By which one this door works, a
    keeper says (`vault.keeping`).
    """
    versions: Mapping[str, str] = field(default_factory=lambda: _NONE)
    """digest -> version, of the same."""
    released: str = ""
    """The digest of the one that was released last; empty before one was."""
    published: AllocationPublished | None = None
    sites: Mapping[str, str] = field(default_factory=lambda: _NONE)
    numbers: Mapping[str, str] = field(default_factory=lambda: _NONE)
    randomized: Mapping[str, tuple[str, str]] = field(default_factory=lambda: _NONE)
    """subject -> (public number, stratum as randomized)."""
    corrected: Mapping[str, str] = field(default_factory=lambda: _NONE)
    grants: Mapping[str, tuple[Grant, ...]] = field(default_factory=lambda: _NONE)
    ever: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: _NONE)
    wanted: Mapping[str, Wanted] = field(default_factory=lambda: _NONE)
    hung: Mapping[str, str] = field(default_factory=lambda: _NONE)
    """request -> the bag whose infusion began."""
    infused: Mapping[str, tuple[str, str]] = field(default_factory=lambda: _NONE)
    """request -> when its infusion began and when it ended (UTC, as the ward says); the end is empty while it runs."""
    bags_over: frozenset[str] = frozenset()
    """Bags rejected, returned or infused to the end."""
    breaks: Mapping[str, AskedBreak] = field(default_factory=lambda: _NONE)
    cards: Mapping[str, CardOpened] = field(default_factory=lambda: _NONE)
    conditions: Mapping[str, bool] = field(default_factory=lambda: _NONE)
    signers: tuple[str, ...] = ()
    signed: str = ""
    """The digest of the conditions over which the first door's signers signed; empty while nobody did."""

    tubes: Mapping[str, Collected] = field(default_factory=lambda: _NONE)
    """accession number -> whose tube it is; voided ones are not among them."""

    def roles(self) -> Mapping[str, tuple[str, ...]]:
        """actor -> roles held now."""
        return {actor: tuple(dict.fromkeys(role for role, _ in held)) for actor, held in self.grants.items()}

    def sites_of(self, actor: str) -> frozenset[str] | None:
        """The sites of a person's unblinded roles now; None for everywhere, and for who holds none.

        A role that sees no arm, like the administrator's or the keeper's, does not widen where its holder may see
        some.
        """
        sites = {
            site
            for role, site in self.grants.get(actor, ())
            if role in ROLES and ROLES[role].blind == "unblinded" and role not in KEEPING
        }
        return None if not sites or None in sites else frozenset(site for site in sites if site is not None)

    def purpose_of(self, entry: Entry, otherwise: str) -> str:
        """The purpose that an entry gives to the first door's store."""
        return entry.purpose if isinstance(entry, StoreOpened) else otherwise


START = Told()


def hear(told: Told, header: Header, entry: Entry) -> Told:
    """What is known after one more entry of the first door."""
    hearing = _HEARING.get(type(entry))
    return told if hearing is None else hearing(told, header, entry)


def _with(
    known: Mapping[str, Any], key: str, value: object
) -> Mapping[str, Any]:  # Any: of each field its own
    return MappingProxyType({**known, key: value})


def _subject(header: Header) -> str:
    return header.stream.removeprefix("subject/")


def _released(told: Told, header: Header, entry: StudyReleased) -> Told:
    definitions = _with(told.definitions, entry.digest, entry.definition)
    versions = _with(told.versions, entry.digest, entry.version)
    return replace(told, definitions=definitions, versions=versions, released=entry.digest)


def _published(told: Told, header: Header, entry: AllocationPublished) -> Told:
    return replace(told, published=entry)


def _granted(told: Told, header: Header, entry: RoleGranted) -> Told:
    held = (*told.grants.get(entry.user, ()), (entry.role, entry.site))
    ever = tuple(dict.fromkeys((*told.ever.get(entry.user, ()), entry.role)))
    return replace(told, grants=_with(told.grants, entry.user, held), ever=_with(told.ever, entry.user, ever))


def _revoked(told: Told, header: Header, entry: RoleRevoked) -> Told:
    held = tuple(one for one in told.grants.get(entry.user, ()) if one != (entry.role, entry.site))
    return replace(told, grants=_with(told.grants, entry.user, held))


def _screened(told: Told, header: Header, entry: SubjectScreened) -> Told:
    return replace(
        told,
        sites=_with(told.sites, entry.subject, entry.site),
        numbers=_with(told.numbers, entry.subject, entry.screening_number),
    )


def _randomized(told: Told, header: Header, entry: SubjectRandomized) -> Told:
    return replace(told, randomized=_with(told.randomized, _subject(header), (entry.number, entry.stratum)))


def _corrected(told: Told, header: Header, entry: StratumCorrected) -> Told:
    return replace(told, corrected=_with(told.corrected, _subject(header), entry.corrected))


def _requested(told: Told, header: Header, entry: PreparationRequested) -> Told:
    if entry.request in told.wanted:
        return told  # an id names one dose for good, or another's bag would be handed over
    subject = _subject(header)
    site = told.sites.get(subject, "")
    wanted = Wanted(entry.request, subject, entry.infusion, entry.at, entry.weight, site)
    return replace(told, wanted=_with(told.wanted, entry.request, wanted))


def _of_dose(
    change: Callable[[Wanted, Any], Wanted],
) -> Callable[[Told, Header, Any], Told]:  # Any: one kind each
    """How an entry changes the dose that it names by its request; nothing where no such dose was asked for."""

    def heard(told: Told, header: Header, entry: Any) -> Told:  # Any: as above
        known = told.wanted.get(entry.request)
        if known is None:
            return told
        return replace(told, wanted=_with(told.wanted, entry.request, change(known, entry)))

    return heard


def _decided(known: Wanted, entry: DosingDecided) -> Wanted:
    if entry.decision == "GIVE":
        return replace(known, held=False)
    return replace(known, held=True, over=known.over or entry.decision == "OMIT")


def _rejected(told: Told, header: Header, entry: BagRejected) -> Told:
    told = replace(told, bags_over=told.bags_over | {entry.bag})
    return _of_dose(lambda known, _: replace(known, rejected=(*known.rejected, entry.bag)))(
        told, header, entry
    )


def _returned(told: Told, header: Header, entry: BagReturned) -> Told:
    return replace(told, bags_over=told.bags_over | {entry.bag})


def _started(told: Told, header: Header, entry: InfusionStarted) -> Told:
    infused = _with(told.infused, entry.request, (entry.at, ""))
    told = replace(told, hung=_with(told.hung, entry.request, entry.bag), infused=infused)
    return _of_dose(lambda known, _: replace(known, infusing=True))(told, header, entry)


def _ended(told: Told, header: Header, entry: InfusionEnded) -> Told:
    bag = told.hung.get(entry.request)
    began, _ = told.infused.get(entry.request, ("", ""))
    told = replace(told, infused=_with(told.infused, entry.request, (began, entry.at)))
    told = replace(told, bags_over=told.bags_over | ({bag} if bag is not None else frozenset()))
    return _of_dose(lambda known, _: replace(known, infusing=False, over=True))(told, header, entry)


def _asked(told: Told, header: Header, entry: CodeBreakRequested) -> Told:
    if entry.request in told.breaks:
        return told  # an id names one participant for good, or its answer would show another's arm
    subject = _subject(header)
    asked = AskedBreak(
        entry.request, subject, header.actor, header.role, entry.category, entry.urgent, entry.to, entry.drill,
        header.at, told.sites.get(subject, ""),
    )  # fmt: skip
    return replace(told, breaks=_with(told.breaks, entry.request, asked))


def _carded(told: Told, header: Header, entry: CardOpened) -> Told:
    return replace(told, cards=_with(told.cards, _subject(header), entry))


def _collected(told: Told, header: Header, entry: SpecimenCollected) -> Told:
    if entry.specimen in told.tubes:
        return told  # a number names one tube for good, or its results would be another person's
    tube = Collected(entry.specimen, _subject(header), entry.kit, entry.visit)
    return replace(told, tubes=_with(told.tubes, entry.specimen, tube))


def _voided(told: Told, header: Header, entry: SpecimenVoided) -> Told:
    tubes = {number: tube for number, tube in told.tubes.items() if number != entry.specimen}
    return replace(told, tubes=MappingProxyType(tubes))


def _condition(told: Told, header: Header, entry: ReleaseConditionRecorded) -> Told:
    return replace(told, conditions=_with(told.conditions, entry.condition, entry.met), signers=(), signed="")


def _signed(told: Told, header: Header, entry: ReleaseSigned) -> Told:
    before = told.signers if entry.conditions == told.signed else ()
    return replace(told, signers=tuple(dict.fromkeys((*before, header.actor))), signed=entry.conditions)


_HEARING: Mapping[type[Entry], Callable[[Told, Header, Any], Told]] = {  # Any: the kind that it stands beside
    StudyReleased: _released,
    AllocationPublished: _published,
    RoleGranted: _granted,
    RoleRevoked: _revoked,
    SubjectScreened: _screened,
    SubjectRandomized: _randomized,
    StratumCorrected: _corrected,
    PreparationRequested: _requested,
    DosingHeld: _of_dose(lambda known, _: replace(known, held=True)),
    DosingDecided: _of_dose(_decided),
    BagRejected: _rejected,
    BagReturned: _returned,
    InfusionStarted: _started,
    InfusionEnded: _ended,
    CodeBreakRequested: _asked,
    CardOpened: _carded,
    ReleaseConditionRecorded: _condition,
    ReleaseSigned: _signed,
    SpecimenCollected: _collected,
    SpecimenVoided: _voided,
}
