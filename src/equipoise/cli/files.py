"""Files that a command line names: read whole, but never without end.

The rule that must stay true: what a person names can be anything (a folder, a device, a file of any size), and each
gets an answer.
"""

from __future__ import annotations

from pathlib import Path

from equipoise.words.problem import Problem, problem


def read_whole(path: Path, most: int) -> bytes | Problem:
    """The content of a file of at most `most` bytes; of a longer one its first `most` + 1, so that it is seen."""
    try:
        with path.open("rb") as file:
            return file.read(most + 1)
    except (OSError, ValueError) as fault:  # ValueError: a name that no system takes
        reason = (fault.strerror if isinstance(fault, OSError) else None) or fault
        return problem("cli.cannot-read", str(path), reason=reason)


def write_new(path: Path, content: bytes) -> Problem | None:
    """Write a file that is not there yet, whole or not at all; what is there is left alone."""
    try:
        with path.open("xb") as file:
            file.write(content)
    except FileExistsError:
        return problem("cli.file-there", str(path))
    except (OSError, ValueError) as fault:  # ValueError: a name that no system takes
        reason = (fault.strerror if isinstance(fault, OSError) else None) or fault
        return problem("cli.cannot-write", str(path), reason=reason)
    return None
