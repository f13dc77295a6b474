"""Where a consent stands and what is due under it: the literal table, versions by site, levels of withdrawal.

Sources: ICH E6(R3) 2.8 (consent, re-consent, withdrawal); domain.md 9 (approvals gate every consent version); issue 4,
capability 8. Days are worked out by hand in the comments.
"""

from __future__ import annotations

import dataclasses
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.consent.binding import add_facts, in_force
from equipoise.consent.commands import AnswerOption, RecordCaregiver, RecordConsent, WithdrawConsent
from equipoise.consent.decide import decide
from equipoise.consent.evolve import START, evolve, state_from_json, state_to_json
from equipoise.consent.standing import COUNTS, TABLE, approved_versions, due, required, status, stopped
from equipoise.consent.withdrawal import EVERYTHING, STOPS
from equipoise.ledger.entries import (
    CapacityRecorded,
    CaregiverConsented,
    ConsentDocumented,
    ConsentWithdrawn,
    Entry,
    OptionAnswered,
    ParticipationLimited,
)
from equipoise.ledger.facts import Facts
from equipoise.words.canonical import canonical_bytes, read_canonical
from rooms.capture.conduct_study import KNOWN, OCCASION, folded, made_study, refused, written

VERSIONS = [
    {"id": "1.0", "dated": "2026-01-15", "label": "First"},
    {"id": "2.0", "dated": "2026-07-01", "label": "Second", "reconsent_days": 30},
    {"id": "2.1", "dated": "2026-07-20", "label": "A telephone number", "reconsent_days": None},
]
OPTIONS = [{"id": "SAMPLES", "label": "Samples"}, {"id": "CONTACT", "label": "Contact"}]
STUDY = made_study(consent={"versions": VERSIONS, "options": OPTIONS, "capacity_days": 14, "caregiver": True})
APPROVED = {"1.0": "2026-02-01", "2.0": "2026-07-10"}
MINE = ConsentDocumented("1.0", "PARTICIPANT", given=True, on="2026-06-01", at="09:30")
FOR = ConsentDocumented("1.0", "LEGAL_REPRESENTATIVE", given=True, on="2026-06-01", relation="daughter")
HAS, LACKS = (CapacityRecorded(capacity, "2026-06-01") for capacity in ("HAS", "LACKS"))
BACK = CapacityRecorded("HAS", "2026-08-01")
BY_WHOM = {"PARTICIPANT": "PARTICIPANT", "LEGAL_REPRESENTATIVE": "LEGAL_REPRESENTATIVE"}


def said(by: str, given_: bool) -> ConsentDocumented:
    return ConsentDocumented("1.0", BY_WHOM[by], given=given_, on="2026-06-01")


def test_every_combination_has_one_status():
    every = set(itertools.product(("PRESUMED", "HAS", "LACKS"), ("-", "YES", "NO"), ("-", "YES", "NO")))
    assert set(TABLE) == every


@pytest.mark.parametrize("key", list(TABLE), ids="/".join)
def test_the_table_agrees_with_the_rule_of_the_criteria(key):
    """The table of statuses and the three-valued rule over the study's inputs say the same of being in force."""
    capacity, own, other = key
    entries: list[Entry] = [] if capacity == "PRESUMED" else [CapacityRecorded(capacity, "2026-06-01")]
    entries += [said("PARTICIPANT", own == "YES")] if own != "-" else []
    entries += [said("LEGAL_REPRESENTATIVE", other == "YES")] if other != "-" else []
    state = folded(evolve, START, entries)
    assert status(STUDY, state) == TABLE[key]
    truth = in_force(STUDY, state).value
    assert (truth == "T") == (TABLE[key] in COUNTS)
    if TABLE[key] in {"REFUSED", "CAPACITY_REGAINED"}:
        assert truth == "F"


