"""Every kind of entry that can stand in the second door's own ledger, and in no other.

The rules that must stay true: kinds are add-only and past tense; no store of the first door holds one of these (its
desk has no command that makes one, and reading one there is a fault); what opens an arm (`aside()` below) lies in the
second body part, so that an inspector can be given the course of the work without the arms.
Streams: `vault`, `ceremony`, `inbox`, `keeping`, `slots`, `cards`, `stock`, `bench/<request>`, `breaks`, `anchors`,
`statements`, `release`, `user/<actor>`, and `subject/<subject>` with the first door's own kind FormSaved for values
that reveal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from equipoise.ledger.entries import KINDS, Entry, aside

# --- stream vault: the store and who may work in it --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class VaultOpened(Entry):
    """The first entry: a rehearsal or a trial, for good; `first_door` is the first door's public key (hex).

    `definition`: the study's canonical JSON text, which holds until the first door's own definition was taken in.
    """

    purpose: Literal["rehearsal", "trial"]
    study: str
    first_door: str
    definition: str


@dataclass(frozen=True, slots=True)
class VaultUnlocked(Entry):
    """The key was opened with the passphrase, and the second door began to serve."""


@dataclass(frozen=True, slots=True)
class UnlockingRefused(Entry):
    """Somebody tried wrong passphrases, `tries` times, before this entry could be written."""

    tries: int


@dataclass(frozen=True, slots=True)
class ClockMoved(Entry):
    """This door's clock was put back or forward by so many seconds, as far as the program could see."""

    seconds: int


@dataclass(frozen=True, slots=True)
class CredentialEnrolled(Entry):
    """A person may sign in here, for one purpose. The secret itself is not in the ledger."""

    user: str
    purpose: Literal["BENCH", "CHECK", "BREAK", "OFFICER", "LAB", "BOARD", "KEEPER"]


@dataclass(frozen=True, slots=True)
class CredentialRevoked(Entry):
    """The person may no longer sign in here for that purpose."""

    user: str
    purpose: str
    reason: str = aside(default="")


@dataclass(frozen=True, slots=True)
class SecondFactorEnrolled(Entry):
    """The person gives one-time codes beside the password from now on."""

    user: str


@dataclass(frozen=True, slots=True)
class RecoveryCodeUsed(Entry):
    """The person came in by a recovery code; so many are left."""

    user: str
    left: int


@dataclass(frozen=True, slots=True)
class SecondFactorRemoved(Entry):
    """The person's second factor counts no more."""

    user: str
    reason: str = aside(default="")


@dataclass(frozen=True, slots=True)
class Contribution:
    """Who brought a seed, and SHA-256 of it (hex)."""

    by: str
    digest: str


# --- stream ceremony ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CeremonyStarted(Entry):
    """A ceremony began for one version of a study (its digest). `public_value` names a value that nobody knows yet."""

    ceremony: str
    study: str
    definition: str
    public_value: str = ""


@dataclass(frozen=True, slots=True)
class SeedCommitted(Entry):
    """A person committed to a seed: SHA-256 of it (hex), before anybody's seed was known."""

    ceremony: str
    by: str
    digest: str


@dataclass(frozen=True, slots=True)
class SeedRevealed(Entry):
    """A person brought the seed that had been committed to; it agreed with its digest."""

    ceremony: str
    by: str


@dataclass(frozen=True, slots=True)
class CeremonyAborted(Entry):
    """A ceremony ended without a list. Why is kept: an aborted ceremony is one that somebody may have disliked."""

    ceremony: str
    reason: str


@dataclass(frozen=True, slots=True)
class ListMade(Entry):
    """A list was made from all seeds. `slots` counts them, `program` is the SHA-256 of the generator's own source."""

    ceremony: str
    generator: str
    program: str
    root: str
    slots: int
    contributions: tuple[Contribution, ...]
    public_value: str = ""


