"""The ceremony: `python -m equipoise.vault.ceremony STUDYDIR --public DIR --vault DIR`, a process of its own.

Several people bring seeds; the list is made in this process's memory; public numbers, commitments, the root and the
certificate go to `--public`; sealed slots, keys, sealed seeds and the record of the ceremony to `--vault` (folders
0700, files 0600), which no program of the first door opens. At once as above with `--seed FILE` for each person or in
steps, over days or in one sitting: see `ceremony_commands`. The rules that must stay true: nothing printed, and
nothing written to `--public`, tells an arm; what everybody commits to is printed before anything is made of it; a
ceremony never overwrites one that was held; a list that rests on fewer than two persons, and a design that is guessed
too easily, need a recorded reason, blocks that one opened code opens whole are refused; a public value that could be
known before the seeds is none, so at once there is none. Exit: 0 done, 1 the answer is no, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import secrets
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path

from equipoise.ledger.vault_entries import CeremonyStarted, FewSeedsAccepted, SeedCommitted, SeedRevealed
from equipoise.protocol.digest import study_digest
from equipoise.protocol.load import load_study
from equipoise.protocol.study import Study
from equipoise.vault.ceremony_commands import COMMANDS, step_command
from equipoise.vault.ceremony_files import finish, place_faults
from equipoise.vault.ceremony_names import MACHINE, name_of
from equipoise.vault.ceremony_record import Step, read_record, standing
from equipoise.vault.ceremony_steps import SEED_BYTES, Room
from equipoise.vault.design import design_lines, gate
from equipoise.vault.holding import Held, Terms, contributed, hold
from equipoise.vault.recipients import read_recipients
from equipoise.words.problem import Problem, problem
from equipoise.words.text import Language

PERSONS = 2
"""Fewest persons on whose seeds a list rests, unless a reason is recorded."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Hold a ceremony, or with `--design` say how easily the design is guessed. The exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    room = Room(Path(), lambda: dt.datetime.now(dt.UTC), secrets.token_bytes)
    stepwise = bool(given) and given[0] in COMMANDS
    options = step_command(given) if stepwise else _parser().parse_args(given)
    if not stepwise and not options.design and (options.public is None or options.vault is None):
        sys.stderr.write("ceremony: --public and --vault are both needed\n")
        return 2
    try:
        found = options.run(options, room) if stepwise else _answer(options)
        return _refuse(found, options.language)
    except OSError as fault:
        said = problem("vault.not-written", str(fault.filename or ""), fault=fault.strerror or str(fault))
        return _refuse((said,), options.language)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ceremony", description="Make and seal an allocation list.",
        epilog=f"In steps: ceremony {{{','.join(COMMANDS)}}} --help",
    )  # fmt: skip
    parser.add_argument("folder", type=Path, help="the study's folder")
    parser.add_argument("--public", type=Path, metavar="DIR")
    parser.add_argument("--vault", type=Path, metavar="DIR")
    parser.add_argument(
        "--seed", type=Path, action="append", default=[], metavar="FILE", help="one person's seed"
    )
    parser.add_argument("--rehearsal-seed", metavar="TEXT", help="a known seed; for rehearsals only")
    parser.add_argument(
        "--few-seeds-reason", default="", metavar="TEXT", help="why fewer than two persons bring a seed"
    )
    for option, what in (("recipient", "opens slots alone"), ("officer", "opens slots with another officer")):
        parser.add_argument(
            f"--{option}",
            action="append",
            default=[],
            metavar="ACTOR:NAME=FILE",
            help=f"{what}; ACTOR: the person's random id, FILE: a public key",
        )
    parser.add_argument(
        "--over-bar-reason", default="", metavar="TEXT", help="why a guessable design is used"
    )
    parser.add_argument(
        "--design", action="store_true", help="print how easily the design is guessed, and stop"
    )
    parser.add_argument("--language", choices=("en", "zh"), default="en", help="of what is refused")
    return parser


def _answer(options: argparse.Namespace) -> tuple[Problem, ...]:
    """Do what was asked, or give every reason why not. Raises OSError for places that cannot be used."""
    study = load_study(options.folder)
    if not isinstance(study, Study):
        return study
    if options.design:
        lines, faults = design_lines(study, options.over_bar_reason, options.language)
        sys.stdout.write("".join(line + "\n" for line in lines))
        return faults
    rehearsal = options.rehearsal_seed is not None
    contributions = _contributions(options.seed, options.rehearsal_seed)
    recipients = read_recipients(options.recipient, options.officer)
    before = read_record(options.vault)
    if isinstance(contributions, Problem) or isinstance(recipients, Problem) or isinstance(before, Problem):
        return tuple(each for each in (contributions, recipients, before) if isinstance(each, Problem))
    faults = place_faults(options.public, options.vault)
    figures = faults or gate(study, options.over_bar_reason)
    if isinstance(figures, tuple):
        return figures
    if standing(before).open:
        return (problem("vault.ceremony-open", str(options.vault)),)
    few = ""
    if not rehearsal and len(contributions) < PERSONS + 1:
        few = unicodedata.normalize("NFC", " ".join(options.few_seeds_reason.split()))
        if not few:
            return (problem("vault.few-seeds", str(options.vault)),)
    for each in contributed(contributions):
        sys.stdout.write(f"commitment {each.by} {each.digest}\n")
    sys.stdout.flush()
    held = hold(study, contributions, Terms(options.over_bar_reason, rehearsal, recipients=recipients))
    if isinstance(held, Problem):
        return (held,)
    stamp = "" if rehearsal else dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    steps = _at_once(study, held, stamp, few)
    finish(study, held, (*before, *steps), figures, (options.public, options.vault))
    return ()


def _at_once(study: Study, held: Held, stamp: str, few: str) -> tuple[Step, ...]:
    """The steps of a ceremony that was held in one go. few: why fewer than two persons were enough, where so."""
    ceremony, brought = held.made.ceremony, held.made.contributions
    noted = (FewSeedsAccepted(ceremony, few),) if few else ()
    return tuple(
        Step(entry, stamp)
        for entry in (
            CeremonyStarted(ceremony, study.id, study_digest(study)),
            *noted,
            *(SeedCommitted(ceremony, each.by, each.digest) for each in brought),
            *(SeedRevealed(ceremony, each.by) for each in brought if each.by != MACHINE),
            held.made,
            *((held.sealed,) if held.sealed else ()),
        )
    )


def _contributions(files: Sequence[Path], rehearsal_seed: str | None) -> Mapping[str, bytes] | Problem:
    """The seeds by who brought them: the files, and in a trial the machine's own entropy beside them."""
    if rehearsal_seed is not None:
        return {"rehearsal": rehearsal_seed.encode()}
    found = {MACHINE: secrets.token_bytes(64)}
    for file in files:
        try:
            brought = file.read_bytes()
        except OSError as fault:
            return problem("vault.seed-unreadable", str(file), fault=fault.strerror or str(fault))
        name = name_of(file.stem)
        if len(brought) < SEED_BYTES or name is None or name in found or _known(brought, found):
            return problem("vault.seed-unusable", str(file), least=SEED_BYTES)
        found[name] = brought
    return found


def _known(seed: bytes, others: Mapping[str, bytes]) -> bool:
    digest = hashlib.sha256(seed).digest()
    return any(hashlib.sha256(each).digest() == digest for each in others.values())


def _refuse(problems: tuple[Problem, ...], language: Language) -> int:
    """Say what stands against it, if anything does; the exit status."""
    for each in problems:
        sys.stderr.write(f"{each.where + ': ' if each.where else ''}{each.say(language)}\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
