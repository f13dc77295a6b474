"""The larger openings from a terminal: `python -m equipoise.vault.openings KIND VAULT`, its own process.

    closed     writes the table of arms, sealed, into the vault's closed folder, for the --member ones
    table      opens such a table (its digest or file name) into the new file --to, for one of them
    analyse    runs the study's analysis plan in the arms of such a table, for one of them, into the new folder --to
    publish    publishes seeds and nonces, once every condition of the release holds

Each is done by a person, --by, who is enrolled for it, or named by it. The rules that must stay true: nothing printed
tells an arm; no file of arms is written before the release but for a named person, readable by its owner alone. The
last line is one JSON value. Exit: 0 done, 1 the answer is no, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path

from equipoise.pages.accounts.people import actor_of
from equipoise.vault.analysing import analyse_closed
from equipoise.vault.facts import Keeper
from equipoise.vault.keyring import harden, write_private
from equipoise.vault.opening import open_vault
from equipoise.vault.release.commands import COMMANDS, OpenClosedWork, PublishList
from equipoise.vault.release.publishing import Published, open_closed_work, publish, read_closed_work
from equipoise.vault.serve import read_passphrase, refuse
from equipoise.vault.vault import Vault
from equipoise.words.canonical import Json
from equipoise.words.problem import Problem, problem

Done = dict[str, Json] | tuple[Problem, ...]


def main(arguments: Sequence[str] | None = None) -> int:
    """Do one of them. The exit status."""
    options = _parser().parse_args(arguments)
    harden()
    try:
        came = _act(options)
    except OSError as fault:
        detail = fault.strerror or str(fault)
        came = (problem("vault.not-written", str(fault.filename or ""), fault=detail),)
    if isinstance(came, tuple):
        return refuse(came, options.language)
    sys.stdout.write(json.dumps(came) + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="release", description="The larger openings of the second door.")
    kinds = parser.add_subparsers(dest="kind", required=True)
    closed = kinds.add_parser("closed", help="a table of arms for closed work")
    closed.add_argument("--for", dest="purpose", required=True, metavar="TEXT", help="what it is for")
    closed.add_argument(
        "--member", action="append", required=True, metavar="WHO", help="who will see it: user name or id"
    )
    table = kinds.add_parser("table", help="open the table of a closed work")
    table.add_argument("--table", required=True, metavar="DIGEST")
    table.add_argument("--to", type=Path, required=True, metavar="FILE", help="a new file")
    analyse = kinds.add_parser("analyse", help="the analysis plan in the arms of a closed work")
    analyse.add_argument("--table", required=True, metavar="DIGEST")
    analyse.add_argument(
        "--store", type=Path, required=True, metavar="DIR", help="the first door's store, or an archive"
    )
    analyse.add_argument("--cut", required=True, metavar="DATE")
    analyse.add_argument("--to", type=Path, required=True, metavar="DIR", help="a new folder")
    kinds.add_parser("publish", help="the final release")
    for kind in kinds.choices.values():
        kind.add_argument("folder", type=Path)
        kind.add_argument("--by", required=True, metavar="WHO", help="who does it: user name or id")
        kind.add_argument("--passphrase-file", type=Path)
        kind.add_argument("--language", choices=("en", "zh"), default="en", help="of what is refused")
    return parser


def _act(options: argparse.Namespace) -> Done:
    passphrase = read_passphrase(options.passphrase_file)
    if isinstance(passphrase, Problem):
        return (passphrase,)
    vault = open_vault(options.folder, passphrase)
    if isinstance(vault, Problem):
        return (vault,)
    try:
        key, by = f"terminal {secrets.token_hex(8)}", actor_of(options.folder, options.by)
        if options.kind == "closed":
            person = _enrolled(vault, by, OpenClosedWork)
            if person is None:
                return (problem("vault.purpose-not-held", options.by),)
            members = tuple(actor_of(options.folder, member) for member in options.member)
            path = open_closed_work(vault, person, options.purpose, members, key=key)
            return path if isinstance(path, tuple) else {"table": str(path)}
        if options.kind == "table":
            content = read_closed_work(vault, by, options.table)
            if isinstance(content, Problem):
                return (content,)
            write_private(options.to, content)
            return {"table": str(options.to)}
        if options.kind == "analyse":
            return analyse_closed(vault, by, options.table, (options.store, options.cut), options.to)
        person = _enrolled(vault, by, PublishList)
        if person is None:
            return (problem("vault.purpose-not-held", options.by),)
        came = publish(vault, person, key=key)
        return {"folder": str(came.folder), "release": came.release} if isinstance(came, Published) else came
    finally:
        vault.close()


def _enrolled(vault: Vault, actor: str, command: type) -> Keeper | None:
    """The person, for the first purpose by which such a command may be given."""
    found = (vault.who(actor, purpose) for purpose in sorted(COMMANDS[command]))
    return next((person for person in found if person is not None), None)


if __name__ == "__main__":
    sys.exit(main())
