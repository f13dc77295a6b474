"""The analysis: from columns of data to an answer with its uncertainty, or to what is wrong with the question.

The rules that must stay true: float64 throughout; a fault of the data is a Problem, never a number that looks right.
Nothing here opens a store or knows an arm: it reads the columns that it is given.
"""

from equipoise.analysis.ancova import AncovaFit, fit_ancova
from equipoise.analysis.blinding import BlindingFit, fit_blinding
from equipoise.analysis.censored import CensoredFit, fit_censored
from equipoise.analysis.counts import CountsFit, fit_counts
from equipoise.analysis.events import Event, derive_ranks, derive_values, last_alive
from equipoise.analysis.imputation.filling import Gaps
from equipoise.analysis.imputation.means import Imputed, fit_imputed
from equipoise.analysis.imputation.posterior import Pooled, Sampler, fit_drawn
from equipoise.analysis.logistic import LogisticFit, fit_logistic
from equipoise.analysis.mmrm.result import MmrmFit, fit_mmrm
from equipoise.analysis.multiplicity import Graph, Tested, fixed_sequence, graphical, hochberg, holm
from equipoise.analysis.ordinal.result import OrdinalFit, fit_ordinal
from equipoise.analysis.ranks.cmh import CmhFit, fit_cmh
from equipoise.analysis.ranks.van_elteren import ShiftFit, VanElterenFit, fit_shift, fit_van_elteren
from equipoise.analysis.responders import ResponderFit, fit_responders
from equipoise.analysis.sequential.boundaries import Boundaries, boundaries
from equipoise.analysis.survival.cox import CoxFit, fit_cox
from equipoise.analysis.survival.curves import LogrankFit, SurvivalFit, fit_logrank, fit_survival
from equipoise.analysis.utilities import Utilities, derive_utility, load_utilities
from equipoise.analysis.wins import Outcome, WinFit, fit_win_odds, fit_winratio

__all__ = [
    "AncovaFit",
    "BlindingFit",
    "Boundaries",
    "CensoredFit",
    "CmhFit",
    "CountsFit",
    "CoxFit",
    "Event",
    "Gaps",
    "Graph",
    "Imputed",
    "LogisticFit",
    "LogrankFit",
    "MmrmFit",
    "OrdinalFit",
    "Outcome",
    "Pooled",
    "ResponderFit",
    "Sampler",
    "ShiftFit",
    "SurvivalFit",
    "Tested",
    "Utilities",
    "VanElterenFit",
    "WinFit",
    "boundaries",
    "derive_ranks",
    "derive_utility",
    "derive_values",
    "fit_ancova",
    "fit_blinding",
    "fit_censored",
    "fit_cmh",
    "fit_counts",
    "fit_cox",
    "fit_drawn",
    "fit_imputed",
    "fit_logistic",
    "fit_logrank",
    "fit_mmrm",
    "fit_ordinal",
    "fit_responders",
    "fit_shift",
    "fit_survival",
    "fit_van_elteren",
    "fit_win_odds",
    "fit_winratio",
    "fixed_sequence",
    "graphical",
    "hochberg",
    "holm",
    "last_alive",
    "load_utilities",
]
