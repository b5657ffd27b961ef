"""Keyed pseudonyms of subjects: the only form in which the ledger and the holds know a person.

A plain hash would not do: a million e-mail addresses are tried against it in a second. Whoever holds the key can still
link a pseudonym to an identifier, so it stays personal data (EDPB Guidelines 01/2025) and the key lives apart from it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
import unicodedata
from pathlib import Path

from include.connection import Connection
from include.errors import Refused
from include.keyfile import read_or_create

CONNECTION = "privacy_pseudonyms"
"""Id of the connection whose password is the key, in base64."""
PATTERN = re.compile(r"sub_[a-z2-7]{26}", re.ASCII)
"""Form of a subject's pseudonym: 130 bits."""

_KEY_BYTES = 32
_DOMAIN = b"privacy-subject-v1\0"


class Pseudonymiser:
    """Gives the same pseudonym for the same identifier, under one key.

    Args:
        key: secret, at least 32 random bytes.

    Raises:
        Refused: the key is shorter.
    """

    __slots__ = ("_keyed",)

    def __init__(self, key: bytes) -> None:
        if len(key) < _KEY_BYTES:
            raise Refused("pseudonyms", "use their key", f"It must have at least {_KEY_BYTES} random bytes.")
        self._keyed = hmac.new(key, _DOMAIN, hashlib.sha256)

    @classmethod
    def from_connection(cls, connection: Connection) -> Pseudonymiser:
        """The key is the connection's password, in base64.

        Raises:
            Refused: it is missing, not base64 or too short.
        """
        return cls(_decode(connection.password or ""))

    @classmethod
    def from_file(cls, path: Path) -> Pseudonymiser:
        """The key in ``path``, in base64; created there on first use, readable by its owner alone.

        Raises:
            Refused: others may read the file, or it holds no such key.
        """
        fresh = base64.b64encode(secrets.token_bytes(_KEY_BYTES))
        return cls(_decode(read_or_create(path, fresh).decode("ascii", "replace")))

    def subject(self, system_identifier: str) -> str:
        """``sub_`` and 26 letters or digits for an identifier as the store writes it, in Unicode's form NFC."""
        digest = self._keyed.copy()
        digest.update(unicodedata.normalize("NFC", system_identifier).encode())
        return "sub_" + base64.b32encode(digest.digest())[:26].decode().lower()

    def staff(self, account: str) -> str:
        """``staff_`` and 26 letters or digits for an operator's account name: operators are people too."""
        digest = self._keyed.copy()
        digest.update(b"staff\0" + unicodedata.normalize("NFC", account).encode())
        return "staff_" + base64.b32encode(digest.digest())[:26].decode().lower()

    def __repr__(self) -> str:
        return "Pseudonymiser(key hidden)"


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise Refused("pseudonyms", "read their key", f"Give {_KEY_BYTES} random bytes in base64.") from None
