"""Whether somebody who signs has proved who they are, as every room asks it. Source: 21 CFR 11.200(a)."""

from __future__ import annotations

from equipoise.ledger.facts import Facts, Occasion
from equipoise.words.problem import Problem, problem


def proof_fault(facts: Facts, occasion: Occasion) -> Problem | None:
    """Why the proof of identity does not do: none, another person's, or a demonstration's in a trial."""
    proof = facts.proved
    if proof is None or proof.actor != occasion.by:
        return problem("closing.proof-missing", "password")
    if proof.method == "DEMO" and not facts.rehearsal:
        return problem("closing.demo-signature", "password")
    return None
