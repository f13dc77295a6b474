"""The arms of the final release, for an analysis: `release.json`, believed only where the first door's ledger names it.

The rules that must stay true: nothing is believed before the second door's signed statement of the release stands in
the ledger; the bytes are those that it names, the root is the published one, every slot that was taken opens the
commitment that was published for it, and what was dispensed is what the ledger says was taken. Before that, an arm is
nowhere in this program's memory but in the bytes of the file. Source: DESIGN 5 (three openings).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from equipoise.analysis.arms import Arms, known_arms
from equipoise.channel.codec import statement_bytes
from equipoise.desk.analysing import AtCut, Told
from equipoise.ledger.entries import SlotTaken
from equipoise.protocol.study import Study
from equipoise.randomization.dispensing import Taken, release_faults
from equipoise.randomization.methods import in_order
from equipoise.randomization.minimization import allocations, minimization_of
from equipoise.randomization.sealing import UNDECIDED, SlotContent, SlotName, commitment
from equipoise.words.canonical import canonical_bytes
from equipoise.words.problem import Problem, problem

FORMAT = "equipoise-release-1"
LARGEST = 64 * 1024**2


class _File(NamedTuple):
    """What a file of the release says."""

    digest: str
    root: str
    arms: Sequence[str]
    slots: Mapping[str, Sequence[Mapping[str, Any]]]  # Any: JSON of a file that is not trusted
    dispensed: Sequence[tuple[str, str, str]]
    received: Mapping[str, str]


def read_treatments(file: Path, cut: AtCut) -> Arms | tuple[Problem, ...]:
    """The arms of everybody randomized at the cut, or every reason why the file is not believed."""
    told = _read(file)
    if isinstance(told, Problem):
        return (told,)
    refused = _not_released(told, cut.told, str(file))
    if refused is not None or cut.told.taken is None:
        return (refused or problem("analysis_report.treatments-other-root", str(file)),)
    faults = release_faults(told.root, told.dispensed, cut.told.taken)
    if faults:
        return faults
    opened = _opened(told, cut.study, cut.told.taken, str(file))
    if isinstance(opened, Problem):
        return (opened,)
    own = {stream.removeprefix("subject/"): key for key, stream in cut.streams.items() if key in cut.numbers}
    pairs = [
        (own[subject], opened[number], told.received.get(subject, ""))
        for number, subject, _ in told.dispensed
        if subject in own
    ]
    return known_arms(cut.study, "released", pairs, told.digest)


def _read(file: Path) -> _File | Problem:
    try:
        if file.stat().st_size > LARGEST:
            return problem("cli.too-large", str(file), largest=LARGEST // 1024**2)
        data = file.read_bytes()
        content: Mapping[str, Any] = json.loads(data)  # Any: as above
        if content["format"] != FORMAT:
            return problem("analysis_report.treatments-unreadable", str(file), reason="format")
        dispensed = [
            (str(one["number"]), str(one["subject"]), str(one["stratum"])) for one in content["dispensed"]
        ]
        received = {str(one["subject"]): str(one["arm"]) for one in content["dispensed"]}
        slots = {str(code): [dict(one) for one in listed] for code, listed in content["slots"].items()}
        arms = [str(one) for one in content["arms"]]
        return _File(hashlib.sha256(data).hexdigest(), str(content["root"]), arms, slots, dispensed, received)
    except OSError as fault:
        return problem("cli.cannot-read", str(file), reason=fault.strerror or str(fault))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as fault:
        return problem("analysis_report.treatments-unreadable", str(file), reason=type(fault).__name__)


def _not_released(file: _File, told: Told, where: str) -> Problem | None:
    """Why the second door is not known to have released this file; None where it is."""
    released = told.released
    if released is None:
        return problem("analysis_report.treatments-before-release", where)
    if told.taken is None or not (file.root == released.root == told.taken.root):
        return problem("analysis_report.treatments-other-root", where)
    if file.digest != released.release:
        return problem("analysis_report.treatments-altered", where)
    content = canonical_bytes({"root": released.root, "release": released.release}).decode()
    said = statement_bytes(released.statement, "ListReleased", content)
    for key in told.keys:
        try:
            Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(
                bytes.fromhex(released.signature), said
            )
        except (InvalidSignature, ValueError):
            continue
        return None
    return problem("analysis_report.treatments-unsigned", where)


def _opened(file: _File, study: Study, ledger: Taken, where: str) -> Mapping[str, str] | Problem:
    """number -> arm id, of every slot that was taken, each against the commitment that was published for it."""
    refused = problem("analysis_report.treatments-altered", where)
    draws: list[tuple[str, bytes]] = []
    found: dict[str, str] = {}
    try:
        for one in ledger.taken:
            content = _content(file, ledger, study, one)
            if content is None:
                return refused
            draws.append((ledger.strata.get(one.subject, one.stratum), content.draw))
            found[one.number] = "" if content.arm == UNDECIDED else file.arms[content.arm]
        chosen = in_order(study)
        if "" in found.values() and chosen is not None:
            rule = minimization_of(chosen)
            if isinstance(rule, Problem):
                return rule
            for one, arm in zip(ledger.taken, allocations(rule, draws), strict=True):
                found[one.number] = file.arms[arm]
    except (KeyError, ValueError, TypeError, IndexError):
        return refused
    return found


def _content(file: _File, ledger: Taken, study: Study, one: SlotTaken) -> SlotContent | None:
    """What the slot held, where it opens the published commitment; else None."""
    listed = ledger.slots[one.stratum]
    place = next(at for at, slot in enumerate(listed) if slot.number == one.number)
    told = file.slots[one.stratum][place]
    arm = told["arm"]
    content = SlotContent(int(arm), bytes.fromhex(told["nonce"]), bytes.fromhex(told["draw"]))
    name = SlotName(study.id, one.stratum, place + 1)
    return content if commitment(name, content) == listed[place].commitment else None
