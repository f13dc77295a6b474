"""The final release itself, and closed work: the two places where arms of more than one participant are written out.

The rules that must stay true: the gate is asked before a seed is opened, and again when the entry is written; the
entry stands before the file, and before the entry the file's content lies here sealed, so that who comes after a
crash between the two publishes exactly what the entry names; what is written for closed work lies sealed in this
door's own folder, so that a copy of it tells nobody an arm, is opened for a named person only, and is an entry with
names and the table's digest.

    FOLDER/release/release.json     seeds, nonces, arms and what was dispensed (vault.release_file)
    FOLDER/release/anchors.json     the nonces of all anchors
    FOLDER/release/*.pending        both, sealed, until they are written
    FOLDER/closed/DIGEST.sealed     participant -> arm, for the persons named in the entry
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from equipoise.ledger.facts import Refusal
from equipoise.ledger.reader import Reader
from equipoise.ledger.vault_entries import AnchorMade, ListReleased
from equipoise.vault import release_file
from equipoise.vault.facts import Keeper
from equipoise.vault.folding import Memory
from equipoise.vault.keyring import write_private
from equipoise.vault.knowing import Knowledge
from equipoise.vault.release.commands import OpenClosedWork, PublishList
from equipoise.vault.release.decide import gate
from equipoise.vault.release.evolve import State
from equipoise.vault.releasing import release_of
from equipoise.vault.vault import Vault
from equipoise.words.canonical import Json, canonical_bytes
from equipoise.words.problem import Problem, problem

RELEASED, CLOSED, ANCHORS, SEALED, PENDING = "release", "closed", "anchors.json", ".sealed", ".pending"
Problems = tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Published:
    """What was published: the folder, and SHA-256 (hex) of release.json."""

    folder: Path
    release: str


def publish(vault: Vault, keeper: Keeper, *, key: str) -> Published | Problems:
    """Publish seeds and nonces, or every reason why not. After a crash it writes what its entry names."""
    released = _released(vault)
    if released is not None:
        return _again(vault, keeper, released.release)
    refused = refusal(vault, keeper)
    if refused is not None:
        return refused.problems
    made = release_of(vault)
    if isinstance(made, Problem):
        return (made,)
    content, root = made
    release = hashlib.sha256(content).hexdigest()
    with vault.reading() as reader:
        anchors = _anchors(reader)
    for name, data in ((release_file.NAME, content), (ANCHORS, anchors)):
        pending = _pending(vault, release, name)
        pending.unlink(missing_ok=True)
        write_private(pending, vault.sealed(pending.name, data))
    outcome = vault.submit(keeper, PublishList(root, release), key=key)
    if not outcome.accepted:
        return outcome.problems
    fault = vault.checkpoint()
    return (fault,) if fault is not None else _finished(vault, release)


def unwritten(vault: Vault) -> bool:
    """Whether a release stands in the ledger whose files were not written: a crash came between."""
    return _released(vault) is not None and not all(
        (vault.folder / RELEASED / name).exists() for name in (release_file.NAME, ANCHORS)
    )


def _released(vault: Vault) -> ListReleased | None:
    with vault.reading() as reader:
        return cast("State", vault.state(reader, PublishList("0" * 64, "0" * 64))).released


def _again(vault: Vault, keeper: Keeper, release: str) -> Published | Problems:
    """Write the files of a release that stands in the ledger already, or say that it was published."""
    if keeper.purpose != "KEEPER":
        return (problem("vault.not-allowed"),)
    if not unwritten(vault):
        return (problem("vault_release.released-already", "release"),)
    return _finished(vault, release)


def _finished(vault: Vault, release: str) -> Published | Problems:
    """Both files out of what lies sealed here, and that taken away; only what the entry's digest names."""
    folder = vault.folder / RELEASED
    for name in (ANCHORS, release_file.NAME):
        if (folder / name).exists():
            continue
        pending = _pending(vault, release, name)
        try:
            content = vault.unsealed(pending.name, pending.read_bytes())
        except OSError:
            content = None
        named = name != release_file.NAME or (content and hashlib.sha256(content).hexdigest() == release)
        if content is None or not named:
            return (problem("vault_release.content-lost", str(pending)),)
        _write(folder / name, content)
    for left in folder.glob(f"*{PENDING}"):
        left.unlink()
    return Published(folder, release)


