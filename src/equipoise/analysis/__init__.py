"""The analysis: from columns of data to an answer with its uncertainty, or to what is wrong with the question.

The rules that must stay true: float64 throughout; a fault of the data is a Problem, never a number that looks right.
Nothing here opens a store or knows an arm: it reads the columns that it is given.
"""

from equipoise.analysis.ancova import AncovaFit, fit_ancova
from equipoise.analysis.mmrm.result import MmrmFit, fit_mmrm
from equipoise.analysis.ordinal.result import OrdinalFit, fit_ordinal

__all__ = ["AncovaFit", "MmrmFit", "OrdinalFit", "fit_ancova", "fit_mmrm", "fit_ordinal"]
