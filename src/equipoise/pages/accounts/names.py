"""How the accounts of made-up people are told from those of real ones."""

from __future__ import annotations

REHEARSED = "rehearsal-"
"""How the names of made-up people's accounts begin: they have no password, and no other account is so named."""
