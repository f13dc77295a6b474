"""What a page of the first door knows of its reader, and the desk of this server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from django.conf import settings

from equipoise.access.commands import Who
from equipoise.pages.visit import Visit, trial_label
from equipoise.web.door import DeskDoor
from equipoise.words.clock import local
from equipoise.words.dates import PartialDate, whole_date
from equipoise.words.problem import Problem


class Asked(Visit):
    """A request after the sign-in middleware. `who` is the desk's word on the person, None when nobody is signed in."""

    who: Who | None


def desk() -> DeskDoor:
    """The desk of this server."""
    return cast(DeskDoor, settings.DESK)


def rehearsal() -> bool:
    """Whether this store is a rehearsal, in which no person is real."""
    return desk().purpose == "rehearsal"


def study_label() -> str:
    """What a page calls the trial: its demonstration number in a rehearsal, its own name otherwise."""
    return trial_label(desk().study, rehearsal=rehearsal())


def at_site(moment: str | None, site: str) -> str:
    """A UTC moment of the ledger in the site's own time, with the zone's name; nothing for None."""
    return local(moment, desk().study.zone_of(site), seconds=True)


def whole_day(posted: Mapping[str, str]) -> PartialDate | Problem:
    """The day in the field `on` of a posted form, as the study reads days; or why it is none."""
    six = desk().study.entry.six_digit_dates
    return whole_date(posted.get("on", ""), "web.whole-date-needed", "on", six=six)
