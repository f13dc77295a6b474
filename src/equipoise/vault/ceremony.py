"""The ceremony: `python -m equipoise.vault.ceremony STUDYDIR --public DIR --vault DIR`, a process of its own.

Several people bring seeds; the list is made in this process's memory; public numbers, commitments and the root go to
`--public`, sealed slots, keys and seeds to `--vault` (folders 0700, files 0600), which no program of the first door
opens. The rules that must stay true: nothing printed, and nothing written to `--public`, tells an arm; a ceremony
never overwrites one that was held; a design that is guessed too easily needs a recorded reason, blocks that one
opened code opens whole are refused. Exit: 0 done, 1 the answer is no, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import secrets
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from equipoise.protocol.digest import study_digest
from equipoise.protocol.load import load_study
from equipoise.protocol.study import Study
from equipoise.randomization.draws import Draws, combined
from equipoise.randomization.predictability import (
    GUESS_BAR,
    ONE_BREAK_BAR,
    Predictability,
    design_table,
    predictability,
)
from equipoise.randomization.public import NAME, public_content
from equipoise.randomization.sealing import new_key, public_key, seal, unseal
from equipoise.randomization.tree import list_root
from equipoise.vault.lists import (
    GENERATOR,
    REHEARSAL_GENERATOR,
    AllocationList,
    chosen_method,
    list_length,
    make_list,
)
from equipoise.words.canonical import Json, canonical_bytes
from equipoise.words.ids import Entropy
from equipoise.words.problem import Problem, problem
from equipoise.words.text import Language

SEED_BYTES = 16
"""Fewest bytes of a person's seed."""
CERTAIN = 0.999
VAULT = "vault"
"""The recipient that every ceremony has: the second door's own service."""


@dataclass(frozen=True, slots=True)
class Held:
    """What a ceremony leaves: file name -> bytes for either folder, and the root."""

    public: Mapping[str, bytes]
    vault: Mapping[str, bytes]
    root: str
    slots: int


def main(arguments: Sequence[str] | None = None) -> int:
    """Hold a ceremony, or with `--design` say how easily the design is guessed. The exit status."""
    options = _parser().parse_args(arguments)
    if not options.design and (options.public is None or options.vault is None):
        sys.stderr.write("ceremony: --public and --vault are both needed\n")
        return 2
    try:
        return _refuse(_answer(options), options.language)
    except OSError as fault:
        found = problem("vault.not-written", str(fault.filename or ""), fault=fault.strerror or str(fault))
        return _refuse((found,), options.language)


def _answer(options: argparse.Namespace) -> tuple[Problem, ...]:
    """Do what was asked, or give every reason why not. Raises OSError for places that cannot be used."""
    study = load_study(options.folder)
    if not isinstance(study, Study):
        return study
    if options.design:
        return _design(study)
    contributions = _contributions(options.seed, options.rehearsal_seed)
    if isinstance(contributions, Problem):
        return (contributions,)
    faults = [*_place_faults(options.public, options.vault), *_gate(study, options.over_bar_reason)]
    if faults:
        return tuple(faults)
    rehearsal = options.rehearsal_seed is not None
    held = hold(study, contributions, options.over_bar_reason, rehearsal=rehearsal)
    if isinstance(held, Problem):
        return (held,)
    _write(options.vault, held.vault, folder_mode=0o700, file_mode=0o600)
    _write(options.public, held.public, folder_mode=0o755, file_mode=0o644)
    sys.stdout.write(f"public {options.public / NAME}\nvault {options.vault}\n")
    sys.stdout.write(f"ok {held.slots} slots root {held.root}\n")
    return ()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ceremony", description="Make and seal an allocation list.")
    parser.add_argument("folder", type=Path, help="the study's folder")
    parser.add_argument("--public", type=Path, metavar="DIR")
    parser.add_argument("--vault", type=Path, metavar="DIR")
    parser.add_argument(
        "--seed", type=Path, action="append", default=[], metavar="FILE", help="one person's seed"
    )
    parser.add_argument("--rehearsal-seed", metavar="TEXT", help="a known seed; for rehearsals only")
    parser.add_argument(
        "--over-bar-reason", default="", metavar="TEXT", help="why a guessable design is used"
    )
    parser.add_argument(
        "--design", action="store_true", help="print how easily the design is guessed, and stop"
    )
    parser.add_argument("--language", choices=("en", "zh"), default="en", help="of what is refused")
    return parser


def hold(
    study: Study, contributions: Mapping[str, bytes], over_bar_because: str = "", *, rehearsal: bool = False
) -> Held | Problem:
    """The list, made, sealed and checked; nothing is written yet. `contributions` are the seeds by who brought them."""
    seed = combined([contributions[name] for name in sorted(contributions)])
    made = make_list(study, study_digest(study), seed)
    if isinstance(made, Problem):
        return made
    # A rehearsal is the same, byte for byte, every time; a trial's keys come from the machine.
    entropy: Entropy = Draws(seed, "rehearsal keys").take if rehearsal else secrets.token_bytes
    key = new_key(entropy)
    sealed = {
        slot.number: seal(slot.name, slot.content, public_key(key), entropy)
        for slots in made.slots.values()
        for slot in slots
    }
    _check(made, sealed, key)
    facts: dict[str, Json] = {
        "generator": REHEARSAL_GENERATOR if rehearsal else GENERATOR,
        "study": study.id,
        "version": study.version,
        "digest": study_digest(study),
        "contributions": [
            {"by": name, "digest": hashlib.sha256(contributions[name]).hexdigest()}
            for name in sorted(contributions)
        ],
        "over_bar_because": over_bar_because,
    }
    public = made.public()
    return Held(
        {NAME: public_content(facts, public)},
        _vault_files(made, sealed, key, contributions),
        list_root(public),
        len(sealed),
    )


