"""What phones send, taken in: opened, judged by the diary's room, and answered packet by packet.

The rules that must stay true: an answer says HOSPITAL only of what stands in the ledger, by the ledger's own word after
the commit; of the same bytes it always says the same; whatever cannot be taken is answered with its reason and with
what its owner can do, and is kept as evidence where a known phone sent it; who does not hold a phone's key is told
nothing of its diary, not even where its evidence stands, and whoever sends again what the phone had sent is told what
became of that and no more. A sending is one commit: it is taken in whole, or asked for
again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from equipoise.access.commands import SYSTEM
from equipoise.access.phones import as_phone
from equipoise.desk.desk import Desk
from equipoise.desk.diary_tables import PHONES
from equipoise.desk.phones import Phone
from equipoise.desk.standing import Standing
from equipoise.diary.commands import KeepDiaryEvidence, RecordDiary, Sent
from equipoise.diary.decide import UNOPENED
from equipoise.diary.evolve import Packet, Side, State, side_of
from equipoise.diary.packets import Sealed, Unfit, open_sealed, read_sealed
from equipoise.diary.parsing import parse
from equipoise.diary.windows import Slot, last_day, slots
from equipoise.ledger.receipts import Receipt, receipt_message
from equipoise.words.clock import utc_text
from equipoise.words.problem import Problem, problem
from equipoise.words.text import Text

NOTHING = Text("")
PACKETS_AT_MOST = 64
SLOTS_KEPT = dt.timedelta(days=14)
"""How long a phone is still told of a window that has closed."""
AnswerState = Literal["HOSPITAL", "EVIDENCE", "REFUSED", "AGAIN_LATER"]
SlotState = Literal["LATER", "OPEN", "DONE", "MISSED"]
_REFUSED = UNOPENED | {"diary.id-reused", "diary.device-revoked", "diary.device-unknown"}
_MACHINE = ("ledger.", "desk.")
"""Rooms whose refusals say nothing of the packet: it is asked for again."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one packet. `rule`: empty where it was recorded; `next`: what the phone's owner can do."""

    id: str
    state: AnswerState
    receipt: Receipt | None = None
    rule: str = ""
    says: Text = NOTHING
    next: Text = NOTHING


@dataclass(frozen=True, slots=True)
class SlotSeen:
    """A slot as the phone's owner stands to it."""

    slot: Slot
    state: SlotState


@dataclass(frozen=True, slots=True)
class Answers:
    """The answer to one sending. `definition`: digest of the version in force for the participant; empty, as are the
    slots, where nothing in it was sealed with a known phone's key. `ends`: the day (ISO) on which the diary ended.
    `device`: the phone whose diary these three are of, and which alone may read them."""

    server_time: str
    definition: str
    slots: tuple[SlotSeen, ...]
    answers: tuple[Answer, ...]
    ends: str = ""
    device: str = ""


def take(desk: Desk, packets: Sequence[bytes]) -> Answers:
    """Take in what came in one sending, at most `PACKETS_AT_MOST` packets; those beyond are asked for again."""
    now = desk.now()
    read = [_read(data) for data in packets[:PACKETS_AT_MOST]]
    answers: dict[int, Answer] = {}
    by_device: dict[str, list[tuple[int, Sealed]]] = {}
    for place, one in enumerate(read):
        if isinstance(one, Answer):
            answers[place] = one
        else:
            by_device.setdefault(one.device, []).append((place, one))
    answered: tuple[str, tuple[SlotSeen, ...], str] = ("", (), "")
    spoke = ""
    for device, sealed in by_device.items():
        phone = desk.phones.phone(device)
        if phone is None:
            answers |= {place: _refused(one.id, "diary.device-unknown") for place, one in sealed}
            continue
        heard, taken = _take_from(desk, phone, sealed)
        answers |= taken
        if heard:
            answered, spoke = _told(desk, phone, now), device
    late = {place: _again("") for place in range(len(read), len(packets))}
    found = tuple(one for _, one in sorted((answers | late).items()))
    return Answers(utc_text(now), answered[0], answered[1], found, answered[2], spoke)


