"""The scales that trials measure with: items, scores, scoring, licence and codes; as data.

Others use the names below: `scale(id)`, `score(scale, answers)`, `answer_problem(item, answer, explained=…)`.
"""

from equipoise.instruments.load import read_scale, scale, scales
from equipoise.instruments.scales import Answer, Scale, ScaleItem, ScoreOption, Total
from equipoise.instruments.scoring import (
    Assessment,
    TotalScore,
    answer_problem,
    assess,
    derive,
    graded,
    item_bounds,
    read_answer,
    score,
    unanswered,
    unmet_expectations,
)
from equipoise.instruments.variants import counting, limited, worded

__all__ = [
    "Answer",
    "Assessment",
    "Scale",
    "ScaleItem",
    "ScoreOption",
    "Total",
    "TotalScore",
    "answer_problem",
    "assess",
    "counting",
    "derive",
    "graded",
    "item_bounds",
    "limited",
    "read_answer",
    "read_scale",
    "scale",
    "scales",
    "score",
    "unanswered",
    "unmet_expectations",
    "worded",
]
