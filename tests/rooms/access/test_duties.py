"""The duties of the delegation log: role, duty and training must all hold, and an emergency waits for none of them.

Sources: ICH E6(R3) 2.3 and Appendix C 2.2 for delegation, 2.1.4 and 3.5 for training, 4.4.3 for codes; ux.md 1.16.
"""

from __future__ import annotations

import dataclasses
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.access.commands import (
    Grant,
    RecordCertificate,
    RecordTraining,
    Trained,
    Who,
    WithdrawCertificate,
)
from equipoise.access.decide import decide, may
from equipoise.access.duties import CONDUCT, DUTIES, SITE_STAFF, duties_for, duty_of
from equipoise.access.evolve import START, State, evolve
from equipoise.access.policy import duties_of
from equipoise.access.roles import ROLES
from equipoise.capture.commands import RecordForm
from equipoise.eligibility.commands import ConfirmEligibility, ScreenSubject
from equipoise.ledger.entries import CertificateRecorded, CertificateWithdrawn, TrainingRecorded
from equipoise.ledger.facts import Facts
from equipoise.randomization.commands import Randomize, RequestCodeBreak
from equipoise.words.text import Text
from rooms.capture.conduct_study import OCCASION, folded, made_study, refused, written

TOPICS = [
    {"id": "protocol", "label": "Protocol", "version": "2.0"},
    {"id": "infusion", "label": "Infusion", "version": "1", "months": 12, "duties": ["dosing"]},
]
STUDY = made_study(delegation={"required": True, "training": TOPICS})
HERE = State((Grant("coordinator", "01"),), (Grant("coordinator", "01"),))
LOG = Facts(
    subject_known=True,
    subject_site="01",
    site_known=True,
    log_in_force=True,
    principal="pi",
    today="2026-08-14",
    rated={"NIHSS": frozenset(), "AE": frozenset({"AEREL"})},
    training_asked={"protocol": ("2.0", frozenset(), Text("Protocol", "方案"))},
)
TAUGHT = (Trained("protocol", "2.0", "2026-01-01"),)
SCREEN = ScreenSubject("s1", "01", "01001", "p1")


def who(role: str, actor: str = "a", trained: tuple[Trained, ...] = TAUGHT) -> Who:
    return Who(actor, role, (Grant(role, "01"),), trained=trained)


def given_duties(*duties: str, until: str | None = None) -> Facts:
    return dataclasses.replace(LOG, delegated={"a": dict.fromkeys(duties, until)})


def rule(person: Who, command: object, facts: Facts) -> str | None:
    found = may(person, command, facts)
    return found.rule if found is not None else None


def test_role_duty_and_training_must_all_hold():
    assert rule(who("coordinator"), SCREEN, given_duties("screening")) is None
    assert rule(who("rater"), SCREEN, given_duties("screening")) == "access.not-allowed"
    assert rule(who("coordinator"), SCREEN, given_duties("consent")) == "people.not-delegated"
    assert rule(who("coordinator", trained=()), SCREEN, given_duties("screening")) == "people.not-trained"


@pytest.mark.parametrize(
    ("until", "expected"),
    [(None, None), ("2026-08-14", None), ("2026-08-13", "people.delegation-over")],
)
def test_a_delegation_counts_to_the_end_of_its_last_day(until, expected):
    assert rule(who("coordinator"), SCREEN, given_duties("screening", until=until)) == expected


@pytest.mark.parametrize(
    ("training", "expected"),
    [
        (Trained("protocol", "2.0", "2026-01-01", "2026-08-14"), None),
        (Trained("protocol", "2.0", "2026-01-01", "2026-08-13"), "people.not-trained"),  # ran out yesterday
        (Trained("protocol", "1.0", "2026-01-01"), "people.not-trained"),  # an earlier version
        (Trained("gcp", "2.0", "2026-01-01"), "people.not-trained"),
    ],
)
def test_the_training_must_be_of_the_version_in_force(training, expected):
    person = who("coordinator", trained=(training,))
    assert rule(person, SCREEN, given_duties("screening")) == expected


