"""A second factor at the second door: codes from an app (TOTP), codes for the day on which the app is gone.

The rules that must stay true: a secret lies sealed under the keyring, and a code for the bad day as its SHA-256 only; a
code counts once, and none of an earlier time after it; five wrong ones in a row pause for a quarter of an hour; nothing
counts that its person has not confirmed with a first code. A code break never waits for it: whoever is enrolled to open
one code comes in for that with the password alone (docs/decisions/0031).
Sources: RFC 6238 (TOTP: 30 s, 6 digits, one step of drift, 5.2: a code is accepted once); NIST SP 800-63B 5.2.2 (limit
of wrong tries), 5.1.2 (look-up secrets).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from dataclasses import dataclass

import segno
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from django.db.models import F

from equipoise.pages.accounts.models import Account, SecondFactor
from equipoise.vault.web.door import VaultDoor
from equipoise.words.ids import random_id

STEP_SECONDS, DIGITS, DRIFT = 30, 6, 1
SECRET_BYTES = 20
"""160 bits: RFC 4226, R6."""
RECOVERY = 8
"""How many codes for the day on which the app is gone."""
TRIES, PAUSE_SECONDS = 5, 900


@dataclass(frozen=True, slots=True)
class Offered:
    """What an app is given: the secret to be typed, and the same as a picture (SVG)."""

    secret: str
    picture: str


def of(account: int) -> SecondFactor | None:
    """The confirmed second factor of an account."""
    return SecondFactor.objects.filter(account_id=account, since__gt=0).first()


def offer(vault: VaultDoor, account: Account, label: str) -> Offered:
    """The secret that waits to be confirmed, made where there is none. `label`: what the app shows of the trial."""
    factor = SecondFactor.objects.filter(account=account).first()
    if factor is None:
        sealed = vault.sealed(_name(account.pk), secrets.token_bytes(SECRET_BYTES))
        factor = SecondFactor.objects.create(account=account, sealed=sealed)
    totp = _totp(_secret(vault, factor))
    address = totp.get_provisioning_uri(account.username, label)
    found = re.search(r"secret=([A-Z2-7]+)", address)
    secret = found[1] if found else ""
    grouped = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
    return Offered(grouped, segno.make(address, error="m").svg_inline(scale=5))


def confirm(vault: VaultDoor, account: int, typed: str) -> tuple[str, ...]:
    """The recovery codes, once, where the first code is right; empty where it is not, or a factor stands already."""
    factor = SecondFactor.objects.filter(account_id=account, since=0).first()
    if factor is None or _paused(vault, factor) or not _code_counts(vault, factor, typed):
        return ()
    codes = tuple(_grouped(random_id(secrets.token_bytes)) for _ in range(RECOVERY))
    factor.since, factor.failures = _seconds(vault), 0
    factor.recovery = json.dumps([_digest(code) for code in codes])
    factor.save(update_fields=["since", "failures", "recovery"])
    return codes


def paused(vault: VaultDoor, account: int) -> bool:
    """Whether nothing is looked at now, because too many wrong codes came."""
    factor = SecondFactor.objects.filter(account_id=account).first()
    return factor is not None and _paused(vault, factor)


def proven(vault: VaultDoor, account: int, typed: str) -> str:
    """How the typed code proves the person: `APP`, `RECOVERY`, or an empty text. Wrong ones are counted."""
    factor = of(account)
    if factor is None or _paused(vault, factor):
        return ""
    if _code_counts(vault, factor, typed):
        return "APP"
    return "RECOVERY" if _recovery_counts(factor, typed) else ""


def left(account: int) -> int:
    """How many recovery codes are left."""
    factor = of(account)
    return len(json.loads(factor.recovery)) if factor is not None else 0


def remove(account: int) -> None:
    """Take the factor away, confirmed or not."""
    SecondFactor.objects.filter(account_id=account).delete()


def _code_counts(vault: VaultDoor, factor: SecondFactor, typed: str) -> bool:
    """Whether it is the code of now, or of a step beside it, and later than any that counted; else one more failure."""
    digits = re.sub(r"\s", "", typed)
    now, totp = _seconds(vault) // STEP_SECONDS, _totp(_secret(vault, factor))
    steps = [
        step
        for step in range(now - DRIFT, now + DRIFT + 1)
        if hmac.compare_digest(totp.generate(step * STEP_SECONDS), digits.encode())
    ]
    for step in steps:  # in one statement: of two that bring the same code at once, one comes in
        mine = SecondFactor.objects.filter(pk=factor.pk, last_step__lt=step)
        if mine.update(last_step=step, failures=0):
            return True
    _failed(vault, factor)
    return False


def _recovery_counts(factor: SecondFactor, typed: str) -> bool:
    digest = _digest(typed)
    held: list[str] = json.loads(factor.recovery)
    if digest not in held:
        return False
    kept = json.dumps([one for one in held if one != digest])
    mine = SecondFactor.objects.filter(pk=factor.pk, recovery=factor.recovery)
    return bool(mine.update(recovery=kept, failures=0, paused_until=0))


def _failed(vault: VaultDoor, factor: SecondFactor) -> None:
    mine = SecondFactor.objects.filter(pk=factor.pk)
    mine.update(failures=F("failures") + 1)
    if mine.filter(failures__gte=TRIES).update(failures=0, paused_until=_seconds(vault) + PAUSE_SECONDS):
        factor.refresh_from_db()


def _paused(vault: VaultDoor, factor: SecondFactor) -> bool:
    return factor.paused_until > _seconds(vault)


def _seconds(vault: VaultDoor) -> int:
    return int(vault.now().timestamp())


def _totp(secret: bytes) -> TOTP:
    return TOTP(secret, DIGITS, SHA1(), STEP_SECONDS)  # noqa: S303  # HMAC-SHA-1, which every app knows (RFC 6238)


def _secret(vault: VaultDoor, factor: SecondFactor) -> bytes:
    opened = vault.unsealed(_name(factor.account.pk), bytes(factor.sealed))
    if opened is None:
        raise RuntimeError("a second factor does not open under this keyring")
    return opened


def _name(account: int) -> str:
    return f"second factor {account}"


def _grouped(code: str) -> str:
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))


def _digest(typed: str) -> str:
    """SHA-256 (hex) of a recovery code: 79 random bits need no slow hash. Dashes, spaces and case do not count."""
    return hashlib.sha256(re.sub(r"[^0-9a-z]", "", typed.lower()).encode()).hexdigest()
