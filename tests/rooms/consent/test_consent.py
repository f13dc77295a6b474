"""Consent: what may be recorded, and what the record means. The table is written by hand from domain.md 4 and 4.1."""

from __future__ import annotations

import pytest

from equipoise.consent.binding import bind, in_force, rested_on, why_not
from equipoise.consent.commands import RecordCapacity, RecordConsent, WithdrawConsent
from equipoise.consent.decide import decide
from equipoise.consent.evolve import START, evolve, state_from_json, state_to_json
from equipoise.ledger.entries import CapacityRecorded, ConsentDocumented, ConsentWithdrawn
from equipoise.ledger.facts import Facts
from equipoise.protocol.expressions import DateValue, as_logical
from equipoise.protocol.rules import value_of
from equipoise.words.canonical import canonical_bytes, read_canonical
from equipoise.words.dates import PartialDate
from rooms.capture.conduct_study import KNOWN, OCCASION, folded, made_study, recorded, refused, written

STUDY = made_study()
ONLY_PARTICIPANT = made_study(
    consent={
        "legal_representative": False,
        "versions": [{"id": "1.0", "dated": "2026-01-15", "label": "First"}],
    }
)
SIGNED = ConsentDocumented("1.0", "PARTICIPANT", given=True, on="2026-08-01")
REFUSED = ConsentDocumented("1.0", "PARTICIPANT", given=False, on="2026-08-02")
FOR = ConsentDocumented("1.0", "LEGAL_REPRESENTATIVE", given=True, on="2026-08-03", relation="daughter")
NOT_FOR = ConsentDocumented("1.0", "LEGAL_REPRESENTATIVE", given=False, on="2026-08-03")
HAS, LACKS, OPEN = (CapacityRecorded(capacity, "2026-08-01") for capacity in ("HAS", "LACKS", "NOT_ASSESSED"))
LEFT = ConsentWithdrawn("PARTICIPANT", "2026-08-05")

TABLE = [
    # what is recorded, in order -> is consent in force
    ([], "U"),
    ([HAS], "U"),
    ([OPEN], "U"),
    ([LACKS], "U"),  # a representative may still sign
    # the participant signs: capacity is presumed
    ([SIGNED], "T"),
    ([HAS, SIGNED], "T"),
    ([OPEN, SIGNED], "T"),
    ([LACKS, SIGNED], "U"),  # the signature does not count; nobody has signed for the participant yet
    ([SIGNED, LACKS], "U"),
    ([SIGNED, FOR], "T"),
    ([SIGNED, NOT_FOR], "T"),
    # the participant refuses: a relative cannot overrule, unless capacity is lacking
    ([REFUSED], "F"),
    ([HAS, REFUSED], "F"),
    ([REFUSED, FOR], "F"),
    ([HAS, REFUSED, FOR], "F"),
    ([OPEN, REFUSED, FOR], "F"),
    ([LACKS, REFUSED, FOR], "T"),
    # the representative signs: counts only where capacity is lacking
    ([FOR], "U"),
    ([OPEN, FOR], "U"),
    ([HAS, FOR], "F"),
    ([LACKS, FOR], "T"),
    ([FOR, LACKS], "T"),
    ([LACKS, NOT_FOR], "F"),
    ([NOT_FOR], "U"),  # the participant has not been asked
    ([LACKS, SIGNED, FOR], "T"),
    ([LACKS, FOR, HAS], "F"),  # capacity came back: the participant is asked again
    ([LACKS, FOR, HAS, SIGNED], "T"),
    # the latest act counts
    ([REFUSED, SIGNED], "T"),
    ([SIGNED, REFUSED], "F"),
    ([LACKS, NOT_FOR, FOR], "T"),
    # withdrawal ends both, until somebody signs again
    ([SIGNED, LEFT], "F"),
    ([SIGNED, FOR, LEFT], "F"),
    ([LACKS, FOR, LEFT], "F"),
    ([SIGNED, LEFT, REFUSED], "F"),
    ([SIGNED, LEFT, SIGNED], "T"),
    ([LACKS, SIGNED, LEFT, FOR], "T"),
    ([SIGNED, LEFT, FOR], "U"),  # what stood before the withdrawal does not come back
]


@pytest.mark.parametrize(("entries", "expected"), TABLE)
def test_what_the_record_means(entries, expected):
    state = folded(evolve, START, entries)
    assert in_force(STUDY, state).value == expected
    assert (why_not(STUDY, state) is None) == (expected == "T")


@pytest.mark.parametrize(("entries", "expected"), TABLE)
def test_a_criterion_over_the_inputs_comes_to_the_same(entries, expected):
    # domain.md 4, I07, with the inputs as a study would name them
    rule = "participant_signed or (capacity_lacking and lr_signed)"
    bound = bind(STUDY, folded(evolve, START, entries))
    assert as_logical(value_of(rule, bound)).truth.value == expected


@pytest.mark.parametrize(("entries", "expected"), TABLE)
def test_a_snapshot_gives_the_same_state(entries, expected):
    state = folded(evolve, START, entries)
    assert state_from_json(read_canonical(canonical_bytes(state_to_json(state)))) == state


