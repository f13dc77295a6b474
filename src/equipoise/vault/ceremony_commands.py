"""The ceremony in steps, from a terminal: `python -m equipoise.vault.ceremony STEP …`.

    begin STUDYDIR --vault DIR [--public-value NAME]     NAME says which public value will be mixed in once it is known
    commit --vault DIR --by NAME [--digest HEX | --seed FILE]     only the SHA-256 of the seed is kept
    reveal --vault DIR --by NAME [--seed FILE]
    hold STUDYDIR --vault DIR --public DIR [--public-value TEXT] …     makes the list
    abort --vault DIR --reason TEXT · status --vault DIR
    together STUDYDIR --vault DIR --public DIR [--public-value NAME] …     all of it in one sitting: each person types
                                                       name and seed; the value named is asked for after all seeds
    key FILE · open SLOTS --public DIR --number N --key FILE [--key FILE]     for those who keep keys of their own

A seed that no file or digest gives is typed, without echo. The rules that must stay true: no seed is printed; in
a sitting everybody's commitment is printed, and seen by all, before any seed is used, and the public value is asked
for last; what ends in the middle of `together` is an aborted ceremony, and recorded as one.
"""

from __future__ import annotations

import argparse
import getpass
import hashlib
import json
import sys
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from equipoise.protocol.load import load_study
from equipoise.protocol.study import Study
from equipoise.randomization.predictability import Predictability
from equipoise.randomization.public import read_public
from equipoise.vault.ceremony_files import finish, place_faults
from equipoise.vault.ceremony_steps import (
    SEED_BYTES,
    Room,
    abort,
    begin,
    commit,
    hold_open,
    reveal,
    state,
)
from equipoise.vault.design import gate
from equipoise.vault.holding import Terms
from equipoise.vault.recipients import Recipients, make_key_files, open_sealed, read_private, read_recipients
from equipoise.words.problem import Problem, problem

Answer = tuple[Problem, ...]
_BROKEN_OFF = "the sitting was broken off"


def step_command(given: Sequence[str]) -> argparse.Namespace:
    """The options of a step; `run(options, room)` does it. SystemExit 2 for wrong usage."""
    parser = argparse.ArgumentParser(prog="equipoise allocation", description=__doc__, formatter_class=_Plain)
    steps = parser.add_subparsers(required=True)
    for name, (run, wanted) in COMMANDS.items():
        step = steps.add_parser(name)
        for option in wanted:
            flags, settings = _OPTIONS[option]
            step.add_argument(*flags, **settings)
        step.add_argument("--language", choices=("en", "zh"), default="en")
        step.set_defaults(run=run)
    return parser.parse_args(given)


class _Plain(argparse.RawDescriptionHelpFormatter):
    """Leaves the description's lines as they are."""


def _there(room: Room, options: argparse.Namespace) -> Room:
    return replace(room, folder=options.vault)


def _begin(options: argparse.Namespace, room: Room) -> Answer:
    study = load_study(options.folder)
    if not isinstance(study, Study):
        return study
    found = begin(_there(room, options), study, unicodedata.normalize("NFC", options.public_value))
    return (found,) if isinstance(found, Problem) else _said(f"ok ceremony {found}")


def _commit(options: argparse.Namespace, room: Room) -> Answer:
    digest = options.digest
    if digest is None:
        seed = _seed(options.seed, "seed: ", "again: ")
        if isinstance(seed, Problem):
            return (seed,)
        digest = hashlib.sha256(seed).hexdigest()
    found = commit(_there(room, options), options.by, digest)
    return (found,) if found else _said(f"ok {digest}")


def _reveal(options: argparse.Namespace, room: Room) -> Answer:
    seed = _seed(options.seed, "seed: ")
    if isinstance(seed, Problem):
        return (seed,)
    found = reveal(_there(room, options), options.by, seed)
    return (found,) if found else _said("ok the seed is the one that was committed to")


def _abort(options: argparse.Namespace, room: Room) -> Answer:
    found = abort(_there(room, options), options.reason)
    return (found,) if found else _said("ok aborted")


