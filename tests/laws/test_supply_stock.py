"""Laws of the cell product: units are conserved whatever is tried, decisions always fold, and products tell nothing.

The tally beside the state is made from the entries alone, by counting, so that it can disagree with the state.
Source of the law: received = in stock + quarantine + used + destroyed + lost (ICH E6(R3) 4.4, accountability).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from equipoise.ledger import vault_entries as entries
from equipoise.ledger.codec import decode, encode
from equipoise.vault.bench import commands as bench
from equipoise.vault.bench.decide import due
from equipoise.vault.bench.scan import unit_payload
from equipoise.vault.stock import commands as stock
from equipoise.vault.stock.decide import bags_out
from rooms.vault.bench_world import ANNA, BEN, CARL, CELLS, COLD, EXPIRY, VEHICLE, Pharmacy, lot

LOTS = st.sampled_from(["C1", "V1", "C2", "X"])
SERIALS = st.sampled_from(["01", "02", "03", "04", "99"])
SEVERAL = st.lists(SERIALS, min_size=1, max_size=4, unique=True).map(tuple)
REQUESTS = st.sampled_from(["r1", "r2", "r3"])
PERSONS = st.sampled_from(["", ANNA, BEN, CARL, "stranger"])
STEPS = st.sampled_from(["read-aloud", "take", "thaw", "count", "fill", "mask"])
WARM = COLD + "2027-02-01T09:30:00Z,-120\n"
BECAUSE = st.sampled_from(["THAW_FAILED", "SPILLED", "TIME_PASSED", "RECALLED", "OTHER"])
HERE = ("IN_STOCK", "QUARANTINED", "CONDEMNED")


class Stock(RuleBasedStateMachine):
    """Anything is tried, in any order, by anybody; what is accepted must keep the laws."""

    def __init__(self) -> None:
        super().__init__()
        self.pharmacy = Pharmacy()
        self.pharmacy.supply(units=4)
        for request, product in (("r1", CELLS), ("r2", VEHICLE), ("r3", CELLS)):
            self.pharmacy.want(request, f"s{request}", product)

    def try_(self, command: object) -> bool:
        before = len(self.pharmacy.entries)
        accepted = self.pharmacy.give(command) == ()
        assert accepted == (len(self.pharmacy.entries) > before)  # a refusal writes nothing
        return accepted

    @rule(minutes=st.integers(0, 200))
    def time_passes(self, minutes: int) -> None:
        self.pharmacy.now += dt.timedelta(minutes=minutes)

    @rule(person=st.sampled_from([ANNA, BEN, CARL]))
    def another_person_acts(self, person: str) -> None:
        self.pharmacy.actor = person

    @rule(name=LOTS, product=st.sampled_from([CELLS, VEHICLE, "other"]), units=SEVERAL)
    def receive(self, name: str, product: str, units: tuple[str, ...]) -> None:
        self.try_(lot(name, product, units))

    @rule(
        name=LOTS,
        what=st.sampled_from([stock.ReleaseLot, stock.RejectLot, stock.RecallLot, stock.RecordTests]),
    )
    def decide_on_a_lot(self, name: str, what: type) -> None:
        more = {
            stock.ReleaseLot: (),
            stock.RejectLot: ("why",),
            stock.RecallLot: ("why",),
            stock.RecordTests: ("PASS", "PASS", "0" * 64),
        }[what]
        self.try_(what(name, *more))

    @rule(name=st.sampled_from(["S1", "S2", "S3"]), lots=st.dictionaries(LOTS, SEVERAL, max_size=2),
          log=st.sampled_from([COLD, WARM, "time"]), site=st.sampled_from(["01", "02"]))  # fmt: skip
    def ship(self, name: str, lots: dict[str, tuple[str, ...]], log: str, site: str) -> None:
        self.try_(stock.ReceiveShipment(name, site, lots, log))

    @rule(name=st.sampled_from(["S1", "S2", "S3"]), use=st.booleans(), minutes=st.integers(-1, 90))
    def excursion(self, name: str, use: bool, minutes: int) -> None:
        self.try_(stock.RecordExcursion(name, minutes, "-100"))
        self.try_(stock.DecideExcursion(name, "USE" if use else "DESTROY", "why"))

    @rule(name=LOTS, units=SEVERAL, site=st.sampled_from(["", "01", "02"]), witness=PERSONS)
    def destroy(self, name: str, units: tuple[str, ...], site: str, witness: str) -> None:
        self.try_(stock.DestroyUnits(name, site, units, witness, "why"))

    @rule(name=LOTS, units=SEVERAL, site=st.sampled_from(["", "01", "02"]))
    def count(self, name: str, units: tuple[str, ...], site: str) -> None:
        self.try_(stock.CountStock(name, site, units))

    @rule(request=REQUESTS)
    def open(self, request: str) -> None:
        self.try_(bench.OpenPreparation(request))

    @rule(request=REQUESTS, name=LOTS, serial=SERIALS)
    def take(self, request: str, name: str, serial: str) -> None:
        self.try_(bench.TakeUnit(request, unit_payload(name, serial, EXPIRY)))

    @rule(request=REQUESTS, step=STEPS, second=PERSONS)
    def step(self, request: str, step: str, second: str) -> None:
        self.try_(bench.DoStep(request, step, second))

    @rule(request=REQUESTS, percent=st.sampled_from(["", "60", "80", "x"]))
    def measure(self, request: str, percent: str) -> None:
        self.try_(bench.MeasureViability(request, percent))

    @rule(request=REQUESTS)
    def fill(self, request: str) -> None:
        self.try_(bench.FillBag(request))

    @rule(request=REQUESTS, because=BECAUSE, again=st.booleans())
    def fail(self, request: str, because: str, again: bool) -> None:
        self.try_(bench.FailPreparation(request, because, again, "why"))

    @rule(request=REQUESTS)
    def go_through(self, request: str) -> None:
        """As far as it goes: otherwise chance would hardly ever fill a bag."""
        held = self.pharmacy.stock.lots
        self.try_(bench.OpenPreparation(request))
        self.try_(bench.DoStep(request, "read-aloud", BEN if self.pharmacy.actor != BEN else CARL))
        for name, one in held.items():
            for serial in one.units:
                if self.try_(bench.TakeUnit(request, unit_payload(name, serial, EXPIRY))):
                    break
        self.try_(bench.DoStep(request, "thaw"))
        self.pharmacy.now += dt.timedelta(minutes=10)
        self.try_(bench.MeasureViability(request, "80" if self.pharmacy.products[request] == CELLS else ""))
        self.try_(bench.FillBag(request))
        self.try_(bench.DoStep(request, "mask", BEN if self.pharmacy.actor != BEN else CARL))
        current = self.pharmacy.bench(request).preparation.current
        if current is not None:
            second = BEN if self.pharmacy.actor != BEN else CARL
            self.try_(bench.VerifyBag(request, current.bag, f"EQ.REQ.{request}", second))

    @rule()
    def hand_over_what_is_due(self) -> None:
        for command in list(due(self.pharmacy.study, self.pharmacy.stock, self.pharmacy.now)):
            self.try_(command)

    @rule(data=st.data(), remaining=st.sampled_from(["0", "99", "101"]), witness=PERSONS)
    def bedside(self, data: st.DataObject, remaining: str, witness: str) -> None:
        if not self.pharmacy.stock.bags:
            return
        name = data.draw(st.sampled_from(sorted(self.pharmacy.stock.bags)))
        request = self.pharmacy.stock.bags[name].request
        if data.draw(st.booleans()):
            self.pharmacy.change(request, rejected=(*self.pharmacy.wanted[request].rejected, name))
        self.try_(bench.ReceiveBag(request, name, remaining))
        self.try_(bench.DestroyBag(request, name, witness, "why"))

    # --- the laws ---

    @invariant()
    def every_entry_that_was_decided_fits(self) -> None:
        assert self.pharmacy.stock.misfits == ()
        assert all(state.misfits == () for state in self.pharmacy.benches.values())

    @invariant()
    def units_are_conserved_and_never_negative(self) -> None:
        tally = counted_from_entries(self.pharmacy)
        for name, held in self.pharmacy.stock.lots.items():
            by_state = Counter(unit.state for unit in held.units.values())
            one = tally[name]
            assert min(one.values(), default=0) >= 0
            assert one["here"] == sum(by_state[state] for state in HERE)
            assert (one["used"], one["destroyed"], one["lost"]) == (
                by_state["USED"], by_state["DESTROYED"], by_state["LOST"],
            )  # fmt: skip
            assert one["received"] == one["here"] + one["used"] + one["destroyed"] + one["lost"]

    @invariant()
    def a_bag_has_one_unit_and_a_unit_one_bag(self) -> None:
        bags = self.pharmacy.stock.bags
        assert len({(bag.lot, bag.unit) for bag in bags.values()}) == len(bags)
        for bag in bags.values():
            product = self.pharmacy.stock.lots[bag.lot].certificate.product
            assert product == self.pharmacy.products[bag.request]

    @invariant()
    def bags_are_reconciled(self) -> None:
        handed = [one.entry.bag for one in self.pharmacy.entries
                  if one.header.kind == "BagHandedOver" and one.header.stream == "stock"]  # fmt: skip
        back = [one.entry.bag for one in self.pharmacy.entries
                if one.header.kind == "BagTakenBack" and one.header.stream == "stock"]  # fmt: skip
        assert len(handed) == len(set(handed))
        assert sorted(handed) == sorted([*bags_out(self.pharmacy.stock, ()), *back])

    @invariant()
    def what_was_said_was_handed_over(self) -> None:
        said = [one for one in self.pharmacy.entries if one.header.kind == "StatementMade"]
        handed = [one for one in self.pharmacy.kinds("stock") if one == "BagHandedOver"]
        assert sum(one.entry.says == "BagReleased" for one in said) == len(handed)


def counted_from_entries(pharmacy: Pharmacy) -> dict[str, Counter[str]]:
    """Units by lot, counted from the entries of the stock and from nothing else."""
    tally: dict[str, Counter[str]] = {}
    lost: dict[str, set[str]] = {}
    for recorded in pharmacy.entries:
        if recorded.header.stream != "stock":
            continue
        entry = recorded.entry
        match entry:
            case entries.LotReceived():
                tally[entry.lot] = Counter(received=len(entry.units), here=len(entry.units))
                lost[entry.lot] = set()
            case entries.UnitTaken():
                tally[entry.lot].update(used=1, here=-1)
            case entries.UnitsDestroyed():
                tally[entry.lot].update(destroyed=len(entry.units), here=-len(entry.units))
            case entries.StockCounted():
                again = lost[entry.lot] & set(entry.surplus)
                lost[entry.lot] = (lost[entry.lot] | set(entry.missing)) - again
                change = len(entry.missing) - len(again)
                tally[entry.lot].update(lost=change, here=-change)
            case _:
                pass
    return tally


TestStock = Stock.TestCase
TestStock.settings = settings(max_examples=150, stateful_step_count=40)


def test_the_machine_can_tell_a_lost_unit():
    """The law bites: a state in which a unit is gone is found."""
    machine = Stock()
    held = machine.pharmacy.stock.lots["C1"]
    fewer = {serial: unit for serial, unit in held.units.items() if serial != "01"}
    machine.pharmacy.stock = dataclasses.replace(
        machine.pharmacy.stock,
        lots={**machine.pharmacy.stock.lots, "C1": dataclasses.replace(held, units=fewer)},
    )
    try:
        machine.units_are_conserved_and_never_negative()
    except AssertionError:
        return
    raise AssertionError("a lost unit was not noticed")


# --- two worlds ----------------------------------------------------------------------------------------------------

COURSE = st.lists(
    st.tuples(REQUESTS, st.sampled_from(["make", "spill", "reject", "return", "recall"])), max_size=12
)


def _play(course: list[tuple[str, str]], products: dict[str, str]) -> Pharmacy:
    """The same course of events, with these products behind the requests."""
    pharmacy = Pharmacy()
    pharmacy.supply(units=20)
    for request, product in products.items():
        pharmacy.want(request, f"s{request}", product)
    serial = iter(f"{number:02d}" for number in range(1, 21))
    for request, event in course:
        current = pharmacy.bench(request).preparation.current
        out = current.bag if current is not None and current.handed_at else ""
        if event == "make" and (out == "" or out in pharmacy.wanted[request].rejected):
            pharmacy.change(request, at=(pharmacy.now + dt.timedelta(minutes=30)).isoformat())
            pharmacy.until_out(request, next(serial))
        elif event == "spill" and (out == "" or out in pharmacy.wanted[request].rejected):
            pharmacy.until_filled(request, next(serial))
            pharmacy.must(bench.FailPreparation(request, "SPILLED", again=True))
        elif event == "reject" and out:
            pharmacy.change(request, rejected=(*pharmacy.wanted[request].rejected, out))
            pharmacy.over |= {out}
        elif event == "return" and out and pharmacy.stock.bags[out].state == "OUT":
            pharmacy.must(bench.ReceiveBag(request, out, "5"))
            pharmacy.over |= {out}
        elif event == "recall":
            pharmacy.must(stock.RecallLot("C1" if products[request] == CELLS else "V1", "why"))
            break  # nothing more can be made of that lot; the notice is the last thing said
    return pharmacy


@given(COURSE)
def test_what_the_first_door_hears_is_the_same_whatever_is_in_the_bags(course):
    """Swapping every product (list and shelf together) changes no byte of any statement, nor the number of entries."""
    products = {"r1": CELLS, "r2": VEHICLE, "r3": CELLS}
    swapped = {request: VEHICLE if product == CELLS else CELLS for request, product in products.items()}
    one, other = _play(course, products), _play(course, swapped)
    heard = [[each.entry.content for each in world.entries if each.header.kind == "StatementMade"]
             for world in (one, other)]  # fmt: skip
    assert heard[0] == heard[1]
    assert [each.header.kind for each in one.entries] == [each.header.kind for each in other.entries]
    assert [encode(each.entry).keys() for each in one.entries] == [
        encode(each.entry).keys() for each in other.entries
    ]


@given(COURSE)
def test_every_entry_of_the_pharmacy_comes_back_from_its_bytes(course):
    for recorded in _play(course, {"r1": CELLS, "r2": VEHICLE, "r3": CELLS}).entries:
        parts = encode(recorded.entry)
        assert decode(recorded.header.kind, parts["main"], parts.get("aside")) == recorded.entry