def test_a_topic_of_some_duties_is_asked_for_by_those_only():
    facts = dataclasses.replace(
        given_duties("screening", "randomization"),
        training_asked={"draw": ("1", frozenset({"randomization"}), Text("Drawing", "随机"))},
    )
    assert rule(who("coordinator"), SCREEN, facts) is None
    assert rule(who("coordinator"), Randomize("s1"), facts) == "people.not-trained"


def test_the_principal_investigator_has_every_duty_and_needs_the_training():
    assert rule(who("investigator", "pi"), ConfirmEligibility("s1"), LOG) is None
    assert rule(who("investigator", "pi", ()), ConfirmEligibility("s1"), LOG) == "people.not-trained"


def test_an_emergency_waits_for_no_log():
    ask = RequestCodeBreak("s1", "r", "EMERGENCY", urgent=True, to="SELF", reason="bleeding")
    assert rule(who("investigator", trained=()), ask, LOG) is None


def test_scoring_a_scale_is_a_duty_of_its_own():
    scale, judged, other = (RecordForm("s1", "V1", form, 1, {}, 0) for form in ("NIHSS", "AE", "VS"))
    assert [duty_of(one, LOG.rated) for one in (scale, judged, other)] == [
        "rating",
        "data_entry",
        "data_entry",
    ]
    assert rule(who("rater"), scale, given_duties("rating")) is None
    assert rule(who("rater"), other, given_duties("rating")) == "people.not-delegated"


def test_who_is_not_of_a_site_acts_by_the_grant_alone():
    for role in set(ROLES) - SITE_STAFF - {"system"}:
        person = Who("a", role, (Grant(role),))
        for command in (SCREEN, Randomize("s1"), ConfirmEligibility("s1")):
            without = dataclasses.replace(LOG, log_in_force=False)
            assert may(person, command, LOG) == may(person, command, without)


COMMANDS = [SCREEN, Randomize("s1"), ConfirmEligibility("s1"), RecordForm("s1", "V1", "NIHSS", 1, {}, 0)]


@given(
    st.sampled_from(sorted(SITE_STAFF)),
    st.sets(st.sampled_from(sorted(DUTIES))),
    st.booleans(),
    st.sampled_from(COMMANDS),
)
def test_the_log_only_ever_takes_away(role, duties, taught, command):
    """Nobody may more with a log than without; with the log exactly where role, duty and training hold."""
    person = who(role, trained=TAUGHT if taught else ())
    with_log, without = given_duties(*duties), dataclasses.replace(LOG, log_in_force=False)
    allowed = may(person, command, with_log) is None
    duty = duty_of(command, LOG.rated)
    assert allowed == (may(person, command, without) is None and duty in duties and taught)


def test_a_duty_lets_nobody_do_what_no_role_of_it_may():
    """The table of duties and the table of roles agree: every command of a duty is of each role that may have it."""
    for duty, role in itertools.product(DUTIES.values(), SITE_STAFF):
        if role in duty.roles:
            assert duty.commands <= ROLES[role].commands | set().union(
                *(ROLES[other].commands for other in duty.roles)
            )
        else:
            assert not duty.commands & ROLES[role].commands - {"DateVisit", "AnswerQuery"}, (duty.id, role)
    assert duties_for({"rater"}) == {"data_entry", "rating", "conduct"}


def test_nothing_that_site_staff_do_today_is_left_to_everything_else():
    """A command that is added gets a duty by name, or waits for no log; else a delegation would say nothing of it."""
    done = frozenset().union(*(ROLES[role].commands for role in SITE_STAFF))
    assert [name for name in sorted(done) if duties_of(name) == (CONDUCT,)] == []


def test_each_desk_is_a_duty_of_its_own():
    """ICH E6(R3) 2.3.1: who draws samples, has images made or signs is named for that."""
    assert {duties_of(name) for name in ("CollectSpecimen", "SendShipment")} == {("specimens",)}
    assert duties_of("OrderImaging") == ("imaging",)
    assert duties_of("ExplainDeviation") == ("deviations",)
    assert duties_of("SignForms") == ("signing",)
    assert "signing" not in duties_for({"coordinator"})


