"""What Today says of consents: those that are to be given again, the earliest day first.

The rule that must stay true: the read table says whose consent may be due; whether it is, the participant's own stream.
"""

from __future__ import annotations

from collections.abc import Iterable

from equipoise.access.commands import Who
from equipoise.access.roles import ROLES
from equipoise.desk.desk import Desk
from equipoise.desk.followers import CONSENTS, SUBJECTS
from equipoise.desk.views import Task
from equipoise.desk.words import task
from equipoise.ledger.reader import Reader

LOOKED_AT = 200
"""How many consents of a site are looked at."""


def consent_tasks(desk: Desk, reader: Reader, who: Who, sites: Iterable[str]) -> tuple[Task, ...]:
    """Consents to be given again at some sites, for who records consent."""
    role = ROLES.get(who.role)
    if role is None or "RecordConsent" not in role.commands:
        return ()
    found: list[Task] = []
    for site in sites:
        here = desk.standing_of_site(reader, site)
        order, newest = [one.id for one in here.trial.study.consent.versions], here.facts.consent_required
        older = order[: order.index(newest)] if newest in order else []
        rows = [*reader.rows.find(CONSENTS, {"site": site, "ended": 0, "back": 1}, limit=LOOKED_AT)]
        if older:
            rows += reader.rows.find(CONSENTS, {"site": site, "ended": 0, "version": older}, limit=LOOKED_AT)
        for subject in dict.fromkeys(str(row["subject"]) for row in rows):
            found += _due(desk, reader, subject)
    return tuple(sorted(found, key=lambda one: one.since))


def _due(desk: Desk, reader: Reader, subject: str) -> Iterable[Task]:
    facts, row = desk.standing_light(reader, subject).facts, reader.rows.get(SUBJECTS, (subject,)) or {}
    if facts.reconsent_by is None or row.get("status") == "SCREEN_FAILURE":
        return
    kind = "reconsent_late" if facts.consent_outdated else f"reconsent_{facts.reconsent_because.lower()}"
    by, version = facts.reconsent_by, facts.consent_required or "–"
    yield task(kind, str(row.get("number", "")), (), by, by=by, version=version)
