from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from include.errors import Inconsistent, Refused
from include.ledger.checkpoint import checkpoint, latest, prove, verify_all
from include.ledger.entry import Entry, Kind, parse
from include.ledger.log import Ledger
from include.ledger.note import Signer, Tree
from include.ledger.proof import InclusionProof
from tests.ledger.test_note import signer_of


def grow(ledger: Ledger, count: int) -> None:
    ledger.append([Entry(Kind.OUTCOME, "run_1", body={"gone": number}) for number in range(count)])


def test_a_checkpoint_states_size_and_root_and_is_stored(ledger: Ledger, signer: Signer) -> None:
    assert latest(ledger) is None
    grow(ledger, 300)
    made = checkpoint(ledger, signer)
    assert made.tree == Tree(signer.verifier.name, 300, ledger.root())
    assert Tree.verified(made.note, [signer.verifier]) == made.tree
    assert latest(ledger) == made


def test_a_log_that_did_not_grow_keeps_its_checkpoint(ledger: Ledger, signer: Signer) -> None:
    grow(ledger, 3)
    assert checkpoint(ledger, signer) == checkpoint(ledger, signer)
    assert verify_all(ledger, [signer.verifier]) == 1


def test_checkpoints_at_the_same_moment_agree(ledger: Ledger, signer: Signer) -> None:
    grow(ledger, 10)
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: checkpoint(ledger, signer), range(4)))
    assert {item.note for item in made} == {made[0].note}
    assert verify_all(ledger, [signer.verifier]) == 1


def test_every_checkpoint_is_verified_against_the_log(ledger: Ledger, signer: Signer) -> None:
    for count in (0, 1, 255, 300):
        grow(ledger, count)
        checkpoint(ledger, signer)
    assert verify_all(ledger, [signer.verifier]) == 4
    with pytest.raises(Inconsistent, match="No known key"):
        verify_all(ledger, [signer_of(seed=b"2" * 32).verifier])


def test_a_new_key_continues_a_log_only_if_the_old_one_is_named(ledger: Ledger, signer: Signer) -> None:
    grow(ledger, 1)
    checkpoint(ledger, signer)
    grow(ledger, 1)
    fresh = signer_of(seed=b"2" * 32)
    with pytest.raises(Inconsistent, match="No known key"):
        checkpoint(ledger, fresh)
    assert checkpoint(ledger, fresh, retired=[signer.verifier]).tree.size == 2
    assert verify_all(ledger, [fresh.verifier, signer.verifier]) == 2


def test_a_log_keeps_its_origin(ledger: Ledger, signer: Signer) -> None:
    grow(ledger, 1)
    checkpoint(ledger, signer)
    other = signer_of("other.example")
    with pytest.raises(Inconsistent, match=r"not of other\.example"):
        checkpoint(ledger, other, retired=[signer.verifier])


def test_a_proof_can_be_checked_without_the_log(ledger: Ledger, signer: Signer) -> None:
    grow(ledger, 700)
    made = checkpoint(ledger, signer)
    grow(ledger, 5)
    for index in (0, 255, 256, 699):
        text = prove(ledger, index, made).text
        proof = InclusionProof.parse(text)
        assert proof.text == text
        assert proof.verify([signer.verifier]) == made.tree
        recorded = ledger.entry(index)
        assert (proof.index, parse(proof.entry)) == (index, (recorded.entry, recorded.at))
    with pytest.raises(Refused):
        prove(ledger, 700, made)


def test_the_text_of_a_proof_has_the_lines_of_the_specification(ledger: Ledger, signer: Signer) -> None:
    grow(ledger, 3)
    made = checkpoint(ledger, signer)
    head, note = prove(ledger, 2, made).text.split("\n\n", 1)
    lines = head.split("\n")
    assert lines[0] == "c2sp.org/tlog-proof@v1"
    assert lines[1].startswith("extra ")
    assert lines[2] == "index 2"
    assert [len(line) for line in lines[3:]] == [44]
    assert note == made.note


def test_an_altered_proof_does_not_verify(ledger: Ledger, signer: Signer) -> None:
    grow(ledger, 20)
    proof = prove(ledger, 7, checkpoint(ledger, signer))
    other = signer_of(seed=b"2" * 32)
    for altered in (
        replace(proof, entry=proof.entry.replace(b'"gone":7', b'"gone":8')),
        replace(proof, index=6),
        replace(proof, path=proof.path[:-1]),
        replace(proof, path=proof.path[::-1]),
        replace(proof, checkpoint=proof.checkpoint.replace("\n20\n", "\n21\n")),
        replace(proof, checkpoint=other.sign(Tree("elsewhere.example", 20, ledger.root()).text)),
    ):
        with pytest.raises(Inconsistent):
            altered.verify([signer.verifier])
    with pytest.raises(Inconsistent):
        proof.verify([other.verifier])


@pytest.mark.parametrize(
    "text", ["", "c2sp.org/tlog-proof@v1\nindex 0\n\nx", "c2sp.org/tlog-proof@v1\nextra AA=\nindex 0\n\nx"]
)
def test_other_texts_are_not_proofs(text: str) -> None:
    with pytest.raises(Inconsistent):
        InclusionProof.parse(text)
