r"""NRQL as far as a look for one person needs it.

``SELECT *`` or ``SELECT count(*) [AS 'a'], filter(count(*), WHERE …) AS 'b'``; ``FROM A, B``; ``WHERE`` with ``LIKE``,
``RLIKE`` and ``=`` on attributes, bare or in ``lower(…)``, joined by ``AND`` and ``OR``; ``SINCE n days ago``;
``UNTIL`` milliseconds; ``LIMIT`` (``MAX`` is 5,000, without it 100). Rows come newest first. Text in single quotes
takes ``\'`` and ``\\``; ``%`` stands for anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

MAX = 5000
LENGTH = 4096
_CLAUSE = re.compile(
    r"SELECT\s+(?P<select>.+?)\s+FROM\s+(?P<types>[\w, ]+?)(?:\s+WHERE\s+(?P<where>.+?))?"
    r"(?:\s+SINCE\s+(?P<days>\d+) days? ago)?(?:\s+UNTIL\s+(?P<until>\d+))?(?:\s+LIMIT\s+(?P<limit>\w+))?",
    re.DOTALL,
)
_TEXT = r"'(?:[^'\\]|\\.)*'"
_CONDITION = re.compile(
    rf"\s*(?P<lower>lower\()?`?(?P<name>[A-Za-z_][\w.:]*)`?\)?\s*(?P<how>=|LIKE|RLIKE)\s*(?P<raw>r)?(?P<text>{_TEXT})\s*",
    re.DOTALL,
)
_FILTER = re.compile(r"filter\(count\(\*\), WHERE (?P<where>.*)\) AS '(?P<name>\w+)'", re.DOTALL)
_COUNT = re.compile(r"count\(\*\)(?: AS '(?P<name>\w+)')?")

Row = Mapping[str, Any]


class BadQuery(Exception):
    """The query is not understood."""


@dataclass(frozen=True, slots=True)
class _Condition:
    name: str
    lower: bool
    pattern: re.Pattern[str]

    def met(self, row: Row) -> bool:
        value = row.get(self.name)
        text = "" if value is None else str(value)
        return value is not None and self.pattern.fullmatch(text.lower() if self.lower else text) is not None


def run(query: str, rows: Iterable[Row], now: int) -> list[dict[str, Any]]:
    """The results of a query at an instant in milliseconds.

    Raises:
        BadQuery: it is not understood, or too long.
    """
    match = _CLAUSE.fullmatch(query.strip())
    if match is None or len(query) > LENGTH:
        raise BadQuery
    types = {name.strip() for name in match["types"].split(",")}
    since = now - int(match["days"]) * 86_400_000 if match["days"] else now - 3_600_000
    until = int(match["until"]) if match["until"] else now + 1
    where = _where(match["where"]) if match["where"] else None
    found = [
        row
        for row in rows
        if row["eventType"] in types and since <= row["timestamp"] < until and (where is None or _met(where, row))
    ]
    if match["select"] != "*":
        return [_counts(match["select"], found)]
    found.sort(key=lambda row: (-row["timestamp"], str(row)))
    return [dict(row) for row in found[: _limit(match["limit"])]]


def _limit(word: str | None) -> int:
    if word is None or word == "MAX":
        return 100 if word is None else MAX
    if not word.isdecimal():
        raise BadQuery
    return min(int(word), MAX)


def _counts(select: str, rows: list[Row]) -> dict[str, Any]:
    counts: dict[str, Any] = {}
    first, _, rest = select.partition(", ")
    if match := _COUNT.fullmatch(first):
        counts[match["name"] or "count"] = len(rows)
    if rest:
        match = _FILTER.fullmatch(rest)
        if match is None:
            raise BadQuery
        where = _where(match["where"])
        counts[match["name"]] = sum(_met(where, row) for row in rows)
    if not counts:
        raise BadQuery
    return counts


def _where(text: str) -> list[list[_Condition]]:
    """Groups of conditions: one group must be met, and of a group all."""
    groups: list[list[_Condition]] = [[]]
    place = 0
    while True:
        match = _CONDITION.match(text, place)
        if match is None:
            raise BadQuery
        groups[-1].append(_condition(match))
        place = match.end()
        joint = re.compile(r"(OR|AND)\b").match(text, place)
        if joint is None:
            break
        place = joint.end()
        if joint[1] == "OR":
            groups.append([])
    if text[place:].strip():
        raise BadQuery
    return groups


def _condition(match: re.Match[str]) -> _Condition:
    raw = match["text"][1:-1]
    text = re.sub(r"\\(.)", r"\1", raw, flags=re.DOTALL)
    if match["how"] == "RLIKE":
        pattern = re.compile(raw.replace("\\\\", "\\") if match["raw"] else text, re.DOTALL)
    elif match["how"] == "LIKE":
        pattern = re.compile(".*".join(re.escape(part) for part in text.split("%")), re.DOTALL)
    else:
        pattern = re.compile(re.escape(text))
    return _Condition(match["name"], match["lower"] is not None, pattern)


def _met(groups: list[list[_Condition]], row: Row) -> bool:
    return any(all(condition.met(row) for condition in group) for group in groups)
