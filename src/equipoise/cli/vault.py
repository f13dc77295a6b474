"""`equipoise vault …`: the second door: make it, serve it, let people in, ask how it is.

Everything here runs as a process of its own, started by module name: this program never holds the second door's keys,
and imports nothing of it. Passphrase and password are asked for by that process, unseen, or come from a file and from
standard input, never as arguments.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from equipoise.cli.answer import Answer, done, language, refused, told
from equipoise.cli.serve import port_number
from equipoise.words.canonical import Json
from equipoise.words.problem import problem

TERMINAL = "equipoise.vault.terminal"
SERVE = "equipoise.vault.serve"
PRINTING = "equipoise.vault.printing"
RELEASING = "equipoise.vault.openings"
STORE = Path(".equipoise-vault")
PURPOSES = ("BENCH", "CHECK", "BREAK", "OFFICER", "LAB", "BOARD", "KEEPER")


def declare(subjects: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the subcommands."""
    commands = subjects.add_parser("vault", help="the second door").add_subparsers(required=True)
    init = commands.add_parser("init", help="make the second door's store")
    init.add_argument("vault", type=Path)
    init.add_argument("--study", type=Path, required=True, metavar="DIR")
    init.add_argument("--purpose", choices=("rehearsal", "trial"), required=True)
    init.add_argument("--ceremony", type=Path, metavar="DIR", help="what a ceremony left for the vault")
    init.add_argument(
        "--first-door",
        required=True,
        metavar="KEY",
        help="the first door's store, its public-key file, or hex",
    )
    init.set_defaults(run=_init)
    serve = commands.add_parser("serve", help="unlock and serve the second door; prints one URL")
    serve.add_argument("vault", type=Path, nargs="?", default=STORE)
    serve.add_argument("--port", type=port_number, default=8001, help="0 for any free port")
    serve.add_argument("--channel", type=Path, metavar="SOCKET", help="where to listen to the first door")
    serve.add_argument(
        "--answer-as",
        action="append",
        default=[],
        metavar="NAME",
        help="a host name of its own, as a proxy asks it",
    )
    serve.add_argument(
        "--caller",
        action="append",
        default=[],
        metavar="USER",
        help="whom the channel answers: the first door's user",
    )
    serve.add_argument(
        "--second-factor",
        action="store_true",
        help="everybody gives one-time codes, but for opening one code",
    )
    serve.set_defaults(run=_serve)
    account = commands.add_parser("account", help="who may sign in").add_subparsers(required=True)
    _declare_accounts(account)
    status = commands.add_parser("status", help="the state of the door, without an arm")
    status.add_argument("vault", type=Path, nargs="?", default=STORE)
    status.set_defaults(run=_status)
    lists = commands.add_parser("lists", help="which list lies here, and how much of it is used")
    lists.add_argument("vault", type=Path, nargs="?", default=STORE)
    lists.set_defaults(run=_lists)
    openings = _declare_openings(commands)
    prints = commands.add_parser("print", help="documents of the second door").add_subparsers(required=True)
    _declare_prints(prints)
    for command in (
        init,
        serve,
        status,
        lists,
        *openings,
        *account.choices.values(),
        *prints.choices.values(),
    ):
        command.add_argument("--passphrase-file", type=Path, metavar="FILE", help="instead of asking")
        if command is not serve:
            command.add_argument("--json", action="store_true", help="print one JSON value")


def _declare_openings(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
) -> tuple[argparse.ArgumentParser, ...]:
    """What a named person of the second door does: closed work and its table, the release, what a keeper decides."""
    closed = commands.add_parser("closed", help="a table of arms for closed work, inside the second door")
    closed.add_argument("vault", type=Path)
    closed.add_argument("--for", dest="purpose", required=True, metavar="TEXT", help="what it is for")
    closed.add_argument("--member", action="append", required=True, metavar="ACTOR", help="who will see it")
    closed.set_defaults(run=_closed)
    table = commands.add_parser("table", help="open the table of a closed work, for one of its persons")
    table.add_argument("vault", type=Path)
    table.add_argument("--table", required=True, metavar="DIGEST", help="as `closed` printed it")
    table.add_argument(
        "--to", type=Path, required=True, metavar="FILE", help="a new file, for its owner alone"
    )
    table.set_defaults(run=_table)
    analyse = commands.add_parser("analyse", help="run the analysis plan in the arms of a closed work")
    analyse.add_argument("vault", type=Path)
    analyse.add_argument(
        "store", type=Path, help="the first door's store, which is only read, or an archive of it"
    )
    analyse.add_argument("--table", required=True, metavar="DIGEST", help="as `closed` printed it")
    analyse.add_argument("--cut", required=True, metavar="DATE", help="last day whose entries count")
    analyse.add_argument(
        "-o", "--output", type=Path, required=True, metavar="DIR", help="for its owner alone"
    )
    analyse.set_defaults(run=_analyse)
    publish = commands.add_parser("release", help="publish the list, once every condition holds")
    publish.add_argument("vault", type=Path)
    publish.set_defaults(run=_release)
    decide = commands.add_parser(
        "definition", help="which definition the door works by; confirm or decline another"
    )
    decide.add_argument("vault", type=Path)
    which = decide.add_mutually_exclusive_group()
    which.add_argument(
        "--confirm", metavar="DIGEST", help="work by the definition that the first door released"
    )
    which.add_argument("--decline", metavar="DIGEST", help="do not work by it")
    which.add_argument(
        "--go-on", type=int, metavar="N", help="go on after a backup: statements that were heard"
    )
    decide.add_argument("--reason", default="", metavar="TEXT", help="with --decline and --go-on")
    decide.set_defaults(run=_definition)
    for command in (closed, table, analyse, publish, decide):
        command.add_argument(
            "--by", required=command is not decide, metavar="WHO", default="",
            help="who does it: a user name of the second door, or an id as `equipoise vault status` lists them",
        )  # fmt: skip
    return closed, table, analyse, publish, decide


