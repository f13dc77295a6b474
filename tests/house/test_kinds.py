"""Every kind of entry has its words, and every kind that lies near the blind says to whose pages it belongs.

Source of the rules: decision 0002 (one catalogue); the audit page shows a reader no kind of pages that they never read.
"""

from __future__ import annotations

import ast

import pytest
from house_files import text

from equipoise.access.policy import data_words
from equipoise.desk.audit import kind_key
from equipoise.ledger.entries import KINDS
from equipoise.words.problem import catalogue

NEAR_THE_BLIND = {
    # module that folds them -> kinds that the participant's or the site's own pages show to everybody who reads those
    "src/equipoise/randomization/blind.py": {"SubjectRandomized", "RaterAssigned"},
    "src/equipoise/access/evolve.py": {"TrainingRecorded", "CertificateRecorded", "CertificateWithdrawn"},
}


def named_in(path: str) -> set[str]:
    """The kinds of entry that a module names."""
    names = {node.id for node in ast.walk(ast.parse(text(path))) if isinstance(node, ast.Name)}
    return names & set(KINDS)


def test_every_kind_has_its_words_and_no_words_are_left_over():
    words = {key for key in catalogue() if key.startswith("kinds.")}
    assert {kind_key(kind) for kind in KINDS} == words


def test_no_two_kinds_have_the_same_words():
    for language in ("en", "zh"):
        said = [catalogue()[kind_key(kind)].say(language) for kind in KINDS]
        assert len(said) == len(set(said))


def test_what_a_kind_belongs_to_is_a_word_of_the_policy():
    assert {kind.belongs for kind in KINDS.values()} - {""} <= set(data_words())


@pytest.mark.parametrize("path", NEAR_THE_BLIND)
def test_a_kind_near_the_blind_says_where_it_belongs(path):
    found = named_in(path)
    assert NEAR_THE_BLIND[path] <= found, "an exception that is none any more"
    assert [kind for kind in sorted(found - NEAR_THE_BLIND[path]) if not KINDS[kind].belongs] == []
