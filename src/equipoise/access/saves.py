"""What access looks at of a save of a form: it may not see capture, which has the command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, cast


class Save(Protocol):
    """A save of a form: the form, and the items with what is entered in them."""

    @property
    def form(self) -> str: ...
    @property
    def items(self) -> Mapping[str, object]: ...


def save_of(command: object) -> Save | None:
    """The command, where it enters something; one that only names items (a verification) is none."""
    # Asked by names, since asking by the protocol takes longer than all the rest of `may`.
    enters = isinstance(getattr(command, "items", None), Mapping) and hasattr(command, "form")
    return cast(Save, command) if enters else None
