"""Masks: documents with only the fields that were asked for."""

from __future__ import annotations

from typing import Any

from include.sandbox.firestore.paths import FieldPath, field_path
from include.sandbox.firestore.store import Stored
from include.sandbox.firestore.transforms import put
from include.sandbox.firestore.values import lookup
from include.sandbox.firestore.wire import Document


def projected(stored: Stored, fields: tuple[FieldPath, ...] | None) -> Any:
    """The document, or a copy with only some fields."""
    if fields is None:
        return stored.document
    whole = stored.document
    document = Document(name=whole.name, create_time=whole.create_time, update_time=whole.update_time)
    for path in fields:
        value = lookup(whole.fields, path)
        if value is not None:
            put(document.fields, path, value)
    return document


def mask_of(message: Any) -> tuple[FieldPath, ...] | None:
    """The paths of the request's mask, None if it has none."""
    return tuple(map(field_path, message.mask.field_paths)) if message.HasField("mask") else None
