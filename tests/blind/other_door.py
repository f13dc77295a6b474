"""The second door's own pages, as blinded people and strangers meet them: asked for one by one, refused, the same in every world.

A blinded person may come in there for one thing: an investigator, to open one code. So everything but the door's own front, the
list of one's own requests and the page of a request must be refused to everybody who is blinded; and what is answered must
not depend on the arms. The page that shows the arm is left out: it is what it is for.
The rule that must stay true: an address that is added at the second door is asked for here at once, and fails the proof
where a blinded person gets in.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from blind.browser import ask
from blind.people import Person, blinded_roles

if TYPE_CHECKING:
    from blind.world import World

FRONT = frozenset(
    {
        "GET /",
        "POST /enter",
        "GET /login",
        "POST /login",
        "POST /logout",
        "POST /language",
        "GET /third",
        "POST /third",
    }
)
"""For everybody, who brings nothing: the chooser of a rehearsal, signing in, the page of a third person with a code."""
OWN = frozenset(
    {"GET /password", "GET /work", "GET /purpose", "POST /purpose", "GET /break", "GET /break/<str:wanted>"}
)
"""For an investigator who is enrolled for opening one code: the work, the choice of a purpose, the own requests."""
ARM = frozenset({"POST /break/<str:wanted>/show", "POST /break/<str:wanted>/code"})
"""What shows the arm, or gives a code for it: not asked for with a request that exists."""
HOST = "localhost:8001"


@dataclass
class OtherDoor:
    """The second door's pages over a world's vault, in the same process."""

    world: World

    def look(self) -> None:
        """Every page by every blinded role, and by nobody; then by an investigator who came in to open a code."""
        from django.core.handlers.wsgi import WSGIHandler
        from django.test.utils import override_settings

        from equipoise.vault.web.settings import second_door

        world = self.world
        every = second_door(world.vault, world.vault.folder, world.vault.web_secret)
        own = {name: value for name, value in every.items() if name not in {"DATABASES", "SECRET_KEY"}}
        before = world.app, world.host
        with override_settings(**own):
            world.app, world.host = WSGIHandler(), HOST
            try:
                self._look()
            finally:
                world.app, world.host = before

    def _look(self) -> None:
        for role in blinded_roles():
            person = self.world.person(role)
            stranger = Person(person.actor, person.name, role, person.site)
            self._ask(stranger, "GET", "/login", "/login")
            for purpose in ("KEEPER", "BENCH", "CHECK", "LAB", "BOARD", "OFFICER", "BREAK"):
                fields = {"user": person.actor, "purpose": purpose}
                came = self._ask(stranger, "POST", "/enter", "/enter", fields)
                self.world.keeps(
                    f"{role} enters the second door for {purpose}",
                    kept=(came.status == 302) == (role == "investigator" and purpose == "BREAK"),
                )
                for method, route in second_operations() if came.status == 302 or purpose == "KEEPER" else ():
                    self._one(stranger, method, route, inside=came.status == 302)

    def _one(self, person: Person, method: str, route: str, *, inside: bool) -> None:
        operation = f"{method} {route}"
        if operation in {"POST /logout", "POST /enter"}:
            return
        made = self.world.wanted.get("subject", [])
        wanted = made[0][1] if made and operation not in ARM else "none-such"
        address = re.sub(r"<(?:\w+:)?(\w+)>", lambda at: wanted if at[1] == "wanted" else "1", route)
        fields = {"key": self.world.key(), "code": "bado-kemi-tuso-rani"} if method == "POST" else None
        answer = self._ask(person, method, route, address, fields)
        sent_away = answer.header("Location").startswith(("/login", "/?next", "/purpose"))
        let_in = answer.status < 400 and not sent_away
        may = operation in FRONT or (inside and operation in OWN)
        self.world.keeps(f"{person.role} at the second door: {operation}", kept=may or not let_in)

    def _ask(
        self, person: Person, method: str, route: str, address: str, fields: dict[str, str] | None = None
    ) -> Any:
        return ask(self.world, person, method, address, fields, operation=f"second door {method} {route}")


def second_operations() -> Iterator[tuple[str, str]]:
    """Every address of the second door, by each method that it answers."""
    from blind.operations import methods

    for pattern in importlib.import_module("equipoise.vault.web.urls").urlpatterns:
        for method in methods(pattern.callback):
            yield method, f"/{pattern.pattern}"