@dataclass(frozen=True, slots=True)
class SlotHolder:
    """Somebody beside the second door who holds a key to the sealed slots: random id, name on paper, how they open."""

    actor: str
    name: str
    opens: Literal["ALONE", "WITH_ANOTHER"]


@dataclass(frozen=True, slots=True)
class SlotsSealed(Entry):
    """The slots of a list were sealed for these persons too, beside the second door itself."""

    ceremony: str
    holders: tuple[SlotHolder, ...]


@dataclass(frozen=True, slots=True)
class FewSeedsAccepted(Entry):
    """The list rests on the seed of one person, or on this machine alone; why that was enough."""

    ceremony: str
    reason: str


# --- stream inbox: what the first door sent ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CheckpointAccepted(Entry):
    """A checkpoint of the first door that continues the one accepted before: size and root (hex) of its tree."""

    size: int
    root: str
    note: str


@dataclass(frozen=True, slots=True)
class EntryAccepted(Entry):
    """An entry of the first door, proven to stand in an accepted checkpoint. `header` and `body` are its bytes.

    `index` is its place in the first door's tree.
    """

    stream: str
    seq: int
    kind_there: str
    leaf: str
    index: int
    header: str
    body: str = aside(default="")


@dataclass(frozen=True, slots=True)
class DeliveryRefused(Entry):
    """Something came over the channel that does not hold: forged, replayed, forked or from a stranger. `rule` says."""

    rule: str
    leaf: str


@dataclass(frozen=True, slots=True)
class RestoreNoticed(Entry):
    """The first door heard `heard` statements, more than the `said` ones here: this store came back from a backup."""

    heard: int
    said: int


# --- stream keeping: what a keeper decided about the first door's word --------------------------------------------


@dataclass(frozen=True, slots=True)
class DefinitionConfirmed(Entry):
    """From now on this door works by the definition of this digest, which the first door had released."""

    digest: str


@dataclass(frozen=True, slots=True)
class DefinitionDeclined(Entry):
    """This door does not work by a definition that the first door released; it goes on by the one before."""

    digest: str
    reason: str = aside()


@dataclass(frozen=True, slots=True)
class RestoreAccepted(Entry):
    """This store goes on though it came back from a backup: what it said last, and how far the first door had heard."""

    said: int
    heard: int
    reason: str = aside()


@dataclass(frozen=True, slots=True)
class AnchorsSkipped(Entry):
    """In stream anchors: numbers up to this one may have been used by the store that a backup took the place of."""

    upto: int


@dataclass(frozen=True, slots=True)
class StatementSkipped(Entry):
    """In stream statements: the statement of this number was made by the store that a backup took the place of."""

    number: int


# --- stream slots ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SlotAssigned(Entry):
    """A slot of the list went to a subject, as the first door's ledger says. `order` counts assignments from 1."""

    number: str
    subject: str
    stratum: str
    order: int


@dataclass(frozen=True, slots=True)
class SlotRefused(Entry):
    """A slot does not open as it was committed to, or was assigned twice: nothing is dispensed for it."""

    number: str
    subject: str
    rule: str


# --- stream cards ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CardsPrinted(Entry):
    """Emergency cards were made for these public numbers, each with a new code. A second card has a reason."""

    numbers: tuple[str, ...]
    reason: str = ""


# --- stream stock: lots, shipments, units ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LotReceived(Entry):
    """A lot as its certificate says; it is in quarantine. `units`: serial numbers; `certificate`: SHA-256 of the file.

    `expiry`: ISO date, the last day of use. `count`: cells per mL, `volume`: mL per unit, `viability`: percent.
    For a product without cells these are the cells that it is matched to, so that the same sum gives its volume.
    """

    lot: str
    product: str
    units: tuple[str, ...]
    expiry: str
    certificate: str
    passage: str
    count: str
    volume: str
    viability: str
    sterility: Literal["PASS", "FAIL", "PENDING"]
    identity: Literal["PASS", "FAIL", "PENDING"]


