"""The protocol buffers of ``google.firestore.v1`` as raw classes, and the one exception that becomes a gRPC status.

The raw (``upb``) classes are used instead of the proto-plus wrappers of the client because a server touches each value
of each document: the wrappers cost ten times as much.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from google.cloud.firestore_v1 import types
from google.protobuf import empty_pb2, timestamp_pb2  # type: ignore[import-untyped]
from google.rpc import status_pb2  # type: ignore[import-untyped]
from grpc import StatusCode as StatusCode  # type: ignore[import-untyped]

Value: Any = types.Value.pb()
ArrayValue: Any = types.ArrayValue.pb()
MapValue: Any = types.MapValue.pb()
Document: Any = types.Document.pb()
DocumentMask: Any = types.DocumentMask.pb()
StructuredQuery: Any = types.StructuredQuery.pb()
Write: Any = types.Write.pb()
WriteResult: Any = types.WriteResult.pb()
Timestamp: Any = timestamp_pb2.Timestamp
Empty: Any = empty_pb2.Empty
Status: Any = status_pb2.Status

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Refusal(Exception):
    """A request that the service answers with an error status.

    Args:
        code: the gRPC status.
        message: what the service says, in its words where they are known.
    """

    def __init__(self, code: StatusCode, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message


def invalid(message: str) -> Refusal:
    """The refusal of a malformed request."""
    return Refusal(StatusCode.INVALID_ARGUMENT, message)


def only(message: Any, *allowed: str) -> None:
    """Refuse a message that uses a part of the API which this server does not have.

    Raises:
        Refusal: UNIMPLEMENTED, with the name of the field.
    """
    for descriptor, _ in message.ListFields():
        if descriptor.name not in allowed:
            raise Refusal(StatusCode.UNIMPLEMENTED, f"{message.DESCRIPTOR.name}.{descriptor.name} is not served here.")


def micros(timestamp: Any) -> int:
    """Microseconds since the epoch of a protobuf timestamp (Firestore's precision; the rest is cut)."""
    return int(timestamp.seconds * 1_000_000 + timestamp.nanos // 1000)


def timestamp(at_micros: int) -> Any:
    """The protobuf timestamp of microseconds since the epoch."""
    return Timestamp(seconds=at_micros // 1_000_000, nanos=at_micros % 1_000_000 * 1000)


def moment(at_micros: int) -> datetime:
    """The UTC time of microseconds since the epoch."""
    return EPOCH + timedelta(microseconds=at_micros)
