"""Two processes on one store: in turns through the lock, and side by side through the database alone."""

from __future__ import annotations

from equipoise.ledger.verify import verify_path
from faults.fault_programs import own_folder, start
from rooms.ledger.ledger_world import again, fresh


def finish(processes):
    for process in processes:
        output, _ = process.communicate(timeout=120)
        assert process.returncode == 0, output


def test_two_processes_that_wait_for_each_other_lose_nothing(tmp_path):
    folder, token = own_folder(tmp_path)
    fresh(folder / "store").close()
    finish([start("save_in_turns", folder, token, name, "15") for name in ("a", "b")])
    ledger = again(folder / "store")
    with ledger.reading() as reader:
        entries = reader.entries("hot")
    ledger.close()
    assert [one.header.seq for one in entries] == list(range(1, 91))
    keys = [one.header.idempotency_key for one in entries]
    assert sorted(keys) == sorted(
        f"{name}.{turn}.{n}" for name in "ab" for turn in range(15) for n in range(3)
    )
    assert verify_path(folder / "store").ok


def test_two_processes_side_by_side_leave_no_gap_and_none_is_refused(tmp_path):
    # The lock keeps a second server out; the transactions would be right without it.
    folder, token = own_folder(tmp_path)
    fresh(folder / "store").close()
    finish([start("append_side_by_side", folder, token, name, "120") for name in ("a", "b")])
    ledger = again(folder / "store", write=False)
    with ledger.store.reading() as reading:
        found = [(one.seq, one.key) for one in reading.entries("hot")]
    ledger.close()
    assert [seq for seq, _ in found] == list(range(1, 241))
    for name in "ab":
        assert [key for _, key in found if key.startswith(name)] == [f"{name}.{n}" for n in range(120)]
