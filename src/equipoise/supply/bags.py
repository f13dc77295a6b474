"""Deciding on masked bags: released by the second door, scanned by two persons, lost, mixed up, brought back.

The rules that must stay true: a bag is accepted only as the second door said it; a bag that was meant for somebody
else is refused by its number before it is given, and recorded with both truths if it was given all the same; a lost
bag leaves the request open for another. Source: domain 5.3 (chain of identity: scanned twice by two people).
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from equipoise.ledger.entries import (
    BagChecked,
    BagMismatched,
    BagRejected,
    BagReleased,
    BagReturned,
    Entry,
    WrongBagGiven,
)
from equipoise.ledger.facts import Facts, Occasion, Refusal
from equipoise.protocol.study import Study
from equipoise.supply.commands import (
    CheckBag,
    RecordBagRelease,
    RecordMismatch,
    RecordWrongBag,
    RejectBag,
    ReturnBag,
)
from equipoise.supply.evolve import AFTER, Request
from equipoise.supply.stages import off_stage
from equipoise.supply.times import moment, written
from equipoise.words.problem import Problem, problem

Decided = tuple[Entry, ...] | Refusal


def release(
    study: Study, one: Request, facts: Facts, command: RecordBagRelease, occasion: Occasion
) -> Decided:
    """The second door's word. It is taken also where the dose was held or given up meanwhile: the bag is on its way."""
    if one.known_bag(command.bag) is not None:
        return Refusal((problem("supply.bag-known", "bag", bag=command.bag),))
    if one.bag or (one.stage, "released") not in AFTER:
        return Refusal((problem("supply.bag-not-expected", "bag", bag=command.bag),))
    until = moment(command.use_by)
    if until is None or not command.bag:
        return Refusal((problem("supply.time-unfit", "use_by", given=command.use_by),))
    return (BagReleased(one.request, command.bag, written(until), command.statement, command.signature),)


def check(study: Study, one: Request, facts: Facts, command: CheckBag, occasion: Occasion) -> Decided:
    """Bag and participant, scanned by two persons: everything that does not agree is named at once."""
    if one.stage != "RELEASED" or one.current is None:
        return off_stage(one) if one.stage != "CHECKED" else Refusal((problem("supply.checked-already"),))
    faults = [*_scan_faults(one, facts, command), *_second_faults(facts, command, occasion)]
    faults += use_faults(one, facts, occasion.at.isoformat())
    if faults:
        return Refusal(tuple(faults))
    return (BagChecked(one.request, one.bag, command.second),)


def _scan_faults(one: Request, facts: Facts, command: CheckBag) -> list[Problem]:
    found: list[Problem] = []
    bag, subject = command.scanned_bag.strip(), command.scanned_subject.strip()
    if not bag:
        found.append(problem("supply.bag-not-scanned", "scanned_bag"))
    elif bag != one.bag and facts.bag_meant_for is not None:
        words = {"scanned": bag, "meant": one.bag, "other": facts.bag_meant_for}
        found.append(problem("supply.wrong-bag-of", "scanned_bag", **words))
    elif bag != one.bag:
        found.append(problem("supply.wrong-bag", "scanned_bag", scanned=bag, meant=one.bag))
    if not subject:
        found.append(problem("supply.subject-not-scanned", "scanned_subject"))
    elif subject != facts.screening_number:
        words = {"scanned": subject, "meant": facts.screening_number or "–"}
        found.append(problem("supply.wrong-subject", "scanned_subject", **words))
    return found


def _second_faults(facts: Facts, command: CheckBag, occasion: Occasion) -> list[Problem]:
    if not command.second or command.second == occasion.by:
        return [problem("supply.second-is-the-first", "second")]
    return [] if facts.second_may_check else [problem("supply.second-may-not", "second")]


def use_faults(one: Request, facts: Facts, at: str) -> list[Problem]:
    """Why the bag of a request may not be used at a moment: recalled, given to another, or too late."""
    found: list[Problem] = []
    bag = one.current
    if facts.bag_recalled:
        found.append(problem("supply.bag-recalled", "bag", bag=one.bag))
    if facts.bag_given_to_another:
        found.append(problem("supply.bag-given-to-another", "bag", bag=one.bag))
    begin, until = moment(at), moment(bag.use_by) if bag is not None else None
    if begin is not None and until is not None and begin > until:
        found.append(problem("supply.too-late", "at", bag=one.bag, use_by=written(until)))
    return found


def mismatch(
    study: Study, one: Request, facts: Facts, command: RecordMismatch, occasion: Occasion
) -> Decided:
    """A near miss, kept. It changes nothing."""
    bag, subject = command.scanned_bag.strip(), command.scanned_subject.strip()
    if (bag, subject) == (one.bag, facts.screening_number):
        return Refusal((problem("supply.nothing-differs", "scanned_bag"),))
    return (BagMismatched(one.request, one.bag, bag, subject),)


def reject(study: Study, one: Request, facts: Facts, command: RejectBag, occasion: Occasion) -> Decided:
    """A bag that cannot be used. The same request goes on; the pharmacy learns that another may be needed."""
    if (one.stage, "rejected") not in AFTER:
        return off_stage(one)
    if command.bag != one.bag or not one.bag:
        return Refusal((problem("supply.not-the-bag", "bag", bag=command.bag or "–", meant=one.bag or "–"),))
    if command.because == "OTHER" and not command.reason.strip():
        return Refusal((problem("supply.reason-needed", "reason"),))
    return (BagRejected(one.request, one.bag, command.because, command.reason.strip()),)


def wrong(study: Study, one: Request, facts: Facts, command: RecordWrongBag, occasion: Occasion) -> Decided:
    """A bag meant for another request was given. What was meant and what was given both stay."""
    given = command.given.strip()
    if not given or one.known_bag(given) is not None:
        return Refusal((problem("supply.that-bag-was-meant", "given", bag=given or "–"),))
    if given in one.wrong:
        return Refusal((problem("supply.wrong-bag-known", "given", bag=given),))
    if not command.reason.strip():
        return Refusal((problem("supply.reason-needed", "reason"),))
    meant = one.bag or (one.bags[-1].bag if one.bags else "")
    return (WrongBagGiven(one.request, meant, given, command.reason.strip()),)


def give_back(study: Study, one: Request, facts: Facts, command: ReturnBag, occasion: Occasion) -> Decided:
    """A bag goes back, used or not, once it is not to be given any more."""
    bag = one.known_bag(command.bag)
    if bag is None:
        return Refusal((problem("supply.not-the-bag", "bag", bag=command.bag or "–", meant=one.bag or "–"),))
    if bag.returned:
        return Refusal((problem("supply.returned-already", "bag", bag=bag.bag),))
    if not bag.rejected and one.stage not in {"ENDED", "POSTPONED", "OMITTED"}:
        return Refusal((problem("supply.bag-still-to-be-used", "bag", bag=bag.bag),))
    if not _volume(command.remaining):
        return Refusal((problem("supply.remaining-unfit", "remaining", given=command.remaining),))
    return (BagReturned(one.request, bag.bag, str(Decimal(command.remaining))),)


def _volume(text: str) -> bool:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return False
    return number.is_finite() and 0 <= number < 10_000 and -number.normalize().as_tuple().exponent <= 2  # type: ignore[operator]  # finite: a number
