"""What Today asks of those who sign, verify and review: one line each, with how much waits."""

from __future__ import annotations

from equipoise.access.commands import Who
from equipoise.access.roles import ROLES
from equipoise.desk.closing_tables import count_closings
from equipoise.desk.queues import to_review, to_sign, to_verify_for
from equipoise.desk.standing import Trial
from equipoise.desk.views import Task
from equipoise.ledger.reader import Reader


def closing_tasks(reader: Reader, trial: Trial, who: Who) -> list[Task]:
    """The queues of the reader's role that are not empty."""
    role = ROLES.get(who.role)
    commands = role.commands if role is not None else frozenset[str]()
    waiting = []
    if "SignForms" in commands:
        waiting.append(("to_sign", "closing.task-to-sign", [to_sign(trial, reader, who)]))
    if "VerifyItems" in commands:
        waiting.append(("to_verify", "closing.task-to-verify", to_verify_for(trial, reader, who)))
    if "ReviewForm" in commands:
        waiting.append(("to_review", "closing.task-to-review", to_review(trial, reader, who)))
    found = []
    for kind, key, conditions in waiting:
        count = sum(count_closings(reader.rows, where) for where in conditions)
        if count:
            found.append(Task(kind, key, {"count": str(count)}, ""))
    return found
