"""Short plays on which leaks are replayed: a few requests each, on a scene with three randomized participants.

In the scene 01001 to 01003 are randomized, 01004 is eligible.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from blind.browser import ask, come_in
from blind.course import Play
from blind.terminal import play_one
from blind.world import World

CASEBOOK = "/subjects/01001"
FORM = "/subjects/01001/forms/V1/RISK"
CASEBOOKS = "GET /subjects/<str:number>"
FORMS = "/subjects/<str:number>/forms/<str:visit>/<str:form>"


def _get(*addresses: str, roles: tuple[str, ...] = ("coordinator",)) -> Callable[[World], None]:
    def play(world: World) -> None:
        for role in roles:
            person = (
                world.person(role, "01")
                if role in ("coordinator", "investigator", "rater")
                else world.person(role)
            )
            come_in(world, person)
            for address in addresses:
                ask(world, person, "GET", address)

    return play


def _save(world: World) -> None:
    coordinator = world.person("coordinator", "01")
    come_in(world, coordinator)
    Play(world).record(coordinator, "01001", "RISK", {"HTN": "Y"})


def _history(world: World) -> None:
    _save(world)
    ask(world, world.person("coordinator", "01"), "GET", f"{FORM}/history")


def _again(world: World) -> None:
    coordinator = world.person("coordinator", "01")
    come_in(world, coordinator)
    given = {"identity": "yes", "key": world.key()}
    ask(world, coordinator, "POST", f"{CASEBOOK}/randomize", given)


def _randomize(world: World) -> None:
    coordinator = world.person("coordinator", "01")
    come_in(world, coordinator)
    Play(world).randomize(coordinator, "01004")
    world.dump()


def _measured(world: World) -> None:
    coordinator = world.person("coordinator", "01")
    come_in(world, coordinator)
    for _ in range(2):  # what is loaded on first use is loaded
        ask(world, coordinator, "GET", CASEBOOK)
    world.tally.measure(on=True)
    ask(world, coordinator, "GET", CASEBOOK)
    world.tally.measure(on=False)


def _laboratory(world: World) -> None:
    coordinator = world.person("coordinator", "01")
    come_in(world, coordinator)
    subject = world.desk.subject_id("01001")
    value = f"{world.secret.value(10, 90, 'CD4')}.0"
    sent = {
        "key": world.key(),
        "base": world.desk.form_seq(subject, "V2", "IMMUN", 1),
        "items": {"CD4": {"value": value}},
    }
    ask(world, coordinator, "POST", "/subjects/01001/forms/V2/IMMUN", sent=sent, script=True)
    ask(world, coordinator, "GET", "/subjects/01001/forms/V2/IMMUN")


def _export(*words: str) -> Callable[[World], None]:
    def play(world: World) -> None:
        play_one(world, ("export", "door", *words))

    return play


PLAYS: Mapping[str, Callable[[World], None]] = {
    "casebook": _get(CASEBOOK, roles=("coordinator", "monitor")),
    "today": _get("/today", roles=("coordinator", "inspector", "pharmacist")),
    "search": _get("/subjects?q=cells", "/subjects?q=01"),
    "unblinded first": _get("/today", CASEBOOK, roles=("pharmacist", "coordinator")),
    "form": _get(FORM),
    "save": _save,
    "history": _history,
    "randomized again": _again,
    "randomize": _randomize,
    "measured": _measured,
    "laboratory": _laboratory,
    "datasets": _export("--format", "dataset-json", "-o", "datasets"),
    "archive": _export("--format", "archive", "-o", "archive"),
}
