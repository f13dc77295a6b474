"""Trials that never happened: many at a time (`batch`), by the estimators of the analysis room."""