# --- versions by site ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("site", "own", "expected"),
    [
        (None, {}, {}),
        ("2026-02-01", {}, {"1.0": "2026-02-01"}),
        (
            "2026-07-05",
            {},
            {"1.0": "2026-07-05", "2.0": "2026-07-05"},
        ),  # 2.0 was there when the site was approved
        ("2026-02-01", {"2.0": "2026-07-10"}, {"1.0": "2026-02-01", "2.0": "2026-07-10"}),
        ("2026-01-01", {}, {"1.0": "2026-01-01"}),  # the first version is what the site was approved with
    ],
)
def test_a_sites_approval_covers_what_was_there(site, own, expected):
    assert dict(approved_versions(STUDY, site, own)) == expected


def test_the_version_to_sign_is_the_newest_approved_one():
    for today, wanted in (("2026-01-31", None), ("2026-07-09", "1.0"), ("2026-07-10", "2.0")):
        found = required(STUDY, APPROVED, today)
        assert (found.id if found is not None else None) == wanted


@pytest.mark.parametrize(
    ("signed_on", "version", "today", "by", "late"),
    [
        ("2026-06-01", "1.0", "2026-07-09", None, False),  # version 2.0 is approved on the 10th
        ("2026-06-01", "1.0", "2026-07-10", "2026-08-09", False),  # 30 days after 10 July
        ("2026-06-01", "1.0", "2026-08-09", "2026-08-09", False),  # the last day is in time
        ("2026-06-01", "1.0", "2026-08-10", "2026-08-09", True),
        (
            "2026-07-12",
            "1.0",
            "2026-07-13",
            "2026-07-12",
            True,
        ),  # the old form, although the new one was there
        ("2026-07-12", "2.0", "2026-12-31", None, False),
    ],
)
def test_when_an_earlier_version_no_longer_does(signed_on, version, today, by, late):
    state = folded(evolve, START, [dataclasses.replace(MINE, version=version, on=signed_on)])
    asked = due(STUDY, state, APPROVED, today)
    assert (asked.by if asked is not None else None) == by
    assert (asked is not None and asked.late) == late
    facts = add_facts(
        Facts(today=today, site_approved_on="2026-02-01", consent_approvals={"2.0": "2026-07-10"}),
        STUDY,
        state,
        "UTC",
    )
    assert facts.consent_outdated == late
    assert (facts.consent_against is not None) == late
    if late:
        assert facts.consent_against.rule == "consent.outdated"


def test_a_version_that_asks_for_no_new_signature_outdates_none():
    state = folded(evolve, START, [dataclasses.replace(MINE, version="2.0", on="2026-07-12")])
    assert due(STUDY, state, {**APPROVED, "2.1": "2026-08-01"}, "2026-12-31") is None


def test_a_version_signed_before_its_approval_does_not_count():
    state = folded(evolve, START, [dataclasses.replace(MINE, version="2.0", on="2026-07-05")])
    facts = add_facts(
        Facts(today="2026-07-20", site_approved_on="2026-02-01", consent_approvals={"2.0": "2026-07-10"}),
        STUDY,
        state,
        "UTC",
    )
    assert facts.consent_against is not None
    assert facts.consent_against.rule == "consent.version-not-approved"


def test_who_regained_capacity_is_asked_within_the_studys_days():
    state = folded(evolve, START, [LACKS, FOR, BACK])
    assert status(STUDY, state) == "CAPACITY_REGAINED"
    for today, late in (("2026-08-15", False), ("2026-08-16", True)):  # 14 days after 1 August
        asked = due(STUDY, state, APPROVED, today)
        assert asked is not None
        assert (asked.because, asked.by, asked.late) == ("CAPACITY", "2026-08-15", late)
    again = dataclasses.replace(MINE, version="2.0", on="2026-08-10")
    after = folded(evolve, state, [again])
    assert status(STUDY, after) == "IN_FORCE"
    assert due(STUDY, after, APPROVED, "2026-08-16") is None


def test_the_moment_of_the_signature_is_told_in_utc():
    facts = add_facts(Facts(today="2026-08-14"), STUDY, folded(evolve, START, [MINE]), "Asia/Shanghai")
    assert facts.consent_at is not None
    assert facts.consent_at.isoformat() == "2026-06-01T01:30:00+00:00"  # 09:30 in Shanghai, eight hours ahead
    timeless = dataclasses.replace(MINE, at="")
    assert add_facts(Facts(), STUDY, folded(evolve, START, [timeless]), "UTC").consent_at is None