# --- what a person has learnt ------------------------------------------------------------------------------------


def trained(**changes):
    given = {"user": "u", "topics": ("protocol", "infusion"), "on": "2026-08-14", "site": "01"}
    return RecordTraining(**{**given, **changes})


def certificate(**changes):
    given = {
        "user": "u",
        "instrument": "NIHSS",
        "language": "zh",
        "on": "2026-08-01",
        "until": "2027-07-31",
        "site": "01",
    }
    return RecordCertificate(**{**given, **changes})


def test_a_training_counts_for_the_version_of_the_definition_and_as_long_as_it_says():
    entries = [append.entry for append in written(decide(STUDY, HERE, Facts(), trained(), OCCASION))]
    assert entries == [
        TrainingRecorded("u", "protocol", "2.0", "2026-08-14", None),
        TrainingRecorded("u", "infusion", "1", "2026-08-14", "2027-08-13"),  # 12 months, to the day before
    ]
    state = folded(evolve, HERE, entries)
    assert [one.topic for one in state.who("u", "coordinator").trained] == ["protocol", "infusion"]


@pytest.mark.parametrize(
    ("on", "until"),
    [("2024-02-29", "2025-02-27"), ("2025-01-31", "2026-01-30"), ("2026-08-01", "2027-07-31")],
)
def test_the_end_of_a_term_in_months(on, until):
    # by hand: the day before the same day of the month twelve months later; 29 February counts as the 28th
    (append,) = written(decide(STUDY, HERE, Facts(), trained(topics=("infusion",), on=on), OCCASION))
    assert append.entry.until == until


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        (trained(topics=("knots",)), ("people.topic-unknown", "topics")),
        (trained(topics=()), ("people.topic-unknown", "topics")),
        (trained(on="2026-08"), ("people.date-unfit", "on")),
        (trained(on="2026-08-15"), ("people.date-ahead", "on")),  # today is 14 August at the site
        (trained(site="02"), ("people.person-unknown-here", "user")),
        (certificate(until="2026-07-31"), ("people.ends-before-it-begins", "until")),
        (certificate(until="soon"), ("people.date-unfit", "until")),
        (trained(on=""), ("entry.date-empty", "on")),
        (certificate(instrument=""), ("people.certificate-of-what", "instrument")),
        (
            WithdrawCertificate("u", "NIHSS", "zh", "typed wrongly", "01"),
            ("people.no-certificate", "instrument"),
        ),
    ],
)
def test_what_is_refused(command, fault):
    assert refused(decide(STUDY, HERE, Facts(), command, OCCASION)) == [fault]


def test_nobody_records_their_own():
    own = dataclasses.replace(OCCASION, by="u")
    for command in (trained(), certificate()):
        assert refused(decide(STUDY, HERE, Facts(), command, own)) == [("people.own-record", "user")]


def test_a_certificate_stands_until_it_is_withdrawn_with_a_reason():
    first = CertificateRecorded("u", "NIHSS", "zh", "2025-01-01", "2026-01-01")
    (append,) = written(decide(STUDY, HERE, Facts(), certificate(certificate="C-7"), OCCASION))
    state = folded(evolve, HERE, [first, append.entry])
    assert [(one.on, one.until) for one in state.certified] == [("2026-08-01", "2027-07-31")]
    gone = WithdrawCertificate("u", "NIHSS", "zh", "", "01")
    assert refused(decide(STUDY, state, Facts(), gone, OCCASION)) == [("people.reason-required", "reason")]
    (end,) = written(decide(STUDY, state, Facts(), dataclasses.replace(gone, reason="forged"), OCCASION))
    assert end.entry == CertificateWithdrawn("u", "NIHSS", "zh", "forged")
    assert folded(evolve, state, [end.entry]).certified == START.certified
