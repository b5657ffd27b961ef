"""Names of documents and of fields: parsing, the service's rules for them, and their order.

A document is known inside by its key: the tuple of its path segments, in a form that sorts as the service sorts names
(numeric ids ``__id7__`` first, then by UTF-8 bytes, which is the order of code points).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TypeAlias

from include.sandbox.firestore.wire import Refusal, StatusCode, invalid

Key: TypeAlias = tuple[str, ...]
"""Segments of a path below the documents root, in sortable form. Even length: a document, odd: a collection."""

FieldPath: TypeAlias = tuple[str, ...]
"""Names of nested map fields, outermost first."""

NAME: FieldPath = ("__name__",)
"""The pseudo-field that stands for the document's own name."""

_NUMERIC = re.compile(r"__id(-?[0-9]{1,19})__")
_RESERVED = re.compile(r"__.*__", re.DOTALL)
_SEGMENT = re.compile(r"[a-zA-Z_][a-zA-Z_0-9]*|`(?:[^`\\]|\\.)+`", re.DOTALL)
_SYNTAX = (
    "Unquoted property paths must match regex ([a-zA-Z_][a-zA-Z_0-9]*), "
    "and quoted property paths must match regex (`(?:[^`\\\\]|(?:\\\\.))+`)"
)
_NUMERIC_MARK = "\x00"
MAX_ID_BYTES = 1500
MAX_NAME_BYTES = 6 * 1024


def sortable(segment: str) -> str:
    """The form of a path segment that sorts as the service sorts it."""
    numeric = _NUMERIC.fullmatch(segment) if segment.startswith("__id") else None
    return f"{_NUMERIC_MARK}{int(numeric[1]) + 2**63:020d}" if numeric else segment


def readable(segment: str) -> str:
    """The inverse of :func:`sortable`."""
    return f"__id{int(segment[1:]) - 2**63}__" if segment.startswith(_NUMERIC_MARK) else segment


def check_id(segment: str, *, collection: bool) -> None:
    """Refuse a collection or document id that the service does not take.

    Raises:
        Refusal: INVALID_ARGUMENT.
    """
    kind = "Collection id" if collection else "Resource id"
    if "/" in segment:
        raise invalid(f'{kind} "{segment}" is invalid because it contains "/".')
    if segment in {"", ".", ".."}:
        raise invalid(f'{kind} "{segment}" is not a valid id.')
    if _RESERVED.fullmatch(segment) and (collection or not _NUMERIC.fullmatch(segment)):
        raise invalid(f'{kind} "{segment}" is invalid because it is reserved.')
    if len(segment.encode()) > MAX_ID_BYTES:
        raise invalid("The key path element name is longer than 1500 bytes.")


class Names:
    """Resource names of the one database that is served.

    Args:
        project: id of the project; names of other projects and databases are refused.
    """

    def __init__(self, project: str) -> None:
        self.database = f"projects/{project}/databases/(default)"
        self.root = f"{self.database}/documents"
        self._documents = f"{self.root}/"

    def check_database(self, name: str) -> None:
        """Refuse a request for a database that is not this one.

        Raises:
            Refusal: INVALID_ARGUMENT when malformed, NOT_FOUND when there is no such database.
        """
        if not re.fullmatch(r"projects/[^/]+/databases/[^/]+", name):
            raise invalid(f'Database name "{name}" is malformed.')
        if name != self.database:
            raise Refusal(StatusCode.NOT_FOUND, f"The database {name} does not exist.")

    def document(self, name: str) -> Key:
        """The key of a full document name.

        Raises:
            Refusal: the name is malformed or belongs to another database.
        """
        key = self._key(name)
        if not key or len(key) % 2:
            raise invalid(f'Document name "{name}" lacks "/" at index {len(name)}.')
        return key

    def parent(self, name: str) -> Key:
        """The key of a parent: a document, or ``()`` for the documents root.

        Raises:
            Refusal: the name is malformed or belongs to another database.
        """
        if name == self.root:
            return ()
        key = self._key(name)
        if len(key) % 2:
            raise invalid(f'Document parent name "{name}" lacks "/" at index {len(name)}.')
        return key

    def name(self, key: Key) -> str:
        """The full name of a document or collection key."""
        return self._documents + self.path(key)

    @staticmethod
    def path(key: Key) -> str:
        """The path below the documents root."""
        return "/".join(map(readable, key))

    def _key(self, name: str) -> Key:
        if not name.startswith(self._documents):
            self._refuse(name)
        if len(name.encode()) > MAX_NAME_BYTES:
            raise invalid("Document name is longer than 6144 bytes.")
        return key_of(name[len(self._documents) :])

    def _refuse(self, name: str) -> None:
        if not name.startswith("projects/"):
            raise invalid(f'Document name "{name}" lacks "projects" at index 0.')
        if not re.match(r"projects/[^/]+/databases/[^/]+/documents(/|$)", name):
            raise invalid(f'Document name "{name}" is malformed.')
        raise invalid(f"The request was for database '{self.database}' but was attempting to access another database.")


def key_of(path: str) -> Key:
    """The key of a path below the documents root, e.g. ``workspaces/w1/contacts/c1``.

    Raises:
        Refusal: a segment is not allowed.
    """
    segments = path.split("/")
    for index, segment in enumerate(segments):
        if not segment or segment[0] in "._" or len(segment) > MAX_ID_BYTES // 4:
            check_id(segment, collection=index % 2 == 0)
    return tuple(map(sortable, segments))


@lru_cache(maxsize=4096)
def field_path(text: str) -> FieldPath:
    """Parse a field path: dotted names, quoted with back-ticks where they are not plain identifiers.

    Raises:
        Refusal: INVALID_ARGUMENT.
    """
    if not text:
        raise invalid("Invalid empty property path string.")
    names: list[str] = []
    position = 0
    while True:
        match = _SEGMENT.match(text, position)
        if not match:
            raise invalid(f'Invalid property path "{text}". {_SYNTAX}')
        names.append(_unquote(match[0]))
        position = match.end()
        if position == len(text):
            break
        if text[position] != ".":
            raise invalid(f'Invalid property path "{text}". {_SYNTAX}')
        position += 1
    path = tuple(names)
    if path != NAME and any(_RESERVED.fullmatch(name) for name in path):
        raise invalid(f"Invalid reserved name in field path {text}")
    return path


def _unquote(segment: str) -> str:
    return re.sub(r"\\(.)", r"\1", segment[1:-1], flags=re.DOTALL) if segment.startswith("`") else segment
