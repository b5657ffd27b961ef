"""Master keys of the vault: they wrap the data key of each request, and are changed without touching what it sealed.

Envelope encryption: https://csrc.nist.gov/pubs/sp/800/57/pt1/r5/final section 6.2. Both layers are AES-256-GCM (NIST SP
800-38D) with random nonces of 96 bits; one master key may wrap 2³² data keys.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from include.connection import Connection
from include.errors import Inconsistent, Refused
from include.keyfile import read_or_create

CONNECTION = "privacy_vault_key"
"""Id of the connection whose password is the master key and whose ``extra.previous`` lists the keys before it."""

KEY_BYTES = 32
NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A key that only the holder of a master key can read.

    Args:
        master: id of the master key; not a secret.
        content: nonce and ciphertext.
    """

    master: str
    content: bytes


class Keyring:
    """The master key that wraps, and older ones that still unwrap.

    Args:
        current: 32 random bytes.
        previous: keys in use before, until a rotation has re-wrapped everything.

    Raises:
        Refused: a key has another length.
    """

    __slots__ = ("_keys", "current")

    def __init__(self, current: bytes, previous: Sequence[bytes] = ()) -> None:
        keys = [current, *previous]
        if any(len(key) != KEY_BYTES for key in keys):
            raise Refused("vault", "use its master key", f"Each must have {KEY_BYTES} random bytes, in base64.")
        self._keys = {_id(key): AESGCM(key) for key in keys}
        self.current = _id(current)
        """Id of the key that wraps."""

    @classmethod
    def from_connection(cls, connection: Connection) -> Keyring:
        """The current key is the connection's password, older ones are the list ``extra.previous``; all in base64.

        Or all are in the file that ``extra.file`` names, see ``from_file``.

        Raises:
            Refused: a key is missing, not base64 or of another length.
        """
        if connection.extra.get("file"):
            return cls.from_file(Path(connection.text("file")))
        previous = connection.extra.get("previous") or []
        if not isinstance(previous, list) or not all(isinstance(key, str) for key in previous):
            raise Refused(connection.id, "read 'previous' of its connection", "Give a list of keys in base64.")
        return cls(_decode(connection.password or ""), [_decode(key) for key in previous])

    @classmethod
    def from_file(cls, path: Path) -> Keyring:
        """One key per line in base64, the current one first; created on first use, readable by its owner alone.

        Raises:
            Refused: others may read the file, or a line is no such key.
        """
        fresh = base64.b64encode(secrets.token_bytes(KEY_BYTES))
        lines = read_or_create(path, fresh).decode("ascii", "replace").split()
        keys = [_decode(line) for line in lines or [""]]
        return cls(keys[0], keys[1:])

    def wrap(self, place: bytes, key: bytes) -> Wrapped:
        """Wrap a key for one place; it can be unwrapped in no other.

        Args:
            place: what the key belongs to, authenticated and not kept.
            key: the secret.
        """
        return Wrapped(self.current, seal(self._keys[self.current], place, key))

    def unwrap(self, place: bytes, wrapped: Wrapped) -> bytes:
        """The key again.

        Raises:
            Refused: its master key is not in this ring.
            Inconsistent: it was wrapped for another place, or altered.
        """
        master = self._keys.get(wrapped.master)
        if master is None:
            raise Refused("vault", "unwrap a data key", _missing(wrapped.master))
        return unseal(master, place, wrapped.content)

    def __repr__(self) -> str:
        return f"Keyring(current={self.current!r}, keys hidden)"


def seal(cipher: AESGCM, place: bytes, content: bytes) -> bytes:
    """A random nonce, then the ciphertext with its tag; ``place`` is authenticated and not kept."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, content, place)


def unseal(cipher: AESGCM, place: bytes, sealed: bytes) -> bytes:
    """What was sealed for this place.

    Raises:
        Inconsistent: it was sealed for another place or with another key, or altered.
    """
    try:
        return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place)
    except (InvalidTag, ValueError):
        raise Inconsistent(
            "vault", "decrypt what it holds", "A row was exchanged or altered: keep everything and find out by whom."
        ) from None


def derived(key: bytes, purpose: str) -> bytes:
    """A key for one purpose only, from a uniformly random one (HKDF-Expand, RFC 5869)."""
    return HKDFExpand(SHA256(), KEY_BYTES, b"privacy-vault\0" + purpose.encode()).derive(key)


def _id(key: bytes) -> str:
    return "key_" + base64.b32encode(derived(key, "id of a master key")[:10]).decode().lower()


def _missing(master: str) -> str:
    return f"The master key {master} is not in {CONNECTION}: add it to 'previous' of its extra."


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise Refused("vault", "read its master key", f"Give {KEY_BYTES} random bytes in base64.") from None
