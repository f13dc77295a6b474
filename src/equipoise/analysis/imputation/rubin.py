"""One answer from many imputed data sets.

Sources: Rubin 1987; Barnard and Rubin 1999 (degrees of freedom where the complete data have few).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from equipoise.analysis.estimate import Estimate, student


def pool(estimates: Sequence[float], variances: Sequence[float], df_complete: float) -> Estimate:
    """Rubin's rules over at least two data sets; df_complete: the analysis's own, had nothing been missing."""
    m = len(estimates)
    between, within = float(np.var(estimates, ddof=1)), float(np.mean(variances))
    total = within + (1.0 + 1.0 / m) * between
    share = (1.0 + 1.0 / m) * between / total
    observed = (df_complete + 1.0) / (df_complete + 3.0) * df_complete * (1.0 - share)
    if share * share * observed < 1e-12 * (m - 1):  # nothing that is missing matters
        df = observed
    else:
        rubin = (m - 1) / share**2
        df = rubin * observed / (rubin + observed)
    return student(float(np.mean(estimates)), float(np.sqrt(total)), df)
