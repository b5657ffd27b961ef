"""Loggly's search language as far as a look for one person needs it, over an index of words.

``*``, words, ``"phrases"``, ``json.field:word``, ``json.field:"phrase"``, joined by ``AND`` (or nothing) and ``OR``
(https://documentation.solarwinds.com/en/success_center/loggly/content/admin/search-query-language.htm). A phrase is
found where its words stand in a row, whatever their case: ``ann@example.com`` is found in ``jo-ann@example.com``, and
the asker has to compare exactly.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_CLAUSE = re.compile(r'\s*(?:(?P<field>[A-Za-z_][\w.\-]*):)?(?:"(?P<phrase>(?:[^"\\]|\\.)*)"|(?P<word>[^\s"()]+))')
_WORD = re.compile(r"\w+(?:[.']\w+)*")


class BadQuery(Exception):
    """The query is not understood."""


class Index:
    """Which event has which words in a row; texts are fields of JSON objects, nested ones joined by a dot."""

    def __init__(self, events: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        self._texts: dict[str, dict[str, tuple[str, ...]]] = {}
        self._words: dict[str, set[str]] = {}
        for identifier, content in events:
            self.add(identifier, content)

    def add(self, identifier: str, content: Mapping[str, Any]) -> None:
        """Take in an event."""
        texts = {name: tuple(words(text)) for name, text in _leaves(content, "json")}
        self._texts[identifier] = texts
        for text in texts.values():
            for word in text:
                self._words.setdefault(word, set()).add(identifier)

    def search(self, query: str) -> set[str]:
        """Ids of the events that match.

        Raises:
            BadQuery: the query is not understood.
        """
        return set().union(*(self._all(group) for group in _groups(query)))

    def _all(self, clauses: Iterable[tuple[str, str]]) -> set[str]:
        found: set[str] | None = None
        for field, text in clauses:
            hits = self._clause(field, text)
            found = hits if found is None else found & hits
        return found or set()

    def _clause(self, field: str, text: str) -> set[str]:
        if text == "*" and not field:
            return set(self._texts)
        wanted = tuple(words(text))
        if not wanted:
            return set()
        candidates = set.intersection(*(self._words.get(word, set()) for word in wanted))
        return {one for one in candidates if any(_in_a_row(t, wanted) for t in self._read(one, field))}

    def _read(self, identifier: str, field: str) -> Iterable[tuple[str, ...]]:
        texts = self._texts[identifier]
        return texts.values() if not field else [texts.get(field, ())]


def words(text: str) -> Iterator[str]:
    """The words of a text in lower case; a dot between letters does not part them."""
    return (match.group().lower() for match in _WORD.finditer(text))


def _groups(query: str) -> Iterator[list[tuple[str, str]]]:
    group: list[tuple[str, str]] = []
    rest = query.strip()
    if not rest:
        raise BadQuery("q is required")
    while rest:
        match = _CLAUSE.match(rest)
        if match is None:
            raise BadQuery("the query could not be parsed")
        rest = rest[match.end() :].lstrip()
        quoted, word = match["phrase"], match["word"]
        if quoted is None and word == "OR":
            yield group
            group = []
        elif quoted is not None or word != "AND":
            group.append((match["field"] or "", re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else word))
    yield group


def _in_a_row(text: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    size = len(wanted)
    return any(text[start : start + size] == wanted for start in range(len(text) - size + 1))


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for name, below in value.items():
            yield from _leaves(below, f"{path}.{name}")
    else:
        yield path, str(value)
