"""A full disk: a clear refusal, everything acknowledged is there and readable, and work goes on once there is room."""

from __future__ import annotations

import os
import subprocess

import pytest

from equipoise.ledger.commit import Committed, commit
from equipoise.ledger.verify import verify_path
from faults.fault_programs import own_folder, prove_own, run
from rooms.ledger.ledger_world import act, again, save


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


def test_a_store_on_a_read_only_file_system_is_verified_with_its_log(small_disk):
    folder, token = own_folder(small_disk)
    run("save_until_full", folder, token, "none")
    ledger = again(folder / "store", write=False)
    with ledger.reading() as reader:
        standing = reader.head("subject/a").seq
    ledger.close()
    prove_own(folder, token)
    log = folder / "store" / "ledger.sqlite-wal"
    log.touch()  # a log without its index, as a copy on a read-only medium has it
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    verdict = verify_path(folder / "store")
    assert verdict.ok, verdict.lines()
    assert verdict.entries == standing
