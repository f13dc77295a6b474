"""The second door from a terminal: `python -m equipoise.vault.terminal COMMAND FOLDER`, a process of its own.

    init      makes a vault from a study, a ceremony's folder and the first door's public key
    account   lets a person in: enrols the purposes and sets a password
    revoke    takes a purpose from a person
    status    says what state the door is in, without an arm
    lists     says which list lies here and how much of it is used
    definition  says by which definition the door works and which one waits; confirms or declines it, or lets a store
              that came back from a backup go on
    stage     for a rehearsal's making: listens on the channel, then enrols the made-up people named on standard input
    shelves   for a rehearsal's making: lots and shipments as the study's demo.yaml says

The rules that must stay true: what is printed tells no arm, no key and no passphrase; secrets are asked for, never
given as arguments; made-up people, who have no password, exist in a rehearsal only. The last line on standard output
is one JSON value. Exit: 0 done, 1 the answer is no, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import dataclasses
import getpass
import json
import secrets
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias, cast, get_args

from equipoise.pages.serving import end_with_parent
from equipoise.protocol.diff import diff_studies
from equipoise.protocol.digest import study_digest, study_from_text
from equipoise.protocol.load import load_study
from equipoise.protocol.study import Study
from equipoise.vault import keeping
from equipoise.vault.commands import EnrolCredential, RevokeCredential
from equipoise.vault.facts import PROGRAM, Purpose
from equipoise.vault.keeping import AcceptRestore, ConfirmDefinition, DeclineDefinition
from equipoise.vault.keyring import harden
from equipoise.vault.opening import Vault, create_vault, open_vault
from equipoise.vault.overview import overview
from equipoise.vault.rehearsed import fill_shelves, read_plan
from equipoise.vault.serve import read_passphrase, refuse
from equipoise.vault.socket import serve_channel
from equipoise.words.canonical import Json
from equipoise.words.problem import Problem, problem
from equipoise.words.text import Language

Answer: TypeAlias = "Json | Problem | tuple[Problem, ...]"
PURPOSES: tuple[str, ...] = get_args(Purpose)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. The exit status."""
    options = _parser().parse_args(arguments)
    harden()
    run: Callable[[argparse.Namespace], Answer] = options.run
    try:
        answer = run(options)
    except OSError as fault:
        detail = fault.strerror or str(fault)
        answer = problem("vault.not-written", str(fault.filename or ""), fault=detail)
    if isinstance(answer, Problem):
        answer = (answer,)
    if isinstance(answer, tuple):
        return refuse(cast(tuple[Problem, ...], answer), options.language)
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="vault", description="The second door from a terminal.")
    commands = parser.add_subparsers(required=True)
    init = commands.add_parser("init")
    init.add_argument("--study", type=Path, required=True)
    init.add_argument("--first-door", required=True, help="the first door's public key: its file, or hex")
    init.add_argument("--purpose", choices=("rehearsal", "trial"), required=True)
    init.add_argument("--ceremony", type=Path, help="the folder that a ceremony left for the vault")
    init.set_defaults(run=_init)
    account = commands.add_parser("account")
    account.add_argument("actor")
    account.add_argument("--purpose", action="append", required=True, choices=PURPOSES)
    account.add_argument("--username", required=True)
    account.add_argument("--name", required=True)
    account.add_argument("--name-zh", default="")
    account.set_defaults(run=_account)
    revoke = commands.add_parser("revoke")
    revoke.add_argument("actor")
    revoke.add_argument("--purpose", required=True, choices=PURPOSES)
    revoke.add_argument("--reason", required=True)
    revoke.set_defaults(run=_revoke)
    commands.add_parser("status").set_defaults(run=_status)
    commands.add_parser("lists").set_defaults(run=_lists)
    decide = commands.add_parser("definition")
    decide.add_argument("--by", default="")
    decide.add_argument("--confirm")
    decide.add_argument("--decline")
    decide.add_argument("--go-on", type=int)
    decide.add_argument("--reason", default="")
    decide.set_defaults(run=_definition)
    stage = commands.add_parser("stage")
    stage.add_argument("--channel", type=Path, required=True)
    stage.set_defaults(run=_stage)
    shelves = commands.add_parser("shelves")
    shelves.add_argument("--study", type=Path, required=True)
    shelves.set_defaults(run=_shelves)
    for command in commands.choices.values():
        command.add_argument("folder", type=Path)
        command.add_argument("--passphrase-file", type=Path)
        command.add_argument("--language", choices=("en", "zh"), default="en", help="of what is refused")
    return parser


