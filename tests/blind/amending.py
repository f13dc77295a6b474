"""The part of the script in which the definition is amended: three versions, each approved and adopted at a site.

People and forms are moved, a new check is run over what was recorded, a question is asked about many places.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from blind.browser import ask
from blind.people import AT_SITE, Person

if TYPE_CHECKING:
    from blind.course import Play
    from equipoise.protocol.study import Study

VERSIONS = ("9.1", "9.2", "9.3")
MOMENTS = ("2026-06-01T12:00", "2026-06-08T12:00", "2026-06-02T18:00")
"""Looked back to, one from each version: the first day and later ones."""
WORDS = {"en": "Is it so?", "zh": "是否如此？"}


def amended(play: Play) -> Iterator[str]:
    """Each version is released, approved at the site, adopted for newcomers, and one participant is moved to it."""
    from equipoise.capture.commands import AskMany, RaiseFindings
    from equipoise.desk.setup import release
    from equipoise.oversight.commands import ReviewAudit

    world, keeper = play.world, play.world.person("data_manager")
    play.come_in(1)
    study, today = world.desk.study, world.clock.at.date().isoformat()
    mine = [number for number in world.numbers if number.startswith("01")]
    for number in mine[: len(VERSIONS)]:  # a form that nobody signs is complete under the first version
        date = {"IMMDAT": "2026-06-01"}
        play.record(world.person("coordinator", "01"), number, "IMMUN", date, "V8", complete=True)
    for turn, version in enumerate(VERSIONS):
        assert release(world.desk, _checked(study, version)) == ()
        yield f"version {version} released"
        approval = {
            "do": "approve",
            "site": "01",
            "version": version,
            "approval": f"EC-{version}",
            "on": today,
        }
        play.fine(keeper, "/amendments", {**approval, "key": world.key()})
        adoption = {"do": "adopt", "site": "01", "version": version, "existing": "STAY", "on": today}
        play.fine(keeper, "/amendments", {**adoption, "key": world.key()})
        yield f"version {version} adopted"
        _moved(play, keeper, mine[turn])
        subject = world.desk.subject_id(mine[turn])
        assert subject is not None
        world.done("data_manager", RaiseFindings(subject, (("V1", "RISK", 1, "AMENDED"),)))
        for role in ("monitor", "data_manager"):
            world.done(
                role, AskMany(subject, (("V1", "RISK", 1, "HTN"), ("V1", "PSMRS", 1, "")), f"Of {role}?")
            )
            _listed(play, world.person(role), version)
        moment = world.clock.at.astimezone(ZoneInfo("Asia/Shanghai")).strftime("%Y-%m-%dT%H:%M")
        world.done(
            "data_manager",
            ReviewAudit(subject, "2026-05-01T00:00:00+00:00", world.clock.at.isoformat(), "read"),
        )
        mark = {
            "number": mine[turn],
            "since": "2026-05-01T00:00",
            "until": moment,
            "note": "read",
            "key": world.key(),
        }
        play.fine(keeper, "/audit", mark)
        yield f"version {version} asked about"
        _looked_back(play, mine[turn], MOMENTS[turn])


def _moved(play: Play, who: Person, number: str) -> None:
    """A participant is moved from the page, dry first, and then a form that was complete before."""
    for chosen in (number, f"{number} V8 IMMUN 1"):
        fields = {"chosen": chosen, "reason": "signed the new consent", "key": play.world.key()}
        answer = ask(play.world, who, "POST", "/amendments/moves", {**fields, "do": "look"})
        assert answer.status == 200, answer.said()
        play.fine(who, "/amendments/moves", {**fields, "do": "move"})


def _listed(play: Play, who: Person, version: str) -> None:
    """A listing, its dry run, and the question asked."""
    fields = {"form": "RISK", "item": "HTN", "text": f"Of {who.role}, at {version}?"}
    for step in ("look", "ask"):
        answer = ask(play.world, who, "POST", "/listing", {**fields, "do": step, "key": play.world.key()})
        assert answer.status == 200, answer.said()


def _looked_back(play: Play, number: str, moment: str) -> None:
    """The participant's pages as they stood at a moment, by everybody who may see them."""
    for role in ("coordinator", "investigator", "rater", "monitor", "data_manager", "inspector"):
        who = play.world.person(role, "01") if role in AT_SITE else play.world.person(role)
        for page in ("", "/forms/V1/RISK", "/forms/V2/DOSBED", "/eligibility"):
            ask(play.world, who, "GET", f"/subjects/{number}{page}?asof={moment}")


def _checked(study: Study, version: str) -> Study:
    """The study under another number, with one check more."""
    from equipoise.protocol.forms import Check

    check = Check.model_validate({"id": "AMENDED", "holds": "not HTN", "items": ["HTN"], "message": WORDS})
    forms = tuple(
        form.model_copy(update={"checks": (*form.checks, check)}) if form.id == "RISK" else form
        for form in study.forms
    )
    return study.model_copy(update={"version": version, "forms": forms})
