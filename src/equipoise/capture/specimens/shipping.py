"""Deciding on shipments of aliquots: what leaves a site, and what arrives.

The rules that must stay true: an aliquot travels once; a manifest names numbers and never a person; what arrived is
written down as it was, each difference from the manifest by aliquot.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

from equipoise.capture.parsing import clean
from equipoise.capture.specimens.accession import tube_of, typed
from equipoise.capture.specimens.commands import ReceiveShipment, SendShipment
from equipoise.capture.specimens.decide import AHEAD, moment, written
from equipoise.capture.specimens.evolve import Shipment
from equipoise.ledger.entries import Append, ShipmentDispatched, SpecimenShipmentReceived
from equipoise.ledger.facts import Decision, Facts, Occasion, Refusal
from equipoise.protocol.study import Study
from equipoise.words.problem import Problem, problem

DIFFERENCES = ("MISSING", "BROKEN", "THAWED", "UNLABELLED")
"""What may be wrong with an aliquot on arrival."""
CONDITIONS = ("FROZEN", "PARTLY_THAWED", "THAWED", "COOLED", "AMBIENT")
MANY = 500
"""Aliquots of one shipment at most."""
_ID = re.compile(r"[0-9a-z]{8,24}")


def decide_shipment(
    study: Study, state: Shipment, facts: Facts, command: SendShipment | ReceiveShipment, occasion: Occasion
) -> Decision:
    """Decide a command on the stream of one shipment."""
    faults = (
        _send_faults(study, state, facts, command, occasion)
        if isinstance(command, SendShipment)
        else _receive_faults(state, command, occasion)
    )
    at = moment(command.at)
    if faults or at is None:
        return Refusal(tuple(faults))
    if isinstance(command, SendShipment):
        entry: ShipmentDispatched | SpecimenShipmentReceived = ShipmentDispatched(
            command.shipment, command.site, command.laboratory, tuple(sorted(command.aliquots)), written(at),
            command.condition, clean(command.carrier),
        )  # fmt: skip
    else:
        entry = SpecimenShipmentReceived(
            command.shipment, written(at), command.condition, dict(_differences(command)),
            tuple(sorted({typed(one) for one in command.unexpected})), clean(command.note),
        )  # fmt: skip
    return (Append(f"shipment/{command.shipment}", entry),)


def _time_fault(text: str, occasion: Occasion) -> list[Problem]:
    at = moment(text)
    if at is None:
        return [problem("specimens.time-unfit", "at", given=text)]
    return [problem("specimens.time-in-future", "at")] if at > occasion.at + AHEAD else []


def _send_faults(
    study: Study, state: Shipment, facts: Facts, command: SendShipment, occasion: Occasion
) -> list[Problem]:
    if state.sent is not None or _ID.fullmatch(command.shipment) is None:
        return [problem("specimens.shipment-sent-already", "shipment")]
    found = _time_fault(command.at, occasion)
    if not any(one.id == command.laboratory for one in study.specimens.laboratories):
        found.append(problem("specimens.choose", "laboratory"))
    if not any(one.id == command.condition for one in study.specimens.storages):
        found.append(problem("specimens.choose", "condition"))
    if not command.aliquots:
        found.append(problem("specimens.nothing-packed", "aliquots"))
    if len(command.aliquots) > MANY:
        found.append(problem("specimens.too-many-packed", "aliquots", most=MANY))
    counted = Counter(command.aliquots)
    for aliquot in sorted(counted):
        if facts.aliquots_here.get(aliquot) != "STORED":
            found.append(problem("specimens.not-in-stock", "aliquots", aliquot=aliquot))
        elif counted[aliquot] > 1:
            found.append(problem("specimens.packed-twice", "aliquots", aliquot=aliquot))
    return found


def _receive_faults(state: Shipment, command: ReceiveShipment, occasion: Occasion) -> list[Problem]:
    if state.sent is None or state.sent.site != command.site:
        return [problem("specimens.shipment-unknown", "shipment")]
    if state.received is not None:
        return [problem("specimens.received-already", "shipment")]
    found = _time_fault(command.at, occasion)
    at, sent = moment(command.at), moment(state.sent.at)
    if at is not None and sent is not None and at < sent:
        found.append(problem("specimens.received-before-sent", "at"))
    if command.condition not in CONDITIONS:
        found.append(problem("specimens.choose", "condition"))
    packed = set(state.sent.aliquots)
    for aliquot, code in _differences(command).items():
        if aliquot not in packed:
            found.append(problem("specimens.not-on-manifest", "discrepancies", aliquot=aliquot))
        elif code not in DIFFERENCES:
            found.append(problem("specimens.choose", "discrepancies"))
    for one in command.unexpected:
        number = typed(one)
        if tube_of(number) is None:
            found.append(problem("specimens.number-unfit", "unexpected", given=one))
        elif number in packed:
            found.append(problem("specimens.on-manifest", "unexpected", aliquot=number))
    return found


def _differences(command: ReceiveShipment) -> Mapping[str, str]:
    """aliquot -> code, from lines `aliquot CODE`."""
    found: dict[str, str] = {}
    for line in command.discrepancies:
        aliquot, _, code = line.partition(" ")
        found[typed(aliquot)] = code.strip()
    return found
