"""The ethics committee's approval of a version of the consent form, site by site.

The rule that must stay true: a version is approved once, on a day on which it existed and that has come; from that day
it is the one to sign at that site. Source: Declaration of Helsinki 2024, 23; ICH E6(R3) 1.2, 2.8.1.
"""

from __future__ import annotations

from collections.abc import Mapping

from equipoise.ledger.entries import Append, ConsentVersionApproved
from equipoise.ledger.facts import Decision, Occasion, Refusal
from equipoise.oversight.commands import ApproveConsentVersion
from equipoise.protocol.study import Study
from equipoise.words.dates import whole_date
from equipoise.words.problem import Problem, problem


def decide_consent_form(
    study: Study, approved: Mapping[str, str], command: ApproveConsentVersion, occasion: Occasion
) -> Decision:
    """Decide on the stream of one site; `approved` are the versions that have an approval of their own."""
    version = next((one for one in study.consent.versions if one.id == command.version), None)
    if version is None:
        known = ", ".join(one.id for one in study.consent.versions) or "–"
        return _refuse("consent.version-unknown", "version", version=command.version, known=known)
    if command.version in approved:
        return _refuse("oversight.consent-approved-already", "version", version=command.version)
    if not command.approval.strip():
        return _refuse("oversight.approval-unnamed", "approval", site=command.site)
    six = study.entry.six_digit_dates
    day = whole_date(command.on, "oversight.date-incomplete", "on", six=six, today=occasion.today)
    if isinstance(day, Problem):
        return Refusal((day,))
    if day.earliest > occasion.today or day.iso() < version.dated:
        return _refuse("oversight.consent-approved-when", "on", given=day.iso(), dated=version.dated)
    entry = ConsentVersionApproved(command.site, command.version, command.approval.strip(), day.iso())
    return (Append(f"site/{command.site}", entry),)


def _refuse(rule: str, where: str, **arguments: str) -> Refusal:
    return Refusal((problem(rule, where, **arguments),))
