"""Printing behind the second door: `python -m equipoise.vault.printing KIND VAULT --out FILE`, a process of its own.

    cards           emergency cards, for all public numbers or the --number ones; the opener is laid beside them
    drill-card      a card of nobody, to try the opener with
    certificate     of the list in --list, for others to sign and keep
    accountability  the pharmacy's log, of one --site or of all
    labels          of bags, by --bag

It needs the passphrase and a vault that nobody serves meanwhile; a served one prints from its own pages. The rules
that must stay true: nothing printed to the terminal tells an arm or a code; a file is new, and readable by its owner
alone. The last line is one JSON value. Exit: 0 done, 1 the answer is no, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from equipoise.ledger.entries import AllocationPublished
from equipoise.randomization.public import PublicList, read_public
from equipoise.vault import open_card
from equipoise.vault.keyring import harden, write_private
from equipoise.vault.opening import open_vault
from equipoise.vault.prints import (
    accountability_document,
    cards_document,
    certificate_document,
    drill_card,
    issue,
    label_document,
)
from equipoise.vault.serve import read_passphrase, refuse
from equipoise.vault.vault import Vault
from equipoise.words.problem import Problem, problem

CARDS = frozenset({"cards", "drill-card"})
"""Kinds beside which a copy of the opener is laid."""
Made = bytes | Problem | tuple[Problem, ...]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one document. The exit status."""
    options = _parser().parse_args(arguments)
    harden()
    try:
        made = _printed(options)
        if isinstance(made, bytes):
            write_private(options.out, made)
            if options.kind in CARDS:
                _lay_beside(options.out.parent)
    except OSError as fault:
        made = problem("vault.not-written", str(fault.filename or ""), fault=fault.strerror or str(fault))
    if isinstance(made, Problem):
        made = (made,)
    if isinstance(made, tuple):
        return refuse(made, options.language)
    sys.stdout.write(json.dumps({"bytes": len(made), "file": str(options.out)}) + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="printing", description="Print a document of the second door.")
    kinds = parser.add_subparsers(dest="kind", required=True)
    cards = kinds.add_parser("cards", help="emergency cards")
    cards.add_argument("--number", action="append", default=[], metavar="N", help="this number only")
    cards.add_argument("--reason", default="", help="why a number gets a second card")
    kinds.add_parser("drill-card", help="a card of nobody, to try the opener with")
    certificate = kinds.add_parser("certificate", help="certificate of the list")
    accountability = kinds.add_parser("accountability", help="the pharmacy's log")
    accountability.add_argument("--site", default="", metavar="SITE")
    labels = kinds.add_parser("labels", help="labels of bags")
    labels.add_argument("--bag", action="append", required=True, metavar="BAG")
    for kind in (cards, certificate):
        kind.add_argument(
            "--list",
            type=Path,
            metavar="FILE",
            required=kind is certificate,
            help="the public list (allocation.json)",
        )
    for kind in kinds.choices.values():
        kind.add_argument("folder", type=Path)
        kind.add_argument("--out", type=Path, required=True, metavar="FILE")
        kind.add_argument("--passphrase-file", type=Path)
        kind.add_argument("--language", choices=("en", "zh"), default="en", help="of what is refused")
    return parser


def _printed(options: argparse.Namespace) -> Made:
    public = read_public(options.list) if getattr(options, "list", None) is not None else None
    if isinstance(public, Problem):
        return public
    if options.out.exists():
        return problem("vault.document-there", str(options.out), path=options.out)
    passphrase = read_passphrase(options.passphrase_file)
    if isinstance(passphrase, Problem):
        return passphrase
    vault = open_vault(options.folder, passphrase)
    if isinstance(vault, Problem):
        return vault
    try:
        return _document(vault, options, public)
    finally:
        vault.close()


def _lay_beside(folder: Path) -> None:
    """A copy of the opener, which is to be kept with the cards. One that is there stays. Raises OSError."""
    source = Path(open_card.__file__)
    if not (folder / source.name).exists():
        write_private(folder / source.name, source.read_bytes())


def _document(vault: Vault, options: argparse.Namespace, public: PublicList | None) -> Made:
    match options.kind:
        case "cards":
            told = public.command if public is not None else None
            listed = AllocationPublished(told.generator, told.root, told.slots) if told is not None else None
            return cards_document(vault, options.number, listed, reason=options.reason)
        case "drill-card":
            return drill_card(vault)
        case "certificate" if public is not None:
            return certificate_document(vault.study, public, issue(vault.study, vault.purpose, vault.now()))
        case "accountability":
            return accountability_document(vault, options.site, _names(options.folder))
        case "labels":
            return label_document(vault, options.bag)
        case _:
            return problem("vault.list-missing")


def _names(folder: Path) -> dict[str, str]:
    """actor -> name, from this door's own accounts."""
    from equipoise.pages.settings import configure_accounts

    configure_accounts(folder)
    from equipoise.pages.accounts.logins import prepare
    from equipoise.pages.accounts.models import Account

    prepare(folder)
    return {one.actor: one.name for one in Account.objects.all()}


if __name__ == "__main__":
    sys.exit(main())
