"""Which version counts where: approval, adoption by a site, and participants who are in already.

Sources of the rules: ICH E6(R3) 4.3.5 (activate per site only after approvals); Declaration of Helsinki 23.
"""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.ledger.entries import (
    Append,
    Entry,
    Header,
    Recorded,
    SiteAdded,
    SiteApproved,
    StudyReleased,
    VersionAdopted,
)
from equipoise.ledger.facts import Facts, Occasion, Refusal
from equipoise.oversight.adopting import decide, decide_subject
from equipoise.oversight.commands import AdoptVersion, ApproveVersion, MoveSubject
from equipoise.oversight.evolve import SITE_START, SiteState, State, evolve_site
from equipoise.oversight.versions import Adoption, SiteVersions, SubjectVersions, deciding, evolve_subject
from equipoise.protocol.study import Study

DIGESTS = ("a" * 64, "b" * 64, "c" * 64)
STATE = State(versions=tuple(StudyReleased(f"{n + 1}.0", one, "") for n, one in enumerate(DIGESTS)))
TODAY = dt.date(2026, 8, 10)
OCCASION = Occasion(dt.datetime(2026, 8, 10, 3, tzinfo=dt.UTC), "Asia/Shanghai")


def _study(version: str) -> Study:
    return Study.model_validate(
        {"notation": 1, "id": "s", "version": version, "dated": "2026-01-01", "title": "t"}
    )


def _recorded(entry: Entry, stream: str = "site/01", digest: str = DIGESTS[0]) -> Recorded:
    header = Header(1, "s", stream, 1, "0" * 64, entry.kind, digest, "", "", "", None, None, "", 0, "", ())
    return Recorded(header, "", entry)


def _site(*entries: Entry) -> SiteState:
    state = SITE_START
    for entry in (
        SiteAdded("01", {"en": "One"}, "Asia/Shanghai"),
        SiteApproved("01", "EC-1", "2026-01-01"),
        *entries,
    ):
        state = evolve_site(state, _recorded(entry))
    return state


def _given(
    site: SiteState, command: ApproveVersion | AdoptVersion, occasion: Occasion = OCCASION
) -> SiteState:
    decision = decide(_study("1.0"), STATE, site, Facts(), command, occasion)
    assert not isinstance(decision, Refusal), decision
    for append in decision:
        site = evolve_site(site, _recorded(append.entry))
    return site


def _rules(site: SiteState, command: ApproveVersion | AdoptVersion) -> list[str]:
    decision = decide(_study("1.0"), STATE, site, Facts(), command, OCCASION)
    assert isinstance(decision, Refusal)
    return [one.rule for one in decision.problems]


def test_a_site_goes_on_with_the_version_that_it_was_approved_under() -> None:
    assert deciding(DIGESTS, _site().versions, TODAY) == DIGESTS[0]


def test_a_site_that_nobody_approved_yet_goes_by_the_newest() -> None:
    assert deciding(DIGESTS, SITE_START.versions, TODAY) == DIGESTS[2]


def test_a_version_counts_from_its_day_and_not_before() -> None:
    site = _given(_site(), ApproveVersion("01", "2.0", "EC-2", "2026-08-01"))
    site = _given(site, AdoptVersion("01", "2.0", "2026-08-14"))
    days = [dt.date(2026, 8, day) for day in (10, 13, 14, 15)]
    assert [deciding(DIGESTS, site.versions, day)[0] for day in days] == ["a", "a", "b", "b"]


def test_nothing_counts_that_the_committee_has_not_approved() -> None:
    assert _rules(_site(), AdoptVersion("01", "2.0", "2026-08-14")) == ["amendments.version-not-approved"]
    approved = _given(_site(), ApproveVersion("01", "2.0", "EC-2", "2026-08-10"))
    assert _rules(approved, AdoptVersion("01", "3.0", "2026-08-14")) == ["amendments.version-not-approved"]


@pytest.mark.parametrize(
    ("command", "rules"),
    [
        (ApproveVersion("01", "9.0", "EC-2", "2026-08-01"), ["amendments.version-unknown"]),
        (ApproveVersion("01", "2.0", " ", "2026-08-01"), ["oversight.approval-unnamed"]),
        (ApproveVersion("01", "2.0", "EC-2", "2026-08-11"), ["amendments.approval-to-come"]),
        (ApproveVersion("01", "2.0", "EC-2", "2026-08"), ["oversight.date-incomplete"]),
        (ApproveVersion("01", "2.0", "EC-2", ""), ["entry.date-empty"]),
        (ApproveVersion("01", "2.0", "EC-2", "2026-08-01"), ["amendments.version-approved-already"]),
        (AdoptVersion("01", "2.0", "2026-08-09"), ["amendments.adoption-in-the-past"]),
        (AdoptVersion("01", "1.0", "2026-08-14"), ["amendments.version-in-force"]),
        (AdoptVersion("01", "2.0", "tomorrow"), ["oversight.date-incomplete"]),
    ],
)
def test_what_is_refused(command: ApproveVersion | AdoptVersion, rules: list[str]) -> None:
    site = _given(_site(), ApproveVersion("01", "2.0", "EC-2", "2026-08-01"))
    assert _rules(site, command) == rules


def test_a_site_that_is_not_there() -> None:
    assert _rules(SITE_START, AdoptVersion("07", "2.0", "2026-08-14")) == ["oversight.unknown-site"]


