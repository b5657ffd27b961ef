from __future__ import annotations

import base64
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from hypothesis import given
from hypothesis import strategies as st

from include.connection import Connection
from include.errors import Inconsistent, Refused
from include.ledger.note import Signer, Tree, Verifier, verify

# The example of C2SP signed-note v1.0.0.
VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
TEXT = "This is an example message.\n"
SIGNATURE = "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM="
NOTE = f"{TEXT}\n— example.com/foo {SIGNATURE}\n"

SEED = bytes(range(32))


def signer_of(origin: str = "ledger.example/privacy", seed: bytes = SEED) -> Signer:
    return Signer(origin, ed25519.Ed25519PrivateKey.from_private_bytes(seed))


def test_the_example_of_the_specification_verifies() -> None:
    verifier = Verifier.parse(VKEY)
    assert verifier.vkey == VKEY
    assert verify(NOTE, [verifier]) == TEXT


def test_the_vector_of_the_reference_implementation_is_signed_alike() -> None:
    """Ed25519 is deterministic: the same seed gives the same note (golang.org/x/mod/sumdb/note)."""
    key = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")
    signer = signer_of("PeterNeumann", key[1:])
    assert signer.verifier.vkey == "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
    signature = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
    assert signer.sign(text) == f"{text}\n— PeterNeumann {signature}\n"


def test_unknown_keys_beside_a_known_one_are_ignored() -> None:
    other = signer_of("other.example")
    note = NOTE + other.sign(TEXT).split("\n\n")[1]
    assert verify(note, [Verifier.parse(VKEY)]) == TEXT
    assert verify(note, [other.verifier]) == TEXT
    assert verify(note, [other.verifier, Verifier.parse(VKEY)]) == TEXT


@pytest.mark.parametrize(
    "note",
    [
        NOTE.replace("example message", "exemple message"),
        NOTE.replace("Uw2QOkn8", "Uw2QOkn9"),
        NOTE.replace("example.com/foo", "example.com/bar"),
        NOTE.replace("—", "-"),
        NOTE.removesuffix("\n"),
        NOTE.replace("\n\n", "\n"),
        NOTE.replace("This", "Th\tis"),
        NOTE + "garbage\n",
        NOTE + "— x AA==\n",
        TEXT,
        TEXT + "\n",
        "",
    ],
)
def test_anything_else_does_not_verify(note: str) -> None:
    with pytest.raises(Inconsistent):
        verify(note, [Verifier.parse(VKEY)])


def test_a_wrong_signature_of_a_known_key_condemns_the_note() -> None:
    signer = signer_of()
    forged = signer.sign("Another text.\n").split("\n\n")[1]
    with pytest.raises(Inconsistent, match="not that of its key"):
        verify(NOTE + forged, [Verifier.parse(VKEY), signer.verifier])


def test_no_key_verifies_nothing() -> None:
    with pytest.raises(Inconsistent, match="No known key"):
        verify(NOTE, [])


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])).map(lambda text: text.replace("\n", "") + "\n"))
def test_every_signed_text_verifies(text: str) -> None:
    signer = signer_of()
    assert verify(signer.sign(text), [signer.verifier]) == text


@pytest.mark.parametrize("text", ["no newline", "tab\t\n", ""])
def test_a_text_that_is_no_note_is_not_signed(text: str) -> None:
    with pytest.raises(Refused):
        signer_of().sign(text)


@pytest.mark.parametrize("origin", ["", "with space", "a+b", "no\u00a0break", "new\nline", "zero\x00"])
def test_an_origin_has_no_spaces_and_no_plus(origin: str) -> None:
    with pytest.raises(Refused, match="origin"):
        signer_of(origin)


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "a+b",
        "a+00000000+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        VKEY + "A",
        VKEY.replace("+Ae", "+Be"),
        VKEY[:-4],
    ],
)
def test_a_damaged_verifier_key_is_refused(vkey: str) -> None:
    with pytest.raises(Refused, match="verifier key"):
        Verifier.parse(vkey)


@pytest.mark.parametrize("size", [0, 1, 10**18])
def test_a_tree_is_read_back_as_it_was_signed(size: int) -> None:
    tree = Tree("ledger.example/privacy", size, bytes(range(32)))
    note = signer_of().sign(tree.text)
    assert Tree.parse(note) == Tree.verified(note, [signer_of().verifier]) == tree


def test_a_checkpoint_signed_by_the_key_of_another_log_is_not_accepted() -> None:
    other = signer_of("other.example")
    note = other.sign(Tree("ledger.example/privacy", 1, bytes(32)).text)
    with pytest.raises(Inconsistent, match="No known key"):
        Tree.verified(note, [other.verifier, signer_of().verifier])


@pytest.mark.parametrize(
    "text", ["o\n1\n", "o\n01\nAA==\n", "\n1\nx\n", f"o\n-1\n{'A' * 43}=\n", f"o\n1\n{'A' * 43}\n"]
)
def test_other_notes_are_not_checkpoints(text: str) -> None:
    with pytest.raises(Inconsistent):
        Tree.parse(signer_of().sign(text))


def _pem(key: object) -> str:
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, plain).decode()  # type: ignore[attr-defined]


def test_the_key_comes_from_a_connection_in_either_form() -> None:
    key = ed25519.Ed25519PrivateKey.from_private_bytes(SEED)
    for password in (_pem(key), base64.b64encode(SEED).decode()):
        connection = Connection("privacy_ledger_signer", password=password, extra={"origin": "ledger.example/privacy"})
        assert Signer.from_connection(connection).verifier == signer_of().verifier


@pytest.mark.parametrize(
    "password", [None, "", "secret-but-wrong", _pem(ec.generate_private_key(ec.SECP256R1())), "AAAA"]
)
def test_another_key_is_refused_without_showing_it(password: str | None) -> None:
    with pytest.raises(Refused, match="Ed25519") as caught:
        Signer.from_connection(Connection("privacy_ledger_signer", password=password, extra={"origin": "x"}))
    assert not password or password not in str(caught.value)


def test_a_key_file_is_made_once_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "signer"
    first = Signer.from_file(path, "ledger.example/privacy")
    assert Signer.from_file(path, "ledger.example/privacy").verifier == first.verifier
    assert path.stat().st_mode & 0o777 == 0o600
    assert [item.name for item in path.parent.iterdir()] == ["signer"]
    secret = path.read_text().strip()
    assert secret not in repr(first)
    path.chmod(0o640)
    with pytest.raises(Refused, match="Others may read it"):
        Signer.from_file(path, "ledger.example/privacy")
