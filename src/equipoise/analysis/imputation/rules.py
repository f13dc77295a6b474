"""What is assumed of a participant after an event: at random, or as the reference arm.

The rules that must stay true: values before the event keep the means of the participant's own arm; who is in the
reference arm is the same under every rule; all rules share one covariance matrix, that of the model.

    mar   own means throughout
    j2r   the reference's means from the event on (jump to reference)
    cr    the reference's means throughout (copy reference)
    cir   the own mean at the last visit before the event, then the reference's increments (copy increments)

Source: Carpenter, Roger and Kenward 2013.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from equipoise.analysis.ops import Array

Rule = Callable[[Array, Array, int], Array]
"""(own means (..., V), the reference's (..., V), index of the first visit after the event) -> means (..., V)."""


def _mar(own: Array, reference: Array, event: int) -> Array:
    return own


def _jump(own: Array, reference: Array, event: int) -> Array:
    return np.concatenate([own[..., :event], reference[..., event:]], axis=-1)


def _copy(own: Array, reference: Array, event: int) -> Array:
    return reference


def _increments(own: Array, reference: Array, event: int) -> Array:
    if event == 0:  # no visit before it whose mean could be kept
        return reference
    moved = own[..., event - 1 : event] + reference[..., event:] - reference[..., event - 1 : event]
    return np.concatenate([own[..., :event], moved], axis=-1)


RULES: Mapping[str, Rule] = {"mar": _mar, "j2r": _jump, "cr": _copy, "cir": _increments}


def conditional(means: Array, sigma: Array, values: Array) -> tuple[Array, Array]:
    """Means and covariance (m, m) of the m missing of `values` (V,), NaN where missing, given those that were seen."""
    gone = np.isnan(values)
    if gone.all():
        return means, sigma
    seen = ~gone
    turn = np.linalg.solve(sigma[np.ix_(seen, seen)], sigma[np.ix_(seen, gone)]).T
    centre = means[gone] + turn @ (values[seen] - means[seen])
    spread = sigma[np.ix_(gone, gone)] - turn @ sigma[np.ix_(seen, gone)]
    return centre, (spread + spread.T) / 2.0
