"""Who may score a scale of a participant: certified for it, not there at an infusion, of the right role.

The rules that must stay true: after randomization only the roles that the definition names score a form of an assessor;
nobody scores who took part in an infusion of the participant or saved what raters never see; a certificate must count
today, in a language in which the study's scales are given. Who knows the arm is refused by `decide.may` itself.
Source: ICH E9 2.3.1; ux notes 1.2 (a rater who treated the patient is refused); domain notes 3.7 (training).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from equipoise.access.commands import Certified, Who
from equipoise.access.roles import label_of
from equipoise.access.saves import save_of
from equipoise.ledger.facts import Facts
from equipoise.words.problem import Problem, problem
from equipoise.words.text import Text

RATER = "rater"
"""The role that rates; what is hidden from it could tell the arm."""


def against_the_rater(who: Who, command: object, facts: Facts) -> Problem | None:
    """Why the person may not score this form of this participant, or None; None for every other command."""
    save = save_of(command)
    if save is None or facts.rated.get(save.form) != frozenset():
        return None
    number = facts.screening_number or ""
    if facts.randomization_number is not None and facts.assessors and who.role not in facts.assessors:
        return problem("people.not-the-assessor", number=number, roles=_names(facts.assessors))
    if who.actor in facts.saw_infusion:
        return problem("people.saw-the-infusion", number=number)
    asked = facts.certificates_asked.get(save.form)
    if asked is None or not facts.log_in_force:
        return None
    instrument, languages = asked
    standing = [one for one in who.certified if one.instrument == instrument and one.language in languages]
    if any(counts(one, facts.today) for one in standing):
        return None
    ended = max((one.until for one in standing if one.until is not None), default=None)
    if ended is not None and ended < facts.today:
        return problem("people.certificate-lapsed", instrument=instrument, until=ended)
    return problem("people.not-certified", instrument=instrument, languages=", ".join(sorted(languages)))


def counts(one: Certified, today: str) -> bool:
    """Whether a certificate counts on a day (ISO)."""
    return one.on <= today and (one.until is None or one.until >= today)


def certificates_missing(
    certified: Iterable[Certified], asked: Collection[tuple[str, frozenset[str]]], today: str
) -> tuple[str, ...]:
    """The instruments for which no certificate counts."""
    held = [one for one in certified if counts(one, today)]
    return tuple(
        instrument
        for instrument, languages in asked
        if not any(one.instrument == instrument and one.language in languages for one in held)
    )


def _names(roles: Collection[str]) -> Text:
    labels = [label_of(role) for role in sorted(roles)]
    return Text(", ".join(one.en for one in labels), "、".join(one.say("zh") for one in labels))