@dataclass(frozen=True, slots=True)
class LotTested(Entry):
    """A result of the certificate that was pending came in."""

    lot: str
    sterility: Literal["PASS", "FAIL", "PENDING"]
    identity: Literal["PASS", "FAIL", "PENDING"]
    certificate: str


@dataclass(frozen=True, slots=True)
class ShipmentReceived(Entry):
    """Units (lot -> serial numbers) arrived at a site. `log`: SHA-256 of the temperature file, which is `file`.

    `warmest`: the highest reading in degrees Celsius, as text.
    """

    shipment: str
    site: str
    units: Mapping[str, tuple[str, ...]]
    log: str
    warmest: str
    file: str = aside(default="")


@dataclass(frozen=True, slots=True)
class ExcursionRecorded(Entry):
    """A shipment was warmer than allowed, or unwatched, for some minutes; its units go back into quarantine.

    `warmest` is empty where nothing was read.
    """

    shipment: str
    minutes: int
    warmest: str


@dataclass(frozen=True, slots=True)
class ExcursionDecided(Entry):
    """What becomes of the units that are in quarantine after an excursion, by decision of the person in the header."""

    shipment: str
    decision: Literal["USE", "DESTROY"]
    reason: str


@dataclass(frozen=True, slots=True)
class LotReleased(Entry):
    """The lot may be used, by decision of the person in the header."""

    lot: str


@dataclass(frozen=True, slots=True)
class LotRejected(Entry):
    """The lot may not be used."""

    lot: str
    reason: str


@dataclass(frozen=True, slots=True)
class LotRecalled(Entry):
    """A lot is called back, used or not."""

    lot: str
    notice: str
    reason: str


@dataclass(frozen=True, slots=True)
class BagsCalledBack(Entry):
    """What the first door is told of a recall: every bag that is out and not infused, whatever is in it."""

    notice: str
    bags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UnitsDestroyed(Entry):
    """Units (serial numbers) were destroyed before a witness."""

    lot: str
    site: str
    units: tuple[str, ...]
    witness: str
    reason: str


@dataclass(frozen=True, slots=True)
class StockCounted(Entry):
    """Units of a lot were counted at a site. What the ledger expects stands beside it: a difference stays visible.

    `missing`: serial numbers expected and not found; `surplus`: found and not expected.
    """

    lot: str
    site: str
    counted: int
    expected: int
    missing: tuple[str, ...]
    surplus: tuple[str, ...]


# --- stream bench/<request>: preparing one dose; what moves a unit or a bag stands in stream stock as well --------


@dataclass(frozen=True, slots=True)
class PreparationOpened(Entry):
    """Work on a request began, or began again: the slot was opened and agreed with its commitment.

    `attempt` counts from 1: a replacement is drawn for the same slot.
    """

    request: str
    subject: str
    number: str
    attempt: int
    product: str = aside()


@dataclass(frozen=True, slots=True)
class UnitTaken(Entry):
    """A unit was taken out of stock for this dose."""

    request: str
    subject: str
    unit: str = aside()
    lot: str = aside()


@dataclass(frozen=True, slots=True)
class StepDone(Entry):
    """A step of the bench was done (UTC), or its sham. `second` checked it where the step asks for two persons."""

    request: str
    step: str
    at: str
    second: str = ""
    scanned: str = aside(default="")


@dataclass(frozen=True, slots=True)
class ViabilityMeasured(Entry):
    """Viability after thawing, in percent, as text; `SHAM` for a product without cells, so that both say something."""

    request: str
    percent: str = aside()


@dataclass(frozen=True, slots=True)
class PreparationFailed(Entry):
    """The preparation came to nothing; what was taken is lost. `again`: a replacement is prepared."""

    request: str
    because: Literal[
        "THAW_FAILED", "VIABILITY_LOW", "SPILLED", "BAG_BROKEN", "TIME_PASSED", "RECALLED", "OTHER"
    ]
    again: bool
    reason: str = aside(default="")


