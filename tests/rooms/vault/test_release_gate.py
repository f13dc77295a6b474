"""The final release through both doors: every missing condition by name, two and two signatures, then files that verify.

Sources: DESIGN 5 (three openings), issue Capability 2 (the final-release gate included), ICH E9 5.8.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from equipoise.access.commands import SYSTEM, GrantRole, Who
from equipoise.desk.knowledge import report
from equipoise.desk.release_page import ReleaseView, release_page
from equipoise.ledger.vault_entries import AnchorMade, ClosedWorkOpened, ListReleased
from equipoise.oversight.commands import RecordReleaseCondition, SignRelease
from equipoise.vault.anchors import anchor_commitment
from equipoise.vault.facts import Keeper
from equipoise.vault.release import publishing
from equipoise.vault.release.commands import SetValuesLock, SignVaultRelease
from equipoise.vault.release.evolve import State, conditions_digest
from equipoise.vault.release.publishing import Published, open_closed_work, publish, read_closed_work
from equipoise.words.canonical import read_canonical
from equipoise.words.problem import Problem
from locking import lock_database, unlock_database
from rooms.vault.two_doors import Doors

CONDITIONS = {
    "DATABASE_LOCKED": "dm",
    "DEVIATIONS_CLASSED": "dm",
    "PLAN_SIGNED": "stat",
    "SETS_SIGNED": "stat",
}
ROLES = {
    "dm": "data_manager", "stat": "statistician", "spo": "sponsor", "k1": "vault_keeper", "k2": "backup_officer",
}  # fmt: skip
WAITS = {
    "vault_release.waits-for-database-locked",
    "vault_release.waits-for-plan-signed",
    "vault_release.waits-for-deviations-classed",
    "vault_release.waits-for-sets-signed",
    "vault_release.waits-for-first-door-signatures",
    "vault_release.waits-for-values-locked",
    "vault_release.waits-for-signatures",
}
"""Every condition of the release; the issue names them."""


@pytest.fixture
def both(doors: Doors) -> Doors:
    """Two doors with people for the release, and two participants."""
    for actor, role in ROLES.items():
        assert doors.desk.submit(SYSTEM, GrantRole(actor, role), key=f"grant {actor}").accepted
    with doors.desk.reading() as reader:
        strata = list(doors.desk.trial(reader).allocation.numbers)
    for place, subject in enumerate(("s1", "s2")):
        doors.randomize(subject, strata[place])
    doors.exchange()
    for actor, purpose in (("k1", "KEEPER"), ("k2", "OFFICER"), ("dsmb", "BOARD"), ("lab", "LAB")):
        assert doors.enrol(actor, purpose).accepted, (actor, purpose)
    return doors


def who(doors: Doors, actor: str) -> Who:
    found = doors.desk.who(actor, ROLES[actor])
    assert found is not None
    return found


def keeper(doors: Doors, actor: str, purpose: str = "KEEPER") -> Keeper:
    found = doors.vault.who(actor, purpose)  # type: ignore[arg-type]
    assert found is not None
    return found


def meet(doors: Doors, condition: str, *, met: bool = True, reference: str = "v1.0") -> None:
    if condition == "DATABASE_LOCKED":
        (lock_database if met else unlock_database)(doors.desk, who(doors, "dm"), who(doors, "stat"))
        return
    command = RecordReleaseCondition(condition, met, reference)  # type: ignore[arg-type]
    outcome = doors.desk.submit(
        who(doors, CONDITIONS[condition]), command, key=f"{condition} {met} {reference}"
    )
    assert outcome.accepted, [one.say() for one in outcome.problems]


def view(doors: Doors, actor: str = "spo") -> ReleaseView:
    found = release_page(doors.desk, who(doors, actor))
    assert found is not None
    return found


def sign(doors: Doors, actor: str, key: str = "") -> set[str]:
    outcome = doors.desk.submit(
        who(doors, actor), SignRelease(view(doors, actor).digest), key=f"sign {actor} {key}"
    )
    return {one.rule for one in outcome.problems}


def vault_sign(doors: Doors, actor: str, purpose: str) -> set[str]:
    person, command = keeper(doors, actor, purpose), SignVaultRelease("")
    with doors.vault.reading() as reader:
        state = doors.vault.state(reader, command)
        assert isinstance(state, State)
        digest = conditions_digest(state, doors.vault.facts(reader, person, command))
    outcome = doors.vault.submit(person, SignVaultRelease(digest), key=f"sign {actor} {random.random()}")
    return {one.rule for one in outcome.problems}


def try_to_publish(doors: Doors, key: str) -> set[str]:
    came = publish(doors.vault, keeper(doors, "k1"), key=key)
    return set() if isinstance(came, Published) else {one.rule for one in came}


def everything(doors: Doors) -> None:
    for condition in CONDITIONS:
        meet(doors, condition)
    assert sign(doors, "spo") == set()
    assert sign(doors, "stat") == set()
    doors.exchange()
    assert doors.vault.submit(keeper(doors, "lab", "LAB"), SetValuesLock(locked=True), key="lock").accepted
    assert vault_sign(doors, "k1", "KEEPER") == set()
    assert vault_sign(doors, "k2", "OFFICER") == set()


def test_every_missing_condition_is_named_until_the_last_is_met(both):
    missing = set(WAITS)
    assert try_to_publish(both, "0") == missing
    for place, condition in enumerate(CONDITIONS):
        meet(both, condition)
        both.exchange()
        missing -= {f"vault_release.waits-for-{condition.lower().replace('_', '-')}"}
        assert try_to_publish(both, f"c{place}") == missing
    assert sign(both, "spo") == set()
    both.exchange()
    assert try_to_publish(both, "one signature") == missing
    assert sign(both, "stat") == set()
    both.exchange()
    missing -= {"vault_release.waits-for-first-door-signatures"}
    assert try_to_publish(both, "two signatures") == missing
    assert vault_sign(both, "k1", "KEEPER") == {"vault_release.waits-for-values-locked"}
    assert both.vault.submit(keeper(both, "lab", "LAB"), SetValuesLock(locked=True), key="lock").accepted
    assert vault_sign(both, "k1", "KEEPER") == set()
    assert vault_sign(both, "k1", "KEEPER") == {"vault_release.same-person-signs"}
    assert try_to_publish(both, "one here") == {"vault_release.waits-for-signatures"}
    assert not (both.vault.folder / "release").exists()
    assert vault_sign(both, "k2", "OFFICER") == set()
    assert try_to_publish(both, "all") == set()


def test_the_release_is_what_the_first_door_heard_and_can_be_checked(both):
    both.vault.tick()
    everything(both)
    came = publish(both.vault, keeper(both, "k1"), key="publish")
    assert isinstance(came, Published), [one.say() for one in came]
    content = (came.folder / "release.json").read_bytes()
    assert came.release == hashlib.sha256(content).hexdigest()
    told = json.loads(content)
    assert [one["subject"] for one in told["dispensed"]] == ["s1", "s2"]
    both.exchange()
    now = view(both)
    assert (now.released, now.root) == (came.release, told["root"])
    assert report(both.desk)[-1].how == "RELEASE"
    anchors: Any = read_canonical((came.folder / "anchors.json").read_bytes().strip())
    with both.vault.reading() as reader:
        made = [one.entry for one in reader.entries("anchors") if isinstance(one.entry, AnchorMade)]
        assert [type(one.entry) for one in reader.entries("release")].count(ListReleased) == 1
    assert made
    for one in anchors["anchors"]:
        assert anchor_commitment(one["root"], bytes.fromhex(one["nonce"])) == one["commitment"]
    assert try_to_publish(both, "again") == {"vault_release.released-already"}
    outcome = both.desk.submit(
        who(both, "stat"), RecordReleaseCondition("PLAN_SIGNED", met=False, reference="x"), key="late"
    )
    assert {one.rule for one in outcome.problems} == {"oversight.released-already"}


def test_a_crash_between_the_entry_and_its_file_is_made_good_by_publishing_again(both, monkeypatch):
    """What is written is what the entry names, whatever happened at either door in between."""
    everything(both)

    def full_disk(path, content):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(publishing, "_write", full_disk)
    with pytest.raises(OSError, match="No space"):
        publish(both.vault, keeper(both, "k1"), key="publish")
    monkeypatch.undo()
    assert not (both.vault.folder / "release" / "release.json").exists()
    lying = b"".join(path.read_bytes() for path in (both.vault.folder / "release").iterdir())
    assert b"dispensed" not in lying  # sealed, as long as the entry was not there or the file is not
    assert publishing.unwritten(both.vault)
    both.clock.at += dt.timedelta(hours=1)
    both.randomize("s3", "N6-12/D14-45")
    both.vault.tick()
    both.exchange()
    assert {one.rule for one in publish(both.vault, keeper(both, "k2", "OFFICER"), key="o")} == {
        "vault.not-allowed"
    }
    came = publish(both.vault, keeper(both, "k1"), key="publish again")
    assert isinstance(came, Published), [one.say() for one in came]
    assert hashlib.sha256((came.folder / "release.json").read_bytes()).hexdigest() == came.release
    both.exchange()
    assert view(both).released == came.release
    assert sorted(path.name for path in came.folder.iterdir()) == ["anchors.json", "release.json"]
    assert not publishing.unwritten(both.vault)
    assert try_to_publish(both, "third") == {"vault_release.released-already"}


def test_a_release_whose_content_was_lost_is_named_and_nothing_else_is_written_for_it(both, monkeypatch):
    everything(both)
    monkeypatch.setattr(publishing, "_finished", lambda vault, release: ())
    publish(both.vault, keeper(both, "k1"), key="publish")
    monkeypatch.undo()
    for path in (both.vault.folder / "release").iterdir():
        path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert try_to_publish(both, "again") == {"vault_release.content-lost"}
    assert not (both.vault.folder / "release" / "release.json").exists()


def test_a_condition_that_changes_undoes_every_signature(both):
    everything(both)
    meet(both, "PLAN_SIGNED", reference="v1.1")
    assert [line.by for line in view(both).signatures] == ["", ""]
    both.exchange()
    assert try_to_publish(both, "after") == {
        "vault_release.waits-for-first-door-signatures",
        "vault_release.waits-for-signatures",
    }
    for actor in ("spo", "stat"):
        assert sign(both, actor, "again") == set()
    both.exchange()
    assert try_to_publish(both, "again") == {"vault_release.waits-for-signatures"}


def test_one_person_does_not_sign_twice_nor_what_was_not_seen(both):
    for condition in CONDITIONS:
        meet(both, condition)
    stale = view(both).digest
    meet(both, "SETS_SIGNED", reference="v2")
    outcome = both.desk.submit(who(both, "spo"), SignRelease(stale), key="stale")
    assert {one.rule for one in outcome.problems} == {"oversight.conditions-changed"}
    assert sign(both, "spo") == set()
    assert sign(both, "spo", "b") == {"oversight.same-person-signs"}
    assert both.desk.submit(SYSTEM, GrantRole("spo2", "sponsor"), key="spo2").accepted
    second = both.desk.who("spo2", "sponsor")
    assert second is not None
    outcome = both.desk.submit(second, SignRelease(view(both).digest), key="spo2 signs")
    assert {one.rule for one in outcome.problems} == {"oversight.role-signed-already"}


def test_a_role_records_its_own_conditions_only(both):
    typed = RecordReleaseCondition("DATABASE_LOCKED", met=True, reference="v1")
    outcome = both.desk.submit(who(both, "dm"), typed, key="typed")
    assert {one.rule for one in outcome.problems} == {"oversight.condition-of-another-role"}
    wrong = RecordReleaseCondition("DEVIATIONS_CLASSED", met=True, reference="v1")
    outcome = both.desk.submit(who(both, "stat"), wrong, key="wrong")
    assert {one.rule for one in outcome.problems} == {"oversight.condition-of-another-role"}
    outcome = both.desk.submit(who(both, "spo"), wrong, key="spo")
    assert {one.rule for one in outcome.problems} == {"access.not-allowed"}


def test_closed_work_is_for_named_unblinded_people_and_its_table_stays_inside(both):
    board = keeper(both, "dsmb", "BOARD")
    refused = open_closed_work(both.vault, board, "safety report 1", ("inv",), key="1")
    assert {one.rule for one in refused} == {"vault_release.member-not-unblinded"}  # type: ignore[union-attr]
    refused = open_closed_work(both.vault, board, "", ("dsmb",), key="2")
    assert {one.rule for one in refused} == {"vault_release.closed-without-purpose"}  # type: ignore[union-attr]
    assert not (both.vault.folder / "closed").exists()
    path = open_closed_work(both.vault, board, "safety report 1", ("dsmb",), key="3")
    assert not isinstance(path, tuple)
    assert path.is_relative_to(both.vault.folder / "closed")
    assert path.stat().st_mode & 0o077 == 0
    held = path.read_bytes()  # what a thief of the folder has
    assert not [word for word in ("S-s1", *(arm.id for arm in both.study.arms)) if word.encode() in held]
    for stranger in ("inv", "k1", "phar"):
        shut = read_closed_work(both.vault, stranger, path.name)
        assert isinstance(shut, Problem)
        assert shut.rule == "vault_release.closed-not-for"
    table = read_closed_work(both.vault, "dsmb", path.name)
    assert isinstance(table, bytes)
    rows = json.loads(table)["rows"]
    assert {row["arm"] for row in rows} <= {arm.id for arm in both.study.arms}
    assert [row["participant"] for row in rows] == ["S-s1", "S-s2"]
    with both.vault.reading() as reader:
        (entry,) = [one.entry for one in reader.entries("release") if isinstance(one.entry, ClosedWorkOpened)]
    assert entry.members == ("dsmb",)
    assert entry.table == hashlib.sha256(table).hexdigest()
    path.write_bytes(held[:-1] + bytes([held[-1] ^ 1]))
    changed = read_closed_work(both.vault, "dsmb", entry.table)
    assert isinstance(changed, Problem)
    assert changed.rule == "vault_release.closed-unreadable"


def test_at_the_terminal_both_are_processes_of_their_own(both, capsys, tmp_path):
    """`equipoise vault closed` and `equipoise vault release`: done by a person who is enrolled, or refused by name."""
    from equipoise.cli.main import main
    from rooms.vault.two_doors import PASSPHRASE

    passphrase = tmp_path / "passphrase"
    passphrase.write_text(PASSPHRASE + "\n")
    folder, common = str(both.vault.folder), ["--passphrase-file", str(passphrase), "--json"]
    everything(both)
    both.vault.close()
    try:
        closed = ["vault", "closed", folder, "--for", "report 1", "--member", "dsmb"]
        assert main([*closed, "--by", "k2", *common]) == 1
        capsys.readouterr()
        assert main([*closed, "--by", "dsmb", *common]) == 0
        table = json.loads(capsys.readouterr().out)["table"]
        opening = [sys.executable, "-m", "equipoise.vault.openings", "table", folder, "--table", Path(table).name,
                   "--to", str(tmp_path / "table.json"), "--passphrase-file", str(passphrase)]  # fmt: skip
        assert subprocess.run([*opening, "--by", "k2"], capture_output=True).returncode == 1
        assert subprocess.run([*opening, "--by", "dsmb"], capture_output=True).returncode == 0
        assert "arm" in json.loads((tmp_path / "table.json").read_text())["rows"][0]
        assert (tmp_path / "table.json").stat().st_mode & 0o077 == 0
        assert main(["vault", "release", folder, "--by", "k1", *common]) == 0
        told = json.loads(capsys.readouterr().out)
        assert len(told["release"]) == 64
        assert main(["vault", "release", folder, "--by", "k1", *common]) == 1
        assert "released" in capsys.readouterr().out
    finally:
        from equipoise.vault.opening import open_vault
        from rooms.vault.two_doors import opened

        both.vault = opened(open_vault(both.vault.folder, PASSPHRASE, clock=both.clock))
