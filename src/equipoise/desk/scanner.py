"""The operator's own virus scanner: a command that is handed each file before anything of it is kept.

    EQUIPOISE_SCANNER="clamdscan --no-summary -"

The file comes on standard input. Exit 0: clean. Exit 1: infected. Anything else, or no answer in a minute: it could not
be looked at, and is not taken. The rule that must stay true: no shell reads the command, and nothing of the file, not
even its name, stands in it. Without a command only the built-in check is made (capture.attachments.content).
"""

from __future__ import annotations

import os
import shlex
import subprocess

from equipoise.words.problem import Problem, problem

SCANNER = "EQUIPOISE_SCANNER"
"""Environment variable: the command with its arguments, as a shell would split them."""
SECONDS = 60


def scanned(data: bytes) -> Problem | None:
    """What the operator's scanner has against a file; None where it has nothing, or where there is no scanner."""
    command = shlex.split(os.environ.get(SCANNER, ""))
    if not command:
        return None
    try:
        # The command is the operator's own setting, and no shell reads it.
        done = subprocess.run(command, input=data, capture_output=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return problem("attachments.scanner-silent", "file")
    if done.returncode == 0:
        return None
    return problem("attachments.infected" if done.returncode == 1 else "attachments.scanner-silent", "file")