def _init(options: argparse.Namespace) -> Answer:
    study, key = load_study(options.study), first_door_key(options.first_door)
    if not isinstance(study, Study):
        return study
    if key is None:
        return problem("vault.key-of-first-door", options.first_door)
    passphrase = read_passphrase(options.passphrase_file)
    if isinstance(passphrase, Problem):
        return passphrase
    vault = create_vault(options.folder, study, options.purpose, key, options.ceremony, passphrase)
    if isinstance(vault, Problem):
        return vault
    try:
        return {"public_key": vault.public_key, "vault": str(options.folder)}
    finally:
        vault.close()


def first_door_key(given: str) -> str | None:
    """The key as hex: from hex, from a file with the one line that a store publishes, or from a store's folder."""
    for path in (Path(given), Path(given) / "checkpoints" / "public-key"):
        if path.is_file():
            given = path.read_text("utf-8").strip()
            break
    try:
        bare = (
            base64.b64decode(given.split("+", 2)[2], validate=True)[1:]
            if "+" in given
            else bytes.fromhex(given)
        )
    except (ValueError, IndexError, binascii.Error):
        return None
    return bare.hex() if len(bare) == 32 else None


def _opened(options: argparse.Namespace, act: Callable[[Vault], Answer]) -> Answer:
    """What `act` answers over the unlocked vault."""
    passphrase = read_passphrase(options.passphrase_file)
    if isinstance(passphrase, Problem):
        return passphrase
    vault = open_vault(options.folder, passphrase)
    if isinstance(vault, Problem):
        return vault
    try:
        return act(vault)
    finally:
        vault.close()


def _account(options: argparse.Namespace) -> Answer:
    def act(vault: Vault) -> Answer:
        password = _password()
        refused = enrol(vault, options.actor, options.purpose)
        if refused:
            return refused
        from equipoise.pages.accounts.people import set_account

        found = set_account(
            options.folder, options.username, password, actor=options.actor, role="", name=options.name,
            name_zh=options.name_zh,
        )  # fmt: skip
        return found or {"account": options.username, "purposes": sorted(options.purpose)}

    return _opened(options, act)


def enrol(vault: Vault, actor: str, purposes: Sequence[str]) -> tuple[Problem, ...]:
    """Enrol a person for purposes, as the program; one that is enrolled already stays so."""
    found: list[Problem] = []
    for purpose in purposes:
        outcome = vault.submit(
            PROGRAM,
            EnrolCredential(actor, cast(Purpose, purpose)),
            key=f"enrol {vault.ledger.entropy(8).hex()}",
        )
        found += [each for each in outcome.problems if each.rule != "vault.credential-held"]
    return tuple(found)


def _password() -> str:
    if sys.stdin.isatty():
        return getpass.getpass("password of the person: ")
    return sys.stdin.readline().rstrip("\r\n")


def _revoke(options: argparse.Namespace) -> Answer:
    def act(vault: Vault) -> Answer:
        command = RevokeCredential(options.actor, options.purpose, options.reason)
        outcome = vault.submit(PROGRAM, command, key=f"revoke {secrets.token_hex(8)}")
        return {"revoked": options.actor} if outcome.accepted else outcome.problems

    return _opened(options, act)


def _status(options: argparse.Namespace) -> Answer:
    def act(vault: Vault) -> Answer:
        with vault.reading() as reader:
            state = overview(reader)
        return {"purpose": vault.purpose, "public_key": vault.public_key, **_plain(dataclasses.asdict(state))}

    return _opened(options, act)