def test_the_reason_is_said_in_both_languages():
    for entries, expected in TABLE:
        problem = why_not(STUDY, folded(evolve, START, entries))
        if problem is not None:
            assert problem.say("en") not in {"", problem.rule}
            assert problem.say("zh") != problem.say("en")
        assert (problem is None) == (expected == "T")


@pytest.mark.parametrize(
    ("entries", "day"),
    [
        ([], None),
        ([SIGNED], "2026-08-01"),
        ([SIGNED, FOR], "2026-08-01"),
        ([LACKS, SIGNED, FOR], "2026-08-03"),
        ([FOR], "2026-08-03"),
        ([REFUSED], None),
        ([SIGNED, LEFT], None),
    ],
)
def test_the_day_of_consent_is_that_of_the_signature_that_counts(entries, day):
    value = bind(STUDY, folded(evolve, START, entries))["consent_day"]
    assert isinstance(value, DateValue)
    assert (value.date.iso() if value.date else None) == day


def test_where_only_the_participant_may_consent_a_representative_never_counts():
    assert in_force(ONLY_PARTICIPANT, folded(evolve, START, [LACKS, FOR])).value == "F"
    command = RecordConsent("s1", "1.0", "LEGAL_REPRESENTATIVE", given=True, on="2026-08-03")
    assert refused(decide(ONLY_PARTICIPANT, START, KNOWN, command, OCCASION)) == [
        ("consent.representative-not-allowed", "by")
    ]


def test_a_verdict_names_the_entries_it_rests_on():
    state = folded(evolve, START, [OPEN, SIGNED, LACKS, FOR])
    assert rested_on(state) == (2, 3, 4)  # the first assessment was replaced by the third entry


def test_a_withheld_entry_changes_nothing():
    state = folded(evolve, START, [SIGNED])
    assert evolve(state, recorded("subject/s1", 2, None)) == state


def consent(**changes):
    given = {"subject": "s1", "version": "2.0", "by": "PARTICIPANT", "given": True, "on": "2026-08-01"}
    return RecordConsent(**{**given, **changes})


@pytest.mark.parametrize(
    ("command", "faults"),
    [
        (consent(), []),
        (consent(on="2026年8月14日"), []),  # today at the site, though it is still the 13th further west
        (consent(on="2026-08-15"), [("consent.date-impossible", "on")]),
        (consent(on="1026-08-01"), [("consent.date-impossible", "on")]),
        (consent(on="2026-08"), [("consent.date-incomplete", "on")]),
        (consent(on="soon"), [("consent.date-incomplete", "on")]),
        (consent(on=""), [("entry.date-empty", "on")]),
        (consent(on="2026-06-30"), [("consent.version-not-yet", "on")]),  # version 2.0 is of 1 July
        (consent(version="9"), [("consent.version-unknown", "version")]),
        (consent(version="1.0"), []),  # signed on a version that is not the newest: recorded as it happened
        (RecordCapacity("s1", "LACKS", "2026-08-01"), []),
        (WithdrawConsent("s1", "PARTICIPANT", "2026-08-01"), [("consent.nothing-to-withdraw", "")]),
    ],
)
def test_what_may_be_recorded(command, faults):
    decision = decide(STUDY, START, KNOWN, command, OCCASION)
    if faults:
        assert refused(decision) == faults
    else:
        (append,) = written(decision)
        assert append.stream == "subject/s1"
        assert append.entry.on in {"2026-08-01", "2026-08-14"}


def test_nobody_consents_who_is_not_in_the_trial():
    assert refused(decide(STUDY, START, Facts(), consent(), OCCASION)) == [
        ("consent.subject-unknown", "subject")
    ]


def test_the_same_again_is_refused_and_a_signature_after_withdrawal_is_not():
    state = folded(evolve, START, [ConsentDocumented("2.0", "PARTICIPANT", given=True, on="2026-08-01"), HAS])
    assert refused(decide(STUDY, state, KNOWN, consent(), OCCASION)) == [("consent.nothing-changed", "")]
    same = RecordCapacity("s1", "HAS", "2026-08-01")
    assert refused(decide(STUDY, state, KNOWN, same, OCCASION)) == [("consent.nothing-changed", "")]
    left = folded(evolve, state, [LEFT])
    assert written(decide(STUDY, left, KNOWN, consent(), OCCASION))


def test_a_relative_cannot_take_out_somebody_who_consented_in_person():
    leave = WithdrawConsent("s1", "LEGAL_REPRESENTATIVE", "2026-08-05", "no time")
    both = folded(evolve, START, [SIGNED, FOR])
    assert refused(decide(STUDY, both, KNOWN, leave, OCCASION)) == [
        ("consent.representative-cannot-withdraw", "by")
    ]
    assert written(decide(STUDY, folded(evolve, both, [LACKS]), KNOWN, leave, OCCASION))
    (append,) = written(decide(STUDY, folded(evolve, START, [LACKS, FOR]), KNOWN, leave, OCCASION))
    assert append.entry == ConsentWithdrawn("LEGAL_REPRESENTATIVE", "2026-08-05", "no time")


def test_inputs_of_other_origins_are_left_to_others():
    assert set(bind(STUDY, START)) == {"participant_signed", "lr_signed", "capacity_lacking", "consent_day"}


def test_a_command_of_another_room_is_our_bug():
    with pytest.raises(TypeError):
        decide(STUDY, START, KNOWN, PartialDate(2026), OCCASION)
