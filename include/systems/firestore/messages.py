"""The protocol buffers that this module sends and reads, as raw classes.

The proto-plus wrappers of the client cost about ten times as much for each document; the raw classes are the same
messages (``Message.pb()`` is proto-plus' documented way to them).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from google.cloud.firestore_v1 import types
from google.protobuf.timestamp_pb2 import Timestamp  # type: ignore[import-untyped]

from include.systems.firestore.fields import FieldPath

Value: Any = types.Value.pb()
Document: Any = types.Document.pb()
Write: Any = types.Write.pb()
StructuredQuery: Any = types.StructuredQuery.pb()

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(timestamp: Any) -> datetime:
    """The UTC time of a protobuf timestamp, cut to microseconds (Firestore's precision)."""
    return _EPOCH + timedelta(seconds=timestamp.seconds, microseconds=timestamp.nanos // 1000)


def timestamp(at: datetime) -> Any:
    """The protobuf timestamp of a UTC time."""
    micros = (at - _EPOCH) // timedelta(microseconds=1)
    return Timestamp(seconds=micros // 1_000_000, nanos=micros % 1_000_000 * 1000)


def lookup(document: Any, path: FieldPath) -> Any | None:
    """The value at a field path of a document, or None."""
    fields = document.fields
    for name in path[:-1]:
        if name not in fields:
            return None
        fields = fields[name].map_value.fields
    return fields.get(path[-1])


def put(document: Any, path: FieldPath, value: Any) -> None:
    """Set the value at a field path, making maps on the way."""
    fields = document.fields
    for name in path[:-1]:
        fields = fields[name].map_value.fields
    fields[path[-1]].CopyFrom(value)


def carries(document: Any, paths: Iterable[FieldPath]) -> bool:
    """Whether a document has any of the fields."""
    return any(lookup(document, path) is not None for path in paths)
