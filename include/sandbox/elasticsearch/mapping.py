"""Mappings: which type a field has, how its values are read, and how new fields get a type.

https://www.elastic.co/docs/manage-data/data-store/mapping/dynamic-field-mapping
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from include.sandbox.elasticsearch.dates import DEFAULT_FORMAT, check_format, parse_date
from include.sandbox.elasticsearch.errors import EsError, illegal

NUMERIC = frozenset({"long", "integer", "short", "byte", "double", "float", "half_float"})
_WHOLE = {"long": 63, "integer": 31, "short": 15, "byte": 7}
_TYPES = NUMERIC | {"keyword", "text", "boolean", "date", "object"}
_PARAMETERS = {
    "keyword": {"ignore_above", "index", "doc_values", "fields", "null_value", "store"},
    "text": {"analyzer", "fields", "index", "index_options", "term_vector", "norms", "store"},
    "date": {"format", "index", "doc_values", "fields", "ignore_malformed"},
    "boolean": {"index", "doc_values", "fields"},
    "object": {"properties", "dynamic", "enabled"},
    **{kind: {"index", "doc_values", "fields", "coerce", "ignore_malformed"} for kind in NUMERIC},
}
_ANALYZERS: dict[str, Callable[[str], list[str]]] = {
    "standard": lambda text: re.findall(r"\w+", text.lower()),
    "simple": lambda text: re.findall(r"[^\W\d_]+", text.lower()),
    "whitespace": str.split,
    "keyword": lambda text: [text],
}
_DATE_LIKE = re.compile(r"\d{4}-\d\d(-\d\d(T.*)?)?|\d{4}/\d\d/\d\d( \d\d:\d\d:\d\d)?")
_DYNAMIC_DATE = "strict_date_optional_time||yyyy/MM/dd HH:mm:ss||yyyy/MM/dd"


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """One field that can be searched."""

    path: str
    type: str
    parent: str
    options: Mapping[str, Any]

    @property
    def format(self) -> str:
        """The formats of a date field."""
        return str(self.options.get("format", DEFAULT_FORMAT))

    @property
    def has_terms(self) -> bool:
        """Whether a query can see its values at all."""
        return bool(self.options.get("index", True) or self.options.get("doc_values", self.type != "text"))

    def read(self, value: object) -> Any:
        """One value of a document in the form in which it is compared; None if the field leaves it out.

        Raises:
            EsError: 400, the value does not fit the type.
        """
        if self.type == "date":
            return parse_date(value, self.format)
        if self.type == "boolean":
            return _boolean(value)
        if self.type in NUMERIC:
            return _number(value, self.type)
        text = value if isinstance(value, str) else _text(value)
        return None if len(text) > self.options.get("ignore_above", len(text)) else text

    def tokens(self, text: str) -> list[str]:
        """The terms under which a text is found."""
        return analyze(str(self.options.get("analyzer", "standard")), text) if self.type == "text" else [text]


def analyze(name: str, text: str) -> list[str]:
    """Split a text with a built-in analyzer.

    Raises:
        EsError: 400, there is no such analyzer here.
    """
    if name not in _ANALYZERS:
        raise illegal(f"failed to find global analyzer [{name}]")
    return _ANALYZERS[name](text)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _boolean(value: object) -> bool:
    if (value in (True, "true") and value != 1) or value is True:
        return True
    if value is False or value == "false" or value == "":
        return False
    raise illegal(f"Failed to parse value [{value}] as only [true] or [false] are allowed.")


def _number(value: object, kind: str) -> int | float:
    try:
        number = float(value) if not isinstance(value, bool | int) else value  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise illegal(f'For input string: "{value}"') from None
    if isinstance(value, bool) or not math.isfinite(number):
        raise illegal(f"[{kind}] supports only finite values")
    if kind not in _WHOLE:
        return float(number)
    if isinstance(value, str) and re.fullmatch(r"-?\d+", value):
        number = int(value)
    if abs(int(number)) >> _WHOLE[kind]:
        raise illegal(f"Value [{value}] is out of range for a {kind}")
    return int(number)


class IndexMapping:
    """The mapping of one index; grows with the documents unless it is told not to."""

    def __init__(self, body: Mapping[str, Any] | None = None) -> None:
        self._root: dict[str, Any] = {}
        self._fields: dict[str, Field] = {}
        self.merge(body or {})

    def as_json(self) -> dict[str, Any]:
        """As the mapping API shows it."""
        return self._root

    def field(self, path: str) -> Field | None:
        """The field at a dotted path, sub-fields included."""
        return self._fields.get(path)

    def fields(self) -> list[Field]:
        """All fields, sub-fields included."""
        return list(self._fields.values())

    def __len__(self) -> int:
        return len(self._fields)

    def merge(self, body: Mapping[str, Any]) -> None:
        """Add fields.

        Raises:
            EsError: 400, for an unknown type or option, or one that differs from what is there.
        """
        for key in body.keys() - {"properties", "dynamic", "_source", "_meta", "date_detection"}:
            raise EsError(
                400, "mapper_parsing_exception", f"Root mapping definition has unsupported parameters: [{key}]"
            )
        for key in body.keys() - {"properties"}:
            self._root[key] = body[key]
        for name, definition in body.get("properties", {}).items():
            self._add(name.split("."), definition)

    def take(self, source: Mapping[str, Any]) -> None:
        """Check a document against the mapping and add the fields that are new.

        Raises:
            EsError: 400, a value does not fit its field, or a new field is forbidden (``dynamic: strict``).
        """
        for path, values in _leaves(source, ""):
            field = self._fields.get(path)
            if field is None or field.type == "object":
                self._take_new(path, values, field)
                continue
            try:
                for value in values:
                    field.read(value)
            except EsError as error:
                if not field.options.get("ignore_malformed"):
                    raise _unfit(field, error) from None

    def _take_new(self, path: str, values: list[Any], field: Field | None) -> None:
        if field is not None:
            raise EsError(400, "document_parsing_exception", f"object mapping for [{path}] tried to parse as object")
        dynamic = self._dynamic(path)
        if dynamic == "strict":
            reason = f"mapping set to strict, dynamic introduction of [{path}] is not allowed"
            raise EsError(400, "strict_dynamic_mapping_exception", reason)
        if values and dynamic == "true":
            self._add(path.split("."), self._guess(values[0]))

    def _dynamic(self, path: str) -> str:
        """The nearest ``dynamic`` setting above a path; a disabled object hides everything below it."""
        found = _lower(self._root.get("dynamic", True))
        node = self._root
        for part in path.split("."):
            node = node.get("properties", {}).get(part, {})
            if node.get("enabled") is False:
                return "false"
            found = _lower(node.get("dynamic", found))
        return found

    def _guess(self, value: object) -> dict[str, Any]:
        if isinstance(value, bool):
            return {"type": "boolean"}
        if isinstance(value, int):
            return {"type": "long"}
        if isinstance(value, float):
            return {"type": "float"}
        if self._root.get("date_detection", True) and _looks_like_date(str(value)):
            return {"type": "date"}
        return {"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 256}}}

    def _add(self, parts: list[str], definition: Mapping[str, Any]) -> None:
        node = self._root
        for depth, part in enumerate(parts[:-1]):
            node = node.setdefault("properties", {}).setdefault(part, {})
            if node.get("type", "object") != "object":
                reason = f"can't merge a non object mapping [{'.'.join(parts[: depth + 1])}] with an object mapping"
                raise illegal(reason)
        kind = definition.get("type", "object")
        path = ".".join(parts)
        _check(path, kind, definition)
        if kind == "object":
            target = node.setdefault("properties", {}).setdefault(parts[-1], {})
            target.update({key: value for key, value in definition.items() if key != "properties"})
            for name, below in definition.get("properties", {}).items():
                self._add([*parts, *name.split(".")], below)
            return
        before = self._fields.get(path)
        if before and before.type != kind:
            raise illegal(f"mapper [{path}] cannot be changed from type [{before.type}] to [{kind}]")
        node.setdefault("properties", {})[parts[-1]] = dict(definition)
        self._fields[path] = Field(path, kind, path, dict(definition))
        for name, below in definition.get("fields", {}).items():
            _check(f"{path}.{name}", below["type"], below)
            self._fields[f"{path}.{name}"] = Field(f"{path}.{name}", below["type"], path, dict(below))


def _check(path: str, kind: str, definition: Mapping[str, Any]) -> None:
    if kind not in _TYPES:
        reason = f"Failed to parse mapping: No handler for type [{kind}] declared on field [{path}]"
        raise EsError(400, "mapper_parsing_exception", reason)
    for key in definition.keys() - _PARAMETERS[kind] - {"type"}:
        reason = f"Failed to parse mapping: unknown parameter [{key}] on mapper [{path}] of type [{kind}]"
        raise EsError(400, "mapper_parsing_exception", reason)
    if "format" in definition:
        check_format(definition["format"])
    if "analyzer" in definition:
        analyze(definition["analyzer"], "")


def _unfit(field: Field, error: EsError) -> EsError:
    reason = f"failed to parse field [{field.path}] of type [{field.type}]"
    return EsError(400, "document_parsing_exception", reason, caused_by=error.cause)


def _lower(value: object) -> str:
    return str(value).lower()


def _looks_like_date(text: str) -> bool:
    if not _DATE_LIKE.fullmatch(text):
        return False
    try:
        parse_date(text, _DYNAMIC_DATE)
    except EsError:
        return False
    return True


def _leaves(node: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, list[Any]]]:
    """Every path of a document that holds plain values, with those that are not null."""
    for key, value in node.items():
        yield from _leaves_at(prefix + key, value)


def _leaves_at(path: str, value: Any) -> Iterator[tuple[str, list[Any]]]:
    if isinstance(value, dict):
        yield from _leaves(value, f"{path}.")
    elif isinstance(value, list):
        plain = [item for item in value if not isinstance(item, dict | list) and item is not None]
        yield path, plain
        for item in value:
            if isinstance(item, dict | list):
                yield from _leaves_at(path, item)
    elif value is not None:
        yield path, [value]


def values_at(source: Mapping[str, Any], path: str) -> list[Any]:
    """All plain values of a document at a dotted path, whether written nested or with dots in the key."""
    if path in source:
        return [value for found, values in _leaves_at(path, source[path]) if found == path for value in values]
    if "." not in path:
        return []
    return [value for found, values in _leaves(source, "") if found == path for value in values]
