"""What was written stands in a published checkpoint soon after, and when the desk is closed."""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path

import pytest

from equipoise.desk import pacing
from equipoise.desk.clock import SetClock
from equipoise.desk.desk import Desk, open_desk
from equipoise.desk.front import FrontDesk
from equipoise.desk.setup import create_store
from equipoise.ledger.verify import verify_path
from equipoise.words.problem import Problem
from stories.conftest import TODAY, Story, first_study, made_store, story

__all__ = ["made_store", "story"]  # the fixtures, taken over from the stories


def _sizes(folder: Path) -> list[int]:
    return sorted(int(path.stem) for path in (folder / "checkpoints").glob("*.checkpoint"))


def _wait_for_more(folder: Path, before: list[int]) -> list[int]:
    for _ in range(200):
        if _sizes(folder) != before:
            break
        time.sleep(0.05)
    return _sizes(folder)


def test_a_save_stands_in_a_checkpoint_soon_after(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "CHECKPOINT_WITHIN", 0.1)
    before = _sizes(story.folder)
    story.screen()
    after = _wait_for_more(story.folder, before)
    assert len(after) == len(before) + 1
    assert after[-1] > before[-1]


def test_enough_entries_are_not_kept_waiting(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "CHECKPOINT_EVERY", 3)
    before = _sizes(story.folder)
    number = story.screen()
    story.consent(number)
    assert len(_wait_for_more(story.folder, before)) > len(before)


def test_closing_publishes_the_rest(story: Story) -> None:
    before = _sizes(story.folder)
    story.screen()
    assert _sizes(story.folder) == before
    story.desk.close()
    verdict = verify_path(story.folder)
    assert verdict.ok
    assert _sizes(story.folder)[-1] > before[-1]


def test_a_desk_without_a_timer_makes_no_checkpoint_by_itself(
    made_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real timer that strikes would set a moment of a rehearsal's clock: decision 0036."""
    monkeypatch.setattr(pacing, "CHECKPOINT_EVERY", 1)
    monkeypatch.setattr(threading, "Timer", lambda *given: pytest.fail("a timer was made"))
    folder = shutil.copytree(made_store, tmp_path / "store")
    desk = open_desk(folder, clock=SetClock(TODAY), timed=False, kind=FrontDesk)
    assert isinstance(desk, FrontDesk)
    before = _sizes(folder)
    Story(desk, SetClock(TODAY), folder).screen()
    assert _sizes(folder) == before
    assert desk.checkpoint() is None
    assert len(_sizes(folder)) == len(before) + 1
    desk.close()


def test_a_trial_waits_for_the_disk(tmp_path: Path) -> None:
    """Neither an untimed desk nor relaxed files: DESIGN 4 (an acknowledged save is on disk)."""
    desk = create_store(tmp_path / "store", first_study(), "trial")
    assert isinstance(desk, Desk)
    refused = desk.relax()
    desk.close()
    assert refused is not None
    assert refused.rule == "desk.rehearsal-only"
    untimed = open_desk(tmp_path / "store", timed=False)
    assert isinstance(untimed, Problem)
    assert untimed.rule == "desk.rehearsal-only"