def test_a_site_does_not_go_back() -> None:
    site = _given(_site(), ApproveVersion("01", "3.0", "EC-3", "2026-08-10"))
    site = _given(site, AdoptVersion("01", "3.0", "2026-08-10"))
    site = _given(site, ApproveVersion("01", "2.0", "EC-2", "2026-08-10"))
    assert _rules(site, AdoptVersion("01", "2.0", "2026-08-14")) == ["amendments.version-older"]


def test_a_site_does_not_go_back_on_a_later_day_either() -> None:
    site = _given(_site(), ApproveVersion("01", "2.0", "EC-2", "2026-08-10"))
    site = _given(
        _given(site, ApproveVersion("01", "3.0", "EC-3", "2026-08-10")),
        AdoptVersion("01", "3.0", "2026-08-15"),
    )
    assert _rules(site, AdoptVersion("01", "2.0", "2026-08-20")) == ["amendments.version-older"]
    site = _given(site, AdoptVersion("01", "2.0", "2026-08-12"))
    days = [dt.date(2026, 8, day) for day in (11, 12, 14, 15)]
    assert [deciding(DIGESTS, site.versions, day)[0] for day in days] == ["a", "b", "b", "c"]


def test_a_day_that_has_not_come_can_be_changed() -> None:
    site = _given(_site(), ApproveVersion("01", "2.0", "EC-2", "2026-08-01"))
    site = _given(site, AdoptVersion("01", "2.0", "2026-08-12"))
    site = _given(site, AdoptVersion("01", "2.0", "2026-08-20"))
    assert deciding(DIGESTS, site.versions, dt.date(2026, 8, 15)) == DIGESTS[0]
    assert deciding(DIGESTS, site.versions, dt.date(2026, 8, 20)) == DIGESTS[1]


def test_who_stays_goes_on_as_before_until_moved() -> None:
    versions = SiteVersions(DIGESTS[0], (Adoption(DIGESTS[1], "2026-08-05", "STAY"),))
    before, after = dt.date(2026, 8, 1), dt.date(2026, 8, 5)
    assert deciding(DIGESTS, versions, TODAY, screened_on=before) == DIGESTS[0]
    assert deciding(DIGESTS, versions, TODAY, screened_on=after) == DIGESTS[1]
    assert deciding(DIGESTS, versions, TODAY, screened_on=before, moved=DIGESTS[1]) == DIGESTS[1]
    later = dataclasses.replace(versions, adoptions=(*versions.adoptions, Adoption(DIGESTS[2], "2026-08-09")))
    assert deciding(DIGESTS, later, TODAY, screened_on=before, moved=DIGESTS[1]) == DIGESTS[2]


def test_a_participant_is_moved_only_to_what_the_site_adopted_and_only_forward() -> None:
    site = _site(VersionAdopted("01", "2.0", DIGESTS[1], "2026-08-05", "STAY"))
    facts = Facts(subject_known=True)

    def moved(
        version: str, now: str = "1.0", reason: str = "re-consented", known: Facts = facts
    ) -> list[str]:
        decision = decide_subject(
            _study(now), STATE, site, known, MoveSubject("k", version, reason), OCCASION
        )
        return [one.rule for one in decision.problems] if isinstance(decision, Refusal) else []

    assert moved("2.0") == []
    assert moved("3.0") == ["amendments.version-not-adopted"]
    assert moved("2.0", now="2.0") == ["amendments.subject-there-already"]
    assert moved("1.0", now="2.0") == ["amendments.subject-not-back"]
    assert moved("2.0", reason=" ") == ["oversight.reason-required"]
    assert moved("2.0", known=Facts()) == ["capture.subject-unknown"]


def test_the_move_is_the_participants_own() -> None:
    decision = decide_subject(
        _study("1.0"), STATE, _site(VersionAdopted("01", "2.0", DIGESTS[1], "2026-08-05", "STAY")),
        Facts(subject_known=True), MoveSubject("k", "2.0", "re-consented"), OCCASION,
    )  # fmt: skip
    assert isinstance(decision, tuple)
    assert [append.stream for append in decision] == ["subject/k"]
    state = evolve_subject(SubjectVersions(), _recorded(decision[0].entry, "subject/k"))
    assert state.moved == DIGESTS[1]


DAYS = st.integers(1, 28).map(lambda day: f"2026-08-{day:02d}")
ADOPTIONS = st.lists(
    st.builds(
        VersionAdopted,
        st.just("01"),
        st.just("v"),
        st.sampled_from(DIGESTS),
        DAYS,
        st.sampled_from(["MOVE", "STAY"]),
    ),
    max_size=6,
)


@given(
    adoptions=ADOPTIONS, screened=st.none() | st.integers(1, 28), moved=st.none() | st.sampled_from(DIGESTS)
)
def test_from_day_to_day_nobody_goes_back(
    adoptions: list[VersionAdopted], screened: int | None, moved: str | None
) -> None:
    versions = _site(*adoptions).versions
    day = None if screened is None else dt.date(2026, 8, screened)
    order = [
        DIGESTS.index(deciding(DIGESTS, versions, dt.date(2026, 8, each), screened_on=day, moved=moved))
        for each in range(1, 29)
    ]
    assert order == sorted(order)


def test_append_names_the_streams() -> None:
    decision = decide(
        _study("1.0"), STATE, _site(), Facts(), ApproveVersion("01", "2.0", "EC-2", "2026-08-01"), OCCASION
    )
    assert isinstance(decision, tuple)
    assert isinstance(decision[0], Append)
    assert decision[0].stream == "site/01"
