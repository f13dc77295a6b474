"""The analysis plan in the closed area: for named persons, in the arms of the closed work, readable by its owner alone."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import json
from pathlib import Path

from equipoise.desk.archive import export_archive
from equipoise.desk.source_files import ARCHIVE
from equipoise.ledger.entries import Append, Datum, DiaryEntryRecorded, FormSaved
from equipoise.vault.analysing import analyse_closed
from equipoise.vault.closed_tables import Held, closed_tables
from equipoise.vault.facts import Keeper
from equipoise.vault.release.publishing import open_closed_work, read_closed_work
from equipoise.vault.values import RecordValues
from equipoise.words.problem import Problem
from rooms.vault.test_bench_doors import LOTS, Bench
from rooms.vault.test_values_doors import place_of
from rooms.vault.two_doors import Doors

CUT = "2026-12-31"


def _opened(doors: Doors) -> Path:
    with doors.desk.reading() as reader:
        strata = list(doors.desk.trial(reader).allocation.numbers)
    for place, subject in enumerate(("s1", "s2", "s3")):
        doors.randomize(subject, strata[place % 2])
    doors.exchange()
    assert doors.enrol("dsmb", "BOARD").accepted
    board = doors.vault.who("dsmb", "BOARD")
    assert isinstance(board, Keeper)
    path = open_closed_work(doors.vault, board, "safety report 1", ("dsmb",), key="closed")
    assert isinstance(path, Path), path
    return path


def test_the_plan_runs_in_the_arms_of_the_closed_work(doors: Doors, tmp_path: Path):
    table = _opened(doors).name
    done = analyse_closed(doors.vault, "dsmb", table, (doors.folder / "first", CUT), tmp_path / "out")
    assert isinstance(done, dict), [one.say() for one in done]
    assert len(done["outputs"]) == 42  # type: ignore[arg-type]
    told = read_closed_work(doors.vault, "dsmb", table)
    assert isinstance(told, bytes)
    with (tmp_path / "out" / "datasets" / "adsl.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["RANDNO"]: row["TRT01P"] for row in rows} == {
        row["number"]: row["arm"] for row in json.loads(told)["rows"]
    }
    pages = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert all(path.stat().st_mode & 0o077 == 0 for path in pages)
    shown = [path.read_text("utf-8") for path in pages if path.suffix == ".html"]
    assert shown
    assert all("CLOSED" in page and "DUMMY ARMS" not in page for page in shown)


def test_it_is_refused_to_everybody_else(doors: Doors, tmp_path: Path):
    table = _opened(doors).name
    for actor, cut, rule in (
        ("inv", CUT, "vault_release.closed-not-for"),
        ("dsmb", "soon", "analysis_report.cut-unfit"),
    ):
        refused = analyse_closed(doors.vault, actor, table, (doors.folder / "first", cut), tmp_path / "out")
        assert isinstance(refused, tuple)
        assert [one.rule for one in refused] == [rule]
    assert not (tmp_path / "out").exists()
    (tmp_path / "note.txt").write_text("mine", "utf-8")
    refused = analyse_closed(doors.vault, "dsmb", table, (doors.folder / "first", CUT), tmp_path)
    assert isinstance(refused, tuple)
    assert [one.rule for one in refused] == ["analysis_report.folder-not-empty"]


UNTIL = dt.date(2027, 12, 31)


def _values(doors: Doors) -> str:
    """A value at this door of a participant, whose sample the first door dated; the visit."""
    doors.randomize("s1", "N6-12/D14-45")
    visit, form, repeat = place_of(doors)
    dated = FormSaved(visit, form, repeat, {"IMMDAT": Datum("2026-06-02")}, {}, complete=False)
    doors.write("dated", Append("subject/s1", dated))
    doors.exchange()
    assert doors.enrol("lab", "LAB").accepted
    lab = doors.vault.who("lab", "LAB")
    assert isinstance(lab, Keeper)
    command = RecordValues("s1", visit, form, repeat, {"CD4": Datum("44.5")}, 0)
    outcome = doors.vault.submit(lab, command, key="cd4")
    assert outcome.accepted, [one.say() for one in outcome.problems]
    return visit


def test_what_could_tell_the_arm_is_read_with_its_date_and_its_entry(doors: Doors):
    _values(doors)
    held = closed_tables(doors.vault, doors.folder / "first", UNTIL)
    assert isinstance(held, Held), held.say()
    (row,) = [row for row in held.tables["CP"].records() if row["CPTESTCD"] == "CD4"]
    assert (float(str(row["CPSTRESN"])), row["CPDTC"]) == (44.5, "2026-06-02")
    place = hashlib.sha256(b"second-door/subject/s1").hexdigest()[:12]
    assert place in str(row["EQLEDGER"])
    before = closed_tables(doors.vault, doors.folder / "first", dt.date(2020, 1, 1))
    assert isinstance(before, Held)
    assert not [row for row in before.tables["CP"].records() if row["CPTESTCD"] == "CD4"]


def test_an_archive_serves_as_well_as_the_store(doors: Doors, tmp_path: Path):
    _values(doors)
    doors.desk.checkpoint()
    assert not isinstance(export_archive(doors.folder / "first", tmp_path / "archive"), Problem)
    store = closed_tables(doors.vault, doors.folder / "first", UNTIL)
    archive = closed_tables(doors.vault, tmp_path / "archive", UNTIL)
    assert isinstance(store, Held)
    assert isinstance(archive, Held), archive.say()
    assert archive == store
    file = tmp_path / "archive" / ARCHIVE
    file.write_bytes(file.read_bytes().replace(b"2026-06-02", b"2026-06-03"))
    refused = closed_tables(doors.vault, tmp_path / "archive", UNTIL)
    assert isinstance(refused, Problem)
    assert refused.rule == "ledger.archive-unfit"


def _diary(doors: Doors) -> None:
    """What a participant told the diary of pain, 3 of 10, as a phone sent it."""
    doors.randomize("s1", "N6-12/D14-45")
    doors.clock.at += dt.timedelta(days=1)
    item = next(
        one for form in doors.study.diary.forms for one in doors.study.diary.items(form) if one.kind == "nrs"
    )
    form = next(one for one in doors.study.diary.forms if item in doors.study.diary.items(one))
    said = DiaryEntryRecorded(
        "packet", "0" * 64, "device", "PARTICIPANT", form.id, "2026-06-01", "0" * 64, "2026-06-01T12:00:00Z",
        "2026-06-01T12:05:00Z", "2026-06-01T12:00:00Z", "2026-06-01T12:05:00Z", "Asia/Shanghai", 0, (),
        offline=False, late=False, language="zh", modes={}, answers={item.id: Datum("3")}, shown=(item.id,), red_flags=(),
    )  # fmt: skip
    doors.write("diary", Append("diary/s1", said))


def test_the_diary_is_in_the_closed_tables_from_a_store_and_from_an_archive(doors: Doors, tmp_path: Path):
    _diary(doors)
    doors.desk.checkpoint()
    assert not isinstance(export_archive(doors.folder / "first", tmp_path / "archive"), Problem)
    place = hashlib.sha256(b"diary/s1").hexdigest()[:12]
    for source in (doors.folder / "first", tmp_path / "archive"):
        held = closed_tables(doors.vault, source, UNTIL)
        assert isinstance(held, Held), held.say()
        rows = [row for row in held.tables["QS"].records() if str(row["EQLEDGER"]).startswith(place)]
        assert [(row["QSSTRESN"], row["QSEVAL"]) for row in rows] == [(3, "STUDY SUBJECT")]
        before = closed_tables(doors.vault, source, dt.date(2026, 6, 1))
        assert isinstance(before, Held)
        assert len(list(before.tables["DM"].records())) == 1
        assert not [row for row in before.tables["QS"].records() if str(row["EQLEDGER"]).startswith(place)]


def test_what_was_received_is_what_the_bench_handed_over(doors: Doors):
    pharmacy = Bench(doors)
    pharmacy.supply()
    request = "abcdefgh23456789"
    pharmacy.ask("subject1", request)
    product = pharmacy.product(request)
    bag = pharmacy.prepare(request, "01")
    pharmacy.finish(request, bag)
    doors.clock.at += dt.timedelta(hours=1)
    doors.vault.tick()
    doors.exchange()
    held = closed_tables(doors.vault, doors.folder / "first", UNTIL)
    assert isinstance(held, Held)
    arm = {one.id: one.arm for one in doors.study.supply.products}[product]
    assert list(held.received.values()) == [arm]
    (row,) = held.tables["EQPR"].records()
    lot = next(name for name, each in LOTS.items() if each == product)
    assert (row["BAG"], row["LOT"]) == (bag, lot)
    assert (doors.clock.at + dt.timedelta(hours=8)).date() == dt.date(2026, 6, 1)  # at the study's first site
    the_day, before = (
        closed_tables(doors.vault, doors.folder / "first", dt.date(2026, *day)) for day in ((6, 1), (5, 31))
    )
    assert isinstance(the_day, Held)
    assert isinstance(before, Held)
    assert list(the_day.received.values()) == [arm]
    assert before.received == {}
