"""The searches, in NRQL. Nothing of a value can end a string or a query: only letters, digits, ``.``, ``_``, ``-``.

Source: https://docs.newrelic.com/docs/nrql/nrql-syntax-clauses-functions/.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from include.connection import Connection
from include.errors import Refused
from include.subjects.identifiers import Subject
from include.systems.mentions import is_word
from include.systems.new_relic import KINDS

MAX = 5000
"""Rows of an answer, what ``LIMIT MAX`` gives."""
LENGTH = 4000
"""Characters of a query; the vendor takes 4,096."""
LONGEST = 200
"""Characters of a value that are searched for: more of them would find no fewer persons."""
OLDEST = "SINCE 400 days ago"
"""Before any retention that can be set (395 days), so that an event that outlived it is seen."""
RECENT = "SINCE 1 day ago"
EVENTS = ("Log", "Transaction", "TransactionError", "PageView", "AjaxRequest", "JavaScriptError")
ATTRIBUTES = ("message", "error.message", "errorMessage", "request.uri", "pageUrl", "requestUrl", "enduser.id")
_NAME = re.compile(r"[A-Za-z_][\w.:]*", re.ASCII)
_ADDRESS = r"(?i).*[a-z0-9._%+-]+(@|%40)[a-z0-9-]+([.][a-z0-9-]+)*[.][a-z]{2,}.*"
_ODD = re.compile(r"[^a-z0-9._-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Queries:
    """What is searched: types of events, and attributes of theirs."""

    events: tuple[str, ...]
    attributes: tuple[str, ...]

    @classmethod
    def of(cls, connection: Connection) -> Queries:
        """Read ``extra``.

        Raises:
            Refused: a list is empty, or has what is no name.
        """
        return cls(_names(connection, "event_types", EVENTS), _names(connection, "attributes", ATTRIBUTES))

    def searches(self, subjects: Sequence[Subject]) -> Iterator[str]:
        """The fewest searches, in order, that hold all values of these persons; without a time and a limit."""
        head = f"SELECT * FROM {', '.join(self.events)} WHERE "  # noqa: S608 - names and patterns are checked
        query = ""
        values = (value for subject in subjects for value in subject.values(*KINDS) if is_word(value))
        for like in dict.fromkeys(map(pattern, values)):
            more = " OR ".join(f"lower(`{name}`) LIKE '%{like}%'" for name in self.attributes)
            if query and len(head) + len(query) + len(more) + 4 > LENGTH:
                yield head + query
                query = ""
            query = f"{query} OR {more}" if query else more
        if query:
            yield head + query

    def census(self) -> str:
        """Counts events of the last day, and those of them in which something looks like an e-mail address."""
        alike = " OR ".join(f"`{name}` RLIKE r'{_ADDRESS}'" for name in self.attributes)
        select = f"SELECT count(*) AS 'looked', filter(count(*), WHERE {alike}) AS 'violations'"
        return f"{select} FROM {', '.join(self.events)} {RECENT}"


def pattern(value: str) -> str:
    """What a text with this value is like, in small letters.

    ``%`` stands for anything but letters, digits, ``.``, ``_`` and ``-``, so that the ``%40`` of a URL is found as the
    ``@`` is, and no quote ever gets into a query. More is found than was meant: it is matched again in code.
    """
    like = _ODD.sub("%", value.lower()[:LONGEST])
    if any(character.isalnum() for character in like):
        return like
    return "".join(character if character.isalnum() else "%" for character in value.lower()[:LONGEST])


def _names(connection: Connection, name: str, default: tuple[str, ...]) -> tuple[str, ...]:
    given = connection.extra.get(name, default)
    if not isinstance(given, list | tuple) or not given or not all(_NAME.fullmatch(str(each)) for each in given):
        raise Refused(connection.id, "read its connection", f"'{name}' in the extra is a list of names.")
    return tuple(map(str, given))
