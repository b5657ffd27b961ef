"""The tree against the RFC's own recursive definition and against the vectors of Certificate Transparency."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.ledger import merkle

LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
HASHES = [merkle.leaf_hash(number.to_bytes(2)) for number in range(700)]

sizes = st.integers(min_value=1, max_value=len(HASHES))


def definition(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 9162, 2.1.1, over leaf hashes, word by word."""
    if len(leaves) == 0:
        return merkle.EMPTY
    if len(leaves) == 1:
        return leaves[0]
    middle = 1
    while middle * 2 < len(leaves):
        middle *= 2
    return merkle.node_hash(definition(leaves[:middle]), definition(leaves[middle:]))


def node(height: int, index: int) -> bytes:
    part = HASHES[index << height : (index + 1) << height]
    assert len(part) == 1 << height, "a subtree that is not complete was asked for"
    return definition(part)


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_certificate_transparency(size: int) -> None:
    leaves = [merkle.leaf_hash(data) for data in LEAVES[:size]]
    assert merkle.fold(leaves).hex() == ROOTS[size]


@given(sizes)
def test_fold_root_and_frontier_agree_with_the_definition(size: int) -> None:
    expected = definition(HASHES[:size])
    frontier = merkle.Frontier()
    for leaf in HASHES[:size]:
        frontier.push(leaf)
    assert merkle.fold(HASHES[:size]) == merkle.root(size, node) == frontier.root() == expected
    assert frontier.size == size


@given(sizes, st.integers(0, 255))
def test_a_frontier_of_blocks_with_a_tail_has_the_root_of_its_leaves(size: int, tail: int) -> None:
    blocks, rest = divmod(min(size + tail, len(HASHES)), merkle.WIDTH)
    frontier = merkle.Frontier()
    for number in range(blocks):
        frontier.push(merkle.fold(HASHES[number * 256 : (number + 1) * 256]), merkle.HEIGHT)
    assert frontier.root(HASHES[blocks * 256 :][:rest]) == definition(HASHES[: blocks * 256 + rest])


def test_a_frontier_refuses_a_subtree_out_of_place() -> None:
    frontier = merkle.Frontier()
    frontier.push(HASHES[0])
    with pytest.raises(ValueError, match="multiple"):
        frontier.push(HASHES[1], 8)


@given(st.data())
def test_inclusion_proofs_hold_and_no_altered_one_does(data: st.DataObject) -> None:
    size = data.draw(sizes)
    index = data.draw(st.integers(0, size - 1))
    root, proof = definition(HASHES[:size]), merkle.inclusion(index, size, node)
    assert merkle.verify_inclusion(HASHES[index], index, size, proof, root)
    assert not merkle.verify_inclusion(HASHES[index][::-1], index, size, proof, root)
    assert not merkle.verify_inclusion(HASHES[index], index, size, [*proof, root], root)
    assert not merkle.verify_inclusion(HASHES[index], size, size, proof, root)
    for position in range(len(proof)):
        assert not merkle.verify_inclusion(HASHES[index], index, size, _altered(proof, position), root)
        assert not merkle.verify_inclusion(HASHES[index], index, size, proof[:position], root)
    other = data.draw(st.integers(0, size - 1).filter(lambda place: place != index or size == 1))
    if size > 1:
        assert not merkle.verify_inclusion(HASHES[index], other, size, proof, root)


@given(st.data())
def test_consistency_proofs_hold_and_no_altered_one_does(data: st.DataObject) -> None:
    new = data.draw(sizes)
    old = data.draw(st.integers(0, new))
    before, after = definition(HASHES[:old]), definition(HASHES[:new])
    proof = merkle.consistency(old, new, node)
    assert merkle.verify_consistency(old, new, before, after, proof)
    assert not merkle.verify_consistency(old, new, before[::-1], after, proof)
    assert old == 0 or not merkle.verify_consistency(old, new, before, after[::-1], proof)
    assert not merkle.verify_consistency(old, new, before, after, [*proof, before])
    assert not merkle.verify_consistency(new + 1, new, before, after, proof)
    for position in range(len(proof)):
        assert not merkle.verify_consistency(old, new, before, after, _altered(proof, position))
        assert not merkle.verify_consistency(old, new, before, after, proof[:position])


def test_a_rewritten_leaf_breaks_consistency() -> None:
    forged = [HASHES[-1], *HASHES[1:300]]
    proof = merkle.consistency(
        200, 300, lambda height, index: definition(forged[index << height : (index + 1) << height])
    )
    assert not merkle.verify_consistency(200, 300, definition(HASHES[:200]), definition(forged), proof)


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_no_inclusion_proof_outside_of_the_tree(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="no leaf"):
        merkle.inclusion(index, size, node)


@pytest.mark.parametrize(("old", "new"), [(-1, 3), (4, 3)])
def test_no_consistency_proof_backwards(old: int, new: int) -> None:
    with pytest.raises(ValueError, match="larger"):
        merkle.consistency(old, new, node)


@given(st.lists(st.integers(1, 400), min_size=1, max_size=8))
def test_stored_nodes_are_complete_whatever_the_sizes_of_the_batches(batches: list[int]) -> None:
    leaves: list[bytes] = []
    nodes: dict[tuple[int, int], bytes] = {}

    def stored(height: int, begin: int, end: int) -> list[bytes]:
        return leaves[begin:end] if height == 0 else [nodes[height, index] for index in range(begin, end)]

    for count in batches:
        new = [merkle.leaf_hash((len(leaves) + number).to_bytes(4)) for number in range(count)]
        nodes |= {(height, index): value for height, index, value in merkle.completed(len(leaves), new, stored)}
        leaves += new
    assert nodes == {
        (8, block): definition(leaves[block * 256 : (block + 1) * 256]) for block in range(len(leaves) // 256)
    }


def test_two_stored_heights_complete_at_once() -> None:
    leaves = [merkle.leaf_hash(number.to_bytes(4)) for number in range(65_537)]
    done = {(height, index): value for height, index, value in merkle.completed(0, leaves, lambda *_: [])}
    assert len(done) == 257
    assert done[16, 0] == merkle.fold(leaves[:65_536])


def _altered(proof: list[bytes], position: int) -> list[bytes]:
    return [value[::-1] if place == position else value for place, value in enumerate(proof)]
