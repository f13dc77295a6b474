"""A full disk: a clear refusal, everything acknowledged is there and readable, and work goes on once there is room."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from equipoise.ledger.commit import Committed, commit
from equipoise.ledger.verify import verify_path
from faults.fault_programs import own_folder, prove_own, run
from rooms.ledger.ledger_world import act, again, fill, fresh, save


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 1 MiB of the test's own, with a ballast file that can be taken away."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small file system; the file size limit is tried instead")
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "made-for-a-test", str(place)], capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_refuses_and_loses_nothing(small_disk):
    folder, token = own_folder(small_disk)
    (folder / "ballast").write_bytes(b"\0" * 300_000)
    (line,) = run("save_until_full", folder, token, "none")
    acknowledged, readable, *rules = line.split()
    assert int(acknowledged) > 10
    assert readable == acknowledged
    assert rules == ["ledger.disk-full"] * 3
    verdict = verify_path(folder / "store")
    assert verdict.ok, verdict.lines()
    assert verdict.entries == int(acknowledged)
    prove_own(folder, token)
    (folder / "ballast").unlink()
    ledger = again(folder / "store")
    assert isinstance(
        commit(ledger, act("later"), ["subject/a"], lambda reader: (save("subject/a", 1),)), Committed
    )
    ledger.close()
    assert verify_path(folder / "store").entries == int(acknowledged) + 1


def test_a_file_that_may_not_grow_refuses_and_loses_nothing(tmp_path):
    # For everybody: the limit on the size of a file (a write past it fails with EFBIG, not with ENOSPC).
    folder, token = own_folder(tmp_path)
    line, after = run("save_until_full", folder, token, "400000")
    acknowledged, readable, *rules = line.split()
    assert int(acknowledged) > 10
    assert readable == acknowledged
    assert set(rules) <= {"ledger.disk-full", "ledger.unavailable"}
    assert len(rules) == 3
    assert after == "Committed"
    verdict = verify_path(folder / "store")
    assert verdict.ok, verdict.lines()
    assert verdict.entries == int(acknowledged) + 1


def test_a_store_that_nobody_may_write_is_verified_with_its_log(request, tmp_path):
    place = request.getfixturevalue("small_disk") if os.geteuid() == 0 else tmp_path
    folder, token = own_folder(place)
    ledger = fresh(folder / "store")
    fill(ledger)
    for name in ("ledger.sqlite", "ledger.sqlite-wal"):  # as a copy taken while it was in use: log, no index
        shutil.copyfile(folder / "store" / name, folder / name)
    ledger.close()
    assert (folder / "ledger.sqlite-wal").stat().st_size > 0
    prove_own(folder, token)
    if os.geteuid() == 0:  # modes do not bind root, a read-only file system does
        subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
    else:
        folder.chmod(0o500)
    names = sorted(path.name for path in folder.iterdir())
    verdict = verify_path(folder / "ledger.sqlite")
    assert verdict.ok, verdict.lines()
    assert verdict.entries == 16
    assert sorted(path.name for path in folder.iterdir()) == names
    folder.chmod(0o700) if os.geteuid() else None
