"""A command as somebody types it, answered in this process: for the tests in which the answer matters and not the process.

What only a process of its own shows (its end, its streams when they break, signals, passwords that are typed, Django's
settings, the second door) is tested with processes; starting one for every answer took a third of the time of the tests.
"""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
from unittest import mock

from equipoise.cli.main import main


def typed_bytes(
    *arguments: object, encoding: str = "utf-8", language: str = "en"
) -> subprocess.CompletedProcess[bytes]:
    """The command's status, and what it wrote, in the letters of a terminal that knows those of `encoding`."""
    out, err = io.BytesIO(), io.BytesIO()
    with (
        io.TextIOWrapper(out, encoding) as said,
        io.TextIOWrapper(err, encoding, errors="backslashreplace") as complained,
        contextlib.redirect_stdout(said),
        contextlib.redirect_stderr(complained),
        mock.patch.dict(os.environ, {"EQUIPOISE_LANGUAGE": language}),
    ):
        try:
            status = main([os.fsdecode(os.fspath(str(argument))) for argument in arguments])
        except SystemExit as ended:  # wrong usage, as argparse says it
            status = int(ended.code or 0)
        said.flush()
        complained.flush()
        return subprocess.CompletedProcess(arguments, status, out.getvalue(), err.getvalue())


def typed(*arguments: object, language: str = "en") -> subprocess.CompletedProcess[str]:
    """The same as text."""
    ran = typed_bytes(*arguments, language=language)
    return subprocess.CompletedProcess(ran.args, ran.returncode, ran.stdout.decode(), ran.stderr.decode())
