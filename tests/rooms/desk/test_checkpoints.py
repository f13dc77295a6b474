"""What was written stands in a published checkpoint soon after, and when the desk is closed."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from equipoise.desk import desk as desk_file
from equipoise.ledger.verify import verify_path
from stories.conftest import Story, made_store, story

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
    monkeypatch.setattr(desk_file, "CHECKPOINT_WITHIN", 0.1)
    before = _sizes(story.folder)
    story.screen()
    after = _wait_for_more(story.folder, before)
    assert len(after) == len(before) + 1
    assert after[-1] > before[-1]


def test_enough_entries_are_not_kept_waiting(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_file, "CHECKPOINT_EVERY", 3)
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
