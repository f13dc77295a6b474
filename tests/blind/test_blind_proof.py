"""The proof's own parts: that it compares what it says, names what is missing, and has a leak for everything it trusts.

The proof itself is `make prove-blind`; these tests are of its tools, and take seconds.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import subprocess
import sys
import textwrap
import types
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path

import pytest

from blind.compare import differences
from blind.leaks import every_leak
from blind.page import PAGE
from blind.playing import Task, play_all
from blind.plays import PLAYS
from blind.repeatable import Clock, Stream, replace_everywhere
from blind.rights import TERMINAL, WEB
from blind.secret import BUT_ONE, DRAWN, MIXED, QUICK, SWAPPED, ideal_anchor, ideal_commitment, nightly
from blind.statistics import ALPHA, adversary, association, guessed_right, lists, visible_goes_with_arm
from blind.tally import Tally
from blind.watch import COMPARISONS, Watch, read_bytes, read_seen
from equipoise.randomization.sealing import SlotContent, SlotName

CHANNELS = tuple(f"L{number}" for number in range(1, 33))
"""The channels of the table by which the blind is threatened: 32 of them."""
BY_STATISTICS = {"L2", "L3", "L4"}
TESTS_OF_LISTS = 3


def watched(folder: Path, *noted: tuple[str, str, str, object]) -> Path:
    watch = Watch(folder)
    for one in noted:
        watch.note(*one)
    watch.close()
    return folder


def test_every_channel_has_a_leak_and_there_are_at_least_thirty():
    planted = {leak.channel for leak in every_leak()} | BY_STATISTICS
    assert planted == set(CHANNELS)
    assert len(every_leak()) >= 30  # the number the design asks for


@pytest.mark.parametrize("comparison", COMPARISONS)
def test_every_comparison_is_shown_to_be_able_to_fail(comparison):
    """A comparison that no leak is named for has shown nothing."""
    assert any(
        fnmatchcase(comparison, pattern.split("|")[0]) for leak in every_leak() for pattern in leak.through
    )


def test_every_leak_has_a_play_and_two_different_worlds():
    for leak in every_leak():
        assert leak.play in PLAYS, leak.name
        assert leak.pair[0] != leak.pair[1], leak.name
    assert len({leak.name for leak in every_leak()}) == len(every_leak())


def test_equal_worlds_are_equal_and_one_byte_is_a_difference(tmp_path):
    one = watched(tmp_path / "one", ("body", "rater", "GET /", b"abc"))
    same = watched(tmp_path / "same", ("body", "rater", "GET /", b"abc"))
    other = watched(tmp_path / "other", ("body", "rater", "GET /", b"abd"))
    assert differences(one, same) == (1, [])
    count, found = differences(one, other)
    assert (count, [each.named for each in found]) == (1, ["body|rater|GET /"])


def test_what_is_seen_in_one_world_only_is_a_difference(tmp_path):
    one = watched(tmp_path / "one", ("log", "rater", "GET /", "x"), ("log", "rater", "GET /", "x"))
    other = watched(tmp_path / "other", ("log", "rater", "GET /", "x"))
    assert [each.seen.ordinal for each in differences(one, other)[1]] == [2]


def test_a_rule_that_is_broken_in_both_worlds_is_a_difference(tmp_path):
    one = watched(tmp_path / "one", ("rules", "program", "roles apart", "broken"))
    other = watched(tmp_path / "other", ("rules", "program", "roles apart", "broken"))
    kept = watched(tmp_path / "kept", ("rules", "program", "roles apart", "kept"))
    assert len(differences(one, other)[1]) == 1
    assert differences(kept, kept)[1] == []


def test_what_was_seen_twice_is_kept_once_and_read_again(tmp_path):
    noted = [("body", "rater", "GET /", b"the same"), ("body", "monitor", "GET /", b"the same")]
    one = watched(tmp_path / "one", *noted, ("body", "rater", "GET /", b"abc"))
    other = watched(tmp_path / "other", *noted, ("body", "rater", "GET /", b"the same"))
    _, found = differences(one, other)
    assert [each.shown for each in found] == ["3 and 8 bytes, from byte 0: b'abc' / b'the same'"]
    kept = [read_bytes(other, at, size) for _, _, _, at, size in read_seen(other)]
    assert kept == [b"the same"] * 3


def test_one_more_call_and_one_more_statement_are_counted():
    tally = Tally()

    def counted(times: int) -> tuple[int, tuple[int, str]]:
        tally.begin()
        for _ in range(times):
            tally.statement("SELECT 1")
        return tally.calls(), tally.statements()

    tally.measure(on=True)
    three, four = counted(3), counted(4)
    tally.measure(on=False)
    assert four[0] - three[0] == 2  # `statement`, and the `append` in it
    assert (three[1][0], four[1][0]) == (3, 4)
    assert counted(3) == (0, three[1])  # nothing counts calls any more


def test_worlds_are_played_as_a_processor_is_free_and_each_task_is_told_its_own_faults(tmp_path):
    told: dict[str, str] = {}

    def job(name: str, *, fails: bool) -> None:
        if fails:
            raise ValueError(f"{name} failed")
        (tmp_path / name / "played").touch()

    def task(name: str, *fails: bool) -> Task:
        jobs = [
            (tmp_path / f"{name}{place}", partial(job, f"{name}{place}", fails=each))
            for place, each in enumerate(fails)
        ]
        return Task(jobs, lambda fault: told.update({name: fault.strip().rpartition("\n")[2]}))

    play_all([task("a", False, False, False), task("b", False, True), task("c", False)], at_once=2)
    assert told.pop("b") == "ValueError: b1 failed"
    assert told == {"a": "", "c": ""}
    assert sorted(path.parent.name for path in tmp_path.glob("*/played")) == ["a0", "a1", "a2", "b0", "c0"]


def test_an_observation_of_an_unknown_comparison_is_a_fault_of_ours(tmp_path):
    watch = Watch(tmp_path)
    with pytest.raises(KeyError):
        watch.note("scent", "rater", "GET /", b"")
    watch.close()


def test_the_worlds_differ_as_they_say():
    drawn = (0, 1, 1, 0, 1, 0, 0, 1) * 8
    assert SWAPPED.arms(drawn, 2, "x") == tuple(1 - arm for arm in drawn)
    mixed = MIXED.arms(drawn, 2, "x")
    assert mixed not in (drawn, SWAPPED.arms(drawn, 2, "x"))
    assert DRAWN.arms(drawn, 2, "x") == drawn
    but_one = BUT_ONE.arms(drawn, 2, "x")
    assert [at for at, (one, other) in enumerate(zip(drawn, but_one, strict=True)) if one == other] == [1]
    assert QUICK[0] == DRAWN
    assert {BUT_ONE, SWAPPED, MIXED} < set(nightly())
    assert len({secret.value(0, 255, "CD3") for secret in QUICK}) == len(QUICK)


def test_ideal_commitments_do_not_depend_on_the_arm_and_do_on_the_rest():
    slot, nonce = SlotName("s", "a", 1), hashlib.sha256(b"n").digest()
    assert ideal_commitment(slot, SlotContent(0, nonce)) == ideal_commitment(slot, SlotContent(1, nonce))
    assert ideal_commitment(slot, SlotContent(0, nonce)) != ideal_commitment(
        SlotName("s", "a", 2), SlotContent(0, nonce)
    )
    assert ideal_anchor("a", nonce) == ideal_anchor("b", nonce)
    assert ideal_anchor("a", nonce) != ideal_anchor("a", nonce[::-1])


def test_chance_is_the_same_again_and_counted():
    one, other = Stream("x"), Stream("x")
    assert [one(8), one(4)] == [other(8), other(4)]
    assert (one.draws, one.bytes) == (2, 12)
    assert Stream("y")(8) != Stream("x")(8)


def test_the_clock_shows_how_often_it_was_asked():
    clock = Clock()
    begun = clock.at
    clock()
    clock()
    assert (clock.at - begun).total_seconds() == 2
    assert clock.asked == 2


def said_of_a_process(folder: Path, script: str) -> str:
    """What a script says in a process of its own, which it may make repeatable: that is not undone."""
    here = Path(__file__).resolve().parents[1]
    given = {**os.environ, "PYTHONPATH": os.pathsep.join([str(here), str(here.parent / "src")])}
    folder.mkdir()
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], cwd=folder, env=given, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    return ended.stdout


def test_a_slow_day_changes_nothing_in_a_world(tmp_path):
    """A desk makes a checkpoint a minute after what was last written. Here that minute is over at once: a very slow machine."""
    script = """
        from pathlib import Path
        import equipoise.vault.anchors
        from equipoise.desk import pacing
        from blind.playing import Running
        from blind.secret import DRAWN
        from blind.world import World, enter_folder, read_study

        def set_up(folder, within, every):
            enter_folder(folder)
            pacing.CHECKPOINT_WITHIN, pacing.CHECKPOINT_EVERY = within, every
            world = World(DRAWN, Path("seen"))
            world.make()
            Path("told").write_text(f"{world.clock.asked} {world.clock.at} {world.stream.draws}")

        read_study()
        for name, within, every in (("quick", 3600.0, 10**6), ("slow", 0.0, 1)):
            folder = Path(name).absolute()
            assert Running(folder, lambda: set_up(folder, within, every)).wait() is None, name
    """
    said_of_a_process(tmp_path / "days", script)
    quick, slow = ((tmp_path / "days" / name / "told").read_text() for name in ("quick", "slow"))
    assert slow == quick
    assert int(quick.split()[0]) > 50  # the clock was asked at all: each entry has its moment


def test_nothing_goes_beside_a_world(tmp_path):
    script = """
        import threading
        import equipoise.desk.clock, django.utils.timezone
        from blind.repeatable import Clock, Stream, make_repeatable
        make_repeatable(Stream("x"), Clock())
        struck = []
        timer = threading.Timer(0.0, struck.append, (1,))
        timer.start()
        try:
            threading.Thread(target=struck.append, args=(1,)).start()
        except RuntimeError:
            print(timer.is_alive(), struck)
        timer.cancel()
        timer.join()
        print(timer.is_alive(), struck)
    """
    assert said_of_a_process(tmp_path / "beside", script) == "True []\nFalse []\n"


def test_a_name_is_replaced_wherever_it_was_imported(monkeypatch):
    here, there, thing = types.ModuleType("equipoise_here"), types.ModuleType("equipoise_there"), object()
    for module in (here, there):
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setattr(module, "thing", thing, raising=False)
    assert replace_everywhere(thing, "other", only="equipoise_") == 2
    assert [vars(module)["thing"] for module in (here, there)] == ["other", "other"]


def test_the_tables_name_nothing_twice_and_say_why_a_command_is_not_played():
    assert all(row.outside or (len(row.succeed) >= 3 and row.refuse) for row in TERMINAL.values())
    assert all(" /" in operation for operation in WEB)


# --- the statistical tests -----------------------------------------------------------------------------------------


def test_rank_correlation_agrees_with_a_count_by_hand():
    """Four of each arm in perfect order: U = 0, mean 8, variance 4*4*9/12 = 12, z = 8/sqrt(12) = 2.309, p = 0.0209."""
    assert association([1, 2, 3, 4, 5, 6, 7, 8], [0, 0, 0, 0, 1, 1, 1, 1]) == pytest.approx(
        0.0209, abs=0.0002
    )
    assert association([1, 1, 1, 1], [0, 1, 0, 1]) == 1.0


def test_the_programs_lists_pass_and_spoilt_ones_do_not():
    rows = lists(4)
    assert visible_goes_with_arm(rows) == []
    assert 0.5 < guessed_right(rows) < 0.62  # the bar of the design; big stick 3 gives 0.58 (Zhao 2011)


def test_the_blind_adversary_learns_nothing_from_sound_lists_and_finds_a_faint_hint():
    """AUC against 0.5 by the rank test, whose normal approximation is checked above; alpha as everywhere here."""
    rows = lists(16)
    assert adversary(rows) >= ALPHA
    faint = [
        dataclasses.replace(row, arm=int(row.number[-1]) % 2) if row.index % 4 == 0 else row for row in rows
    ]
    assert adversary(faint) < ALPHA


def test_the_page_says_that_every_leak_was_caught_and_nothing_differed():
    """The proof itself holds the page against its run; this holds it against the planted leaks of today."""
    said = PAGE.read_text("utf-8")
    count = len(every_leak()) + TESTS_OF_LISTS
    assert f"`{count} of {count} seeded leaks caught; " in said
    assert said.rstrip().endswith("compared, 0 differences`")
    for leak in every_leak():
        assert leak.says in said, leak.name