# --- withdrawal ----------------------------------------------------------------------------------------------------


def leave(level: str, by: str = "PARTICIPANT") -> WithdrawConsent:
    return WithdrawConsent("s1", by, "2026-08-01", "tired", level)


@pytest.mark.parametrize("level", list(STOPS))
def test_each_level_stops_what_it_says_and_nothing_else(level):
    state = folded(evolve, START, [MINE])
    (append,) = written(decide(STUDY, state, KNOWN, leave(level), OCCASION))
    after = folded(evolve, state, [append.entry])
    assert stopped(after) == STOPS[level]
    assert isinstance(append.entry, ConsentWithdrawn if level == "FULL" else ParticipationLimited)
    facts = add_facts(Facts(), STUDY, after, "UTC")
    assert (facts.consent_against is None) == ("treatment" not in STOPS[level])
    assert (facts.consent_in_force.value == "T") == (level != "FULL")


def test_the_levels_stop_more_and_more():
    """By hand: samples stand alone; treatment, then visits, then contact; in full, records and samples, too."""
    assert (
        STOPS["FROM_TREATMENT"]
        < STOPS["FROM_VISITS"]
        < STOPS["FROM_CONTACT"]
        < STOPS["FULL"]
        == set(EVERYTHING)
    )
    assert STOPS["FROM_SAMPLES"] == {"samples"}


def test_a_part_that_ended_is_not_ended_again_and_a_wider_one_is():
    state = folded(evolve, START, [MINE, ParticipationLimited("FROM_VISITS", "PARTICIPANT", "2026-07-30")])
    for level in ("FROM_VISITS", "FROM_TREATMENT"):
        assert refused(decide(STUDY, state, KNOWN, leave(level), OCCASION)) == [
            ("consent.nothing-to-withdraw", "")
        ]
    for level in ("FROM_CONTACT", "FROM_SAMPLES", "FULL"):
        assert written(decide(STUDY, state, KNOWN, leave(level), OCCASION))


def test_a_relative_ends_no_part_for_who_consented_in_person():
    state = folded(evolve, START, [MINE])
    assert refused(
        decide(STUDY, state, KNOWN, leave("FROM_TREATMENT", "LEGAL_REPRESENTATIVE"), OCCASION)
    ) == [("consent.representative-cannot-withdraw", "by")]


def test_a_new_signature_does_not_bring_back_a_part_that_ended():
    limit = ParticipationLimited("FROM_TREATMENT", "PARTICIPANT", "2026-07-01")
    again = dataclasses.replace(MINE, version="2.0", on="2026-07-12")
    state = folded(evolve, START, [MINE, limit, again])
    assert "treatment" in stopped(state)
    everything = folded(evolve, state, [ConsentWithdrawn("PARTICIPANT", "2026-07-20"), again])
    assert stopped(everything) == frozenset(), "who comes back after leaving for good begins anew"


# --- what is recorded with a signature -------------------------------------------------------------------------


def sign(**changes):
    base = {
        "subject": "s1",
        "version": "2.0",
        "by": "PARTICIPANT",
        "given": True,
        "on": "2026-08-14",
        "at": "09:00",
    }
    return RecordConsent(**{**base, **changes})


@pytest.mark.parametrize(
    ("command", "faults"),
    [
        (sign(), []),
        (sign(at="10:30"), []),  # it is 10:30 at the site
        (sign(at="10:31"), [("consent.time-ahead", "at")]),
        (sign(at="10:31", on="2026-08-13"), []),  # yesterday it had come
        (sign(at="9:00"), [("consent.time-unfit", "at")]),
        (sign(at="24:00"), [("consent.time-unfit", "at")]),
        (sign(by="LEGAL_REPRESENTATIVE"), [("consent.relation-missing", "relation")]),
        (sign(by="LEGAL_REPRESENTATIVE", relation="son", because="aphasia"), []),
        (sign(agreed=("SAMPLES",), declined=("CONTACT",)), []),
        (sign(agreed=("GENES",)), [("consent.option-unknown", "option")]),
    ],
)
def test_what_may_be_recorded_with_a_signature(command, faults):
    decision = decide(STUDY, START, KNOWN, command, OCCASION)
    if faults:
        assert refused(decision) == faults
    else:
        assert isinstance(written(decision)[0].entry, ConsentDocumented)


