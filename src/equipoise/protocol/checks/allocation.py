"""How arms are allocated: the method is one that there is, and its numbers are ones that it can use.

Read from the ratio and the parameters alone; how easily a design is guessed is judged before a list is made, with the
list's length. The rule that must stay true: what passes here, the code that draws lists takes (a test holds the two
together).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fractions import Fraction

from equipoise.protocol.checks.finding import Findings, fault
from equipoise.protocol.notation import Steps
from equipoise.protocol.strata import MODE_B
from equipoise.protocol.study import Randomization, Study

_WHOLE = re.compile(r"[0-9]{1,6}")
_SHARE = re.compile(r"[0-9]{1,6}(?:/[0-9]{1,6}|\.[0-9]{1,6})?")


def allocation_can_be_made(study: Study) -> Findings:
    """The method, its parameters, and codes of levels that a stratum's name can hold."""
    chosen = study.randomization
    if chosen is None:
        return
    path: Steps = ("randomization",)
    wanted = METHODS.get(chosen.method)
    if wanted is None:
        yield fault("protocol.study-method", (*path, "method"), name=chosen.method, known=", ".join(METHODS))
    else:
        for name, fits in wanted.items():
            if not fits(chosen, chosen.parameters.get(name, "")):
                yield fault(f"protocol.study-method-{name}", (*path, "parameters"), method=chosen.method)
        if chosen.method == MODE_B and not chosen.factors:
            yield fault("protocol.study-method-factors", (*path, "factors"), method=chosen.method)
        if chosen.method == "biased_coin" and tuple(chosen.ratio.values()) != (1, 1):
            yield fault("protocol.study-method-two-arms", (*path, "ratio"), method=chosen.method)
    for n, factor in enumerate(chosen.factors):
        for m, level in enumerate(factor.levels):
            if "/" in level.code:
                yield fault("protocol.study-level-code", (*path, "factors", n, "levels", m), code=level.code)


def _sizes(chosen: Randomization, text: str) -> bool:
    """Whole multiples of the ratio's sum; blocks of two never, one opened code would open the other."""
    sizes = text.replace(",", " ").split()
    total = sum(chosen.ratio.values())
    return bool(sizes) and all(
        _WHOLE.fullmatch(size) and int(size) > 2 and total > 0 and int(size) % total == 0 for size in sizes
    )


def _imbalance(_: Randomization, text: str) -> bool:
    return _WHOLE.fullmatch(text) is not None and int(text) >= 1


def _probability(_: Randomization, text: str) -> bool:
    if _SHARE.fullmatch(text) is None or re.search(r"/0+$", text):
        return False
    return Fraction(1, 2) <= Fraction(text) <= 1


def _measure(_: Randomization, text: str) -> bool:
    return text in {"", "range", "variance"}


def _weights(chosen: Randomization, text: str) -> bool:
    """None, or a whole weight from 1 for each factor."""
    weights = text.replace(",", " ").split()
    return not weights or (
        len(weights) == len(chosen.factors)
        and all(_WHOLE.fullmatch(weight) and int(weight) >= 1 for weight in weights)
    )


METHODS: Mapping[str, Mapping[str, Callable[[Randomization, str], bool]]] = {
    "complete": {},
    "permuted_blocks": {"sizes": _sizes},
    "big_stick": {"imbalance": _imbalance},
    "maximal_procedure": {"imbalance": _imbalance},
    "biased_coin": {"probability": _probability},
    MODE_B: {"probability": _probability, "measure": _measure, "weights": _weights},
}
"""Method -> its parameters, and whether a text can be one."""
