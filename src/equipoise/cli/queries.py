"""`equipoise queries …`: checks over data that stand already, one question about many places; dry until `--open`."""

from __future__ import annotations

import argparse
import secrets
from collections.abc import Callable
from pathlib import Path

from equipoise.access.commands import SYSTEM
from equipoise.cli.answer import Answer, done, language, refused, told
from equipoise.desk.batches import (
    Filter,
    Line,
    Opened,
    ask,
    changed_rules,
    findings,
    listing,
    open_findings,
    still_to_ask,
)
from equipoise.desk.desk import Desk, open_desk
from equipoise.ledger.reader import Reader
from equipoise.words.canonical import Json
from equipoise.words.problem import Problem


def declare(subjects: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the subcommands."""
    commands = subjects.add_parser("queries", help="open queries in a batch").add_subparsers(required=True)
    checks = commands.add_parser("checks", help="run checks over data that stand already")
    checks.add_argument(
        "--since", default="", metavar="VERSION", help="only checks that are new or differ since then"
    )
    checks.set_defaults(run=_checks)
    many = commands.add_parser("ask", help="ask one question about every place of a listing")
    many.add_argument("--form", required=True, metavar="ID")
    many.add_argument("--item", default="", metavar="ID")
    many.add_argument("--visit", default="", metavar="ID")
    many.add_argument("--site", default="", metavar="ID")
    many.add_argument("--holds", choices=("any", "value", "missing", "empty"), default="any")
    many.add_argument(
        "--equals", default="", metavar="VALUE", help="only where the item holds this value or code"
    )
    many.add_argument("--text", default="", help="the question; without it the listing is only shown")
    many.set_defaults(run=_ask)
    for command in (checks, many):
        command.add_argument("store", type=Path)
        command.add_argument("--open", action="store_true", help="open what a dry run lists")
        command.add_argument("--key", default="", help="of an interrupted batch, to take it up again")
        command.add_argument("--json", action="store_true", help="print one JSON value")


def _checks(options: argparse.Namespace) -> Answer:
    def find(desk: Desk, reader: Reader) -> tuple[Line, ...]:
        rules = changed_rules(desk, reader, options.since) if options.since else None
        return tuple(findings(desk, reader, SYSTEM, rules))

    return _batch(options, find, lambda desk, lines, key: open_findings(desk, SYSTEM, lines, key=key))


def _ask(options: argparse.Namespace) -> Answer:
    wanted = Filter(
        options.form, options.item, options.visit, options.site,
        "EQUAL" if options.equals else options.holds.upper(), options.equals,
    )  # fmt: skip

    def find(desk: Desk, reader: Reader) -> tuple[Line, ...]:
        lines = tuple(listing(desk, reader, SYSTEM, wanted))
        return still_to_ask(desk, reader, lines, options.text) if options.text else lines

    return _batch(options, find, lambda desk, lines, key: ask(desk, SYSTEM, lines, options.text, key=key))


def _batch(
    options: argparse.Namespace,
    find: Callable[[Desk, Reader], tuple[Line, ...]],
    act: Callable[[Desk, tuple[Line, ...], str], Opened],
) -> Answer:
    desk = open_desk(options.store)
    if isinstance(desk, Problem):
        return refused((desk,))
    try:
        with desk.reading() as reader:
            lines = find(desk, reader)
        opened = act(desk, lines, options.key or secrets.token_urlsafe(12)) if options.open else None
    finally:
        desk.close()
    if opened is not None and opened.problems:
        return refused(opened.problems)
    said = (
        told("amendments.batch-dry", count=len(lines))
        if opened is None
        else told("amendments.batch-opened", count=opened.queries, participants=opened.participants)
    )
    value: Json = {
        "lines": [_json(one) for one in lines],
        "opened": None if opened is None else opened.queries,
    }
    return done(value, *(_line(one) for one in lines), said)


def _json(one: Line) -> Json:
    return {
        "participant": one.number,
        "site": one.site,
        "place": [one.place.visit, one.place.form, str(one.place.repeat)],
        "item": one.item,
        "check": one.rule,
        "asks": None if one.message is None else one.message.en,
    }


def _line(one: Line) -> str:
    asked = "" if one.message is None else f"  {one.message.say(language())}"
    return (
        f"{one.number}  {one.place.visit} {one.place.form} {one.place.repeat}  {one.item} {one.rule}{asked}"
    )
