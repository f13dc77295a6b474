"""Measurements: what this machine reaches, printed as a table. Nothing here passes or fails.

Every table carries the machine's speed loop, because a number without the machine it was taken on cannot be compared.
"""
