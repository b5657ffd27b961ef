"""The selection of a GraphQL query of one operation, as a tree: names, arguments, and what is asked for below."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_TOKEN = re.compile(r'\s*([{}():,]|\$?[A-Za-z_]\w*!?|"(?:[^"\\]|\\.)*"|-?\d+|!)')


class BadQuery(Exception):
    """It can't be parsed."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field, what it was given, and the fields below."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    below: tuple[Field, ...] = ()


def parse(text: str, variables: Mapping[str, Any]) -> tuple[Field, ...]:
    """The fields of the operation.

    Raises:
        BadQuery: it is none, or a variable is missing.
    """
    start = text.find("{")
    tokens = _tokens(text[start:]) if start >= 0 else []
    fields, rest = _selection(tokens, variables)
    if rest:
        raise BadQuery
    return fields


def _tokens(text: str) -> list[str]:
    tokens, place = [], 0
    while text[place:].strip():
        match = _TOKEN.match(text, place)
        if match is None:
            raise BadQuery
        tokens.append(match[1])
        place = match.end()
    return tokens


def _selection(tokens: list[str], variables: Mapping[str, Any]) -> tuple[tuple[Field, ...], list[str]]:
    if not tokens or tokens[0] != "{":
        raise BadQuery
    found, rest = [], tokens[1:]
    while rest and rest[0] != "}":
        name, rest = rest[0], rest[1:]
        arguments: dict[str, Any] = {}
        if rest and rest[0] == "(":
            end = rest.index(")") if ")" in rest else len(rest)
            arguments, rest = _arguments(rest[1:end], variables), rest[end + 1 :]
        below: tuple[Field, ...] = ()
        if rest and rest[0] == "{":
            below, rest = _selection(rest, variables)
        found.append(Field(name, arguments, below))
    if not rest or not found:
        raise BadQuery
    return tuple(found), rest[1:]


def _arguments(tokens: list[str], variables: Mapping[str, Any]) -> dict[str, Any]:
    words = [word for word in tokens if word != ","]
    if len(words) % 3 or any(colon != ":" for colon in words[1::3]):
        raise BadQuery
    return {name: _value(value, variables) for name, value in zip(words[::3], words[2::3], strict=True)}


def _value(token: str, variables: Mapping[str, Any]) -> Any:
    if token.startswith("$"):
        if token[1:] not in variables:
            raise BadQuery
        return variables[token[1:]]
    try:
        return json.loads(token)
    except ValueError:
        raise BadQuery from None
