"""Field transforms: what the service computes on write (server time, counters, minimum, maximum, arrays)."""

from __future__ import annotations

from typing import Any

from include.sandbox.firestore.paths import FieldPath, field_path
from include.sandbox.firestore.values import Rank, lookup, sort_key
from include.sandbox.firestore.wire import ArrayValue, Value, invalid, timestamp

_INT64 = 2**63


def transform(fields: Any, message: Any, at: int) -> Any:
    """Apply one ``FieldTransform`` to a map of values, in place.

    Args:
        fields: the document's fields.
        message: the transform.
        at: the server's time, microseconds since the epoch.

    Returns:
        The value that the service reports for it.

    Raises:
        Refusal: INVALID_ARGUMENT.
    """
    path = field_path(message.field_path)
    kind = message.WhichOneof("transform_type")
    old = lookup(fields, path)
    if kind == "set_to_server_value":
        if message.set_to_server_value != 1:
            raise invalid("ServerValue type must be specified for set_to_server_value transformation.")
        return put(fields, path, Value(timestamp_value=timestamp(at // 1000 * 1000)))
    if kind in {"increment", "maximum", "minimum"}:
        operand = getattr(message, kind)
        if not _is_number(operand):
            raise invalid("Input must be int64 or double.")
        combine = _increment if kind == "increment" else _maximum if kind == "maximum" else _minimum
        return put(fields, path, combine(old, operand) if _is_number(old) else operand)
    if kind in {"append_missing_elements", "remove_all_from_array"}:
        given = list(getattr(message, kind).values)
        items = list(old.array_value.values) if old is not None and old.HasField("array_value") else []
        merged = _append(items, given) if kind == "append_missing_elements" else _remove(items, given)
        put(fields, path, Value(array_value=ArrayValue(values=merged)))
        return Value(null_value=0)
    raise invalid("Operation type must be specified for field transformation.")


def put(fields: Any, path: FieldPath, value: Any) -> Any:
    """Set the value at a path, making maps on the way; returns the value."""
    for name in path[:-1]:
        fields = fields[name].map_value.fields
    new = Value()
    new.CopyFrom(value)
    fields[path[-1]].CopyFrom(new)
    return new


def remove(fields: Any, path: FieldPath) -> None:
    """Remove the value at a path, if there is one."""
    for name in path[:-1]:
        if name not in fields or not fields[name].HasField("map_value"):
            return
        fields = fields[name].map_value.fields
    fields.pop(path[-1], None)


def _is_number(value: Any | None) -> bool:
    return value is not None and sort_key(value)[0] == Rank.NUMBER


def _plain(value: Any) -> int | float:
    number: int | float = getattr(value, value.WhichOneof("value_type"))
    return number


def _increment(old: Any, by: Any) -> Any:
    total = _plain(old) + _plain(by)
    if isinstance(total, float):
        return Value(double_value=total)
    return Value(integer_value=max(-_INT64, min(_INT64 - 1, total)))


def _maximum(old: Any, other: Any) -> Any:
    return next((v for v in (old, other) if _plain(v) != _plain(v)), old if _plain(old) >= _plain(other) else other)


def _minimum(old: Any, other: Any) -> Any:
    return next((v for v in (old, other) if _plain(v) != _plain(v)), old if _plain(old) <= _plain(other) else other)


def _append(items: list[Any], given: list[Any]) -> list[Any]:
    keys = [sort_key(item) for item in items]
    for value in given:
        key = sort_key(value)
        if key not in keys:
            items.append(value)
            keys.append(key)
    return items


def _remove(items: list[Any], given: list[Any]) -> list[Any]:
    unwanted = [sort_key(value) for value in given]
    return [item for item in items if sort_key(item) not in unwanted]