def _status(options: argparse.Namespace, room: Room) -> Answer:
    now = state(_there(room, options))
    if isinstance(now, Problem):
        return (now,)
    lines = [
        f"{name} {digest}{' revealed' if name in now.revealed else ''}"
        for name, digest in now.committed.items()
    ]
    said = f"open {now.open}" if now.open else "made" if now.made else "none"
    return _said(*lines, f"{said}, {now.aborted} aborted")


def _hold(options: argparse.Namespace, room: Room) -> Answer:
    found = _ready(options)
    if isinstance(found, tuple):
        return found
    return _finished(options, _there(room, options), found, options.public_value)


@dataclass(frozen=True, slots=True)
class _Ready:
    """What must be known to be good before anybody is asked for a seed."""

    study: Study
    recipients: Recipients
    figures: Predictability


def _ready(options: argparse.Namespace) -> _Ready | Answer:
    study = load_study(options.folder)
    if not isinstance(study, Study):
        return study
    recipients = read_recipients(options.recipient, options.officer)
    if isinstance(recipients, Problem):
        return (recipients,)
    figures = place_faults(options.public, options.vault) or gate(study, options.over_bar_reason)
    return figures if isinstance(figures, tuple) else _Ready(study, recipients, figures)


def _finished(options: argparse.Namespace, room: Room, ready: _Ready, value: str) -> Answer:
    public = unicodedata.normalize("NFC", value)
    terms = Terms(options.over_bar_reason, public_value=public, recipients=ready.recipients)
    found = hold_open(room, ready.study, terms)
    if isinstance(found, Problem):
        return (found,)
    held, steps = found
    finish(ready.study, held, steps, ready.figures, (options.public, options.vault))
    return ()


def _together(options: argparse.Namespace, room: Room) -> Answer:
    """Everybody in one room: each commits by typing name and seed; an empty name ends it and the list is made."""
    ready, there = _ready(options), _there(room, options)
    if isinstance(ready, tuple):
        return ready
    begun = begin(there, ready.study, unicodedata.normalize("NFC", options.public_value))
    if isinstance(begun, Problem):
        return (begun,)
    ended = _BROKEN_OFF
    try:
        faults = _taken(there)
        if not faults:
            value = _line(f"value of {options.public_value}, now known: ") if options.public_value else ""
            faults = _finished(options, there, ready, value)
        ended = "; ".join(each.rule for each in faults)
        return faults
    except (EOFError, KeyboardInterrupt):
        return (problem("vault.sitting-broken-off", str(options.vault)),)
    finally:
        if ended:
            abort(there, ended)


def _taken(room: Room) -> Answer:
    """Take names and seeds until an empty name; print what all committed to, wait until all have seen it, reveal."""
    seeds: dict[str, bytes] = {}
    while name := _line("name (empty when everybody has committed): "):
        seed = _seed(None, f"seed of {name}: ", "again: ")
        fault = seed if isinstance(seed, Problem) else commit(room, name, hashlib.sha256(seed).hexdigest())
        if fault is not None:
            sys.stderr.write(fault.say() + "\n")
        elif not isinstance(seed, Problem):
            seeds[name] = seed
            sys.stderr.write(f"{name} committed to {hashlib.sha256(seed).hexdigest()}\n")
    now = state(room)
    if isinstance(now, Problem):
        return (now,)
    _said(*(f"commitment {name} {digest}" for name, digest in now.committed.items()))
    sys.stdout.flush()
    _line("write these down, each of you; Enter when everybody has: ")
    for name, seed in seeds.items():
        fault = reveal(room, name, seed)
        if fault is not None:
            return (fault,)
    return ()


def _key(options: argparse.Namespace, room: Room) -> Answer:
    return _said(f"ok public key {make_key_files(options.file, room.entropy)}")


