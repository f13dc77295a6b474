"""The Merkle tree against published numbers, and its proofs against every small tree."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.ledger.merkle import (
    EMPTY_ROOT,
    GrowingTree,
    consistency_holds,
    consistency_proof,
    inclusion_holds,
    inclusion_proof,
    node_of,
    root_of,
)

# Inputs, roots and proofs of the reference implementation of Certificate Transparency (Google), file
# cpp/merkletree/merkle_tree_test.cc, also in transparency-dev/merkle, testonly; leaves hashed as RFC 6962, 2.1 says.
INPUTS = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSION = [  # leaf counted from 1, size, path
    (1, 1, []),
    (1, 8, [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]),
    (6, 8, [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]),
    (3, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (2, 5, [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ]),
]  # fmt: skip
CONSISTENCY = [  # older size, newer size, path
    (1, 1, []),
    (1, 8, [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]),
    (6, 8, [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]),
    (2, 5, [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ]),
]  # fmt: skip
LEAVES = [hashlib.sha256(b"\x00" + bytes.fromhex(text)).digest() for text in INPUTS]


def tree(size: int) -> list[bytes]:
    return [hashlib.sha256(number.to_bytes(2, "big")).digest() for number in range(size)]


def test_the_roots_are_the_published_ones():
    assert [root_of(LEAVES[:size]).hex() for size in range(1, 9)] == ROOTS
    # RFC 6962, 2.1: the hash of an empty list is the hash of an empty string.
    assert root_of([]) == EMPTY_ROOT == hashlib.sha256().digest()


@pytest.mark.parametrize(("leaf", "size", "path"), INCLUSION)
def test_inclusion_proofs_are_the_published_ones(leaf, size, path):
    proof = inclusion_proof(LEAVES[:size], leaf - 1)
    assert [one.hex() for one in proof] == path
    assert inclusion_holds(LEAVES[leaf - 1], leaf - 1, size, proof, bytes.fromhex(ROOTS[size - 1]))


@pytest.mark.parametrize(("older", "newer", "path"), CONSISTENCY)
def test_consistency_proofs_are_the_published_ones(older, newer, path):
    proof = consistency_proof(LEAVES[:newer], older)
    assert [one.hex() for one in proof] == path
    roots = bytes.fromhex(ROOTS[older - 1]), bytes.fromhex(ROOTS[newer - 1])
    assert consistency_holds(older, newer, *roots, proof)


def test_the_seven_leaf_example_of_rfc_6962():
    # RFC 6962, 2.1.3: names of nodes as in its drawings.
    a, b, c, d, e, f, j = leaves = tree(7)
    g, h, i = node_of(a, b), node_of(c, d), node_of(e, f)
    k, low = node_of(g, h), node_of(i, j)
    assert root_of(leaves) == node_of(k, low)
    assert inclusion_proof(leaves, 0) == (b, h, low)
    assert inclusion_proof(leaves, 3) == (c, g, low)
    assert inclusion_proof(leaves, 4) == (f, j, k)
    assert inclusion_proof(leaves, 6) == (i, k)
    assert consistency_proof(leaves, 3) == (c, d, g, low)
    assert consistency_proof(leaves, 4) == (low,)
    assert consistency_proof(leaves, 6) == (i, j, k)


def test_every_proof_of_every_small_tree_holds_and_no_other_leaf_or_size_does():
    for size in range(1, 34):
        leaves = tree(size)
        root = root_of(leaves)
        for index in range(size):
            path = inclusion_proof(leaves, index)
            for other in range(size):
                assert inclusion_holds(leaves[other], other, size, path, root) == (other == index)
            assert not inclusion_holds(leaves[index], index, size, path[:-1], root) or not path
            assert not inclusion_holds(leaves[index], index, size, (*path, root), root)
        for older in range(1, size + 1):
            path = consistency_proof(leaves, older)
            for wrong in range(1, size + 1):
                held = consistency_holds(older, size, root_of(leaves[:wrong]), root, path)
                assert held == (wrong == older), (older, size, wrong)


@given(size=st.integers(1, 40), data=st.data())
def test_a_proof_with_one_bit_changed_does_not_hold(size, data):
    leaves = tree(size)
    root = root_of(leaves)
    index, older = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))

    def flipped(path):
        at = data.draw(st.integers(0, len(path) * 256 - 1))
        changed = bytearray(path[at // 256])
        changed[at % 256 // 8] ^= 1 << at % 8
        return [*path[: at // 256], bytes(changed), *path[at // 256 + 1 :]]

    inclusion, consistency = inclusion_proof(leaves, index), consistency_proof(leaves, older)
    if inclusion:
        assert not inclusion_holds(leaves[index], index, size, flipped(inclusion), root)
    if consistency:
        assert not consistency_holds(older, size, root_of(leaves[:older]), root, flipped(consistency))


@pytest.mark.parametrize(("leaves", "asked"), [(0, 0), (3, 3), (3, -1)])
def test_a_leaf_that_is_not_there_has_no_proof(leaves, asked):
    with pytest.raises(IndexError):
        inclusion_proof(tree(leaves), asked)
    with pytest.raises(IndexError):
        consistency_proof(tree(leaves), asked if asked < 1 else asked + 1)
    assert not inclusion_holds(EMPTY_ROOT, asked, leaves, (), EMPTY_ROOT)
    assert not consistency_holds(0, leaves, EMPTY_ROOT, EMPTY_ROOT, ())


@given(st.integers(1, 70), st.data())
def test_a_growing_tree_is_at_every_size_the_tree_of_its_leaves(count: int, data: st.DataObject) -> None:
    """Root and both proofs against the functions above, which stand against published numbers."""
    leaves, tree = [hashlib.sha256(bytes([at])).digest() for at in range(count)], GrowingTree()
    assert tree.root() == EMPTY_ROOT
    for leaf in leaves:
        tree.add(leaf)
    size = data.draw(st.integers(1, count))
    some, index = leaves[:size], data.draw(st.integers(0, size - 1))
    assert (len(tree), list(tree.leaves)) == (count, leaves)
    assert tree.root(size) == root_of(some)
    assert tree.inclusion(index, size) == inclusion_proof(some, index)
    older = data.draw(st.integers(1, size))
    assert tree.consistency(older, size) == consistency_proof(some, older)
    for wrong in ((size, size), (-1, size), (0, count + 1)):
        with pytest.raises(IndexError):
            tree.inclusion(*wrong)
    with pytest.raises(IndexError):
        tree.consistency(size + 1, size)
