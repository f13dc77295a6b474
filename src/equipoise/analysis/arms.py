"""Which arm each participant is analysed in: dummy arms from a public seed, or those of a final release or closed work.

The rules that must stay true: dummy arms follow from the seed and the randomization numbers alone, so that everybody
gets the same and nobody learns anything from them; the same program runs on either, and what was run says which.
Source: HMAC-SHA256 (FIPS 198-1) as a public order of the numbers.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from equipoise.protocol.study import Study

Kind = Literal["dummy", "released", "closed"]


@dataclass(frozen=True, slots=True)
class Arms:
    """Arm ids by USUBJID: as randomized, and as received where somebody was dosed (empty: nothing was)."""

    kind: Kind
    planned: Mapping[str, str]
    actual: Mapping[str, str]
    order: tuple[str, ...]
    """Every arm of the study, the one that others are compared with first."""
    digest: str = ""
    """SHA-256 (hex) of the file that the arms came from; of dummy arms nothing."""


def arm_order(study: Study) -> tuple[str, ...]:
    """The arms of a study, control first."""
    control = study.analysis.control
    arms = [one.id for one in study.arms]
    return tuple(sorted(arms, key=lambda arm: (arm != control, arms.index(arm))))


def dummy_arms(study: Study, numbers: Mapping[str, str]) -> Arms:
    """Arms for a blinded run. numbers: USUBJID -> public randomization number.

    The numbers stand in the order of HMAC-SHA256(seed, number) and take the arms in turn, by the study's ratio.
    """
    seed = study.analysis.dummy_seed.encode()
    order = arm_order(study)
    ratio = study.randomization.ratio if study.randomization is not None else {}
    turn = [arm for arm in order for _ in range(int(ratio.get(arm, 1)))] or [""]
    listed = sorted(numbers, key=lambda subject: _drawn(seed, numbers[subject]))
    planned = {subject: turn[place % len(turn)] for place, subject in enumerate(listed)}
    return Arms("dummy", planned, planned, order)


def _drawn(seed: bytes, number: str) -> bytes:
    return hmac.digest(seed, number.encode(), hashlib.sha256)


def known_arms(study: Study, kind: Kind, pairs: Iterable[tuple[str, str, str]], digest: str = "") -> Arms:
    """Arms that somebody may know. pairs: USUBJID, arm as randomized, arm as received.

    Who received of two arms (their ids with a plus between) counts, as received, in the one that is not control.
    """
    listed, order = list(pairs), arm_order(study)
    planned = {subject: arm for subject, arm, _ in listed}
    actual = {subject: received(given, order) for subject, _, given in listed}
    return Arms(kind, planned, actual, order, digest)


def received(given: str, order: Sequence[str]) -> str:
    """The arm that counts as received, of ids with a plus between; order: control first."""
    return max(given.split("+"), key=lambda arm: order.index(arm) if arm in order else -1)
