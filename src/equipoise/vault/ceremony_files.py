"""Where a ceremony leaves its files: the public folder and the vault's, which lie apart.

The rules that must stay true: a list that stands in a folder is never overwritten; the vault's files are on disk
before the public ones, and each is whole or not there; the vault's folder and files are for their owner alone.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from equipoise.protocol.study import Study
from equipoise.randomization.predictability import Predictability
from equipoise.randomization.public import NAME, read_public
from equipoise.vault.ceremony_record import NAME as RECORD
from equipoise.vault.ceremony_record import Step, record_bytes
from equipoise.vault.certificate import NAME as CERTIFICATE
from equipoise.vault.certificate import certificate, certificate_text
from equipoise.vault.holding import SLOTS, Held
from equipoise.words.problem import Problem, problem


def finish(
    study: Study, held: Held, steps: Sequence[Step], figures: Predictability, places: tuple[Path, Path]
) -> None:
    """Write everything, the vault's files before the public ones, and say where. Raises OSError.

    figures: of the design, for the certificate; places: the public folder and the vault's.
    """
    public, vault = places
    _write(vault, {**held.vault, RECORD: record_bytes(steps)}, folder_mode=0o700, file_mode=0o600)
    _write(public, held.public, folder_mode=0o755, file_mode=0o644)
    told = read_public(public)
    if isinstance(told, Problem):
        raise RuntimeError("the public file that was written is not read back")
    text = certificate_text(certificate(study, told, figures, steps[-1].at))
    _write(public, {CERTIFICATE: text.encode()}, folder_mode=0o755, file_mode=0o644)
    sys.stdout.write(f"public {public / NAME}\nvault {vault}\nok {held.slots} slots root {held.root}\n")


def place_faults(public: Path, vault: Path) -> tuple[Problem, ...]:
    """That the two folders do not lie apart, are none, or hold a list already."""
    inner, outer = public.resolve(), vault.resolve()
    if inner == outer or inner.is_relative_to(outer) or outer.is_relative_to(inner):
        return (problem("vault.folders-not-apart", str(vault)),)
    for folder, held in ((public, public / NAME), (vault, vault / SLOTS)):
        if held.exists() or (folder.exists() and not folder.is_dir()):
            return (problem("vault.ceremony-already-held", str(folder), folder=folder),)
    return ()


def _write(folder: Path, files: Mapping[str, bytes], *, folder_mode: int, file_mode: int) -> None:
    """Write files whole, on disk before this returns. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(folder_mode)
    for name, content in files.items():
        draft = folder / (name + ".draft")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, file_mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        draft.chmod(file_mode)
        draft.replace(folder / name)
