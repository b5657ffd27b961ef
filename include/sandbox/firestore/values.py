"""Values: their total order, their rules, and their Python form.

The order of types is that of the service (https://firebase.google.com/docs/firestore/manage-data/data-types): null,
booleans, NaN, numbers, timestamps, strings, bytes, references, points, arrays, vectors, maps.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any, TypeAlias

from include.sandbox.firestore.paths import FieldPath, Key, sortable
from include.sandbox.firestore.wire import EPOCH, Value, invalid, micros, moment, timestamp

SortKey: TypeAlias = tuple[Any, ...]
"""A tuple that compares as the service compares values; its first element is the type's rank."""

MAX_PROPERTY_BYTES = 1_048_487
MAX_FIELD_NAME_BYTES = 1500
MAX_DEPTH = 20
_RESERVED = re.compile(r"__.*__", re.DOTALL)
_VECTOR = "__vector__"


class Rank(IntEnum):
    """Position of a type in the order of values."""

    NULL = 0
    BOOLEAN = 1
    NUMBER = 2
    TIMESTAMP = 3
    STRING = 4
    BYTES = 5
    REFERENCE = 6
    POINT = 7
    ARRAY = 8
    VECTOR = 9
    MAP = 10


NULL_KEY: SortKey = (Rank.NULL,)
NAN_KEY: SortKey = (Rank.NUMBER, 0)


def _number(value: float) -> SortKey:
    return NAN_KEY if value != value else (Rank.NUMBER, 1, value)


def reference_key(name: str) -> Key:
    """The sort key of a referenced document's full name; names of other databases sort by their text."""
    return tuple(map(sortable, name.split("/")))


def _map_key(value: Any) -> SortKey:
    fields = value.fields
    if "__type__" in fields and fields["__type__"].string_value == _VECTOR:
        items = fields["value"].array_value.values
        return (Rank.VECTOR, len(items), tuple(map(sort_key, items)))
    return (Rank.MAP, tuple((name, sort_key(fields[name])) for name in sorted(fields)))


_KEYS: dict[str, Any] = {
    "null_value": lambda _: NULL_KEY,
    "boolean_value": lambda v: (Rank.BOOLEAN, v),
    "integer_value": lambda v: (Rank.NUMBER, 1, v),
    "double_value": _number,
    "timestamp_value": lambda v: (Rank.TIMESTAMP, v.seconds, v.nanos // 1000),
    "string_value": lambda v: (Rank.STRING, v),
    "bytes_value": lambda v: (Rank.BYTES, v),
    "reference_value": lambda v: (Rank.REFERENCE, reference_key(v)),
    "geo_point_value": lambda v: (Rank.POINT, v.latitude, v.longitude),
    "array_value": lambda v: (Rank.ARRAY, tuple(map(sort_key, v.values))),
    "map_value": _map_key,
}


def sort_key(value: Any) -> SortKey:
    """The sort key of a value. Equal keys are equal values to a query (``1`` equals ``1.0``)."""
    kind = value.WhichOneof("value_type")
    if kind not in _KEYS:
        raise invalid("Cannot convert firestore.v1.Value with type unset.")
    key: SortKey = _KEYS[kind](getattr(value, kind))
    return key


def lookup(fields: Any, path: FieldPath) -> Any | None:
    """The value at a field path of a map of values, or None."""
    for name in path[:-1]:
        if name not in fields:
            return None
        fields = fields[name].map_value.fields
    return fields.get(path[-1])


def check_fields(fields: Any) -> int:
    """Refuse fields that the service does not store, else measure them.

    Returns:
        Their size in bytes by the service's rules (https://firebase.google.com/docs/firestore/storage-size).

    Raises:
        Refusal: INVALID_ARGUMENT.
    """
    return _check_map(fields, 1)


def _check_map(fields: Any, depth: int, *, vector: bool = False) -> int:
    size = 0
    for name, value in fields.items():
        if not name:
            raise invalid("The property.name is the empty string.")
        encoded = len(name.encode())
        if encoded > MAX_FIELD_NAME_BYTES:
            raise invalid("The property.name is longer than 1500 bytes.")
        if not vector and _RESERVED.fullmatch(name):
            raise invalid(f"field name {name} is reserved")
        size += encoded + 1 + _check_value(value, depth)
    return size


_FIXED = {
    "null_value": 1,
    "boolean_value": 1,
    "integer_value": 8,
    "double_value": 8,
    "timestamp_value": 8,
    "geo_point_value": 16,
}


def _check_value(value: Any, depth: int, *, in_array: bool = False) -> int:
    kind = value.WhichOneof("value_type")
    if kind in _FIXED:
        return _FIXED[kind]
    if kind == "string_value":
        return _check_length(value.string_value.encode()) + 1
    if kind == "bytes_value":
        return _check_length(value.bytes_value)
    if kind == "reference_value":
        return sum(len(part.encode()) + 1 for part in value.reference_value.split("/")[5:]) + 16
    if depth > MAX_DEPTH:
        raise invalid("A property contains an invalid nested entity.")
    if kind == "array_value":
        if in_array:
            raise invalid("Cannot convert an array value in an array value.")
        return sum(_check_value(item, depth + 1, in_array=True) for item in value.array_value.values)
    if kind == "map_value":
        fields = value.map_value.fields
        is_vector = "__type__" in fields and fields["__type__"].string_value == _VECTOR
        return 32 + _check_map(fields, depth + 1, vector=is_vector)
    raise invalid("Cannot convert firestore.v1.Value with type unset.")


def _check_length(content: bytes) -> int:
    if len(content) > MAX_PROPERTY_BYTES:
        raise invalid(f"The value of a property is longer than {MAX_PROPERTY_BYTES} bytes.")
    return len(content)


def from_python(value: object) -> Any:
    """The protobuf value of a Python value: None, bool, int, float, str, bytes, UTC datetime, list, dict.

    Raises:
        TypeError: Firestore has no such type.
    """
    if value is None:
        return Value(null_value=0)
    if isinstance(value, bool):
        return Value(boolean_value=value)
    if isinstance(value, str):
        return Value(string_value=value)
    if isinstance(value, int):
        return Value(integer_value=value)
    if isinstance(value, float):
        return Value(double_value=value)
    if isinstance(value, datetime):
        return Value(timestamp_value=timestamp((value - EPOCH) // timedelta(microseconds=1)))
    if isinstance(value, bytes):
        return Value(bytes_value=value)
    if isinstance(value, list | tuple):
        return Value(array_value={"values": [from_python(item) for item in value]})
    if isinstance(value, Mapping):
        return Value(map_value={"fields": {name: from_python(item) for name, item in value.items()}})
    raise TypeError(f"Firestore stores no {type(value).__name__}")


def to_python(value: Any) -> object:
    """The Python form of a protobuf value; a reference becomes its name, a point a pair of floats."""
    kind = value.WhichOneof("value_type")
    if kind == "null_value":
        return None
    if kind == "timestamp_value":
        return moment(micros(value.timestamp_value))
    if kind == "array_value":
        return [to_python(item) for item in value.array_value.values]
    if kind == "map_value":
        return {name: to_python(item) for name, item in value.map_value.fields.items()}
    if kind == "geo_point_value":
        return (value.geo_point_value.latitude, value.geo_point_value.longitude)
    plain: object = getattr(value, kind)
    return plain


def is_nan(value: Any) -> bool:
    """Whether a value is the floating-point "not a number"."""
    return value.WhichOneof("value_type") == "double_value" and math.isnan(value.double_value)