def _read(data: bytes) -> Sealed | Answer:
    try:
        return read_sealed(data)
    except Unfit as fault:
        return _refused("", fault.rule)


def _take_from(
    desk: Desk, phone: Phone, sealed: Sequence[tuple[int, Sealed]]
) -> tuple[bool, dict[int, Answer]]:
    """What one phone sent: opened, given to the room, and answered as the ledger then has it.

    Whether it was the phone at all: anybody can write its id on a packet, its key alone makes one that opens.
    """
    sent: list[Sent] = []
    answers: dict[int, Answer] = {}
    with desk.reading() as reader:
        row = reader.rows.get(PHONES, (phone.device,))
    revoked = row is not None and row["state"] == "REVOKED"
    for place, one in sealed:
        opened = _open(phone, one)
        if opened is None:
            greeted = Answer(one.id, "HOSPITAL")
            answers[place] = _refused(one.id, "diary.device-revoked") if revoked else greeted
        else:
            sent.append(opened)
    heard = bool(answers) or any(one.rule not in UNOPENED for one in sent)
    if heard:
        desk.phones.heard(phone.device)
    failed = _give(desk, phone, tuple(sent)) if sent else ()
    with desk.reading() as reader:
        state = desk.diary(reader, phone.subject)
    for place, one in sealed:
        if place not in answers:
            rule = next((opened.rule for opened in sent if opened.sealed == one.digest), "")
            answers[place] = _answer(desk, phone, state, one, rule, failed)
    return heard, answers


def _open(phone: Phone, one: Sealed) -> Sent | None:
    """The packet, opened and parsed; None for one that only says that the phone is there."""
    try:
        said = open_sealed(phone.key, one)
    except Unfit as fault:
        return Sent(one.id, one.digest, "entry", "", fault.rule)
    return None if said.get("kind") == "hello" else parse(one.id, one.digest, said)


def _give(desk: Desk, phone: Phone, sent: tuple[Sent, ...]) -> tuple[Problem, ...]:
    """Have everything recorded or kept. Why it was not, where the machine or a whole sending is the reason."""
    with desk.reading() as reader:
        row = reader.rows.get(PHONES, (phone.device,))
        site = desk.standing_light(reader, phone.subject).facts.subject_site
    if row is None:
        return (problem("diary.device-unknown"),)
    opened = tuple(one for one in sent if one.rule not in UNOPENED)
    unopened = tuple(one for one in sent if one.rule in UNOPENED)
    if row["state"] != "ENROLLED":
        opened, unopened = (), tuple(replace(one, rule=one.rule or "diary.device-revoked") for one in sent)
    problems: tuple[Problem, ...] = ()
    if opened:
        who = as_phone(phone.device, str(row["holder"]), site, enrolled=True)
        outcome = desk.submit(who, RecordDiary(phone.subject, phone.device, opened), key=_key(desk))
        problems = outcome.problems
        if problems and not _of_machine(problems):
            unopened += tuple(replace(one, rule=problems[0].rule) for one in opened)
    if unopened:
        command = KeepDiaryEvidence(phone.subject, phone.device, unopened)
        kept = desk.submit(SYSTEM, command, key=_key(desk))
        problems = problems if kept.accepted else (*problems, *kept.problems)
    return problems


def _of_machine(problems: Sequence[Problem]) -> bool:
    return any(one.rule.startswith(_MACHINE) for one in problems)


def _key(desk: Desk) -> str:
    """A sending has no key of its own: whether a packet is known is asked of the ledger packet by packet."""
    return f"diary {desk.entropy(16).hex()}"


