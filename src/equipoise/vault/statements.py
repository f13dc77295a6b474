"""What the second door says to the first: numbered, signed, asked for by number.

The rules that must stay true: a statement is an entry of this door's ledger before it is ever handed over; its number
is its place in the stream `statements`; its fields are those that channel.messages lists, and no other kind exists.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from equipoise.channel.codec import statement_bytes
from equipoise.channel.messages import FRAME, LOST, PER_ANSWER, STATEMENTS, Statement
from equipoise.ledger.entries import Append
from equipoise.ledger.keys import Keys
from equipoise.ledger.reader import Reader
from equipoise.ledger.vault_entries import StatementMade, StatementSkipped
from equipoise.words.canonical import Json, canonical_bytes

STREAM = "statements"
_BESIDE_CONTENT = 1024
"""Bytes of a frame that everything beside the content of a statement needs: about 400."""


def say(says: str, **fields: Json) -> Append:
    """A statement, for a decision to return beside its other entries. Its number is given when it is written.

    Raises ValueError for another kind or other fields than channel.messages lists, and for one that fills no frame:
    faults of the program.
    """
    if set(fields) != set(STATEMENTS.get(says, ())) or says not in STATEMENTS:
        raise ValueError(f"{says} is not said with {', '.join(sorted(fields))}")
    content = canonical_bytes(fields).decode()
    if (
        len(canonical_bytes(content)) > FRAME - _BESIDE_CONTENT
    ):  # as it travels: in bytes, a text within a text
        raise ValueError(f"{says} says more than a frame holds")
    return Append(STREAM, StatementMade(0, says, content))


def numbered(reader: Reader, appends: Sequence[Append]) -> tuple[Append, ...]:
    """The appends with every statement's number in it: the places that follow the last one."""
    number, found = reader.head(STREAM).seq, []
    for append in appends:
        if isinstance(append.entry, StatementMade):
            number += 1
            append = Append(STREAM, dataclasses.replace(append.entry, number=number))
        found.append(append)
    return tuple(found)


def statements_after(reader: Reader, keys: Keys, heard: int) -> tuple[Statement, ...]:
    """The signed statements that follow number `heard`, as many as one answer holds at most."""
    if heard >= reader.head(STREAM).seq:
        return ()
    found: list[Statement] = []
    for recorded in reader.entries(STREAM, after=heard)[:PER_ANSWER]:
        one = recorded.entry
        if isinstance(one, StatementSkipped):
            found.append(_signed(keys, one.number, LOST, "{}"))
        elif isinstance(one, StatementMade):
            found.append(_signed(keys, one.number, one.says, one.content))
    return tuple(found)


def _signed(keys: Keys, number: int, says: str, content: str) -> Statement:
    return Statement(number, says, content, keys.sign(statement_bytes(number, says, content)).hex())
