"""A mixed model for repeated measures: problem (design), method (fit), result (what can be asked of it)."""
