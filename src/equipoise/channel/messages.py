"""Everything that passes between the two doors: read this file and you know all of it.

Upwards (first door to second) go entries of the first door's ledger, of the kinds in FORWARDED, each proven to stand
in a signed checkpoint that continues the last one accepted; of the streams in WHOLE every entry goes up, those of
other kinds by their header alone. Downwards come the second door's signed statements, of the
kinds in STATEMENTS, in frames of one fixed length whatever they say, so that neither length nor number tells anything.
The rules that must stay true: no message names an arm, a product or a lot; every statement has the same fields and the
same length of their values for every arm; a statement is asked for by number, so that nothing is lost or told twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

FRAME = 16 * 1024
"""Bytes of every answer of the second door, filled up with spaces."""
PER_ANSWER = 8
"""Statements in one answer at most; what is left comes with the next."""

FORWARDED: Mapping[str, str] = {
    "StoreOpened": "the purpose must be the second door's own",
    "StudyReleased": "the definition by which doses are prepared",
    "RoleGranted": "who may be given an account there; one person, one list of roles for both doors",
    "RoleRevoked": "who may no longer",
    "SubjectScreened": "at which site a subject is (a quota, a delivery)",
    "AllocationPublished": "the list that the first door believes in must be the one made here",
    "SlotTaken": "which slot a subject holds",
    "SubjectRandomized": "the subject's levels of the factors, which minimization needs",
    "StratumCorrected": "both truths",
    "PreparationRequested": "a dose is wanted",
    "DosingHeld": "a dose waits",
    "DosingDecided": "what became of a held dose",
    "BagChecked": "a bag reached the bedside",
    "BagRejected": "a bag was lost there; a replacement may be needed",
    "InfusionStarted": "the clock from thaw to end",
    "InfusionEnded": "what was given",
    "WrongBagGiven": "both truths",
    "BagReturned": "accountability",
    "CodeBreakRequested": "one participant's arm is asked for",
    "CardOpened": "a paper card is reconciled",
    "ReleaseConditionRecorded": "the gate of the final release",
    "ReleaseSigned": "the gate of the final release",
    "SpecimenCollected": "whose tube a laboratory's number is, so that its file can be reconciled",
    "SpecimenVoided": "a tube whose results are not to be taken in",
}
"""Kinds of the first door's entries that go up, and what for. No other kind ever does."""

WHOLE = ("user/",)
"""How the streams begin of which no entry may be left out: a role that stayed behind could let in who is barred."""

LOST = "Lost"
"""Stands for a statement that a store made which a backup took the place of: its number is used up, nothing is
said."""

STATEMENTS: Mapping[str, tuple[str, ...]] = {
    "BagReleased": ("request", "subject", "bag", "use_by"),
    "BagsRecalled": ("notice", "bags"),
    "CodeShown": ("request", "subject", "reader", "shown_at"),
    "Anchor": ("number", "commitment"),
    "ListReleased": ("root", "release"),
    "Lost": (),
}
"""What the second door may say, with the fields of each."""


@dataclass(frozen=True, slots=True)
class Disclosed:
    """One entry of the first door: its header and main body as canonical JSON texts, the nonce of the body's
    commitment (hex), and the proof (hex, lowest first) that its leaf is entry `index` of the checkpoint's tree. Body
    and nonce are empty for a kind that is not in FORWARDED.
    """

    header: str
    body: str
    nonce: str
    index: int
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message upwards. `consistency` leads from the checkpoint accepted last to this one.

    `heard`: number of the last statement that the first door holds; the answer goes on from there.
    """

    checkpoint: str
    consistency: tuple[str, ...]
    entries: tuple[Disclosed, ...]
    heard: int


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing that the second door says: `content` is canonical JSON with the fields of its kind; Ed25519, hex."""

    number: int
    says: str
    content: str
    signature: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One message downwards. `size`: entries of the first door's tree accepted so far; `upto`: position, in that tree,
    up to which forwarded entries were taken in. `refused`: message key of why the delivery was not taken, or empty.
    """

    size: int
    upto: int
    refused: str
    statements: tuple[Statement, ...]