def _lists(options: argparse.Namespace) -> Answer:
    def act(vault: Vault) -> Answer:
        with vault.reading() as reader:
            state = overview(reader)
        return {"root": state.list_root, "slots": state.slots, "assigned": state.assigned}

    return _opened(options, act)


def _definition(options: argparse.Namespace) -> Answer:
    """What holds, after the decision where one is asked for."""
    command: object | None = None
    if options.confirm is not None:
        command = ConfirmDefinition(options.confirm)
    elif options.decline is not None:
        command = DeclineDefinition(options.decline, options.reason)
    elif options.go_on is not None:
        command = AcceptRestore(options.go_on, options.reason)

    def act(vault: Vault) -> Answer:
        if command is not None:
            from equipoise.pages.accounts.people import actor_of

            keeper = vault.who(actor_of(options.folder, options.by), "KEEPER")
            if keeper is None:
                return problem("vault.purpose-not-held", options.by)
            outcome = vault.submit(keeper, command, key=f"decided {secrets.token_hex(8)}")
            if not outcome.accepted:
                return outcome.problems
        return _standing(vault, options.language)

    return _opened(options, act)


def _standing(vault: Vault, language: Language) -> dict[str, Json]:
    """The definition in force, the one that waits with what it would change, and how far the first door had heard."""
    with vault.reading() as reader:
        state = cast("keeping.State", vault.state(reader, ConfirmDefinition("")))
        facts = vault.facts(reader, PROGRAM, ConfirmDefinition(""))
        told = vault.known(reader).told
    now, waits = vault.study, keeping.waiting(state, facts.definition_released, study_digest(vault.study))
    changes: list[Json] = []
    if waits:
        new = study_from_text(told.definitions[waits])
        changes = [change.say(language) for change in diff_studies(now, new)]
    behind = facts.heard_there if facts.heard_there > facts.said else 0
    return {
        "version": now.version, "digest": study_digest(now), "waiting": waits, "changes": changes, "heard": behind,
        "said": facts.said,
    }  # fmt: skip


def _plain(value: Mapping[str, object]) -> dict[str, Json]:
    """Dataclasses as JSON: tuples as lists."""
    return cast(dict[str, Json], json.loads(json.dumps(value)))


def _stage(options: argparse.Namespace) -> Answer:
    """Says `ready` when the channel is open; then one line of JSON: a list of {actor, name, name_zh, purposes}."""
    end_with_parent()

    def act(vault: Vault) -> Answer:
        if vault.purpose != "rehearsal":
            return problem("vault.rehearsal-only")
        stop = serve_channel(vault, options.channel)
        try:
            sys.stdout.write("ready\n")
            sys.stdout.flush()
            people = json.loads(sys.stdin.readline() or "[]")
            return enrol_people(vault, options.folder, people)
        finally:
            stop()

    return _opened(options, act)


def _shelves(options: argparse.Namespace) -> Answer:
    """Fill the shelves of a rehearsal."""
    plan = read_plan(options.study)
    if isinstance(plan, Problem):
        return plan
    return _opened(options, lambda vault: fill_shelves(vault, plan) or {"shelves": len(plan)})


def enrol_people(vault: Vault, folder: Path, people: list[dict[str, object]]) -> Answer:
    """Enrol the made-up people of a rehearsal and give each an account without a password; {enrolled: how many}."""
    from equipoise.pages.settings import configure_accounts

    configure_accounts(folder)
    from equipoise.pages.accounts.logins import persona_account, prepare

    prepare(folder)
    for one in people:
        purposes = [str(purpose) for purpose in cast(list[object], one["purposes"])]
        refused = enrol(vault, str(one["actor"]), purposes)
        if refused:
            return tuple(Problem(each.rule, str(one["name"]), each.arguments) for each in refused)
        persona_account(str(one["actor"]), str(one["name"]), str(one.get("name_zh", "")), "")
    vault.tick()
    return {"enrolled": len(people)}


if __name__ == "__main__":
    sys.exit(main())
