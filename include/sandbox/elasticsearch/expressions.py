"""Expressions of a script, as functions of its variables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from include.sandbox.elasticsearch.java import OPERATORS, Run, Scope, ScriptFault, element, is_a


@dataclass(frozen=True, slots=True)
class Expr:
    """An expression: how to read it and, if it names a place, how to store into it."""

    read: Run
    store: Callable[[Scope, Any], None] | None = None


def true(value: object) -> bool:
    """The value of a condition, which must be a boolean."""
    if not isinstance(value, bool):
        raise ScriptFault("cannot cast to boolean")
    return value


def constant(value: object) -> Expr:
    """A literal."""
    return Expr(lambda scope: value)


def variable(name: str) -> Expr:
    """A name."""

    def store(scope: Scope, value: object) -> None:
        scope[name] = value

    return Expr(lambda scope: scope[name], store)


def place(owner: Expr, key: Expr) -> Expr:
    """An element of a map or list, by key."""

    def store(scope: Scope, value: object) -> None:
        owner.read(scope)[key.read(scope)] = value

    return Expr(lambda scope: element(owner.read(scope), key.read(scope)), store)


def applied(sign: str, left: Expr, right: Expr) -> Expr:
    """A binary operator; ``&&`` and ``||`` look at the right side only if they must."""
    if sign == "&&":
        return Expr(lambda scope: true(left.read(scope)) and true(right.read(scope)))
    if sign == "||":
        return Expr(lambda scope: true(left.read(scope)) or true(right.read(scope)))
    operate = OPERATORS[sign]
    return Expr(lambda scope: operate(left.read(scope), right.read(scope)))


def instance_of(value: Expr, name: str) -> Expr:
    """``value instanceof name``."""
    return Expr(lambda scope: is_a(value.read(scope), name))
