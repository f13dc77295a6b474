"""Short plays on which leaks are replayed: a few requests each, on a scene with three randomized participants.

In the scene 01001 to 01003 are randomized, 01004 is eligible; a bag for 01001 is at the ward, the code of 01002 was shown.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from blind.browser import ask, come_in
from blind.course import Play
from blind.terminal import play_one
from blind.wards import Ward
from blind.world import PUBLIC, World, read_study

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


def _fever(world: World) -> None:
    """Somebody of the site writes down a temperature at the bedside; the rater looks wherever a rater looks."""
    coordinator, rater = world.person("coordinator", "01"), world.person("rater", "01")
    for person in (coordinator, rater):
        come_in(world, person)
    warm = "38.4" if world.secret.fever else "36.6"
    Play(world).record(
        coordinator, "01001", "DOSBED", {"BEDDAT": Ward(Play(world)).today(), "BEDTEMP": warm}, "V2"
    )
    form = "/subjects/01001/forms/V2/DOSBED"
    for address in (
        "/today",
        "/subjects",
        CASEBOOK,
        form,
        f"{form}/history",
        "/queries",
        f"{CASEBOOK}/infusion",
        "/due",
    ):
        ask(world, rater, "GET", address)


def _return(world: World) -> None:
    coordinator = world.person("coordinator", "01")
    come_in(world, coordinator)
    ward = Ward(Play(world))
    request, bag = ward.request("01001"), ward.bag("01001")
    given = {"do": "return", "request": request, "bag": bag, "remaining": "100", "key": world.key()}
    ask(world, coordinator, "POST", f"{CASEBOOK}/infusion", given)


def _ceremony(world: World) -> None:
    """Another list is made, and what is sealed in it is measured."""
    from equipoise.vault import holding

    held = holding.hold(
        read_study(), {"rehearsal": b"a seed for another list"}, holding.Terms(rehearsal=True)
    )
    slots = json.loads(held.vault[holding.SLOTS])["slots"]
    lengths = {len(sealed) for slot in slots.values() for sealed in slot["sealed"].values()}
    world.keeps("sealed slots of one length", kept=len(lengths) == 1)


def _grant(world: World) -> None:
    """A person of the blinded side is to work at the bench, and the other way round; at once and after a revocation."""
    from equipoise.access.commands import SYSTEM, GrantRole, RevokeRole

    blinded, unblinded = world.person("coordinator", "01").actor, world.person("pharmacist").actor
    for command in (
        GrantRole(blinded, "pharmacist", "01"),
        RevokeRole(blinded, "coordinator", "01", "left"),
        GrantRole(blinded, "pharmacist", "01"),
        GrantRole(unblinded, "rater", "01"),
    ):
        world.desk.submit(SYSTEM, command, key=world.key())
    world.keep_roles_apart()


def _trial(world: World) -> None:
    """A store of a real trial is offered the list of a rehearsal, whose seed everybody may know."""
    from equipoise.desk.desk import Desk
    from equipoise.desk.setup import create_store, publish_allocation

    desk = create_store(Path("trial"), read_study(), "trial", kind=Desk)
    assert isinstance(desk, Desk)
    refused = publish_allocation(desk, PUBLIC)
    world.keeps("a trial takes no list of a rehearsal", kept=bool(refused))
    desk.close()


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
    "document": _get("/subjects/01002/blind.pdf", roles=("investigator",)),
    "blind": _get("/subjects/01002/blind", roles=("investigator",)),
    "due": _get("/due", roles=("investigator",)),
    "fever": _fever,
    "return": _return,
    "ceremony": _ceremony,
    "grant": _grant,
    "trial": _trial,
    "datasets": _export("--format", "dataset-json", "-o", "datasets"),
    "archive": _export("--format", "archive", "-o", "archive"),
}
