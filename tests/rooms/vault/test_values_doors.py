"""Values at both doors: kept at the second with who, when and why; at the first nobody sees them, or that they are there.

Source of the rules: DESIGN 5 (pharmacy, people), issue "The blind", capability 6; L19, L20 of the threat model.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from equipoise.access.roles import ROLES
from equipoise.desk.desk import Desk
from equipoise.ledger.entries import Datum
from equipoise.vault.value_reads import value_history, value_matrix, value_subjects
from equipoise.vault.values import AnswerValueQuery, CloseValueQuery, RecordValues
from rooms.vault.two_doors import PEOPLE, Doors, copied, open_doors

STRATUM = "N6-12/D14-45"
TOLD = "73.31415"  # no such digits stand anywhere else


def place_of(doors: Doors) -> tuple[str, str, int]:
    """A visit at which the immunology form is planned."""
    study = doors.study
    visit = next(
        visit.id for visit in study.schedule.visits if study.form("IMMUN") in study.forms_at(visit.id)
    )
    return visit, "IMMUN", 1


@pytest.fixture
def laboratory(doors: Doors) -> Doors:
    """Both doors with one participant of whom the second was told, and a laboratory desk that may enter."""
    ready(doors)
    return doors


def ready(doors: Doors) -> None:
    doors.randomize("s1", STRATUM)
    doors.exchange()
    assert doors.enrol("lab", "LAB").accepted
    assert doors.enrol("chk", "CHECK").accepted


def record(
    doors: Doors,
    key: str,
    base: int = 0,
    complete: bool | None = None,
    reason: str | None = None,
    **given: str,
):
    keeper = doors.vault.who("lab", "LAB")
    assert keeper is not None
    items = {name: Datum(value) for name, value in given.items()}
    command = RecordValues("s1", *place_of(doors), items, base, complete, reason)
    return doors.vault.submit(keeper, command, key=key)


def test_a_value_is_kept_with_who_when_and_why(laboratory: Doors) -> None:
    first = record(laboratory, "k-1", CD4="44.5")
    assert first.accepted, [problem.say() for problem in first.problems]
    assert record(laboratory, "k-1", CD4="44.5").replayed
    assert record(laboratory, "k-2", base=first.seq, reason="typing slip", CD4="45.5").accepted
    visit, form, repeat = place_of(laboratory)
    with laboratory.vault.reading() as reader:
        assert [(row.number, row.begun) for row in value_subjects(laboratory.vault, reader)] == [("S-s1", 1)]
        from equipoise.capture.evolve import Place

        changes = value_history(laboratory.vault, reader, "S-s1", Place(visit, form, repeat))
    assert changes is not None
    assert [(change.old.value, change.new.value, change.reason) for change in changes] == [
        ("44.5", "45.5", "typing slip"),
        (None, "44.5", None),
    ]
    assert {(change.header.actor, change.header.role) for change in changes} == {("lab", "LAB")}


def test_an_unlikely_value_is_asked_about_answered_and_accepted_by_another(laboratory: Doors) -> None:
    record(laboratory, "k-1", CD4="99.5")  # expected: 10 to 75 (studies/nct07197606/forms/laboratory.yaml)
    vault = laboratory.vault
    lab, checker = vault.who("lab", "LAB"), vault.who("chk", "CHECK")
    assert lab is not None
    assert checker is not None
    with vault.reading() as reader:
        state = vault.state(reader, RecordValues("s1", *place_of(laboratory), {}, 0))
    query = next(iter(state.queries))
    assert not vault.submit(lab, CloseValueQuery("s1", query), key="close-lab").accepted
    assert vault.submit(lab, AnswerValueQuery("s1", query, "Repeated, the same."), key="answer").accepted
    assert vault.submit(checker, CloseValueQuery("s1", query, "Seen."), key="close").accepted


@pytest.mark.parametrize("purpose", ["BREAK", "OFFICER", "KEEPER", "BOARD"])
def test_nobody_enters_values_for_another_purpose(laboratory: Doors, purpose) -> None:
    from equipoise.vault.facts import Keeper

    visit, form, repeat = place_of(laboratory)
    command = RecordValues("s1", visit, form, repeat, {"CD4": Datum("44.5")}, 0)
    answer = laboratory.vault.submit(Keeper("inv", purpose, (purpose,)), command, key="k-x")
    assert not answer.accepted


def test_values_of_somebody_unheard_of_are_refused(laboratory: Doors) -> None:
    keeper = laboratory.vault.who("lab", "LAB")
    assert keeper is not None
    command = RecordValues("s9", *place_of(laboratory), {"CD4": Datum("44.5")}, 0)
    answer = laboratory.vault.submit(keeper, command, key="k-9")
    assert [problem.rule for problem in answer.problems] == ["vault.values-subject-unknown"]


def test_the_matrix_has_every_form_with_something_to_keep(laboratory: Doors) -> None:
    with laboratory.vault.reading() as reader:
        matrix = value_matrix(laboratory.vault, reader, "S-s1")
        assert value_matrix(laboratory.vault, reader, "nobody") is None
    assert matrix is not None
    kept = {
        form.id for form in laboratory.study.forms if any(item.blinding == "revealing" for item in form.items)
    }
    assert {row.form for row in matrix.rows} == kept


def blinded_views(doors: Doors) -> dict[str, object]:
    """Everything that blinded people read of the participant at the first door, by role and page."""
    found: dict[str, object] = {}
    for actor, (role, _) in PEOPLE.items():
        who = doors.desk.who(actor, role)
        if who is None or ROLES[role].blind == "unblinded":
            continue
        found[f"{role} today"] = doors.desk.today(who)
        found[f"{role} subjects"] = doors.desk.subjects(who)
        found[f"{role} casebook"] = doors.desk.subject(who, "S-s1")
        for visit in doors.study.schedule.visits:
            for form in doors.study.forms_at(visit.id):
                if any(item.blinding == "revealing" for item in form.items):
                    found[f"{role} {visit.id} {form.id}"] = doors.desk.form(who, "S-s1", visit.id, form.id)
                    found[f"{role} {visit.id} {form.id} history"] = doors.desk.history(
                        who, "S-s1", visit.id, form.id, 1
                    )
    return found


def table_sizes(folder: Path) -> dict[str, int]:
    with sqlite3.connect(f"file:{folder / 'ledger.sqlite'}?mode=ro", uri=True) as store:
        names = [name for (name,) in store.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {name: store.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in names}


def test_at_the_first_door_nobody_sees_a_value_or_that_there_is_one(made_doors: Path, tmp_path: Path) -> None:
    """Two worlds from one folder, alike but for values, a query and a completed form behind the second door."""
    worlds = [open_doors(copied(made_doors, tmp_path / name)) for name in ("without", "with")]
    for world in worlds:
        ready(world)
    with_values = worlds[1]
    full = {item.id: "10" for item in with_values.study.form("IMMUN").items if item.type == "decimal"}
    assert record(with_values, "k-1", CD4="99.5", CD8="10.5").accepted
    filled = record(with_values, "k-2", base=10**6, complete=True, HLA1="NEGATIVE", HLA2="NEGATIVE", **full)
    assert filled.accepted, [problem.say() for problem in filled.problems]
    for world in worlds:
        world.vault.tick()
        world.exchange()
    without, beside = (blinded_views(world) for world in worlds)
    assert without.keys() == beside.keys()
    assert any("IMMUN" in name for name in without)
    differing = [name for name in without if without[name] != beside[name]]
    assert not differing
    assert [len(frame) for frame in worlds[0].answered] == [len(frame) for frame in worlds[1].answered]
    for world in worlds:
        world.close()
    assert table_sizes(worlds[0].folder / "first") == table_sizes(worlds[1].folder / "first")


def test_no_byte_of_the_first_door_holds_the_value(laboratory: Doors) -> None:
    """A value with digits of its own, in a text item of the preparation record, looked for in every file."""
    study, vault = laboratory.study, laboratory.vault
    visit = next(
        visit.id for visit in study.schedule.visits if study.form("PREP") in study.forms_at(visit.id)
    )
    keeper = vault.who("lab", "LAB")
    assert keeper is not None
    command = RecordValues("s1", visit, "PREP", 1, {"LOTNO": Datum(f"LOT {TOLD}")}, 0)
    assert vault.submit(keeper, command, key="k-lot").accepted
    vault.tick()
    laboratory.exchange()
    laboratory.desk.checkpoint()
    held = [
        path
        for path in (laboratory.folder / "first").rglob("*")
        if path.is_file() and TOLD.encode() in path.read_bytes()
    ]
    assert not held
    assert not any(TOLD.encode() in frame for frame in laboratory.answered)


def test_the_first_door_takes_no_revealing_value(laboratory: Doors) -> None:
    from equipoise.capture.commands import RecordForm

    desk: Desk = laboratory.desk
    who = desk.who("crc", "coordinator")
    assert who is not None
    command = RecordForm("s1", *place_of(laboratory), {"CD4": Datum("44.5")}, 0)
    answer = desk.submit(who, command, key="k-first")
    assert {problem.rule for problem in answer.problems} == {"capture.revealing-item"}
