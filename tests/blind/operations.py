"""Every operation there is, read from the program, and who may succeed with it; the gate that nothing is left out.

**To add coverage for something new** (an address, a command of the desk, a command of the terminal):
1. `rights.py`: one line, `WEB["POST /…"] = _does("YourCommand", reads="casebook")` or `_reads("…")`; for the terminal a
   `Command((arguments that succeed, …), (arguments that are refused,))`, or `Command(outside=why it cannot leak)`.
2. The script: play it at least three times with success for every blinded role that may do it. Add a module of your own
   with a class that takes the `Play` and yields the names of its states (as `desks.py`), and one `yield from` in
   `course.py`. Refusals come by themselves (`sample.py`); GET pages are visited by themselves, if `sample.address` can
   fill in their parameters from `world.numbers` and `world.wanted`.
3. `python -m tests.blind --leak NAME` (a function of `leaks_on_pages.py`) tries the scene alone; then one whole run with
   `--write`. What is missing is printed as `NOT COVERED role: operation: …`. Keep a state cheap: each is looked at by
   every role.
Addresses of the second door are asked for by themselves, by every blinded role (`other_door.py`).

Operations are the first door's addresses with their methods, the desk's commands, and the terminal's commands. The rules
that must stay true: an operation that is added and has no line in `WEB` or `TERMINAL` fails the proof by its name; a role
that may do a thing does it at least three times with success and once without; a role that may not is refused at least
once, and never succeeds.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import inspect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from blind.people import blinded_roles, chosen, observed_roles
from blind.rights import TERMINAL, WEB
from equipoise.access.roles import ROLES

SUCCESSES, REFUSALS = 3, 1


@dataclass(frozen=True, slots=True)
class Gap:
    """An operation that a role was not seen to do, or not often enough."""

    operation: str
    role: str
    says: str

    def __str__(self) -> str:
        return f"{self.role}: {self.operation}: {self.says}"


@functools.cache
def web_operations() -> tuple[str, ...]:
    """Every address of the first door with every method that it answers."""
    module = importlib.import_module("equipoise.web.urls")
    return tuple(
        f"{method} /{route}" for route, view in routes(module.urlpatterns) for method in methods(view)
    )


def routes(patterns: Iterable[Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            yield from routes(pattern.url_patterns, route)
        else:
            yield route, pattern.callback


def methods(view: Any) -> tuple[str, ...]:
    """The methods that a view answers, as its decorator says; GET and POST where nothing is said."""
    while view is not None:
        try:
            known = inspect.getclosurevars(view).nonlocals
        except TypeError:
            break
        if "request_method_list" in known:
            return tuple(known["request_method_list"])
        view = getattr(view, "__wrapped__", None)
    return ("GET", "POST")


def desk_operations() -> tuple[str, ...]:
    """Every command that the desk knows."""
    from equipoise.desk.routes import ROUTES

    return tuple(f"desk {command.__name__}" for command in ROUTES)


def terminal_operations() -> tuple[str, ...]:
    """Every command of the terminal, with its subcommand."""
    from equipoise.cli import main

    found = []
    for subject in main._SUBJECTS:
        parser = argparse.ArgumentParser()
        importlib.import_module(f"equipoise.cli.{subject}").declare(parser.add_subparsers())
        found += [f"terminal {' '.join(words)}" for words in _subcommands(parser)]
    return tuple(found)


def _subcommands(parser: argparse.ArgumentParser, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    inner = [each for each in parser._actions if isinstance(each, argparse._SubParsersAction)]
    if not inner:
        yield before
    for action in inner:
        for name, child in action.choices.items():
            yield from _subcommands(child, (*before, name))


def may_succeed(operation: str, role: str) -> bool:
    """Whether a role may succeed with an operation of the web or of the desk. Raises KeyError for one without a line."""
    known = ROLES[role]
    if operation.startswith("desk "):
        return operation.removeprefix("desk ") in known.commands
    right = WEB[operation]
    if right.everybody:
        return chosen(role) or not right.chosen
    reads = not right.reads or bool(known.reads & right.reads)
    return reads and (not right.commands or bool(known.commands & right.commands))


def gaps(covered: Iterable[tuple[str, str, bool, str]]) -> list[Gap]:
    """What is missing. `covered`: (role, operation, success, state) of everything that was done in one world."""
    done: dict[tuple[str, str], list[int]] = {}
    for role, operation, success, _ in covered:
        count = done.setdefault((role, operation), [0, 0])
        count[0 if success else 1] += 1
    found = [
        Gap(each, "-", "has no line in tests/blind/rights.py") for each in web_operations() if each not in WEB
    ]
    found += [
        Gap(each, "-", "has no line in tests/blind/rights.py")
        for each in terminal_operations()
        if each.removeprefix("terminal ") not in TERMINAL
    ]
    known = [each for each in web_operations() if each in WEB] + list(desk_operations())
    for operation in known:
        for role in observed_roles():
            successes, refusals = done.get((role, operation), (0, 0))
            found += _gap(operation, role, successes, refusals)
    for name, row in TERMINAL.items():
        successes, refusals = done.get(("terminal", f"terminal {name}"), (0, 0))
        if not row.outside and (successes < SUCCESSES or refusals < REFUSALS):
            found.append(Gap(f"terminal {name}", "terminal", f"{successes} successes, {refusals} refusals"))
    return found


def _gap(operation: str, role: str, successes: int, refusals: int) -> Iterator[Gap]:
    if may_succeed(operation, role):
        wanted = SUCCESSES if role in blinded_roles() else 0
        if successes < wanted or refusals < REFUSALS:
            yield Gap(
                operation, role, f"{successes} successes of {wanted}, {refusals} refusals of {REFUSALS}"
            )
    elif successes:
        yield Gap(operation, role, f"has no right to it and succeeded {successes} times")
    elif refusals < REFUSALS:
        yield Gap(operation, role, "was never refused")
