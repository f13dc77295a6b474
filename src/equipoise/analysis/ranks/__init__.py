"""Rank tests and shifts by stratum: Cochran–Mantel–Haenszel, van Elteren, Hodges and Lehmann."""