def _declare_accounts(account: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    add = account.add_parser("add", help="enrol a person for purposes; asks for a password")
    add.add_argument("vault", type=Path)
    add.add_argument("actor", help="the random id under which the first door knows the person")
    add.add_argument("--purpose", action="append", required=True, choices=PURPOSES)
    add.add_argument("--username", required=True)
    add.add_argument("--name", required=True)
    add.add_argument("--name-zh", default="")
    add.set_defaults(run=_add)
    revoke = account.add_parser("revoke", help="take a purpose from a person")
    revoke.add_argument("vault", type=Path)
    revoke.add_argument("actor")
    revoke.add_argument("--purpose", required=True, choices=PURPOSES)
    revoke.add_argument("--reason", required=True)
    revoke.set_defaults(run=_revoke)


def _declare_prints(prints: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """One document each; a vault that is served prints from its own pages instead."""
    cards = prints.add_parser("cards", help="emergency cards by public number, to be folded and sealed")
    cards.add_argument("--number", action="append", default=[], metavar="N", help="these numbers only")
    cards.add_argument("--reason", default="", help="why a number gets a second card")
    prints.add_parser("drill-card", help="a card of nobody, to try the opener with")
    certificate = prints.add_parser("certificate", help="certificate of a list, for others to sign")
    log = prints.add_parser("accountability", help="the pharmacy's log")
    log.add_argument("--site", default="", metavar="SITE", help="of one site")
    labels = prints.add_parser("labels", help="labels of masked bags")
    labels.add_argument("--bag", action="append", required=True, metavar="BAG")
    for one in (cards, certificate):
        one.add_argument(
            "--list", type=Path, metavar="FILE", required=one is certificate, help="the public list"
        )
    for kind, one in prints.choices.items():
        one.add_argument("vault", type=Path)
        one.add_argument(
            "--out", type=Path, required=True, metavar="FILE", help="a new file, for its owner alone"
        )
        one.set_defaults(run=_print, kind=kind)


def vault_process(
    command: str,
    arguments: Sequence[str],
    passphrase_file: Path | None,
    *,
    typed: str | None = None,
    program: str = TERMINAL,
) -> Answer:
    """Run one command of the second door's terminal: its JSON value, or what it refused and why.

    typed: what stands on its standard input; the terminal's own where None. program: another module that answers so.
    """
    given = ["--passphrase-file", str(passphrase_file)] if passphrase_file is not None else []
    ran = subprocess.run(
        [*module(program), command, *arguments, *given, "--language", language()],
        capture_output=True, check=False, input=typed, encoding="utf-8", errors="surrogateescape",
        env=environment(),
    )  # fmt: skip
    lines = tuple(line for line in ran.stderr.splitlines() if line)
    if ran.returncode:
        return Answer(min(ran.returncode, 2) if ran.returncode > 0 else 1, {"problems": list(lines)}, lines)
    value: Json = json.loads(ran.stdout.splitlines()[-1])
    return done(value)


def module(name: str) -> list[str]:
    """The start of a command line that runs a module of the second door."""
    return [sys.executable, "-m", name]


def environment() -> dict[str, str]:
    """Our environment; whatever letters our terminal knows, the two processes speak UTF-8 with each other."""
    return {**os.environ, "PYTHONIOENCODING": "utf-8:surrogateescape"}


def _init(options: argparse.Namespace) -> Answer:
    if not options.study.is_dir():
        return refused((problem("cli.no-study-folder", str(options.study)),))
    arguments = [str(options.vault), "--study", str(options.study), "--purpose", options.purpose]
    arguments += ["--first-door", options.first_door]
    arguments += ["--ceremony", str(options.ceremony)] if options.ceremony else []
    return _say(
        vault_process("init", arguments, options.passphrase_file), "cli.vault-made", path=options.vault
    )


def _say(answer: Answer, key: str, **arguments: object) -> Answer:
    """The answer with its words, where the command was done."""
    if answer.status:
        return answer
    value = answer.value if isinstance(answer.value, dict) else {}
    return done(answer.value, told(key, **{**value, **arguments}))


def _serve(options: argparse.Namespace) -> NoReturn:
    arguments = [str(options.vault), "--port", str(options.port)]
    arguments += ["--channel", str(options.channel)] if options.channel else []
    arguments += [each for name in options.answer_as for each in ("--answer-as", name)]
    arguments += [each for user in options.caller for each in ("--caller", user)]
    arguments += ["--second-factor"] if options.second_factor else []
    if options.passphrase_file is not None:
        arguments += ["--passphrase-file", str(options.passphrase_file)]
    command = [*module(SERVE), *arguments, "--language", language()]
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os.execve(command[0], command, environment())  # noqa: S606  # this process becomes the second door: one to stop


def _add(options: argparse.Namespace) -> Answer:
    arguments = [options.actor, "--username", options.username, "--name", options.name]
    arguments += [each for purpose in options.purpose for each in ("--purpose", purpose)]
    arguments += ["--name-zh", options.name_zh, str(options.vault)]
    answer = vault_process("account", arguments, options.passphrase_file)
    return _say(answer, "cli.vault-account-made", username=options.username)


def _revoke(options: argparse.Namespace) -> Answer:
    arguments = [options.actor, "--purpose", options.purpose, "--reason", options.reason, str(options.vault)]
    answer = vault_process("revoke", arguments, options.passphrase_file)
    return _say(answer, "cli.vault-revoked", actor=options.actor, purpose=options.purpose)


def _status(options: argparse.Namespace) -> Answer:
    answer = vault_process("status", [str(options.vault)], options.passphrase_file)
    if answer.status or not isinstance(answer.value, dict):
        return answer
    lines = [f"{name}: {_short(value)}" for name, value in answer.value.items()]
    return done(answer.value, *lines, *_people(answer.value.get("credentials")))


def _people(credentials: Json) -> list[str]:
    """A line for every purpose that somebody is enrolled for: what `--by` and `revoke` ask for."""
    found = credentials if isinstance(credentials, list) else []
    return [f"  {one['purpose']} {one['user']} {one['since']}" for one in found if isinstance(one, dict)]


def _short(value: Json) -> str:
    return str(len(value)) if isinstance(value, list) else str(value)


def _lists(options: argparse.Namespace) -> Answer:
    return _say(vault_process("lists", [str(options.vault)], options.passphrase_file), "cli.vault-list")


def _closed(options: argparse.Namespace) -> Answer:
    arguments = [str(options.vault), "--by", options.by, "--for", options.purpose]
    arguments += [each for actor in options.member for each in ("--member", actor)]
    answer = vault_process("closed", arguments, options.passphrase_file, program=RELEASING)
    return _say(answer, "cli.vault-closed")


def _table(options: argparse.Namespace) -> Answer:
    arguments = [str(options.vault), "--by", options.by, "--table", options.table, "--to", str(options.to)]
    answer = vault_process("table", arguments, options.passphrase_file, program=RELEASING)
    return _say(answer, "cli.vault-closed")


def _analyse(options: argparse.Namespace) -> Answer:
    arguments = [str(options.vault), "--by", options.by, "--table", options.table]
    arguments += ["--store", str(options.store), "--cut", options.cut, "--to", str(options.output)]
    answer = vault_process("analyse", arguments, options.passphrase_file, program=RELEASING)
    return _say(answer, "cli.vault-analysed", path=options.output)


def _definition(options: argparse.Namespace) -> Answer:
    arguments = [str(options.vault), "--by", options.by, "--reason", options.reason]
    for name in ("confirm", "decline", "go_on"):
        value = getattr(options, name)
        arguments += [f"--{name.replace('_', '-')}", str(value)] if value is not None else []
    answer = vault_process("definition", arguments, options.passphrase_file)
    if answer.status or not isinstance(answer.value, dict):
        return answer
    changes = answer.value.get("changes")
    lines = [f"  {one}" for one in changes] if isinstance(changes, list) else []
    return done(answer.value, told("cli.vault-definition", **answer.value), *lines)


def _release(options: argparse.Namespace) -> Answer:
    arguments = [str(options.vault), "--by", options.by]
    answer = vault_process("publish", arguments, options.passphrase_file, program=RELEASING)
    return _say(answer, "cli.vault-released")


def _print(options: argparse.Namespace) -> Answer:
    arguments = [str(options.vault), "--out", str(options.out)]
    for name in ("number", "bag"):
        arguments += [each for value in getattr(options, name, []) for each in (f"--{name}", value)]
    for name in ("reason", "list", "site"):
        value = getattr(options, name, None)
        arguments += [f"--{name}", str(value)] if value else []
    answer = vault_process(options.kind, arguments, options.passphrase_file, program=PRINTING)
    return _say(answer, "cli.vault-printed")
