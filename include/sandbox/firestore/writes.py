"""Writes: preconditions, update masks, transforms and size rules, staged so that a commit is all or nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from include.sandbox.firestore.paths import Key, Names, field_path
from include.sandbox.firestore.store import Store, Stored
from include.sandbox.firestore.transforms import put, remove, transform
from include.sandbox.firestore.values import check_fields, lookup
from include.sandbox.firestore.wire import Document, Refusal, StatusCode, WriteResult, invalid, micros, only, timestamp

MAX_DOCUMENT_BYTES = 1_048_576
MAX_TRANSFORMS = 500


class Staging:
    """Writes of one commit, applied to a copy-on-write view of the store.

    Args:
        store: the documents; its lock must be held until :meth:`apply`.
        names: the database's names.
        at: the commit time, microseconds since the epoch.
    """

    def __init__(self, store: Store, names: Names, at: int) -> None:
        self._store = store
        self._names = names
        self._at = at
        self._changes: dict[Key, Stored | None] = {}

    def apply(self) -> None:
        """Make all staged writes visible at once."""
        self._store.apply(self._at, self._changes)

    def write(self, message: Any) -> Any:
        """Stage one ``Write``.

        Returns:
            Its ``WriteResult``.

        Raises:
            Refusal: a precondition does not hold, or the write is malformed.
        """
        only(message, "update", "delete", "transform", "update_mask", "update_transforms", "current_document")
        key = target(message, self._names)
        old = self._changes.get(key, self._store.documents.get(key))
        _check_precondition(message.current_document, old)
        if message.WhichOneof("operation") == "delete":
            if key in self._store.documents or key in self._changes:
                self._changes[key] = None
            return WriteResult()
        results, document = self._content(message, old)
        stored = self._version(key, document, old)
        self._changes[key] = stored
        return WriteResult(update_time=timestamp(stored.updated), transform_results=results)

    def _content(self, message: Any, old: Stored | None) -> tuple[list[Any], Any]:
        """The new fields, and the results of the transforms."""
        document = Document()
        if message.HasField("transform"):
            if not message.transform.field_transforms:
                raise invalid("The list of FieldTransform must not be empty.")
            if old:
                document.CopyFrom(old.document)
            transforms = message.transform.field_transforms
        else:
            _merge(document, message, old)
            transforms = message.update_transforms
        if len(transforms) > MAX_TRANSFORMS:
            raise invalid(f"A document can have at most {MAX_TRANSFORMS} transforms in one request.")
        return [transform(document.fields, item, self._at) for item in transforms], document

    def _version(self, key: Key, document: Any, old: Stored | None) -> Stored:
        """The version to store: the old one if nothing changed, as its update time tells."""
        document.name = self._names.name(key)
        size = check_fields(document.fields) + 32 + sum(len(part.encode()) + 1 for part in key) + 16
        if size > MAX_DOCUMENT_BYTES:
            raise invalid(
                f"Document '{document.name}' cannot be written because its size ({size:,} bytes) exceeds "
                f"the maximum allowed size of {MAX_DOCUMENT_BYTES:,} bytes."
            )
        created = old.created if old else self._at
        document.create_time.CopyFrom(timestamp(created))
        if old:
            document.update_time.CopyFrom(old.document.update_time)
            if document == old.document:
                return old
        document.update_time.CopyFrom(timestamp(self._at))
        return Stored(key, document, created, self._at)


def target(message: Any, names: Names) -> Key:
    """The key of the document that a ``Write`` is about.

    Raises:
        Refusal: it names none, or a malformed one.
    """
    operation = message.WhichOneof("operation")
    if operation is None:
        raise invalid("empty write operation")
    if operation == "delete":
        return names.document(message.delete)
    return names.document(message.update.name if operation == "update" else message.transform.document)


def stage(store: Store, names: Names, writes: Iterable[Any], at: int) -> tuple[Staging, list[Any]]:
    """Stage all writes of a commit.

    Raises:
        Refusal: of the first write that cannot be done.
    """
    staging = Staging(store, names, at)
    return staging, [staging.write(message) for message in writes]


def _merge(document: Any, message: Any, old: Stored | None) -> None:
    """Fill in the fields of an update: all of them, or those of the mask over the old ones."""
    if not message.HasField("update_mask"):
        document.fields.MergeFrom(message.update.fields)
        return
    if old:
        document.CopyFrom(old.document)
    for text in message.update_mask.field_paths:
        path = field_path(text)
        value = lookup(message.update.fields, path)
        if value is None:
            remove(document.fields, path)
        else:
            put(document.fields, path, value)


def _check_precondition(precondition: Any, old: Stored | None) -> None:
    kind = precondition.WhichOneof("condition_type")
    if kind == "exists" and precondition.exists and old is None:
        raise Refusal(StatusCode.NOT_FOUND, "no entity to update")
    if kind == "exists" and not precondition.exists and old is not None:
        raise Refusal(StatusCode.ALREADY_EXISTS, "entity already exists")
    if kind == "update_time" and (old is None or old.updated != micros(precondition.update_time)):
        stored = old.updated if old else 0
        raise Refusal(
            StatusCode.FAILED_PRECONDITION,
            f"the stored version ({stored}) does not match the required base version "
            f"({micros(precondition.update_time)})",
        )
