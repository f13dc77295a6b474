"""Looks at a state: a covering sample of every role and every operation, so that over the script each is seen often.

In each state every page is asked for by some roles; which, goes round. Beside what succeeds, each is asked for in a way
that must be refused: something that is not there, a login that has ended, a form without its token.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
import types
import typing
from collections.abc import Mapping

from blind.browser import ask, come_in
from blind.operations import SUCCESSES, may_succeed, web_operations
from blind.people import PASSWORD, Person
from blind.rights import WEB
from blind.world import World

STRIDE, DENSE = 61, 31
"""Each role asks for each page in every sixty-first state, three times and more in a script; in a nightly proof twice as often."""
REFUSED = 3
"""In every third of these turns it asks once in a way that must be refused, as well: what is refused stays so."""
LISTS = ("/subjects", "/subjects/new", "/today", "/queries")
SEARCHES = ("", "?q=01", "?q=R-", "?q=A", "?q=placebo", "?q=cells", "?after=01003", "?q=%E5%AE%89")
PLACES = (("V1", "NIHSS"), ("V1", "RISK"), ("V2", "IMMUN"), ("V1", "PSMRS"), ("V2", "VS"), ("V1", "STROKE"))
NEXT = "staple battery correct"
"""To which everybody changes the password, and back."""
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")


@dataclasses.dataclass
class Sampler:
    """Samples over one world's script."""

    world: World
    stride: int = STRIDE
    turn: int = 0

    def look(self) -> None:
        """Look at the state in which the world is."""
        self.turn += 1
        people = [each for each in self.world.people.values() if each.first]
        for row, person in enumerate(people):
            for column, operation in enumerate(web_operations()):
                turn, due = divmod(row * 5 + column * 3 + self.turn, self.stride)
                if due == 0 and operation.startswith("GET") and operation in WEB:
                    self.visit(person, operation)
                elif turn % REFUSED:
                    continue
                elif due == 0 and operation.startswith("POST"):
                    self.refuse_post(person, operation)
                elif due == 5:
                    self.refuse(person, operation)
        if self.turn % 10 == 0:
            self.world.dump()

    def visit(self, person: Person, operation: str) -> None:
        """Ask for a page as the one who may see it would."""
        method, route = operation.split(" ", 1)
        address = self.address(route)
        if route == "/subjects":
            address += SEARCHES[self.turn % len(SEARCHES)]
        ask(self.world, person, method, address, operation=operation)

    def address(self, route: str, **given: str) -> str:
        """An address of a pattern, with what the state offers for its parameters."""
        mine = [number for number in self.world.numbers if number.startswith("01")] or ["01001"]
        visit, form = PLACES[self.turn % len(PLACES)]
        offered = {
            "number": mine[self.turn % len(mine)],
            "visit": visit,
            "form": form,
            "repeat": "1",
            "site": "01",
            "user": "coordinator-01-0",
            "line": ("incomplete", "unsigned")[self.turn % 2],
        }
        if "/grids/" in route:
            offered |= {"visit": "V2", "form": "INFVS"}
        if "/double/" in route:
            offered |= {"visit": "V4", "form": ("BGP", "BGC")[self.turn % 2]}
        if "/logs/" in route:
            offered["form"] = "MH"  # a list that everybody sees who may read the casebook
        if route.startswith("/diary/"):
            offered["name"] = ("main.js", "sw.js", "shell.json")[self.turn % 3]
        for part, kept in self.world.kept.items():
            if part in route and kept:
                offered |= kept[self.turn % len(kept)]
        if "wanted" in route and not any(part in route for part in ("/sources/", "/specimens/")):
            offered["number"], offered["wanted"] = self.wanted(route)
        if route.startswith("/verification/"):
            offered |= {"visit": "V1", "form": "PSMRS", "number": mine[self.turn % min(len(mine), 6)]}
        if "<str:query>" in route:
            offered["number"], offered["query"] = self.asked()
        if given.get("number"):  # something that is not there
            offered = {name: value for name, value in offered.items() if name != "name"}
        offered |= given
        return PARAMETER.sub(lambda found: offered.get(found[1], "none-such"), route)

    def asked(self) -> tuple[str, str]:
        """A query that was raised on a form that everybody may see, with its participant."""
        from equipoise.desk.followers import QUERIES, SUBJECTS

        with self.world.desk.reading() as reader:
            rows = reader.rows.find(
                QUERIES, {"site": "01", "form": ["RISK", "PSMRS", "STROKE"]}, order=("raised_at",)
            )
            if not rows:
                return "01001", "none-such"
            row = rows[self.turn % len(rows)]
            return str((reader.rows.get(SUBJECTS, (str(row["subject"]),)) or {})["number"]), str(row["query"])

    def wanted(self, route: str) -> tuple[str, str]:
        """A request for a code that was made: of the participant or of the drill that the route is about."""
        made = self.world.wanted.get("drill" if "drills" in route else "subject", [])
        return made[self.turn % len(made)] if made else ("01001", "none-such")

    def refuse(self, person: Person, operation: str) -> None:
        """Ask in a way that must be refused."""
        method, route = operation.split(" ", 1)
        if method != "GET":
            return
        if "<" in route:
            missing = self.address(route, number="09999", site="99", line="none-such", user="nobody")
            ask(self.world, person, "GET", missing, operation=operation)
        elif WEB.get(operation) is not None and WEB[operation].everybody and route != "/subjects/new":
            ask(self.world, person, "POST" if route != "/login" else "PUT", route, operation=operation)
        else:
            stranger = Person(person.actor, person.name, person.role, person.site)
            ask(self.world, stranger, "GET", route, script=True, operation=operation)

    def refuse_post(self, person: Person, operation: str) -> None:
        """A form whose token is missing; in other states, a form that asks for what cannot be."""
        _, route = operation.split(" ", 1)
        if self.turn % 2 or WEB.get(operation, WEB["GET /"]).everybody:
            ask(self.world, person, "POST", self.address(route), {}, token=False, operation=operation)
        else:
            wrong = {"do": "nothing", "on": "yesterday", "name": "", "key": self.world.key()}
            ask(
                self.world,
                person,
                "POST",
                self.address(route, number="09999", site="99"),
                wrong,
                operation=operation,
            )

    def everyday(self) -> None:
        """What everybody does at least three times: sign in with a password, out, and choose a language."""
        for person in self.world.people.values():
            if not person.first:
                continue
            for turn in range(3):
                language = "zh" if turn == 1 else "en"
                ask(self.world, person, "POST", "/language", {"language": language, "next": "/today"})
                if turn == 1:
                    ask(self.world, person, "GET", "/today")
                ask(self.world, person, "POST", "/logout", {})
                ask(
                    self.world,
                    person,
                    "POST",
                    "/login",
                    {"username": person.actor, "password": PASSWORD, "next": ""},
                )
            ask(
                self.world,
                person,
                "POST",
                "/login",
                {"username": person.actor, "password": "wrong", "next": ""},
            )
            for old, new in itertools.pairwise((PASSWORD, NEXT, PASSWORD, NEXT, PASSWORD)):
                ask(self.world, person, "POST", "/password", {"old": old, "password": new, "again": new})
            for head in ("GET", "HEAD", "HEAD", "HEAD"):
                ask(self.world, person, head, "/trial")
            ask(self.world, person, "DELETE", "/trial", operation="HEAD /trial")
            come_in(self.world, person)

    def complete(self) -> None:
        """What chance has left out: every page until each who may see it saw it often enough, and one refusal each."""
        counted = Counted(self.world)
        for person in self.world.people.values():
            for operation in web_operations() if person.first else ():
                if operation not in WEB:
                    continue
                for _ in range(2 * SUCCESSES):
                    successes, refusals = counted.of(person.role, operation)
                    self.turn += 1
                    if (
                        operation.startswith("GET")
                        and may_succeed(operation, person.role)
                        and successes < SUCCESSES
                    ):
                        self.visit(person, operation)
                    elif not refusals and operation.startswith("POST"):
                        self.refuse_post(person, operation)
                    elif not refusals:
                        self.refuse(person, operation)
                    else:
                        break

    def every_command(self) -> None:
        """Every command of the desk by every role, about something that is not there: until it is refused."""
        from equipoise.desk.routes import ROUTES

        for person in [each for each in self.world.people.values() if each.first]:
            who = self.world.desk.who(person.actor, person.role)
            for command in ROUTES:
                for _ in range(2):
                    with self.world.heard(person.role, command.__name__):
                        outcome = self.world.desk.submit(who, filled(command), key=self.world.key())
                    if not outcome.accepted:
                        break

    def measure(self) -> None:
        """Every page once more by everybody who may see it, with the calls counted that it takes."""
        self.world.tally.measure(on=True)
        for person in [each for each in self.world.people.values() if each.first]:
            for operation in web_operations():
                if operation.startswith("GET") and operation in WEB and may_succeed(operation, person.role):
                    self.visit(person, operation)
        self.world.tally.measure(on=False)


class Counted:
    """How often a role had success with an operation so far, and how often not: each line of what was done read once."""

    def __init__(self, world: World) -> None:
        self._done, self._read = world.covered, 0
        self._counts: dict[tuple[str, str], list[int]] = {}

    def of(self, role: str, operation: str) -> tuple[int, int]:
        """Successes and refusals."""
        for who, what, success, _ in self._done[self._read :]:
            self._counts.setdefault((who, what), [0, 0])[0 if success else 1] += 1
        self._read = len(self._done)
        successes, refusals = self._counts.get((role, operation), (0, 0))
        return successes, refusals


def filled(command: type) -> object:
    """A command with something in each field, by its type, that is nowhere to be found."""
    hints = typing.get_type_hints(command)
    return command(**{one.name: _something(hints[one.name]) for one in dataclasses.fields(command)})


def _something(hint: object) -> object:
    origin, inside = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return inside[0]
    if origin in (typing.Union, types.UnionType):
        return None if type(None) in inside else _something(inside[0])
    if origin is tuple:
        return ()
    if origin is not None and issubclass(origin, Mapping):
        return {}
    return {str: "none-such", int: 1, bool: False}.get(hint, "none-such")  # type: ignore[call-overload]
