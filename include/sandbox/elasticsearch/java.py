"""What Painless scripts here may call: operators and methods with Java's meaning.

Painless refuses what is not on its lists (``java.lang.txt`` and so on in ``modules/lang-painless``); so does this.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeAlias

from include.sandbox.elasticsearch.dates import from_millis

Scope: TypeAlias = dict[str, Any]
Run: TypeAlias = Callable[[Scope], Any]


class ScriptFault(Exception):
    """What would be an exception in Java."""


FAULTS = (ScriptFault, TypeError, ValueError, KeyError, IndexError, AttributeError, ZeroDivisionError)
"""What a ``catch (Exception e)`` catches."""

_CLASSES: dict[str, tuple[type, ...]] = {
    "String": (str,),
    "Map": (dict,),
    "List": (list,),
    "Number": (int, float),
    "Boolean": (bool,),
}


def is_a(value: Any, name: str) -> bool:
    """``value instanceof name``."""
    return isinstance(value, _CLASSES[name]) and (name == "Boolean" or not isinstance(value, bool))


def plus(left: Any, right: Any) -> Any:
    """Sum of numbers, or joined text as soon as one side is text."""
    if isinstance(left, str) or isinstance(right, str):
        return to_text(left) + to_text(right)
    return left + right


def to_text(value: Any) -> str:
    """``String.valueOf``."""
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _divide(left: Any, right: Any) -> Any:
    whole = isinstance(left, int) and isinstance(right, int)
    return math.trunc(left / right) if whole and right else left / right


def _remainder(left: Any, right: Any) -> Any:
    result = math.fmod(left, right) if isinstance(left, float) or isinstance(right, float) else abs(left) % abs(right)
    return result if isinstance(result, float) or left >= 0 else -result


OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "+": plus,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divide,
    "%": _remainder,
}


def element(owner: Any, key: Any) -> Any:
    """``owner[key]`` and ``owner.key``: null for a key that a map does not have."""
    if isinstance(owner, dict):
        return owner.get(key)
    if isinstance(owner, list) and isinstance(key, int):
        return owner[key]
    raise ScriptFault(f"no field [{key}]")


def call(owner: Any, name: str, arguments: list[Any]) -> Any:
    """``owner.name(arguments)``.

    Raises:
        ScriptFault: there is no such method, or it failed.
    """
    kind = type(owner) if not isinstance(owner, StaticClass) else owner.name
    method = _METHODS.get((kind, name))
    if method is None:
        raise ScriptFault(f"dynamic method [{name}/{len(arguments)}] not found")
    return method(owner, *arguments)


class StaticClass:
    """A class whose static methods a script calls."""

    def __init__(self, name: str) -> None:
        self.name = name


STATIC = {name: StaticClass(name) for name in ("Math", "Instant", "ZonedDateTime")}


class _Time:
    """An ``Instant`` or a ``ZonedDateTime``."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment


def _substring(text: str, start: int, end: int | None = None) -> str:
    last = len(text) if end is None else end
    if not 0 <= start <= last <= len(text):
        raise ScriptFault("begin, end or length out of range")
    return text[start:last]


def _parse_zoned(_: Any, text: str) -> _Time:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None or "T" not in text or text[-5] in "+-":
        raise ScriptFault("text could not be parsed")
    return _Time(moment)


def _instant_text(time: _Time) -> str:
    moment = time.moment.astimezone(from_millis(0).tzinfo)
    micro = moment.microsecond
    fraction = "" if not micro else f".{micro // 1000:03d}" if micro % 1000 == 0 else f".{micro:06d}"
    return f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}Z"


_METHODS: dict[tuple[Any, str], Callable[..., Any]] = {
    (dict, "get"): dict.get,
    (dict, "remove"): lambda map_, key: map_.pop(key, None),
    (dict, "put"): lambda map_, key, value: map_.__setitem__(key, value),
    (dict, "containsKey"): lambda map_, key: key in map_,
    (dict, "size"): len,
    (dict, "isEmpty"): lambda map_: not map_,
    (list, "size"): len,
    (list, "get"): lambda list_, at: list_[at],
    (list, "add"): list.append,
    (list, "contains"): lambda list_, value: value in list_,
    (str, "length"): len,
    (str, "substring"): _substring,
    (str, "indexOf"): str.find,
    (str, "startsWith"): str.startswith,
    (str, "codePointCount"): lambda text, start, end: len(text[start:end]),
    (str, "offsetByCodePoints"): lambda text, start, count: start + count,
    (str, "toLowerCase"): str.lower,
    (str, "toString"): str,
    (int, "longValue"): int,
    (float, "longValue"): math.trunc,
    (int, "toString"): str,
    ("Math", "min"): lambda _, left, right: min(left, right),
    ("Math", "max"): lambda _, left, right: max(left, right),
    ("Math", "floor"): lambda _, value: float(math.floor(value)),
    ("Instant", "ofEpochMilli"): lambda _, value: _Time(from_millis(value)),
    ("ZonedDateTime", "parse"): _parse_zoned,
    (_Time, "toInstant"): lambda time: time,
    (_Time, "toString"): _instant_text,
}
"""Painless counts UTF-16 units, Python code points; scripts that cut only at ``offsetByCodePoints`` agree."""
