"""A statement that is made is one that some frame holds: one that no frame held would stop every later one for good.

Source: channel.messages (frames of one length); DESIGN 5 (channel).
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.channel.codec import read_answer, write_answer
from equipoise.channel.messages import FRAME, Statement
from equipoise.ledger.vault_entries import StatementMade
from equipoise.vault.statements import say

SIGNS = st.sampled_from(['"', "\\", "\x01", "a", "\u4e2d", "\U0001f480"])


@given(SIGNS, st.integers(min_value=0, max_value=FRAME))
def test_whatever_can_be_said_is_handed_over(sign: str, count: int) -> None:
    try:
        made = say("Anchor", number=1, commitment=sign * count).entry
    except ValueError:
        assert count > FRAME // 16  # only what is long is refused
        return
    assert isinstance(made, StatementMade)
    statement = Statement(10**9, made.says, made.content, "ab" * 64)  # a signature: Ed25519, 64 bytes
    answer = read_answer(write_answer(10**9, 10**9, "", (statement,)))
    assert answer is not None
    assert answer.statements == (statement,)


def test_what_no_frame_holds_is_not_said() -> None:
    with pytest.raises(ValueError, match="frame"):
        say("Anchor", number=1, commitment='"' * (FRAME // 2 - 100))