def _answer(
    desk: Desk, phone: Phone, state: State, one: Sealed, rule: str, failed: tuple[Problem, ...]
) -> Answer:
    kept = state.by_digest.get(one.digest)
    if kept is not None and kept.rule not in UNOPENED:
        receipt = _receipt(desk, phone.subject, kept)
        if not kept.rule:
            return Answer(one.id, "HOSPITAL", receipt)
        state_of_it: AnswerState = "REFUSED" if kept.rule in _REFUSED else "EVIDENCE"
        return replace(_refused(one.id, kept.rule), state=state_of_it, receipt=receipt)
    if any(each.rule == "ledger.key-destroyed" for each in failed):  # erased: nothing more is ever kept
        return _refused(one.id, "diary.ended")
    if _of_machine(failed):
        return _again(one.id)
    return _refused(one.id, rule or (failed[0].rule if failed else "diary.packet-unreadable"))


def _receipt(desk: Desk, subject: str, kept: Packet) -> Receipt:
    stream = f"diary/{subject}"
    signature = desk.ledger.keys.sign(receipt_message(stream, kept.seq, kept.leaf))
    return Receipt(stream, kept.seq, kept.leaf, signature.hex())


def _refused(packet: str, rule: str) -> Answer:
    says = problem(rule)
    todo = problem(NEXT.get(rule, "diary.next-call"))
    return Answer(
        packet, "REFUSED", None, rule, Text(says.say(), says.say("zh")), Text(todo.say(), todo.say("zh"))
    )


def _again(packet: str) -> Answer:
    return replace(_refused(packet, "diary.again-later"), state="AGAIN_LATER")


def _told(desk: Desk, phone: Phone, now: dt.datetime) -> tuple[str, tuple[SlotSeen, ...], str]:
    """What a phone is told of its diary: the version in force, the slots from a fortnight ago on, the last day."""
    with desk.reading() as reader:
        standing, state = desk.standing_light(reader, phone.subject), desk.diary(reader, phone.subject)
    device = state.devices.get(phone.device)
    if device is None or device.state != "ENROLLED":
        return standing.trial.digest, (), ""
    ended = last_day(standing.facts)
    return (
        standing.trial.digest,
        seen_slots(standing, state, device.side, now),
        ended.isoformat() if ended else "",
    )


def seen_slots(standing: Standing, state: State, side: Side, now: dt.datetime) -> tuple[SlotSeen, ...]:
    """The slots of a participant's diary as one side stands to them, from a fortnight ago on."""
    done = {
        (one.entry.form, one.entry.period)
        for one in state.made.values()
        if side_of(one.entry.reporter) == side
    }
    due = slots(standing.trial.study.diary, standing.facts.day_one, state.zone, last_day(standing.facts))
    return tuple(
        SlotSeen(slot, _stands(slot, (slot.form, slot.period) in done, now))
        for slot in due
        if slot.closes > now - SLOTS_KEPT
    )


def _stands(slot: Slot, done: bool, now: dt.datetime) -> SlotState:  # noqa: FBT001 a value, not a mode
    if done:
        return "DONE"
    if now < slot.opens:
        return "LATER"
    return "OPEN" if now < slot.closes else "MISSED"


NEXT: Mapping[str, str] = {
    "diary.window-closed": "diary.next-nothing",
    "diary.window-not-open": "diary.next-wait",
    "diary.device-revoked": "diary.next-new-card",
    "diary.device-unknown": "diary.next-new-card",
    "diary.packet-forged": "diary.next-new-card",
    "diary.version-unknown": "diary.next-reload",
    "diary.packet-version": "diary.next-reload",
    "diary.item-unknown": "diary.next-reload",
    "diary.form-unknown": "diary.next-reload",
    "diary.ended": "diary.next-nothing",
    "diary.caregiver-withdrawn": "diary.next-nothing",
    "diary.again-later": "diary.next-kept",
}
"""What the phone's owner can do, by the rule; anything else: call the study team."""
