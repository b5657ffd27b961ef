"""The query language of the activity feed and of the logs, as far as one recipient or one message needs it.

``to_email="a@b.c" AND last_event_time>TIMESTAMP "2026-11-22T00:00:00Z"`` and the same with single quotes
(https://www.twilio.com/docs/sendgrid/for-developers/sending-email/getting-started-email-activity-api).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from include.sandbox.sendgrid.model import Message

Test: TypeAlias = Callable[[Message], bool]

_TERM = re.compile(
    r"""\(?\s*(?P<field>\w+)(?:\[\s*['"](?P<key>[^'"]+)['"]\s*\])?\s*
    (?P<operator><=|>=|!=|=|<|>|(?i:LIKE)\b)\s*(?P<time>(?i:TIMESTAMP)\b)?\s*
    (?:"(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>(?:[^'\\]|\\.)*)')\s*\)?""",
    re.VERBOSE,
)
_AND = re.compile(r"\s*(?i:AND)\s+")
_FIELDS: dict[str, Callable[[Message], str]] = {
    "to_email": lambda message: message.to_email,
    "from_email": lambda message: message.from_email,
    "subject": lambda message: message.subject,
    "status": lambda message: message.status,
    "msg_id": lambda message: message.msg_id,
    "sg_message_id": lambda message: message.msg_id,
}
_ARGUMENTS = frozenset({"unique_args", "custom_args"})
_TIMES = frozenset({"last_event_time", "sg_message_id_created_at"})
_COMPARE: dict[str, Callable[[datetime, datetime], bool]] = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
}


class BadQuery(Exception):
    """The query is wrong; the message is the vendor's."""


@dataclass(frozen=True, slots=True)
class Query:
    """Terms, all of which must hold; ``recipient`` is the address that one of them asks for, if any does."""

    tests: tuple[Test, ...]
    recipient: str | None

    def holds(self, message: Message) -> bool:
        """Whether a message is asked for."""
        return all(test(message) for test in self.tests)


def parse(query: str) -> Query:
    """Read a query.

    Raises:
        BadQuery: a term is not understood.
    """
    tests: list[Test] = []
    recipient, rest = None, query.strip()
    while rest:
        match = _TERM.match(rest)
        if match is None:
            raise BadQuery("invalid syntax: the query could not be parsed")
        tests.append(_test(match))
        if (match["field"], match["operator"]) == ("to_email", "="):
            recipient = _value(match).lower()
        rest = rest[match.end() :]
        joined = _AND.match(rest)
        if rest.strip() and joined is None:
            raise BadQuery("invalid syntax: terms must be joined by AND")
        rest = rest[joined.end() :] if joined else ""
    return Query(tuple(tests), recipient)


def _test(match: re.Match[str]) -> Test:
    name, operator, value = match["field"], match["operator"].upper(), _value(match)
    if name in _TIMES:
        moment = _moment(value)
        compare = _COMPARE.get(operator)
        if compare is None:
            raise BadQuery(f"invalid syntax: '{operator}' is not an operator of '{name}'")
        return lambda message: compare(message.at, moment)
    if name in _ARGUMENTS and match["key"]:
        key = match["key"]
        return _text_test(lambda message: message.custom_args.get(key, ""), operator, value)
    if name not in _FIELDS:
        raise BadQuery(f"invalid syntax: '{name}' is not a known field")
    return _text_test(_FIELDS[name], operator, value)


def _text_test(read: Callable[[Message], str], operator: str, value: str) -> Test:
    wanted = value.lower()
    if operator == "=":
        return lambda message: read(message).lower() == wanted
    if operator == "!=":
        return lambda message: read(message).lower() != wanted
    if operator == "LIKE":
        pattern = re.compile(".*".join(re.escape(part) for part in wanted.split("%")))
        return lambda message: pattern.fullmatch(read(message).lower()) is not None
    raise BadQuery(f"invalid syntax: '{operator}' is not an operator of a text")


def _value(match: re.Match[str]) -> str:
    quoted = match["double"] if match["double"] is not None else match["single"]
    return re.sub(r"\\(.)", r"\1", quoted)


def _moment(value: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise BadQuery("invalid syntax: a time must be in RFC 3339") from None
    if moment.tzinfo is None:
        raise BadQuery("invalid syntax: a time must have an offset")
    return moment
