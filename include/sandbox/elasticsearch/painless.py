"""A small part of Painless: enough for scripts that change ``ctx._source``, compiled to Python functions.

Statements: declarations, assignments, ``if``, ``for (def x : list)``, ``try`` and expressions. What is outside of it is
a compile error, as a mistake would be in Elasticsearch.
https://www.elastic.co/docs/reference/scripting-languages/painless/painless-language-specification
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

from include.sandbox.elasticsearch.errors import EsError
from include.sandbox.elasticsearch.expressions import Expr, applied, constant, instance_of, place, true, variable
from include.sandbox.elasticsearch.java import FAULTS, STATIC, Run, Scope, call

Script: TypeAlias = Callable[[dict[str, Any], Mapping[str, Any]], None]
"""Called with ``ctx``, which it changes, and ``params``."""

_TOKEN = re.compile(
    r"\s+|//[^\n]*|(?P<number>\d+(?:\.\d+)?L?)|(?P<text>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<symbol>\+\+|--|\+=|-=|==|!=|<=|>=|&&|\|\||[-+*/%<>=!?:;,.(){}\[\]])"
)
_TYPES = frozenset({"def", "String", "int", "long", "boolean", "double", "Map", "List", "Object"})
_CONSTANTS = {"true": True, "false": False, "null": None}
_LEVELS = (("||",), ("&&",), ("==", "!="), ("<", "<=", ">", ">=", "instanceof"), ("+", "-"), ("*", "/", "%"))


@lru_cache(maxsize=64)
def compile_script(source: str) -> Script:
    """Compile a script.

    Raises:
        EsError: 400 ``script_exception``, it uses something outside of the part known here.
    """
    run = _Parser(source).script()

    def script(ctx: dict[str, Any], params: Mapping[str, Any]) -> None:
        try:
            run({"ctx": ctx, "params": params})
        except FAULTS as error:
            raise _script_exception("runtime error", source, type(error).__name__) from None

    return script


def _script_exception(reason: str, source: str, cause: str) -> EsError:
    caused_by = {"type": "illegal_argument_exception", "reason": cause}
    return EsError(
        400, "script_exception", reason, script=source, lang="painless", script_stack=[], caused_by=caused_by
    )


class _Parser:
    """Recursive descent over the tokens; what it returns are functions of the scope."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._tokens = [*self._split(), ("end", "")]
        self._at = 0

    def script(self) -> Run:
        """The whole script."""
        return self._until("")

    def _split(self) -> list[tuple[str, str]]:
        found, position = [], 0
        while position < len(self._source):
            match = _TOKEN.match(self._source, position)
            if not match:
                raise self._unexpected(self._source[position])
            position = match.end()
            if match.lastgroup:
                found.append((match.lastgroup, match.group()))
        return found

    def _unexpected(self, token: str) -> EsError:
        return _script_exception("compile error", self._source, f"unexpected token [{token}]")

    def _peek(self, ahead: int = 0) -> str:
        """The text of a coming token; a literal text never looks like a symbol because it keeps its quotes."""
        return self._tokens[min(self._at + ahead, len(self._tokens) - 1)][1]

    def _next(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1][1]

    def _accept(self, text: str) -> bool:
        if self._peek() != text:
            return False
        self._at += 1
        return True

    def _expect(self, *texts: str) -> None:
        for text in texts:
            if not self._accept(text):
                raise self._unexpected(self._peek())

    def _until(self, end: str) -> Run:
        steps = []
        while not self._accept(end):
            if self._tokens[self._at][0] == "end":
                raise self._unexpected("end of script")
            if not self._accept(";"):
                steps.append(self._statement())

        def run(scope: Scope) -> None:
            for step in steps:
                step(scope)

        return run

    def _statement(self) -> Run:
        keyword = {"{": self._block, "if": self._if, "for": self._for, "try": self._try}.get(self._peek())
        if keyword:
            self._at += 1
            return keyword()
        run = self._declaration() if self._peek() in _TYPES and self._peek(1) != "." else self._simple()
        if self._peek() not in {"}", ""}:
            self._expect(";")
        return run

    def _block(self) -> Run:
        return self._until("}")

    def _if(self) -> Run:
        self._expect("(")
        condition = self._expression().read
        self._expect(")")
        then = self._statement()
        otherwise = self._statement() if self._accept("else") else None

        def run(scope: Scope) -> None:
            if true(condition(scope)):
                then(scope)
            elif otherwise:
                otherwise(scope)

        return run

    def _for(self) -> Run:
        self._expect("(", "def")
        name = self._next()
        self._expect(":")
        items = self._expression().read
        self._expect(")")
        body = self._statement()

        def run(scope: Scope) -> None:
            for item in items(scope):
                scope[name] = item
                body(scope)

        return run

    def _try(self) -> Run:
        body = self._statement()
        self._expect("catch", "(", "Exception")
        self._next()
        self._expect(")")
        handler = self._statement()

        def run(scope: Scope) -> None:
            try:
                body(scope)
            except FAULTS:
                handler(scope)

        return run

    def _declaration(self) -> Run:
        self._next()
        name = self._next()
        value = self._expression().read if self._accept("=") else constant(None).read

        def run(scope: Scope) -> None:
            scope[name] = value(scope)

        return run

    def _simple(self) -> Run:
        target = self._expression()
        sign = self._peek()
        if sign not in {"=", "+=", "-=", "++", "--"}:
            return target.read
        self._at += 1
        if target.store is None:
            raise self._unexpected(sign)
        value = constant(1) if sign in {"++", "--"} else self._expression()
        if sign != "=":
            value = applied(sign[0], target, value)
        store, read = target.store, value.read
        return lambda scope: store(scope, read(scope))

    def _expression(self) -> Expr:
        condition = self._binary(0)
        if not self._accept("?"):
            return condition
        then = self._expression().read
        self._expect(":")
        otherwise = self._expression().read
        return Expr(lambda scope: then(scope) if true(condition.read(scope)) else otherwise(scope))

    def _binary(self, level: int) -> Expr:
        if level == len(_LEVELS):
            return self._unary()
        left = self._binary(level + 1)
        while self._peek() in _LEVELS[level]:
            sign = self._next()
            left = (
                instance_of(left, self._next())
                if sign == "instanceof"
                else applied(sign, left, self._binary(level + 1))
            )
        return left

    def _unary(self) -> Expr:
        if self._accept("!"):
            negated = self._unary().read
            return Expr(lambda scope: not true(negated(scope)))
        if self._accept("-"):
            value = self._unary().read
            return Expr(lambda scope: -value(scope))
        expr = self._primary()
        while self._peek() in {".", "["}:
            expr = self._after_dot(expr) if self._next() == "." else self._after_bracket(expr)
        return expr

    def _after_dot(self, owner: Expr) -> Expr:
        name = self._next()
        if not self._accept("("):
            return place(owner, constant(name))
        arguments: list[Run] = []
        while not self._accept(")"):
            arguments.append(self._expression().read)
            self._accept(",")
        return Expr(lambda scope: call(owner.read(scope), name, [read(scope) for read in arguments]))

    def _after_bracket(self, owner: Expr) -> Expr:
        key = self._expression()
        self._expect("]")
        return place(owner, key)

    def _primary(self) -> Expr:
        if self._accept("("):
            inner = self._expression()
            self._expect(")")
            return Expr(inner.read)
        kind, text = self._tokens[self._at]
        self._at += 1
        if kind == "number":
            return constant(float(text) if "." in text else int(text.rstrip("L")))
        if kind == "text":
            return constant(re.sub(r"\\(.)", r"\1", text[1:-1]))
        if text in _CONSTANTS:
            return constant(_CONSTANTS[text])
        if text in STATIC:
            return constant(STATIC[text])
        if kind == "name":
            return variable(text)
        raise self._unexpected(text)
