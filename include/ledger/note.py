"""Signed notes and tree heads: C2SP signed-note v1.0.0 and tlog-checkpoint v1.0.0, with Ed25519.

See https://c2sp.org/signed-note and https://c2sp.org/tlog-checkpoint. Pure, but for ``Signer.from_file``.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from include.connection import Connection
from include.errors import Inconsistent, Refused
from include.keyfile import read_or_create

CONNECTION = "privacy_ledger_signer"
"""Id of the connection whose password is the private key and whose extra has the ``origin``."""

_ED25519 = b"\x01"
_NAME = re.compile(r"[^\s+]+")
_LINE = re.compile("— ([^\\s+]+) ([A-Za-z0-9+/]+={0,2})")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_MAX_SIGNATURES = 64


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key and its name.

    Args:
        name: of the key, which is also the origin of the log it signs for.
        key: 32 bytes.
    """

    name: str
    key: bytes

    @classmethod
    def parse(cls, vkey: str) -> Self:
        """Read a verifier key, ``<name>+<key id>+<base64>``.

        Raises:
            Refused: it is not one of an Ed25519 key.
        """
        parts = vkey.strip().split("+", 2)
        try:
            material = base64.b64decode(parts[2], validate=True)
            verifier = cls(parts[0], material[1:])
            Ed25519PublicKey.from_public_bytes(verifier.key)
            if material[:1] == _ED25519 and parts[1] == verifier.id.hex() and _NAME.fullmatch(verifier.name):
                return verifier
        except (IndexError, ValueError):
            pass
        raise Refused("ledger", "read a verifier key", "Give it as <name>+<key id in hex>+<base64>.")

    @property
    def id(self) -> bytes:
        """The four bytes that name the key in a signature."""
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + self.key).digest()[:4]

    @property
    def vkey(self) -> str:
        """The key as text, to be published."""
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(_ED25519 + self.key).decode()}"


class Signer:
    """Signs notes in the name of a log.

    Args:
        origin: name of the log and of the key, a URL without its scheme.
        key: private key.

    Raises:
        Refused: the origin has spaces or a plus sign.
    """

    def __init__(self, origin: str, key: Ed25519PrivateKey) -> None:
        if not _NAME.fullmatch(origin) or not origin.isprintable():
            raise Refused("ledger", "use the signer's origin", "Give a URL without scheme, spaces and plus signs.")
        self._key = key
        public = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        self.verifier = Verifier(origin, public)

    @classmethod
    def from_connection(cls, connection: Connection) -> Signer:
        """Password: the private key as PKCS8 PEM, or its 32 bytes in base64. Extra: ``origin``.

        Raises:
            Refused: one of them is missing or not of that form.
        """
        return cls(connection.text("origin"), _private_key(connection.password or ""))

    @classmethod
    def from_file(cls, path: Path, origin: str) -> Signer:
        """The key in ``path``; created there on first use, readable by its owner alone.

        Raises:
            Refused: others may read the file, or it holds no such key.
        """
        fresh = base64.b64encode(secrets.token_bytes(32))
        return cls(origin, _private_key(read_or_create(path, fresh).decode("ascii", "replace")))

    def sign(self, text: str) -> str:
        """The note: ``text``, which ends with a newline, and the signature.

        Raises:
            Refused: the text has control characters or no newline at its end.
        """
        if not text.endswith("\n") or _CONTROL.search(text):
            raise Refused("ledger", "sign a note", "Its text must end with a newline and have no control characters.")
        signature = base64.b64encode(self.verifier.id + self._key.sign(text.encode())).decode()
        return f"{text}\n— {self.verifier.name} {signature}\n"

    def __repr__(self) -> str:
        return f"Signer({self.verifier.vkey}, key hidden)"


def verify(note: str, verifiers: Sequence[Verifier]) -> str:
    """The text of a note that one of the known keys signed and none signed wrongly.

    Raises:
        Inconsistent: it is not such a note.
    """
    text, lines = _split(note)
    known = {(verifier.name, verifier.id): verifier for verifier in verifiers}
    signed = False
    for line in lines:
        match = _LINE.fullmatch(line)
        blob = _decode(match[2]) if match else None
        if match is None or blob is None or len(blob) < 5:
            raise _unreadable()
        verifier = known.get((match[1], blob[:4]))
        if verifier is None:
            continue
        try:
            Ed25519PublicKey.from_public_bytes(verifier.key).verify(blob[4:], text.encode())
        except InvalidSignature:
            raise Inconsistent("ledger", "verify a note", "Its signature is not that of its key.") from None
        signed = True
    if not signed:
        raise Inconsistent("ledger", "verify a note", "No known key signed it: check the verifier key.")
    return text


@dataclass(frozen=True, slots=True)
class Tree:
    """What a checkpoint says: at this size the log of this origin has this root."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @classmethod
    def parse(cls, note: str) -> Self:
        """Read the tree from a checkpoint, without verifying it.

        Raises:
            Inconsistent: it is not a checkpoint.
        """
        lines = _split(note)[0].splitlines()
        root = _decode(lines[2]) if len(lines) >= 3 else None
        if root is None or len(root) != 32 or not lines[0] or not _SIZE.fullmatch(lines[1]) or "" in lines[3:]:
            raise _unreadable()
        return cls(lines[0], int(lines[1]), root)

    @classmethod
    def verified(cls, note: str, verifiers: Sequence[Verifier]) -> Self:
        """Read the tree from a checkpoint that a key of its own origin signed.

        Raises:
            Inconsistent: it is not one.
        """
        tree = cls.parse(note)
        verify(note, [verifier for verifier in verifiers if verifier.name == tree.origin])
        return tree


def _split(note: str) -> tuple[str, list[str]]:
    text, separator, signatures = note.rpartition("\n\n")
    lines = signatures.removesuffix("\n").split("\n")
    if not separator or not signatures.endswith("\n") or _CONTROL.search(note) or len(lines) > _MAX_SIGNATURES:
        raise _unreadable()
    return text + "\n", lines


def _decode(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _unreadable() -> Inconsistent:
    return Inconsistent("ledger", "read a note", "It is not a signed note of the expected form.")


def _private_key(secret: str) -> Ed25519PrivateKey:
    try:
        if "BEGIN" in secret:
            key = serialization.load_pem_private_key(secret.strip().encode(), password=None)
            if isinstance(key, Ed25519PrivateKey):
                return key
        else:
            return Ed25519PrivateKey.from_private_bytes(base64.b64decode(secret.strip(), validate=True))
    except (ValueError, TypeError):
        pass
    raise Refused("ledger", "read the signer's key", "Give an Ed25519 key as PKCS8 PEM or 32 bytes in base64.")
