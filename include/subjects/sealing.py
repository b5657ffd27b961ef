"""What the data key of one request does: seal its items, tag them for recognition, and the fingerprints over all."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from include.errors import Refused
from include.policy.persons import IdentifierKind
from include.subjects.identifiers import Identifier
from include.subjects.keys import derived, seal, unseal
from include.subjects.normalise import canonical

FINGERPRINTED = frozenset({IdentifierKind.EMAIL, IdentifierKind.USER_ID})
"""Kinds by which two requests are recognised as the same person's."""


def place(*parts: str) -> bytes:
    """Where a sealed value belongs, in one unambiguous form: sealed for one place, it opens in no other."""
    return json.dumps(parts).encode()


class DataKey:
    """The key of one request. Without it nothing of the request can be read.

    Args:
        request: id of the request, part of each place.
        key: 32 random bytes.
    """

    __slots__ = ("_cipher", "_request", "_tagging")

    def __init__(self, request: str, key: bytes) -> None:
        self._request = request
        self._cipher = AESGCM(derived(key, "seal"))
        self._tagging = derived(key, "tag")

    def seal(self, content: bytes, *where: str) -> bytes:
        """Encrypt for one place of this request."""
        return seal(self._cipher, place(self._request, *where), content)

    def unseal(self, sealed: bytes, *where: str) -> bytes:
        """Decrypt what was sealed for this place.

        Raises:
            Inconsistent: it was sealed for another place, or altered.
        """
        return unseal(self._cipher, place(self._request, *where), sealed)

    def tag(self, known: Identifier) -> bytes:
        """The same for the same kind and value in this request, unrelated in any other: 16 bytes."""
        return hmac.digest(self._tagging, place(known.kind.value, known.value), hashlib.sha256)[:16]

    def __repr__(self) -> str:
        return "DataKey(hidden)"


class Fingerprints:
    """Keyed hashes that are the same in all requests of one vault.

    Args:
        secret: 32 random bytes, kept wrapped in the vault, so that a new master key does not change them.
    """

    __slots__ = ("_key",)

    def __init__(self, secret: bytes) -> None:
        self._key = derived(secret, "fingerprint")

    def of(self, identifiers: Iterable[Identifier]) -> list[bytes]:
        """Fingerprints of e-mail addresses and user ids, each once; what has no canonical form has none."""
        return list(dict.fromkeys(found for known in identifiers if (found := self._one(known)) is not None))

    def _one(self, known: Identifier) -> bytes | None:
        if known.kind not in FINGERPRINTED:
            return None
        try:
            form = canonical(known.kind, known.value)
        except Refused:
            return None
        return hmac.digest(self._key, place(known.kind.value, form), hashlib.sha256)

    def __repr__(self) -> str:
        return "Fingerprints(hidden)"