@dataclass(frozen=True, slots=True)
class BagPrepared(Entry):
    """The dose is in a masked bag with a random number. `volume` in mL; of it `taken` from the unit, `cells` viable."""

    request: str
    subject: str
    bag: str
    volume: str
    use_by: str
    taken: str = aside()
    cells: str = aside()


@dataclass(frozen=True, slots=True)
class BagVerified(Entry):
    """Two persons scanned bag and request: the one in the header, and `second`. `release_at`: the hour fixed (UTC)."""

    request: str
    bag: str
    second: str
    release_at: str


@dataclass(frozen=True, slots=True)
class BagHandedOver(Entry):
    """The bag was released to the first door at the hour fixed beforehand, or late."""

    request: str
    subject: str
    bag: str
    at: str
    use_by: str


@dataclass(frozen=True, slots=True)
class BagTakenBack(Entry):
    """A bag came back from the ward, with what was left in it (mL, as text)."""

    request: str
    bag: str
    remaining: str


@dataclass(frozen=True, slots=True)
class BagDestroyed(Entry):
    """A bag, and what was left in it, was destroyed before a witness."""

    request: str
    bag: str
    witness: str
    reason: str


# --- stream breaks: opening one code -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BreakAccepted(Entry):
    """A request for one participant's arm, proven to stand in the first door's ledger. `to`: whom it is shown to."""

    request: str
    subject: str
    site: str
    actor: str
    to: str
    drill: bool


@dataclass(frozen=True, slots=True)
class BreakRefused(Entry):
    """A request was not answered, and why (a message key)."""

    request: str
    rule: str


@dataclass(frozen=True, slots=True)
class HandoverMade(Entry):
    """A one-time code was given to the investigator, to be told to the third person. `digest`: SHA-256 over it."""

    request: str
    digest: str


@dataclass(frozen=True, slots=True)
class ArmShown(Entry):
    """The arm is about to be shown to `reader`, on this door's own page. Written before it is shown."""

    request: str
    subject: str
    reader: str
    drill: bool


@dataclass(frozen=True, slots=True)
class QuotaPassed(Entry):
    """More codes were broken at a site on a day than is usual. It alerts and never blocks."""

    site: str
    day: str
    breaks: int


# --- streams anchors and release; closed work --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AnchorMade(Entry):
    """The hourly commitment to this ledger's root, as it was given to the first door."""

    number: int
    size: int
    root: str
    commitment: str
    nonce: str = aside()


@dataclass(frozen=True, slots=True)
class StatementMade(Entry):
    """Something that this door says to the first door, in order. `content` is its canonical JSON."""

    number: int
    says: str
    content: str


@dataclass(frozen=True, slots=True)
class ValuesLocked(Entry):
    """The values kept here are locked (or unlocked again), by the person in the header."""

    locked: bool


@dataclass(frozen=True, slots=True)
class VaultReleaseSigned(Entry):
    """One of the two persons who must sign here, too, before seeds and nonces are published."""

    conditions: str


@dataclass(frozen=True, slots=True)
class ListReleased(Entry):
    """Seeds and nonces were published; `release` is the SHA-256 of the file."""

    root: str
    release: str


@dataclass(frozen=True, slots=True)
class ClosedWorkOpened(Entry):
    """The arms were used for closed work (a safety board's report) by the named persons, inside this door.

    `table` is the SHA-256 of the file of arms that was written into this door's own closed folder.
    """

    purpose: str
    members: tuple[str, ...] = field(default=())
    table: str = ""


VAULT_KINDS: Mapping[str, type[Entry]] = {
    kind.__name__: kind for kind in Entry.__subclasses__() if kind.__name__ not in KINDS
}
"""Every kind of the second door by name."""
