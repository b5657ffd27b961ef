"""The query languages of the activity feed and of the logs, each with its own fields.

``to_email="a@b.c" AND last_event_time>TIMESTAMP "2026-11-22T00:00:00Z"``, and in the logs
``to_email = 'a@b.c' AND status IN ('delivered', 'processed')``. Sources:
https://www.twilio.com/docs/sendgrid/for-developers/sending-email/getting-started-email-activity-api and the description
of https://www.twilio.com/docs/sendgrid/api-reference/email-logs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from include.sandbox.sendgrid.model import Message

Test: TypeAlias = Callable[[Message], bool]

_TEXT = r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
_TERM = re.compile(
    rf"""\(?\s*(?P<field>\w+)(?:\[\s*['"](?P<key>[^'"]+)['"]\s*\])?\s*
    (?:(?P<operator><=|>=|!=|=|<|>|(?i:LIKE)\b)\s*(?P<time>(?i:TIMESTAMP)\b)?\s*(?P<value>{_TEXT})
    |(?i:IN)\s*\(\s*(?P<list>{_TEXT}(?:\s*,\s*{_TEXT})*)\s*\))\s*\)?""",
    re.VERBOSE,
)
_AND = re.compile(r"\s*(?i:AND)\s+")
_READ: dict[str, Callable[[Message], str]] = {
    "to_email": lambda message: message.to_email,
    "from_email": lambda message: message.from_email,
    "subject": lambda message: message.subject,
    "status": lambda message: message.status,
    "msg_id": lambda message: message.msg_id,
    "sg_message_id": lambda message: message.msg_id,
    "reason": lambda message: "",
    "categories": lambda message: "",
}
_ORDER = ("<", ">", "<=", ">=")
_COMPARE: dict[str, Callable[[datetime, datetime], bool]] = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
}


@dataclass(frozen=True, slots=True)
class Language:
    """Which fields there are, each with its operators; ``arguments`` are fields with a key, as ``unique_args['x']``."""

    fields: Mapping[str, tuple[str, ...]]
    time: str
    arguments: frozenset[str] = frozenset()


_ANY = ("=", "!=", "LIKE", "IN")
FEED = Language(
    {
        **dict.fromkeys(("to_email", "from_email", "subject", "status", "msg_id"), _ANY),
        "last_event_time": tuple(_COMPARE),
    },
    "last_event_time",
    frozenset({"unique_args"}),
)
"""Of ``/v3/messages``."""
LOGS = Language(
    {
        **dict.fromkeys(("to_email", "subject", "sg_message_id", "reason"), ("=",)),
        **dict.fromkeys(("status", "categories"), ("IN",)),
        "sg_message_id_created_at": _ORDER,
    },
    "sg_message_id_created_at",
)
"""Of ``/v3/logs``."""


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


def parse(query: str, language: Language) -> Query:
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
        tests.append(_test(match, language))
        if (match["field"], match["operator"]) == ("to_email", "="):
            recipient = _plain(match["value"]).lower()
        rest = rest[match.end() :]
        joined = _AND.match(rest)
        if rest.strip() and joined is None:
            raise BadQuery("invalid syntax: terms must be joined by AND")
        rest = rest[joined.end() :] if joined else ""
    return Query(tuple(tests), recipient)


def _test(match: re.Match[str], language: Language) -> Test:
    name, operator = match["field"], (match["operator"] or "IN").upper()
    if match["key"] and name in language.arguments:
        key = match["key"]
        return _text_test(lambda message: message.custom_args.get(key, ""), operator, match)
    if name not in language.fields:
        raise BadQuery(f"invalid syntax: '{name}' is not a known field")
    if operator not in language.fields[name]:
        raise BadQuery(f"invalid syntax: '{operator}' is not an operator of '{name}'")
    if name == language.time:
        moment, compare = _moment(_plain(match["value"])), _COMPARE[operator]
        return lambda message: compare(message.at, moment)
    return _text_test(_READ[name], operator, match)


def _text_test(read: Callable[[Message], str], operator: str, match: re.Match[str]) -> Test:
    if operator == "IN":
        wanted = {_plain(one).lower() for one in re.findall(_TEXT, match["list"])}
        return lambda message: read(message).lower() in wanted
    value = _plain(match["value"]).lower()
    if operator == "LIKE":
        pattern = re.compile(".*".join(re.escape(part) for part in value.split("%")))
        return lambda message: pattern.fullmatch(read(message).lower()) is not None
    return lambda message: (read(message).lower() == value) == (operator == "=")


def _plain(quoted: str) -> str:
    return re.sub(r"\\(.)", r"\1", quoted[1:-1])


def _moment(value: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise BadQuery("invalid syntax: a time must be in RFC 3339") from None
    if moment.tzinfo is None:
        raise BadQuery("invalid syntax: a time must have an offset")
    return moment
