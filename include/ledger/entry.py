"""What the ledger records: typed entries and their one canonical form.

The canonical form is JSON as RFC 8785 writes it. Keys are ASCII and numbers are integers that every reader of JSON can
hold exactly, so Python's own encoder gives the same bytes as an RFC 8785 one.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeAlias
from urllib.parse import unquote

from include.errors import Refused

Json: TypeAlias = "str | int | bool | list[Json] | dict[str, Json] | None"
"""A value of a body. There are no floats: counts are integers, money is in cents, times are text."""

FORMAT = 1
"""Version of the canonical form, part of it as ``v``."""

_LARGEST = 2**53 - 1
_ID = re.compile(r"[A-Za-z0-9_.~:+/-]{1,250}", re.ASCII)
_KEY = re.compile(r"[A-Za-z0-9_.~:+/ -]{1,250}", re.ASCII)
_ADDRESS = re.compile(r"[^\s@]@[^\s@]+\.[^\s@]")
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


class Kind(StrEnum):
    """What an entry is about. The names are part of the evidence: add to them, never change one."""

    POLICY_VERSION = "policy_version"
    RUN_OPENED = "run_opened"
    PLAN = "plan"
    GUARD = "guard"
    DECISION = "decision"
    INTENT = "intent"
    OUTCOME = "outcome"
    VERIFICATION = "verification"
    DRIFT = "drift"
    HOLD_SET = "hold_set"
    HOLD_RELEASED = "hold_released"
    RUN_CLOSED = "run_closed"
    EXPUNGED = "expunged"
    OPERATOR_ACTION = "operator_action"
    REQUEST_OPENED = "request_opened"
    IDENTITY = "identity"
    FOUND = "found"
    CANCELLED = "cancelled"
    NOTICE_INTENT = "notice_intent"
    NOTICE = "notice"
    MANUAL_DONE = "manual_done"
    REQUEST_CLOSED = "request_closed"
    KEY_DESTROYED = "key_destroyed"
    ACCESS = "access"
    CLAIM = "claim"
    RETURNED = "returned"
    RELEASE = "release"


@dataclass(frozen=True, slots=True)
class Entry:
    """One fact. Ids are opaque (letters, digits and ``_.~:+/-``); nothing in it identifies a person.

    Args:
        kind: what it is about.
        run: id of the run or of the operator's session that it belongs to.
        rule: id of the rule in the policy file, if it is about one.
        system: key of the system in the policy file, if it is about one.
        body: the facts, by kind.
    """

    kind: Kind
    run: str
    rule: str | None = None
    system: str | None = None
    body: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Recorded:
    """An entry in its place in the log.

    Args:
        index: from 0, without gaps.
        at: when it was recorded, UTC.
        entry: what was recorded.
        leaf_hash: its hash in the Merkle tree, over the canonical form of ``at`` and ``entry``.
    """

    index: int
    at: datetime
    entry: Entry
    leaf_hash: bytes


def canonical(entry: Entry, at: datetime) -> bytes:
    """The bytes that are stored and hashed.

    Raises:
        Refused: a value is not allowed; the message names its key and never the value.
    """
    for name, value in (("run", entry.run), ("rule", entry.rule), ("system", entry.system)):
        if value is None and name != "run":
            continue
        if not isinstance(value, str) or not _ID.fullmatch(value):
            raise _refused(name, "an opaque id: letters, digits and _.~:+/-")
    if not isinstance(entry.body, Mapping):
        raise _refused("body", "a mapping")
    body = dict(entry.body)
    _check_items(body, "body")
    opening, closing = frame(at, entry.kind, entry.run, entry.rule, entry.system)
    return opening + _encode(body).encode() + closing


def frame(at: datetime, kind: str, run: str, rule: str | None, system: str | None) -> tuple[bytes, bytes]:
    """What stands before and after the body in the canonical form."""
    return b'{"at":"%b","body":' % timestamp(at).encode(), _closing(kind, run, rule, system)


def parse(data: bytes) -> tuple[Entry, datetime]:
    """Read a canonical form back.

    Raises:
        ValueError: it is not one.
    """
    fields = json.loads(data)
    if not isinstance(fields, dict) or fields.keys() != {"at", "body", "kind", "rule", "run", "system", "v"}:
        raise ValueError("these bytes are not an entry")
    if fields["v"] != FORMAT:
        raise ValueError("the entry has a format that this version does not know")
    entry = Entry(Kind(fields["kind"]), fields["run"], fields["rule"], fields["system"], fields["body"])
    return entry, datetime.fromisoformat(fields["at"])


def timestamp(at: datetime) -> str:
    """RFC 3339 in UTC with six digits of a second.

    Raises:
        Refused: ``at`` is not in UTC.
    """
    if at.utcoffset() != timedelta(0):
        raise _refused("at", "a time in UTC")
    return at.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


@lru_cache(maxsize=4096)
def _closing(kind: str, run: str, rule: str | None, system: str | None) -> bytes:
    fields = _encode({"kind": kind, "rule": rule, "run": run, "system": system, "v": FORMAT})
    return f",{fields[1:]}".encode()


def _check(value: object, path: str) -> None:
    """Refuse what has no exact canonical form or could identify a person."""
    if isinstance(value, str):
        if not value.isascii() or "@" in value or "%40" in value:
            _check_text(value, path)
    elif isinstance(value, int):
        if not -_LARGEST <= value <= _LARGEST:
            raise _refused(path, "an integer of at most 53 bits")
    elif isinstance(value, dict):
        _check_items(value, path)
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            _check(inner, f"{path}[{position}]")
    elif value is not None:
        raise _refused(path, "text, an integer, a truth value, a list, a dict or None; not a float")


def _check_items(value: Mapping[Any, object], path: str) -> None:
    for key, inner in value.items():
        if not isinstance(key, str) or not _KEY.fullmatch(key):
            raise _refused(f"a key of {path}", "made of letters, digits, spaces and _.~:+/-")
        _check(inner, f"{path}.{key}")


def _check_text(value: str, path: str) -> None:
    """The slow look: compatibility forms of ``@`` and percent-encoding count as the sign itself."""
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise _refused(path, "text without lone surrogates")
    if _ADDRESS.search(unquote(unicodedata.normalize("NFKC", value))):
        raise _refused(path, "free of e-mail addresses: record a pseudonym or a count")


def _refused(path: str, rule: str) -> Refused:
    return Refused("ledger", f"record an entry: {path} is not allowed", f"It must be {rule}.")
