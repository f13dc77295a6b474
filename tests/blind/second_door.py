"""What unblinded people do behind the second door, in every world alike: stock, bench, one shown code, laboratory values.

The rule that must stay true: the same commands in the same order and at the same times in every world; only which unit is
taken, and which number is typed, is the secret's.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import TYPE_CHECKING, Any

from equipoise.words.problem import Problem

if TYPE_CHECKING:
    from blind.world import World

PASSPHRASE = "a passphrase for a world"
CREDENTIALS = (
    ("pharmacist", "BENCH"),
    ("pharmacy_checker", "CHECK"),
    ("investigator", "BREAK"),
    ("lab_desk", "LAB"),
    ("board_statistician", "BOARD"),
    ("vault_keeper", "KEEPER"),
    ("backup_officer", "OFFICER"),
)
EXPIRY = dt.date(2027, 6, 30)
CERTIFICATE = hashlib.sha256(b"certificate").hexdigest()
COLD = "time,temperature\n2026-05-01T08:00:00Z,-170.5\n2026-05-01T08:30:00Z,-168\n2026-05-01T09:00:00Z,-171\n"
SERIALS = tuple(f"{number:02d}" for number in range(1, 31))
LOTS = ("LOT-A", "LOT-B")
LATER = ("LOT-C", "LOT-D")
"""Received when a lot of the first was called back."""


class SecondDoor:
    """The people of the second door, over the vault of a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.used = dict.fromkeys((*LOTS, *LATER), 0)
        self.shelf: tuple[str, ...] = LOTS

    def give(self, role: str, purpose: str, command: object) -> Any:
        """A command at the second door; its outcome, which nobody of the first door sees."""
        person = self.world.person(role)
        keeper = self.world.vault.who(person.actor, purpose)
        assert keeper is not None, f"{role} is not enrolled for {purpose}"
        return self.world.vault.submit(keeper, command, key=self.world.key())

    def must(self, role: str, purpose: str, command: object) -> Any:
        """As `give`, for what must be accepted."""
        outcome = self.give(role, purpose, command)
        assert outcome.accepted, (type(command).__name__, [problem.say() for problem in outcome.problems])
        return outcome

    def enrol(self) -> None:
        """Everybody who works here, once the first door's roles are known."""
        from equipoise.vault.commands import EnrolCredential
        from equipoise.vault.facts import PROGRAM

        for role, purpose in CREDENTIALS:
            outcome = self.world.vault.submit(
                PROGRAM,
                EnrolCredential(self.world.person(role).actor, purpose),
                key=f"enrol {role} {purpose}",
            )
            assert outcome.accepted, (role, [problem.say() for problem in outcome.problems])

    # --- stock -------------------------------------------------------------------------------------------------

    def product_of(self, lot: str) -> str:
        """What is in a lot. Where the world's arms are swapped, so are the contents of all lots."""
        products = [product.id for product in self.world.desk.study.supply.products]
        place = (LOTS if lot in LOTS else LATER).index(lot)
        return products[1 - place if self.world.secret.how in ("swapped", "but-one") else place]

    def receive_lots(self, lots: tuple[str, ...] = LOTS, shipment: str = "S1") -> None:
        """One lot of each product, released and on the shelf."""
        from equipoise.vault.stock import commands as stock

        self.shelf = lots
        for lot in lots:
            self.must("pharmacist", "BENCH", stock.ReceiveLot(
                lot, self.product_of(lot), SERIALS, EXPIRY.isoformat(), CERTIFICATE, "P4", "2e7", "8", "90",
                "PASS", "PASS"))  # fmt: skip
            self.must("pharmacy_checker", "CHECK", stock.ReleaseLot(lot))
        arrived = stock.ReceiveShipment(shipment, "01", dict.fromkeys(lots, SERIALS), COLD)
        self.must("pharmacist", "BENCH", arrived)

    def recall(self, lot: str) -> None:
        """A lot is called back."""
        from equipoise.vault.stock import commands as stock

        self.must("pharmacist", "BENCH", stock.RecallLot(lot, "a finding at the maker's"))

    # --- bench -------------------------------------------------------------------------------------------------

    def unit_for(self, number: str) -> tuple[str, str]:
        """The next unit of the lot that holds the participant's product."""
        study = self.world.desk.study
        arm = study.randomization.ratio and list(study.randomization.ratio)[self.world.arm(number)]
        product = next(each.id for each in study.supply.products if each.arm == arm)
        lot = next(each for each in self.shelf if self.product_of(each) == product)
        self.used[lot] += 1
        return lot, SERIALS[self.used[lot] - 1]

    def prepare(self, number: str, request: str, *, again: bool = False) -> None:
        """Every step of the study's bench for a request, to a bag that two persons verified."""
        from equipoise.vault.bench import commands as bench
        from equipoise.vault.bench.scan import unit_payload

        second = self.world.person("pharmacy_checker").actor
        lot, serial = self.unit_for(number)
        self.must("pharmacist", "BENCH", bench.OpenPreparation(request))
        for step in self.world.desk.study.supply.bench:
            pair = second if step.two_persons else ""
            match step.kind:
                case "scan_unit":
                    command: object = bench.TakeUnit(request, unit_payload(lot, serial, EXPIRY), pair)
                case "viability":
                    products = {each.id: each for each in self.world.desk.study.supply.products}
                    cells = products[self.product_of(lot)].cellular
                    command = bench.MeasureViability(request, "85" if cells else "", pair)
                case "fill":
                    command = bench.FillBag(request, pair)
                case _:
                    command = bench.DoStep(request, step.id, pair)
            self.world.clock.wait(minutes=step.minutes or 2)
            self.must("pharmacist", "BENCH", command)
        bag = self._bag(request)
        self.must("pharmacist", "BENCH", bench.VerifyBag(request, bag, f"EQ.REQ.{request}", second))

    def _bag(self, request: str) -> str:
        from equipoise.ledger.vault_entries import BagPrepared

        with self.world.vault.reading() as reader:
            made = [
                each.entry
                for each in reader.entries(f"bench/{request}")
                if isinstance(each.entry, BagPrepared)
            ]
        return made[-1].bag

    def take_back(self, request: str, bag: str) -> None:
        """A bag comes back from the ward."""
        from equipoise.vault.bench import commands as bench

        self.must("pharmacist", "BENCH", bench.ReceiveBag(request, bag, "12.5"))

    # --- codes and values ----------------------------------------------------------------------------------------

    def show(self, request: str) -> None:
        """The investigator sees the arm, on the second door's own page."""
        from equipoise.vault.breaks.commands import ShowArm

        self.must("investigator", "BREAK", ShowArm(request))

    def record_values(self, number: str) -> None:
        """The laboratory types in values that would reveal the arm."""
        from equipoise.ledger.entries import Datum
        from equipoise.vault.values import RecordValues

        value = f"{self.world.secret.value(31, 89, f'CD3 {number}')}.0"
        subject = self.world.desk.subject_id(number)
        command = RecordValues(subject, "V2", "IMMUN", 1, {"CD3": Datum(value)}, 0)
        self.give("lab_desk", "LAB", command)

    def take_in(self, text: str) -> None:
        """The laboratory's desk takes in a file with a value that would reveal the arm."""
        from equipoise.vault.results import ImportValues, asked

        keeper = self.world.vault.who(self.world.person("lab_desk").actor, "LAB")
        with self.world.vault.reading() as reader:
            facts = self.world.vault.facts(reader, keeper, ImportValues("CENTRAL", "", ()))
        self.must("lab_desk", "LAB", asked(facts, "CENTRAL", text, corrects=False))


def opened(vault: Any) -> Any:
    """The vault, or why there is none."""
    assert not isinstance(vault, Problem), vault.say()
    return vault
