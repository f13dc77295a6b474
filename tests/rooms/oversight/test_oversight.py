"""The store's birth, versions in force, sites and their approvals."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib

import pytest

from equipoise.ledger.entries import Append, Header, Recorded
from equipoise.ledger.facts import Decision, Facts, Occasion, Refusal
from equipoise.oversight import commands as ask
from equipoise.oversight.decide import decide, decide_site
from equipoise.oversight.evolve import SITE_START, START, SiteState, State, evolve, evolve_site
from equipoise.protocol.digest import canonical_study
from equipoise.protocol.study import Study
from equipoise.words.canonical import canonical_bytes

STUDY = Study.model_validate({"notation": 1, "id": "s", "version": "1", "dated": "2026-01-01", "title": "t"})
OCCASION = Occasion(dt.datetime(2026, 1, 1, tzinfo=dt.UTC), "UTC")


def _recorded(append: Append) -> Recorded:
    header = Header(
        1, "s", append.stream, 1, "0" * 64, append.entry.kind, "", "", "", "", None, None, "", 0, "", ()
    )
    return Recorded(header, "", append.entry)


def _after(state: State, *commands: object) -> State:
    for command in commands:
        decision = decide(STUDY, state, Facts(), command, OCCASION)
        assert not isinstance(decision, Refusal), decision
        for append in decision:
            state = evolve(state, _recorded(append))
    return state


def _site_after(
    state: SiteState, facts: Facts, *commands: ask.AddSite | ask.ApproveSite | ask.ActivateSite
) -> SiteState:
    for command in commands:
        decision = decide_site(STUDY, state, facts, command, OCCASION)
        assert not isinstance(decision, Refusal), decision
        for append in decision:
            state = evolve_site(state, _recorded(append))
    return state


def _rules(decision: Decision) -> list[str]:
    assert isinstance(decision, Refusal)
    return [problem.rule for problem in decision.problems]


def _released(version: str, text: str) -> ask.ReleaseStudy:
    return ask.ReleaseStudy(version, hashlib.sha256(text.encode()).hexdigest(), text)


def _release(version: str, **changes: str) -> ask.ReleaseStudy:
    study = Study.model_validate(
        {
            "notation": 1,
            "id": "s",
            "version": version,
            "dated": "2026-01-01",
            "title": "t",
            **changes,
        }
    )
    return _released(version, canonical_bytes(canonical_study(study)).decode())


def test_a_rehearsal_never_becomes_a_trial() -> None:
    state = _after(START, ask.OpenStore("rehearsal"))
    assert _rules(decide(STUDY, state, Facts(), ask.OpenStore("trial"), OCCASION)) == [
        "oversight.store-has-purpose"
    ]
    assert state.purpose == "rehearsal"


def test_a_version_comes_into_force_with_its_own_digest_only() -> None:
    state = _after(START, _release("1.0"))
    assert state.in_force is not None
    assert state.in_force.version == "1.0"
    tampered = dataclasses.replace(_release("1.1"), digest="0" * 64)
    assert _rules(decide(STUDY, state, Facts(), tampered, OCCASION)) == ["oversight.digest-differs"]


@pytest.mark.parametrize(
    ("command", "rule"),
    [
        (_release("1.1", id="other"), "oversight.other-study"),
        (_released("1.1", _release("1.2").definition), "oversight.version-differs"),
        (_released("1.1", '{"a":1}'), "oversight.definition-unreadable"),
        (_released("1.1", "[]"), "oversight.definition-unreadable"),
        (_released("1.1", "no JSON"), "oversight.definition-unreadable"),
        (_released("1.1", '{"a":1,"a":2}'), "oversight.definition-unreadable"),
    ],
)
def test_what_every_page_would_stumble_over_never_comes_into_force(
    command: ask.ReleaseStudy, rule: str
) -> None:
    state = _after(START, _release("1.0"))
    assert _rules(decide(STUDY, state, Facts(), command, OCCASION)) == [rule]


def test_a_changed_definition_needs_a_new_version_number() -> None:
    state = _after(START, _release("1.0"))
    assert _rules(decide(STUDY, state, Facts(), _release("1.0", title="other"), OCCASION)) == [
        "oversight.version-reused"
    ]
    assert _rules(decide(STUDY, state, Facts(), _release("1.0"), OCCASION)) == ["oversight.already-released"]
    state = _after(state, _release("1.1", title="other"))
    assert [version.version for version in state.versions] == ["1.0", "1.1"]


def test_pausing_and_resuming() -> None:
    state = _after(START, ask.PauseEnrolment("safety look"))
    assert state.paused
    assert _rules(decide(STUDY, state, Facts(), ask.PauseEnrolment("again"), OCCASION)) == [
        "oversight.already-paused"
    ]
    assert not _after(state, ask.ResumeEnrolment("done")).paused


def test_a_site_is_activated_only_under_an_approval_in_force() -> None:
    site = _site_after(SITE_START, Facts(), ask.AddSite("01", {"en": "One"}, "Asia/Shanghai"))
    refused = decide_site(STUDY, site, Facts(site_approved=False), ask.ActivateSite("01"), OCCASION)
    assert _rules(refused) == ["oversight.activate-without-approval"]
    approved = ask.ApproveSite("01", "EC-1", "2026-01-01", "2026-12-31")
    site = _site_after(site, Facts(site_approved=True), approved, ask.ActivateSite("01"))
    assert site.active


def test_an_approval_bears_a_number() -> None:
    site = SiteState("01", {}, "UTC")
    for blank in ("", "  "):
        asked = ask.ApproveSite("01", blank, "2026-01-01")
        assert _rules(decide_site(STUDY, site, Facts(), asked, OCCASION)) == ["oversight.approval-unnamed"]


def test_an_approval_covers_its_first_and_last_day() -> None:
    site = SiteState("01", {}, "UTC", "2026-01-01", "2026-12-31")
    days = {"2025-12-31": False, "2026-01-01": True, "2026-12-31": True, "2027-01-01": False}
    assert {day: site.approved(dt.date.fromisoformat(day)) for day in days} == days


def test_bad_zone_and_bad_date_are_refused_by_name() -> None:
    assert _rules(decide_site(STUDY, SITE_START, Facts(), ask.AddSite("01", {}, "Mars/One"), OCCASION)) == [
        "oversight.unknown-zone"
    ]
    site = SiteState("01", {}, "UTC")
    partial = ask.ApproveSite("01", "EC-1", "2026-01")
    assert _rules(decide_site(STUDY, site, Facts(), partial, OCCASION)) == ["oversight.date-incomplete"]
    assert _rules(decide_site(STUDY, SITE_START, Facts(), ask.ActivateSite("01"), OCCASION)) == [
        "oversight.unknown-site"
    ]


@pytest.mark.parametrize("typed", ["2026/3/1", "20260301", "1 Mar 2026", "2026年3月1日"])
def test_an_approval_counts_from_its_day_however_it_was_typed(typed: str) -> None:
    site = _site_after(SITE_START, Facts(), ask.AddSite("01", {"en": "One"}, "Asia/Shanghai"))
    site = _site_after(site, Facts(), ask.ApproveSite("01", "EC-1", typed, "2026/12/31"))
    days = {"2026-02-28": False, "2026-03-01": True, "2026-12-31": True, "2027-01-01": False}
    assert {day: site.approved(dt.date.fromisoformat(day)) for day in days} == days
    backwards = decide_site(
        STUDY, site, Facts(), ask.ApproveSite("01", "EC-1", typed, "2026-02-28"), OCCASION
    )
    assert _rules(backwards) == ["oversight.approval-ends-first"]


def test_pausing_resuming_and_closing_have_their_reason() -> None:
    for command in (ask.PauseEnrolment(" "), ask.ResumeEnrolment("")):
        assert _rules(decide(STUDY, START, Facts(), command, OCCASION)) == ["oversight.reason-required"]
    active = SiteState("01", {}, "UTC", "2026-01-01", None, active=True)
    closing = decide_site(STUDY, active, Facts(), ask.DeactivateSite("01", "  "), OCCASION)
    assert _rules(closing) == ["oversight.reason-required"]
