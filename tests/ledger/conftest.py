"""A signer of checkpoints; the ledger itself comes from the fixtures of all rooms."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from include.ledger.note import Signer


@pytest.fixture
def signer() -> Signer:
    return Signer("ledger.example/privacy", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))


@pytest.fixture
def signer_vkey(signer: Signer) -> str:
    return signer.verifier.vkey