def _pending(vault: Vault, release: str, name: str) -> Path:
    return vault.folder / RELEASED / f"{release[:16]}.{name}{PENDING}"


def refusal(vault: Vault, keeper: Keeper) -> Refusal | None:
    """Every reason against a release now; None where there is none."""
    command = PublishList("0" * 64, "0" * 64)
    with vault.reading() as reader:
        state = cast("State", vault.state(reader, command))
        return gate(state, vault.facts(reader, keeper, command))


def open_closed_work(
    vault: Vault, keeper: Keeper, purpose: str, members: tuple[str, ...], *, key: str
) -> Path | Problems:
    """Write every participant's arm into the closed folder, sealed, for the named persons; the file's path."""
    with vault.reading() as reader:
        rows = _rows(vault, reader)
    if isinstance(rows, Problem):
        return (rows,)
    content: dict[str, Json] = {"format": "equipoise-treatments-1", "rows": rows}
    data = canonical_bytes(content) + b"\n"
    table = hashlib.sha256(data).hexdigest()
    outcome = vault.submit(keeper, OpenClosedWork(purpose, members, table), key=key)
    if not outcome.accepted:
        return outcome.problems
    path = _closed_path(vault, table)
    _write(path, vault.sealed(path.name, data))
    return path


def read_closed_work(vault: Vault, actor: str, table: str) -> bytes | Problem:
    """The table of a closed work (its digest, hex, or the file's name), for a person whom its entry names.

    Problems: `vault_release.closed-not-for`, `vault_release.closed-unreadable`.
    """
    wanted = table.removesuffix(SEALED)
    with vault.reading() as reader:
        state = cast("State", vault.state(reader, PublishList("0" * 64, "0" * 64)))
    mine = [work for _, work in state.closed if actor in work.members]
    work = next((one for one in mine if len(wanted) >= 16 and one.table.startswith(wanted)), None)
    if work is None:
        return problem("vault_release.closed-not-for", actor)
    path = _closed_path(vault, work.table)
    try:
        content = vault.unsealed(path.name, path.read_bytes())
    except OSError:
        content = None
    if content is None or hashlib.sha256(content).hexdigest() != work.table:
        return problem("vault_release.closed-unreadable", str(path))
    return content


def _closed_path(vault: Vault, table: str) -> Path:
    return vault.folder / CLOSED / f"{table[:16]}{SEALED}"


def _write(path: Path, content: bytes) -> None:
    """The file whole or not at all, readable by its owner alone; nothing where it stands already. Raises OSError."""
    if not path.exists():
        part = path.with_name(path.name + ".part")
        part.unlink(missing_ok=True)
        write_private(part, content)
        part.replace(path)


def _anchors(reader: Reader) -> bytes:
    """Every anchor with its nonce: whoever kept the commitments can now check this door's whole past."""
    made = [one.entry for one in reader.entries("anchors") if isinstance(one.entry, AnchorMade)]
    lines: list[Json] = [
        {
            "number": one.number, "size": one.size, "root": one.root, "commitment": one.commitment,
            "nonce": one.nonce,
        }
        for one in made
    ]  # fmt: skip
    content: dict[str, Json] = {"format": "equipoise-anchors-1", "anchors": lines}
    return canonical_bytes(content) + b"\n"


def _rows(vault: Vault, reader: Reader) -> list[Json] | Problem:
    """Participant, public number and arm, in the order of the screening numbers."""
    known, study, opener = vault.known(reader), vault.study, Knowledge(Memory(), (), rehearsal=False)
    opener.book = vault.book
    rows: list[tuple[str, str, str]] = []
    for subject, number in known.slots.numbers.items():
        arm = opener.arm(study, number, known)
        if isinstance(arm, Problem):
            return arm
        rows.append((known.told.numbers.get(subject, subject), number, arm))
    return [{"participant": each[0], "number": each[1], "arm": each[2]} for each in sorted(rows)]
