"""A second door at which every page has something to show: stock, a dose to prepare, a code asked for, values to enter."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from pathlib import Path

from equipoise.access.commands import Who
from equipoise.randomization.commands import RequestCodeBreak
from rooms.vault.test_bench_doors import Bench
from rooms.vault.two_doors import PASSPHRASE, make_doors, open_doors

REQUEST, ASKED = "abcdefgh23456789", "aaaaaaaaaaaaaaaa"
SUBJECT = "subject1"
PEOPLE = {
    "phar": ("Shen Jia", "沈佳", ["BENCH"]),
    "chk": ("Peng Bo", "彭博", ["CHECK"]),
    "inv": ("Zhao Min", "赵敏", ["BREAK"]),
    "lab": ("Wu Ting", "吴婷", ["LAB"]),
    "dsmb": ("Xue Wei", "薛薇", ["BOARD"]),
    "keep": ("Qin Lan", "秦岚", ["KEEPER"]),
    "off": ("Lin Tao", "林涛", ["OFFICER"]),
}


def fill_second(folder: Path) -> tuple[Path, dict[str, str]]:
    """Make both doors in a folder and fill the second; where it is, and what stands in addresses, or is to be prepared."""
    make_doors(folder)
    doors = open_doors(folder)
    doors.clock.at = dt.datetime.now(dt.UTC)
    bench = Bench(doors)
    bench.supply()
    bench.ask(SUBJECT, REQUEST, minutes=90)
    investigator = doors.desk.who("inv", "investigator")
    assert isinstance(investigator, Who)
    command = RequestCodeBreak(SUBJECT, ASKED, "EMERGENCY", urgent=True, to="SELF", reason="出血")
    assert doors.desk.ask_for_code(investigator, command, key="asked").accepted
    doors.exchange()
    product = bench.product(REQUEST)
    doors.close()
    vault = folder / "vault"
    (vault / "demo-passphrase").write_text(PASSPHRASE + "\n")
    stage(vault, folder / "c")
    return vault, {"request": REQUEST, "asked": ASKED, "product": product}


def stage(vault: Path, channel: Path) -> None:
    """Let the made-up people be played."""
    people = [
        {"actor": actor, "name": name, "name_zh": chinese, "purposes": purposes}
        for actor, (name, chinese, purposes) in PEOPLE.items()
    ]
    staged = subprocess.run(
        [sys.executable, "-m", "equipoise.vault.terminal", "stage", str(vault), "--channel", str(channel),
         "--passphrase-file", str(vault / "demo-passphrase")],
        input=json.dumps(people) + "\n", capture_output=True, text=True,
    )  # fmt: skip
    assert staged.returncode == 0, staged.stderr
