"""The keyring: the second door's own keys in one file, opened with a passphrase and with nothing else.

    FOLDER/keyring.sealed      salt and cost of scrypt, and the sealed keys (AES-256-GCM); readable by its owner alone
    FOLDER/keyring.refused     one byte for every wrong passphrase since the door was last opened

The rules that must stay true: no key is printed, logged or written unsealed; a file that lies here for later use (the
slots' own key, the seeds) is sealed under the keyring's wrapping key with its name bound to it; every wrong passphrase
is counted, so that the next opening can say so. Sources: scrypt, RFC 7914; AES-GCM, NIST SP 800-38D.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import unicodedata
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from equipoise.words.canonical import Json, canonical_bytes
from equipoise.words.ids import Entropy
from equipoise.words.problem import Problem, problem

NAME = "keyring.sealed"
REFUSED = "keyring.refused"
FORMAT = "equipoise-keyring-1"
WORK = 16
"""Cost of scrypt as a power of two: 64 MB of memory and some tenths of a second for every try."""
WORK_LEAST, WORK_MOST = 4, 22
PASSPHRASE_LEAST = 12
_KEY, _NONCE, _SALT = 32, 12, 16
_MCL_CURRENT, _PR_SET_DUMPABLE = 1, 4


class Keyring:
    """The open keyring. Its text is the same whatever it holds."""

    __slots__ = ("_sealing", "_web", "_wrap")

    def __init__(self, wrap: bytes, web: bytes) -> None:
        self._wrap, self._web = wrap, web
        self._sealing = AESGCM(wrap)

    def __repr__(self) -> str:
        return "Keyring(sealed)"

    @property
    def wrap(self) -> bytes:
        """What seals the key file of the ledger."""
        return self._wrap

    @property
    def web_secret(self) -> str:
        """The secret of the pages' sessions."""
        return self._web.hex()

    def seal(self, name: str, content: bytes, entropy: Entropy) -> bytes:
        """`content` sealed, to be opened under the same name only."""
        nonce = entropy(_NONCE)
        return nonce + self._sealing.encrypt(nonce, content, name.encode())

    def open(self, name: str, sealed: bytes) -> bytes | None:
        """What was sealed under `name`; None for anything else."""
        try:
            return self._sealing.decrypt(sealed[:_NONCE], sealed[_NONCE:], name.encode())
        except (InvalidTag, ValueError):
            return None


def create_keyring(folder: Path, passphrase: str, entropy: Entropy, *, work: int = WORK) -> Keyring | Problem:
    """A new keyring in `folder`, sealed with the passphrase.

    Problems: `vault.passphrase-short`, `vault.keyring-there`, `vault.keyring-unreadable`.
    """
    if len(passphrase) < PASSPHRASE_LEAST:
        return problem("vault.passphrase-short", least=PASSPHRASE_LEAST)
    keys = {"web": entropy(_KEY).hex(), "wrap": entropy(_KEY).hex()}
    salt, nonce = entropy(_SALT), entropy(_NONCE)
    head: dict[str, Json] = {"format": FORMAT, "nonce": nonce.hex(), "salt": salt.hex(), "work": work}
    sealed = AESGCM(_derived(passphrase, salt, work)).encrypt(
        nonce, canonical_bytes(keys), canonical_bytes(head)
    )
    content = canonical_bytes({**head, "sealed": sealed.hex()}) + b"\n"
    try:
        write_private(folder / NAME, content)
    except FileExistsError:
        return problem("vault.keyring-there", str(folder), folder=folder)
    except OSError as error:
        return _unreadable(folder, error)
    return Keyring(bytes.fromhex(keys["wrap"]), bytes.fromhex(keys["web"]))


def open_keyring(folder: Path, passphrase: str) -> Keyring | Problem:
    """The keyring in `folder`. Problems: `vault.wrong-passphrase` (counted), `vault.keyring-unreadable`."""
    try:
        held = json.loads((folder / NAME).read_bytes())
        sealed = bytes.fromhex(held.pop("sealed"))
        salt, nonce, work = bytes.fromhex(held["salt"]), bytes.fromhex(held["nonce"]), held["work"]
        if held["format"] != FORMAT or type(work) is not int or not WORK_LEAST <= work <= WORK_MOST:
            raise ValueError("format")
        head = canonical_bytes(held)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        return _unreadable(folder, error)
    try:
        keys = json.loads(AESGCM(_derived(passphrase, salt, work)).decrypt(nonce, sealed, head))
    except (InvalidTag, ValueError):
        _count_refusal(folder)
        return problem("vault.wrong-passphrase")
    return Keyring(bytes.fromhex(keys["wrap"]), bytes.fromhex(keys["web"]))


def take_refusals(folder: Path) -> int:
    """How many wrong passphrases were tried since the last time this was asked."""
    path = folder / REFUSED
    try:
        tries = path.stat().st_size
        path.unlink()
    except OSError:
        return 0
    return tries


def write_private(path: Path, content: bytes) -> None:
    """Write a new file that its owner alone may read, on disk before this returns. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def destroy_file(path: Path) -> None:
    """Overwrite a small file and take it away. Raises OSError. Old blocks and copies are the owner's to destroy."""
    with path.open("r+b") as file:
        file.write(bytes(path.stat().st_size))
        file.flush()
        os.fsync(file.fileno())
    path.unlink()


def harden() -> None:
    """No core dump of this process, its memory closed to other processes of its user and kept out of the swap.

    As far as the machine allows: locking memory is refused where a process may lock none. Source: prctl(2), mlock(2).
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    system = ctypes.CDLL(None)
    system.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    system.mlockall(_MCL_CURRENT)


def _derived(passphrase: str, salt: bytes, work: int) -> bytes:
    typed = unicodedata.normalize("NFC", passphrase).encode("utf-8", "surrogatepass")
    return Scrypt(salt=salt, length=_KEY, n=2**work, r=8, p=1).derive(typed)


def _count_refusal(folder: Path) -> None:
    descriptor = os.open(folder / REFUSED, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(b"!")


def _unreadable(folder: Path, error: Exception) -> Problem:
    detail = (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
    return problem("vault.keyring-unreadable", str(folder / NAME), path=folder / NAME, detail=detail)
