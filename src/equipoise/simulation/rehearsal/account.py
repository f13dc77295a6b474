"""What a rehearsed trial cost, and how the blind fared: counted at the desk, the second door, and by nature herself.

The rules that must stay true: what the desk can count is asked of the desk; minutes are the staff model's, and say so;
before the release nothing here follows from an arm.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from equipoise.analysis.blinding import BlindingFit, fit_blinding
from equipoise.desk.deviation_tables import DEVIATIONS
from equipoise.desk.followers import QUERIES
from equipoise.simulation.rehearsal.case import Case
from equipoise.simulation.rehearsal.staff import Guess
from equipoise.simulation.rehearsal.stage import Stage
from equipoise.words.canonical import Json

_STANDING = {"state": ["OPEN", "CLOSED"]}
_FLOW = ("screened", "screening failures", "randomized", "completed")
_LEAST = 2
"""Answers in each arm below which nothing is said of who guessed right."""


def account(stage: Stage, cases: Sequence[Case], *, released: bool) -> dict[str, Json]:
    """The account as one JSON value. Counts are whole numbers; minutes are whole, by role."""
    tally = stage.tally
    with stage.desk.reading() as reader:
        queries = Counter(str(row["rule"]) == "manual" for row in reader.rows.find(QUERIES))
        deviations = Counter(
            str(row["severity"]) or "UNCLASSED" for row in reader.rows.find(DEVIATIONS, _STANDING)
        )
        entries = sum(head.seq for head in reader.streams())
    bench = stage.door.ask("counts", stage.clock.at)
    minutes = {role: round(spent) for role, spent in sorted(tally.minutes.items())}
    return {
        "flow": {
            **{name: tally.counts.get(name, 0) for name in _FLOW},
            "left early": sum(count for name, count in tally.counts.items() if name.startswith("left: ")),
        },
        "staff_minutes": {**minutes, "total": sum(minutes.values())},
        "queries": {"by checks": queries[False], "by people": queries[True], "total": queries.total()},
        "bags": {
            "given": tally.counts.get("doses given", 0), "lost at the bench": int(bench["lost"]),
            "rejected at the ward": tally.counts.get("bags rejected", 0), "prepared": int(bench["bags"]),
            "shipments": int(bench["shipments"]),
        },
        "diary": {
            "entries": tally.counts.get("diary entries", 0),
            "at the hospital": tally.counts.get("diary entries at the hospital", 0),
            "lost with a phone": tally.counts.get("diary entries lost with a phone", 0),
            "not made": tally.counts.get("diary entries not made", 0),
            "phones": tally.counts.get("phones set up", 0),
            "red flags answered": tally.counts.get("diary flags handled", 0),
            "gaps explained": tally.counts.get("diary gaps explained", 0),
        },
        "deviations": {**dict(sorted(deviations.items())), "total": deviations.total()},
        "code_breaks": tally.counts.get("code breaks", 0),
        "commands": sum(tally.commands.values()),
        "entries": entries,
        "happened": dict(sorted(tally.counts.items())),
        "blind": blind(stage.staff.guess, cases, released=released),
    }  # fmt: skip


def blind(guess: Guess | None, cases: Sequence[Case], *, released: bool) -> dict[str, Json]:
    """Form and visit -> answers; after the release also who was right, and Bang's and James's indices.

    What follows from an arm is said only where each arm has enough answers.
    """
    if guess is None:
        return {}
    asked: dict[str, list[tuple[str, str]]] = {}
    for case in cases:
        for place, said in case.guesses.items():
            if case.arm and (said in guess.arms or said == guess.unknown):
                named = guess.arms.get(said, guess.unknown)
                asked.setdefault(f"{place.form} {place.visit}", []).append((case.arm, named))
    return {
        name: {"answers": len(rows), **(_indices(rows, guess.unknown) if released else {})}
        for name, rows in sorted(asked.items())
    }


def _indices(rows: Sequence[tuple[str, str]], unknown: str) -> dict[str, Json]:
    table: Mapping[str, list[str]] = {
        "arm": [arm for arm, _ in rows],
        "guess": [said for _, said in rows],
    }
    if min(Counter(table["arm"]).values(), default=0) < _LEAST or len(set(table["arm"])) < 2:
        return {}
    told: dict[str, Json] = {"right": sum(arm == said for arm, said in rows)}
    fit = fit_blinding(table, "arm", "guess", unknown=unknown)
    if isinstance(fit, BlindingFit):
        told["bang"] = {one.arm: f"{one.estimate:.2f}" for one in fit.bang}
        told["james"] = f"{fit.james.estimate:.2f}" if fit.james is not None else ""
    return told
