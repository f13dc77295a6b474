"""Leaks through what the program leaves behind: logs, databases, backups, exports, files, mail."""

from __future__ import annotations

import json
import logging
import smtplib
import sqlite3
from pathlib import Path
from typing import Any

from blind.leaks import leak, letter, put, taken
from blind.world import WatchedDesk, World


def _after_submit(then: Any) -> None:
    submit = WatchedDesk.submit

    def submitted(desk: Any, who: Any, command: Any, **named: Any) -> Any:
        outcome = submit(desk, who, command, **named)
        then(command)
        return outcome

    WatchedDesk.submit = submitted


@leak("L10", "a line for those who look for faults says what was drawn", "log|*|*", play="randomize")
def log_line(world: World) -> None:
    _after_submit(
        lambda command: logging.getLogger("equipoise.desk").debug("drew %s", letter(world, "01004"))
    )


@leak(
    "L11", "a dataset's reason for an empty arm differs by arm", "files|terminal|datasets/*", play="datasets"
)
def dataset_column(world: World) -> None:
    from equipoise.standards import sdtm_subjects

    arm = letter(world)
    sdtm_subjects.arm_reason = lambda book: f"RANDOMIZED {arm}"


@leak("L13", "a table that somebody made while looking for a fault holds the arm", "rows|superuser|door/accounts.sqlite*",
      "files|superuser|door/accounts.sqlite", "statements|*|*", play="randomize")  # fmt: skip
def table_left(world: World) -> None:
    def written(command: Any) -> None:
        with sqlite3.connect("door/accounts.sqlite") as base:
            base.execute("CREATE TABLE IF NOT EXISTS look (number, code)")
            base.execute("INSERT INTO look VALUES (?, ?)", ("01004", letter(world, "01004")))
        base.close()

    _after_submit(written)


@leak(
    "L14",
    "a backup takes a file along in which the arm is written",
    "files|terminal|archive*",
    play="archive",
)
def backup_with_more(world: World) -> None:
    from equipoise.desk import archive

    write, arm = taken(archive, "write_archive"), letter(world)

    def written(ledger: Any, path: Path) -> Any:
        path.with_name("slots.json").write_text(arm, "utf-8")
        return write(ledger, path)

    put(archive, "write_archive", written)


@leak("L17", "a safety letter is written for one arm only", "files|superuser|door/letters/*", play="casebook",
      near="letters are not sent by the program yet: a file that only one arm has")  # fmt: skip
def letter_for_one_arm(world: World) -> None:
    Path("door/letters").mkdir()
    if world.arm("01001"):
        Path("door/letters/01001.txt").write_text("Dear investigator", "utf-8")


@leak("L25", "a program of the statisticians prints how many there are in each arm", "terminal|terminal|export",
      play="datasets")  # fmt: skip
def counts_printed(world: World) -> None:
    from equipoise.cli import export

    write, arms = (
        taken(export, "export_datasets"),
        [world.arm(number) for number in ("01001", "01002", "01003")],
    )

    def written(store: Path, out: Path) -> Any:
        return ((Path("counts"), sum(arms)), *write(store, out))

    put(export, "export_datasets", written)


@leak("L28", "a message says in its subject line what was given", "posted|*|*", play="casebook")
def mail_subject(world: World) -> None:
    server = smtplib.SMTP("127.0.0.1")
    server.sendmail("trial@example.org", ["site@example.org"], f"Subject: {letter(world)}\n\nA visit is due.")


@leak(
    "L30",
    "one person may hold a blinded and an unblinded role",
    "rules|program|*",
    "outcome|*|*",
    play="grant",
)
def both_roles(world: World) -> None:
    from equipoise.access import decide

    put(decide, "exclude_each_other", lambda one, other: False)


@leak(
    "L31",
    "a list from a seed that everybody may know is taken for a real trial",
    "rules|program|*",
    play="trial",
)
def known_seed(world: World) -> None:
    from equipoise.randomization import decide

    decide.REHEARSAL = "-never"


@leak("L32", "sealed slots of one arm are longer", "rules|program|*", play="ceremony")
def longer_seals(world: World) -> None:
    from equipoise.vault import holding

    write = holding._slots_file

    def longer(made: Any, sealed: Any, recipients: Any) -> bytes:
        arms = {slot.number: slot.content.arm for slots in made.slots.values() for slot in slots}
        content = json.loads(write(made, sealed, recipients))
        for number, slot in content["slots"].items():
            slot["sealed"] = {who: text + "00" * arms[number] for who, text in slot["sealed"].items()}
        return json.dumps(content).encode()

    holding._slots_file = longer


@leak(
    "L32", "a file behind the second door grows when one arm is opened", "sizes|superuser|*", play="casebook"
)
def file_grows(world: World) -> None:
    Path("vault/opened.log").write_text("opened\n" * (1 + world.arm("01001")), "utf-8")
