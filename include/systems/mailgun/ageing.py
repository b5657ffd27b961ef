"""What the retention engine calls: bounces and complaints of all domains, by their age.

Unsubscribes are no part of it: they prove that somebody does not want mail. Pages follow each other by address, so that
removing what was read moves nothing. There is no bulk removal: each entry is looked at and removed by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from include.connection import Connection
from include.errors import Unavailable
from include.systems.dated_lists import Entry
from include.systems.mailgun import entries as lists
from include.systems.mailgun.client import SYSTEM, connect


class SuppressionTables:
    """See :class:`include.systems.dated_lists.Lists`; ``within`` is a domain and the subaccount that owns it."""

    def __init__(self, connection: Connection) -> None:
        self._client = connect(connection)

    def entries(self, name: str, before: datetime | None) -> Iterator[Entry]:
        """All entries: Mailgun can't leave any out."""
        for page in self._pages(name):
            yield from page

    def pages(self, name: str, before: datetime, goes: Callable[[Entry], bool]) -> Iterator[list[Entry]]:
        """The due ones of each page."""
        for page in self._pages(name):
            due = [entry for entry in page if entry.at < before and goes(entry)]
            if due:
                yield due

    def unchanged(self, name: str, entries: Sequence[Entry]) -> set[Entry]:
        """Look at each by its address."""
        found = ((entry, lists.look_at(self._client, _place(name, entry))) for entry in entries)
        return {entry for entry, item in found if item is not None and _made(item) == entry.at}

    def remove(self, name: str, entries: Iterable[Entry]) -> None:
        """Remove each by its address."""
        for entry in entries:
            lists.remove(self._client, _place(name, entry))

    def close(self) -> None:
        """Release the sockets."""
        self._client.http.close()

    def _pages(self, name: str) -> Iterator[list[Entry]]:
        for place, page in lists.items(self._client, name):
            within = f"{place.within} {place.subaccount}"
            yield [Entry(_made(item), str(item["address"]), within) for item in page]


def _place(name: str, entry: Entry) -> lists.Entry:
    domain, _, subaccount = entry.within.partition(" ")
    return lists.Entry(name, domain, subaccount, entry.email)


def _made(item: dict[str, Any]) -> datetime:
    """``created_at`` is a date of RFC 2822.

    Raises:
        Unavailable: it is none: without it nothing can be said of the entry.
    """
    try:
        return parsedate_to_datetime(str(item["created_at"])).replace(tzinfo=UTC)
    except (KeyError, ValueError):
        raise Unavailable(SYSTEM, "read when an entry was made", "Report it to the vendor: it has no date.") from None
