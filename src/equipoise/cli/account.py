"""`equipoise account …`: sign-ins for the people of a trial.

An account gives no right; rights are grants in the ledger.
"""

from __future__ import annotations

import argparse
import getpass
import sys
from pathlib import Path

from equipoise.access.roles import ROLES
from equipoise.cli.answer import Answer, done, refused, told
from equipoise.words.problem import problem


def declare(subjects: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the subcommands."""
    commands = subjects.add_parser("account", help="sign-ins of people").add_subparsers(required=True)
    add = commands.add_parser("add", help="make a sign-in, or change its password; asks for the password")
    add.add_argument("store", type=Path)
    add.add_argument("username")
    add.add_argument("--user", required=True, help="the random id under which roles were granted")
    add.add_argument("--role", required=True, choices=sorted(set(ROLES) - {"system"}))
    add.add_argument("--name", required=True)
    add.add_argument("--name-zh", default="")
    add.set_defaults(run=_add)
    close = commands.add_parser("close", help="let a person in no more")
    close.add_argument("store", type=Path)
    close.add_argument("username")
    close.set_defaults(run=_close)
    for command in (add, close):
        command.add_argument("--json", action="store_true", help="print one JSON value")


def _add(options: argparse.Namespace) -> Answer:
    from equipoise.pages.accounts.people import set_account

    if not (options.store / "ledger.sqlite").exists():
        return refused((problem("ledger.not-found", str(options.store), path=options.store),))
    refusal = set_account(
        options.store,
        options.username,
        _password(),
        actor=options.user,
        role=options.role,
        name=options.name,
        name_zh=options.name_zh,
    )
    if refusal is not None:
        return refused((refusal,))
    says = told("cli.account-made", username=options.username, role=ROLES[options.role].label)
    return done({"account": options.username}, says)


def _password() -> str:
    """From the keyboard, unseen; from standard input where that is no terminal."""
    return getpass.getpass("password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")


def _close(options: argparse.Namespace) -> Answer:
    from equipoise.pages.accounts.people import close_account

    refusal = close_account(options.store, options.username)
    if refusal is not None:
        return refused((refusal,))
    return done({"closed": options.username}, told("cli.account-closed", username=options.username))
