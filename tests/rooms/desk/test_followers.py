"""Read tables: rebuilt from nothing they are what following every commit made them; memory is what folding makes."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Mapping
from pathlib import Path

import pytest

from equipoise.capture import evolve as capturing
from equipoise.capture.attachments.evolve import Source
from equipoise.capture.closed import Signature
from equipoise.capture.closing.commands import ReviewForm, VerifyItems
from equipoise.capture.commands import (
    AnswerQuery,
    CancelQuery,
    CloseQuery,
    DateVisit,
    MissVisit,
    RaiseQuery,
    ReopenQuery,
    ReviewLog,
)
from equipoise.capture.double.commands import RecordEntry, SettleEntries, WithdrawEntries
from equipoise.capture.entered import Pair, Settled, Typed
from equipoise.capture.evolve import Place, Said
from equipoise.capture.imaging.evolve import Order, Read
from equipoise.capture.specimens.evolve import Aliquot, Tube
from equipoise.consent import evolve as consenting
from equipoise.consent.commands import WithdrawConsent
from equipoise.desk.cases import _KEPT, CASE, Case, shape_of
from equipoise.desk.followers import FOLLOWERS, SUBJECTS
from equipoise.desk.routes import ROUTES
from equipoise.desk.standing import Memory
from equipoise.eligibility.commands import FailScreening
from equipoise.ledger import facts as facts_file
from equipoise.ledger.entries import Datum, Reported, SeriesSeen
from equipoise.ledger.followers import rebuild
from equipoise.ledger.store import Row
from equipoise.randomization import blind
from equipoise.supply import evolve as dosing
from stories.conftest import NIHSS, Story, made_store, story

__all__ = ["made_store", "story"]  # the fixtures, taken over from the stories

TABLES = tuple(table for follower in FOLLOWERS for table in follower.tables)


def _rows(one: Story) -> dict[str, tuple[Row, ...]]:
    with one.desk.reading() as reader:
        return {table.name: reader.rows.find(table) for table in TABLES}


def _live(one: Story, draw: random.Random) -> None:
    """Something of everything that the tables follow, in a drawn order."""
    numbers = [one.screen(f"人{draw.random()}") for _ in range(draw.randint(2, 4))]
    for number in numbers:
        subject = one.subject(number)
        one.consent(number)
        if draw.random() < 0.4:
            one.done("pi", FailScreening(subject, "moved away"))
        for _ in range(draw.randint(1, 4)):
            score = str(draw.randint(0, 2))
            one.record("rater", number, "NIHSS", {draw.choice(["1b", "1c", "2", "8"]): score})
        if draw.random() < 0.5:
            one.record("rater", number, "NIHSS", {**NIHSS, "NIHSSDAT": "2026-05-30"}, complete=True)
        if draw.random() < 0.7:
            one.done("cra", RaiseQuery(subject, "V1", "NIHSS", 1, "8", "Which side?"))
            query = one.desk.form(one.who("cra"), number, "V1", "NIHSS")
            assert query is not None
            found = next(each for item in query.items for each in item.queries)
            one.done("crc", AnswerQuery(subject, found.id, "left"))
            if draw.random() < 0.5:
                one.done("cra", CloseQuery(subject, found.id))
            elif draw.random() < 0.5:
                one.done("cra", CancelQuery(subject, found.id, "asked twice"))
                one.done("dm", ReopenQuery(subject, found.id, "asked once"))
        _close(one, draw, number)
        _type_twice(one, draw, number)


def _type_twice(one: Story, draw: random.Random, number: str) -> None:
    """A questionnaire typed once, or twice, alike or not, sent back or settled."""
    subject, place = one.subject(number), Place("V4", "BGP", 1)
    said = {"BGPDAT": "2026-06-01", "BGPGS": "ACTIVE", "BGPSU": "LIKELY", "BGPWH": "LOOK"}
    typed = {name: Datum(value) for name, value in said.items()}
    for who, guess in (("crc", "ACTIVE"), ("pi", draw.choice(["ACTIVE", "PLACEBO"]))):
        if draw.random() < 0.8 and not one.captured(number).form(place).complete:
            one.submit(who, RecordEntry(subject, *place, {**typed, "BGPGS": Datum(guess)}))
    pair = one.captured(number).pairs.get(place)
    if pair is None or pair.stage != "DIFFERS" or pair.second is None or draw.random() < 0.2:
        return
    if draw.random() < 0.3:
        one.done("dm", WithdrawEntries(subject, *place, pair.second.seq, "of another person"))
    else:
        one.done(
            "dm", SettleEntries(subject, *place, pair.second.seq, {"BGPGS": draw.choice(["FIRST", "SECOND"])})
        )


def _close(one: Story, draw: random.Random, number: str) -> None:
    """Verify, sign and change again what is complete, as far as it comes."""
    subject, place = one.subject(number), Place("V1", "NIHSS", 1)
    state = one.captured(number)
    if not state.form(place).complete:
        return
    if draw.random() < 0.7:
        items = tuple(draw.sample(sorted(state.form(place).values), k=draw.choice([3, 16])))
        one.done("cra", VerifyItems(subject, *place, state.form(place).seq, items))
    if draw.random() < 0.7:
        one.done("dm", ReviewForm(subject, *place, state.form(place).seq))
    if draw.random() < 0.8:
        one.sign("pi", number, [place])
    match draw.randint(0, 2):
        case 0:
            one.record("rater", number, "NIHSS", {"8": "2"}, reason="misread")
        case 1:
            one.done("crc", DateVisit(subject, "V1", "2026-05-30"))
            one.done("crc", MissVisit(subject, "V6", "TRAVEL"))


@pytest.mark.parametrize("seed", range(4))
def test_rebuilt_tables_are_the_followed_ones(story: Story, seed: int) -> None:
    _live(story, random.Random(seed))
    followed = _rows(story)
    assert followed["subjects"]
    assert followed["forms"]
    ledger = story.desk.ledger
    rebuild(ledger.store, ledger.keys, ledger.followers)
    assert _rows(story) == followed


def test_the_tables_hold_no_word_that_somebody_wrote_and_no_value(story: Story) -> None:
    """They stand in clear beside sealed bodies (DESIGN 4): ids, states, places and moments only."""
    number = story.screen("Canary Name", "1962-03-07")
    subject = story.subject(number)
    story.consent(number)
    story.assess(number)
    story.record("rater", number, "NIHSS", {"7": Datum(missing="UN", why="canary why")})
    story.done("cra", RaiseQuery(subject, "V1", "NIHSS", 1, "8", "canary question"))
    view = story.desk.form(story.who("crc"), number, "V1", "NIHSS")
    assert view is not None
    asked = next(each for item in view.items for each in item.queries if each.message.en == "canary question")
    story.done("crc", AnswerQuery(subject, asked.id, "canary answer"))
    story.done("pi", FailScreening(subject, "canary reason"))
    said = repr(_rows(story)).casefold()
    assert "v1" in said
    for secret in (
        "canary",
        "1962",
        "ischemic",
        "2026-04-20",
        *asked.message.as_mapping().values(),
    ):
        assert secret.casefold() not in said
    files = [path for path in story.folder.rglob("*") if path.is_file()]
    assert len(files) > 3
    for path in files:
        assert b"canary" not in path.read_bytes().lower(), path


@pytest.mark.parametrize("seed", range(4))
def test_a_remembered_case_is_the_folded_one(story: Story, seed: int) -> None:
    draw, memory = random.Random(seed), Memory(size=2)
    for _ in range(3):
        _live(story, draw)
        with story.desk.reading() as reader:
            subjects = [str(row["subject"]) for row in reader.rows.find(SUBJECTS)]
            for subject in draw.sample(subjects, k=min(3, len(subjects))):
                folded = CASE.start
                for recorded in reader.entries(f"subject/{subject}"):
                    folded = CASE.evolve(folded, recorded)
                assert memory.case(reader, subject) == folded
                assert CASE.load(CASE.dump(folded)) == folded


def _kinds_within(value: object) -> set[type]:
    """The kinds of record that a value is made of."""
    if dataclasses.is_dataclass(value):
        inner = [getattr(value, field.name) for field in dataclasses.fields(value)]
        return {type(value)}.union(*map(_kinds_within, inner))
    if isinstance(value, Mapping):
        return set[type]().union(*(_kinds_within(each) for pair in value.items() for each in pair))
    if isinstance(value, tuple):
        named = {type(value)} if hasattr(value, "_fields") else set[type]()
        return named.union(*map(_kinds_within, value))
    return set()


def test_the_code_of_a_snapshot_names_every_kind_that_is_in_it(story: Story) -> None:
    """A field added to any of them gives another code, so that no old snapshot is read as a new one."""
    number = story.eligible()
    subject = story.subject(number)
    story.done("crc", DateVisit(subject, "V1", "2026-06-01"))
    story.done("crc", MissVisit(subject, "V6", "TRAVEL"))
    story.done("cra", RaiseQuery(subject, "V1", "NIHSS", 1, "8", "Which side?"))
    story.done("crc", ReviewLog(subject, "V1", "MH", none=True))
    story.done("crc", WithdrawConsent(subject, "PARTICIPANT", "2026-06-01"))
    with story.desk.reading() as reader:
        case = Memory().case(reader, subject)
    found = _kinds_within(case)
    assert found <= set(_KEPT)
    # All but one of consent's and what only comes up after randomization (a code break, a card, a dose) have come up.
    after = {capturing.Voiding, blind.Break, blind.Card, dosing.Request, dosing.Bag, dosing.Judged}
    after |= {consenting.Limit, consenting.Caregiver}
    after |= {Said, Signature, Source}  # an answer, a signature and a scan, which have stories of their own
    after |= {Source, Tube, Aliquot, Reported, Order, Read, SeriesSeen}  # so have scans and specimens
    after |= {Pair, Typed, Settled}  # and double entry
    assert len(found | after) >= len(_KEPT) - 1

    @dataclasses.dataclass
    class Changed:
        new: str

    assert shape_of([*_KEPT[:-1], Changed]) != shape_of(_KEPT)


def test_a_memory_that_does_not_meet_the_chain_is_not_used(story: Story, tmp_path: Path) -> None:
    number = story.screen()
    subject = story.subject(number)
    memory = Memory()
    with story.desk.reading() as reader:
        right = memory.case(reader, subject)
        known = memory._cases[subject]
        memory._cases[subject] = type(known)(Case(seq=known.case.seq), "0" * 64, known.folded_at)
        assert memory.case(reader, subject) == right


def test_every_command_has_one_route() -> None:
    import equipoise.access.commands as access
    import equipoise.capture.attachments.commands as attachments
    import equipoise.capture.closing.commands as closing
    import equipoise.capture.commands as capture
    import equipoise.capture.double.commands as double
    import equipoise.capture.imaging.commands as imaging
    import equipoise.capture.specimens.commands as specimens
    import equipoise.consent.commands as consent
    import equipoise.diary.commands as diary
    import equipoise.diary.site_commands as diary_at_sites
    import equipoise.eligibility.commands as eligibility
    import equipoise.oversight.commands as oversight
    import equipoise.randomization.commands as randomization
    import equipoise.supply.commands as supply

    nouns = {"Who", "Grant", "Trained", "Certified", "PublicSlot", "Datum", "SignedPlace", "SeriesSeen"} | {
        "Instant",
        "Sent",
    }
    asked = {
        value
        for module in (
            access,
            attachments,
            capture,
            closing,
            double,
            consent,
            diary,
            diary_at_sites,
            eligibility,
            oversight,
            randomization,
            imaging,
            specimens,
            supply,
        )
        for name, value in vars(module).items()
        if isinstance(value, type) and hasattr(value, "__dataclass_fields__") and name not in nouns
    }
    assert set(ROUTES) == asked


def test_every_fact_has_one_owner() -> None:
    rooms = {"access", "oversight", "eligibility", "consent", "randomization", "capture", "desk", "supply"}
    owners = {
        name: field.metadata.get("owner") for name, field in facts_file.Facts.__dataclass_fields__.items()
    }
    assert set(owners.values()) <= rooms, owners