def _open(options: argparse.Namespace, room: Room) -> Answer:
    public = read_public(options.public)
    keys = [read_private(file) for file in options.key[:2]]
    unread = tuple(each for each in (public, *keys) if isinstance(each, Problem))
    if unread or isinstance(public, Problem):
        return unread
    content = open_sealed(
        options.slots, public, options.number, [key for key in keys if isinstance(key, bytes)]
    )
    if isinstance(content, Problem):
        return (content,)
    if content.draw:
        return _said(
            f"draw {content.draw.hex()}", "ok agrees with its commitment; the arm follows from those before"
        )
    arms = json.loads(options.slots.read_bytes())["arms"]
    if content.arm >= len(arms):
        return (problem("vault.slot-not-committed", options.number),)
    return _said(f"arm {arms[content.arm]}", "ok agrees with its commitment")


def _seed(file: Path | None, *prompts: str) -> bytes | Problem:
    """A seed from a file, or typed: twice where it must be repeated."""
    if file is not None:
        try:
            seed = file.read_bytes()
        except OSError as fault:
            return problem("vault.seed-unreadable", str(file), fault=fault.strerror or str(fault))
    else:
        typed = [_unseen(prompt) for prompt in prompts]
        if len(set(typed)) > 1:
            return problem("vault.seed-typed-differently")
        seed = unicodedata.normalize("NFC", typed[0]).encode()
    return (
        seed if len(seed) >= SEED_BYTES else problem("vault.seed-unusable", str(file or ""), least=SEED_BYTES)
    )


def _unseen(prompt: str) -> str:
    """A line typed without echo; read as it comes where no person sits at a terminal."""
    return getpass.getpass(prompt) if sys.stdin.isatty() else _line(prompt)


def _line(prompt: str) -> str:
    """A line typed. Raises EOFError where there is none, which ends the sitting."""
    sys.stderr.write(prompt)
    sys.stderr.flush()
    line = sys.stdin.readline()
    if not line:
        raise EOFError(prompt)
    return line.rstrip("\r\n")


def _said(*lines: str) -> Answer:
    sys.stdout.write("".join(line + "\n" for line in lines))
    return ()


_OPTIONS: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {  # Any: as argparse takes them
    "folder": (("folder",), {"type": Path, "help": "the study's folder"}),
    "file": (("file",), {"type": Path, "metavar": "FILE"}),
    "slots": (("slots",), {"type": Path, "metavar": "SLOTS", "help": "a copy of slots.json"}),
    "vault": (("--vault",), {"type": Path, "required": True, "metavar": "DIR"}),
    "public": (("--public",), {"type": Path, "required": True, "metavar": "DIR"}),
    "value": (("--public-value",), {"default": "", "metavar": "TEXT"}),
    "by": (("--by",), {"required": True, "metavar": "NAME"}),
    "seed": (("--seed",), {"type": Path, "metavar": "FILE"}),
    "digest": (("--digest",), {"metavar": "HEX"}),
    "reason": (("--reason",), {"required": True, "metavar": "TEXT"}),
    "number": (("--number",), {"required": True}),
    "key": (("--key",), {"type": Path, "action": "append", "required": True, "metavar": "FILE"}),
    "recipient": (("--recipient",), {"action": "append", "default": [], "metavar": "ACTOR:NAME=FILE"}),
    "officer": (("--officer",), {"action": "append", "default": [], "metavar": "ACTOR:NAME=FILE"}),
    "over": (("--over-bar-reason",), {"default": "", "metavar": "TEXT"}),
}
_WHOLE = ("folder", "vault", "public", "value", "recipient", "officer", "over")
COMMANDS: dict[str, tuple[Callable[[argparse.Namespace, Room], Answer], tuple[str, ...]]] = {
    "begin": (_begin, ("folder", "vault", "value")),
    "commit": (_commit, ("vault", "by", "seed", "digest")),
    "reveal": (_reveal, ("vault", "by", "seed")),
    "hold": (_hold, _WHOLE),
    "abort": (_abort, ("vault", "reason")),
    "status": (_status, ("vault",)),
    "together": (_together, _WHOLE),
    "key": (_key, ("file",)),
    "open": (_open, ("slots", "public", "number", "key")),
}
"""Step -> what does it, and the options it takes."""