def test_optional_parts_are_entries_of_their_own_and_change_alone():
    entries = [
        one.entry
        for one in written(
            decide(STUDY, START, KNOWN, sign(agreed=("SAMPLES",), declined=("CONTACT",)), OCCASION)
        )
    ]
    state = folded(evolve, START, entries)
    assert dict(state.options) == {"SAMPLES": True, "CONTACT": False}
    (append,) = written(
        decide(
            STUDY, state, KNOWN, AnswerOption("s1", "SAMPLES", False, "PARTICIPANT", "2026-08-14"), OCCASION
        )
    )
    assert append.entry == OptionAnswered("SAMPLES", False, "PARTICIPANT", "2026-08-14")
    assert in_force(STUDY, folded(evolve, state, [append.entry])).value == "T"
    same = AnswerOption("s1", "SAMPLES", True, "PARTICIPANT", "2026-08-14")
    assert refused(decide(STUDY, state, KNOWN, same, OCCASION)) == [("consent.nothing-changed", "")]
    refusal = decide(STUDY, START, KNOWN, sign(given=False, agreed=("SAMPLES",)), OCCASION)
    assert [one.entry.kind for one in written(refusal)] == ["ConsentDocumented"], (
        "who refuses agrees to no part"
    )


def test_a_caregiver_answers_for_themselves():
    agree = RecordCaregiver("s1", "care-1", True, "2026-08-14", "wife")
    (append,) = written(decide(STUDY, START, KNOWN, agree, OCCASION))
    assert append.entry == CaregiverConsented("care-1", True, "2026-08-14", "wife")
    state = folded(evolve, START, [append.entry])
    stop = dataclasses.replace(agree, given=False)
    assert written(decide(STUDY, state, KNOWN, stop, OCCASION))
    assert refused(decide(STUDY, START, KNOWN, stop, OCCASION)) == [
        ("consent.caregiver-unknown", "caregiver")
    ]
    without = made_study()
    assert refused(decide(without, START, KNOWN, agree, OCCASION)) == [
        ("consent.no-caregiver-here", "caregiver")
    ]


ENTRIES = st.lists(
    st.sampled_from(
        [
            MINE,
            FOR,
            HAS,
            LACKS,
            BACK,
            dataclasses.replace(MINE, given=False),
            dataclasses.replace(MINE, version="2.0", on="2026-07-12"),
            ConsentWithdrawn("PARTICIPANT", "2026-07-20"),
            *(ParticipationLimited(level, "PARTICIPANT", "2026-07-20") for level in STOPS if level != "FULL"),
            OptionAnswered("SAMPLES", True, "PARTICIPANT", "2026-06-01"),
            CaregiverConsented("care-1", True, "2026-06-01"),
        ]
    ),
    max_size=12,
)


@given(ENTRIES, st.dates(min_value=OCCASION.today.replace(month=1, day=1)).map(str))
def test_nothing_is_done_to_anybody_without_a_consent_that_counts(entries, today):
    """Whatever came in whatever order: where something may be done, somebody's signature counts and nothing is late."""
    state = folded(evolve, START, entries)
    facts = add_facts(
        Facts(today=today, site_approved_on="2026-02-01", consent_approvals={"2.0": "2026-07-10"}),
        STUDY,
        state,
        "UTC",
    )
    if facts.consent_against is None:
        assert facts.consent_in_force.value == "T"
        assert not facts.consent_outdated
        assert "treatment" not in facts.consent_stops
        assert facts.consent_version is not None
    assert state_from_json(read_canonical(canonical_bytes(state_to_json(state)))) == state
