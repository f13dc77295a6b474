"""Phones of participants and caregivers: invited by the site, set up with code and PIN, taken out of use.

The rules that must stay true: code and PIN are given once and stand nowhere; a phone that was shut out after too many
wrong PINs is so in the ledger, too: where the ledger could not be written just then, the next round of the post does
it. Whether a phone counts is the ledger's to say.
"""

from __future__ import annotations

from dataclasses import dataclass

from equipoise.access.commands import SYSTEM, Who
from equipoise.desk.desk import Desk
from equipoise.desk.diary_tables import PHONES
from equipoise.desk.phones import Invited
from equipoise.diary.commands import EnrolDevice, InviteDevice, RevokeDevice
from equipoise.diary.packets import b64
from equipoise.words.clock import utc_text
from equipoise.words.ids import random_id
from equipoise.words.problem import Problem, problem


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What a phone is told once: its id and key, whose it is, and what it needs to begin. `key`: base64url."""

    device: str
    key: str
    holder: str
    number: str
    zone: str
    definition: str
    server_time: str


def invite(
    desk: Desk, who: Who, subject: str, holder: str, *, key: str, zone: str = ""
) -> Invited | tuple[Problem, ...]:
    """Let somebody set up a phone for a subject's diary. `holder`: PARTICIPANT, or a caregiver's id in the register.

    The code goes into the fragment of a link (`/diary/#code`), the PIN is told apart from it; both are given only here.
    """
    # The same request names the same phone again, so that it is a replay and not a second invitation.
    seed = desk.ledger.keys.sign(f"device\n{subject}\n{holder}\n{key}".encode())
    device = random_id(lambda count: (seed * (count // len(seed) + 1))[:count])
    outcome = desk.submit(who, InviteDevice(subject, device, holder, zone), key=key)
    if not outcome.accepted:
        return outcome.problems
    with desk.reading() as reader:
        known = desk.diary(reader, subject).devices[device]
    return desk.phones.invite(device, subject, known.until) or (problem("diary.invitation-given"),)


def enrol(desk: Desk, code: str, pin: str) -> Enrolled | Problem:
    """Set up a phone. Problems: `diary.invitation-over`, `diary.pin-wrong`, `diary.pin-locked`."""
    now = desk.now()
    limit = desk.study.diary.invitation.wrong_pins
    found = desk.phones.opened_by(code, pin, utc_text(now), limit)
    if isinstance(found, Problem):
        if found.rule == "diary.pin-locked":
            record_locked(desk)
        return found
    device, subject = found
    with desk.reading() as reader:
        state = desk.diary(reader, subject).devices.get(device)
    if state is None or state.state == "REVOKED":
        return problem("diary.invitation-over")
    if state.state == "INVITED":
        outcome = desk.submit(SYSTEM, EnrolDevice(subject, device), key=f"enrol {device}")
        if not outcome.accepted:
            return outcome.problems[0]
    secret = desk.phones.give_key(device)
    with desk.reading() as reader:
        standing = desk.standing_light(reader, subject)
        diary = desk.diary(reader, subject)
    number = standing.facts.screening_number or ""
    held = state.holder if state.side == "PARTICIPANT" else "CAREGIVER"
    return Enrolled(device, b64(secret), held, number, diary.zone, standing.trial.digest, utc_text(now))


def revoke(desk: Desk, who: Who, subject: str, device: str, reason: str, *, key: str) -> tuple[Problem, ...]:
    """Let a phone count no more; what it still sends is kept as evidence. Why it was refused, or nothing."""
    outcome = desk.submit(who, RevokeDevice(subject, device, reason), key=key)
    return outcome.problems


def record_locked(desk: Desk) -> int:
    """Take out of use every invitation that was tried with too many wrong PINs; how many were not yet."""
    with desk.reading() as reader:
        limit = desk.study.diary.invitation.wrong_pins
        known = {
            device: subject
            for device, subject in desk.phones.locked(limit)
            if (row := reader.rows.get(PHONES, (device,))) is not None and row["state"] != "REVOKED"
        }
    for device, subject in known.items():
        desk.submit(SYSTEM, RevokeDevice(subject, device, automatic=True), key=f"locked {device}")
    return len(known)
