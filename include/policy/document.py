"""YAML text → plain values with the place of each in the file.

A policy is read by people who don't know YAML's corners, so the corners are closed: text that YAML would turn into
something else (``no``, ``012``, ``1:30``, a bare date), anchors, tags and repeated keys are findings, not surprises.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from include.errors import Refused
from include.policy.errors import Finding, Severity

Trail: TypeAlias = tuple[str | int, ...]
"""The keys and indexes that lead to a value, as in ``("rules", 3, "period")``."""
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_LARGEST = 1_000_000
_PREFIX = "tag:yaml.org,2002:"
_WHOLE = re.compile(r"-?(0|[1-9][0-9]*)")
_TRAPS = {
    "bool": "write true or false for a yes or no, or put it in quotes if text is meant",
    "int": "write a number without leading zeros, colons or underscores, or put it in quotes if text is meant",
    "float": "numbers in a policy are whole; put it in quotes if text is meant",
    "timestamp": "put dates and times in quotes",
    "merge": "merge keys are not used in a policy; write the entry out",
    "value": "put it in quotes",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Line and column, both from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Document:
    """A file as read: mappings as ``dict``, sequences as ``tuple``, scalars as ``str``, ``int``, ``bool`` or None."""

    file: str
    data: Any
    keys: dict[Trail, Place]
    values: dict[Trail, Place]
    findings: tuple[Finding, ...]

    def place(self, path: Trail, *, key: bool = False) -> Place:
        """Where the value at ``path`` is, or its key, or the nearest thing above it that the file contains."""
        for length in range(len(path), 0, -1):
            part = path[:length]
            place = (self.keys.get(part) if key else None) or self.values.get(part)
            if place:
                return place
        return self.values.get((), Place(1, 1))

    def has(self, path: Trail) -> bool:
        """Whether the file itself contains ``path`` (values can also come from defaults)."""
        return path in self.values


def read_file(path: str | Path) -> Document:
    """Read a policy file.

    Raises:
        Refused: it can't be read, is not UTF-8 text, or is larger than a megabyte.
    """
    try:
        content = Path(path).read_bytes()
        if len(content) > _LARGEST:
            raise Refused("policy", f"read {path}", "A policy file has at most a megabyte.")
        return parse(content.decode("utf-8"), str(path))
    except OSError as error:
        raise Refused("policy", f"read {path}", f"Check that it exists and may be read ({error.strerror}).") from None
    except UnicodeDecodeError as error:
        raise Refused("policy", f"read {path}", f"Save it as UTF-8 (byte {error.start} is not).") from None


def parse(text: str, file: str = "policy") -> Document:
    """Read policy text. Mistakes of the syntax become findings of the document, never an exception."""
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)
        return Document(file, None, {}, {}, (_syntax(text, place, error.problem or "unreadable"),))
    except (yaml.YAMLError, RecursionError):
        finding = Finding(1, 1, Severity.ERROR, "the file holds characters or nesting that YAML does not allow")
        return Document(file, None, {}, {}, (finding,))
    finally:
        loader.dispose()
    builder = _Builder()
    data = builder.build(root, ()) if root is not None else None
    if not isinstance(data, dict):
        builder.report(Place(1, 1), "the file must be a mapping that starts with 'version', 'company' and 'document'")
    return Document(file, data, builder.keys, builder.values, tuple(builder.findings))


def _syntax(text: str, place: Place, problem: str) -> Finding:
    lines = text.splitlines()
    line = lines[place.line - 1] if place.line <= len(lines) else ""
    indent = line[: len(line) - len(line.lstrip())]
    if "\t" in indent:
        column = indent.index("\t") + 1
        return Finding(place.line, column, Severity.ERROR, "a tab; YAML is indented with spaces only")
    return Finding(place.line, place.column, Severity.ERROR, f"not YAML: {problem}")


class _Builder:
    """Turns the node tree into values and remembers where each stood."""

    def __init__(self) -> None:
        self.keys: dict[Trail, Place] = {}
        self.values: dict[Trail, Place] = {}
        self.findings: list[Finding] = []
        self._seen: set[int] = set()

    def report(self, place: Place, message: str) -> None:
        self.findings.append(Finding(place.line, place.column, Severity.ERROR, message))

    def build(self, node: yaml.Node, path: Trail) -> Any:
        place = _place(node)
        self.values[path] = place
        if id(node) in self._seen:
            self.report(place, "an alias (*name); entries of a policy are written out, not repeated by reference")
            return None
        self._seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return tuple(self.build(item, (*path, index)) for index, item in enumerate(node.value))
        return self._scalar(node)

    def _mapping(self, node: yaml.MappingNode, path: Trail) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node)
            if key is None:
                continue
            if key in values:
                first = self.keys[*path, key]
                self.report(_place(key_node), f"'{key}' is here a second time; the first is in line {first.line}")
                continue
            self.keys[*path, key] = _place(key_node)
            values[key] = self.build(value_node, (*path, key))
        return values

    def _key(self, node: yaml.Node) -> str | None:
        if not isinstance(node, yaml.ScalarNode):
            self.report(_place(node), "a key must be a single word or text")
            return None
        if node.tag == f"{_PREFIX}merge":
            self.report(_place(node), _TRAPS["merge"])
            return None
        # `on` and `no` are booleans to YAML 1.1; as a key only their text can be meant.
        return str(node.value)

    def _scalar(self, node: yaml.Node) -> Any:
        text, kind = str(node.value), node.tag.removeprefix(_PREFIX)
        if kind == "str":
            return text
        if kind == "null":
            return None
        if kind == "bool" and text in {"true", "false"}:
            return text == "true"
        if kind == "int" and _WHOLE.fullmatch(text):
            return int(text)
        advice = _TRAPS.get(kind, "tags (!name) are not used in a policy")
        self.report(_place(node), f"YAML does not read {text!r} as it is written: {advice}")
        return text


def _place(node: yaml.Node) -> Place:
    return Place(node.start_mark.line + 1, node.start_mark.column + 1)