def _check(made: AllocationList, sealed: Mapping[str, bytes], key: bytes) -> None:
    """Open every slot again before anything is written: a list that cannot be opened is a fault of the program."""
    for slots in made.slots.values():
        for slot in slots:
            if unseal(slot.name, sealed[slot.number], key, slot.public().commitment) != slot.content:
                raise RuntimeError("a slot does not open as it was sealed")


def _vault_files(
    made: AllocationList, sealed: Mapping[str, bytes], key: bytes, contributions: Mapping[str, bytes]
) -> Mapping[str, bytes]:
    slots: dict[str, Json] = {
        slot.number: {"stratum": code, "index": slot.name.index, "sealed": {VAULT: sealed[slot.number].hex()}}
        for code, listed in made.slots.items()
        for slot in listed
    }
    seeds: dict[str, Json] = {name: contributions[name].hex() for name in sorted(contributions)}
    return {
        "slots.json": canonical_bytes({"arms": list(made.arms), "slots": slots}) + b"\n",
        "vault.key": key.hex().encode() + b"\n",
        "seeds.json": canonical_bytes(seeds) + b"\n",
    }


def _contributions(files: Sequence[Path], rehearsal_seed: str | None) -> Mapping[str, bytes] | Problem:
    """The seeds by who brought them: the files, and in a trial the machine's own entropy beside them."""
    if rehearsal_seed is not None:
        return {"rehearsal": rehearsal_seed.encode()}
    found = {"machine": secrets.token_bytes(64)}
    for file in files:
        try:
            brought = file.read_bytes()
        except OSError as fault:
            return problem("vault.seed-unreadable", str(file), fault=fault.strerror or str(fault))
        if len(brought) < SEED_BYTES or file.stem in found:
            return problem("vault.seed-unusable", str(file), least=SEED_BYTES)
        found[file.stem] = brought
    return found


def _gate(study: Study, reason: str) -> tuple[Problem, ...]:
    """Whether the design may be used: its figures against the bars."""
    figures = _own_figures(study)
    if isinstance(figures, Problem):
        return (figures,)
    if figures.one_break > CERTAIN or _has_pairs(study):
        return (problem("vault.block-opens-another", "randomization", method=figures.label),)
    if figures.over and not reason.strip():
        return (
            problem(
                "vault.design-guessable", "randomization", method=figures.label, guess=f"{figures.guess:.3f}",
                bar=GUESS_BAR, one_break=f"{figures.one_break:.3f}", one_break_bar=ONE_BREAK_BAR,
            ),
        )  # fmt: skip
    return ()


def _has_pairs(study: Study) -> bool:
    """Whether some blocks hold two slots: mixed with larger ones they too open whole with one code."""
    method, length = chosen_method(study), list_length(study)
    return length is not None and not isinstance(method, Problem) and method.smallest_block == 2


def _own_figures(study: Study) -> Predictability | Problem:
    method, length = chosen_method(study), list_length(study)
    if isinstance(method, Problem) or length is None:
        return (
            method if isinstance(method, Problem) else problem("vault.nothing-to-allocate", "randomization")
        )
    return predictability(method.name, method, length)


def _design(study: Study) -> tuple[Problem, ...]:
    table = design_table(study)
    if isinstance(table, Problem):
        return (table,)
    sys.stdout.write(f"{'method':34} {'guess':>6} {'certain':>8} {'one break':>10} {'imbalance':>10}\n")
    for row in table:
        mark = "  over the bar" if row.over else ""
        sys.stdout.write(
            f"{row.label:34} {row.guess:6.3f} {row.certain:8.2f} {row.one_break:10.3f} {row.imbalance:10.2f}{mark}\n"
        )
    faults = _gate(study, "")
    if not faults:
        sys.stdout.write(f"ok {table[0].label} guess {table[0].guess:.3f} of at most {GUESS_BAR}\n")
    return faults


def _place_faults(public: Path, vault: Path) -> tuple[Problem, ...]:
    inner, outer = public.resolve(), vault.resolve()
    if inner == outer or inner.is_relative_to(outer) or outer.is_relative_to(inner):
        return (problem("vault.folders-not-apart", str(vault)),)
    for folder, held in ((public, public / NAME), (vault, vault / "slots.json")):
        if held.exists() or (folder.exists() and not folder.is_dir()):
            return (problem("vault.ceremony-already-held", str(folder), folder=folder),)
    return ()


def _write(folder: Path, files: Mapping[str, bytes], *, folder_mode: int, file_mode: int) -> None:
    """Write new files, on disk before this returns. Raises OSError, also for a file that is there already."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(folder_mode)
    for name, content in files.items():
        descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, file_mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        (folder / name).chmod(file_mode)


def _refuse(problems: tuple[Problem, ...], language: Language) -> int:
    """Say what stands against it, if anything does; the exit status."""
    for each in problems:
        sys.stderr.write(f"{each.where + ': ' if each.where else ''}{each.say(language)}\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
