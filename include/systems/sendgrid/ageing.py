"""What the retention engine calls: entries of four suppression lists, over the account and its subusers, by their age.

Unsubscribes are no part of it: they prove that somebody does not want mail. A page is found by its offset, so that the
offset counts what stays, not what was read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime

from include.connection import Connection
from include.errors import Unavailable
from include.systems.dated_lists import Entry
from include.systems.sendgrid import suppressions
from include.systems.sendgrid.client import PAGE, SYSTEM, Account, Accounts


class SuppressionLists:
    """See :class:`include.systems.dated_lists.Lists`; ``within`` is the name of a subuser, "" for the account."""

    def __init__(self, connection: Connection) -> None:
        self._accounts = Accounts(connection)

    def entries(self, name: str, before: datetime | None) -> Iterator[Entry]:
        """All entries; the vendor leaves out what was made after ``before``."""
        bounds = {} if before is None else {"end_time": int(before.timestamp())}
        for account in self._accounts.all():
            for page in suppressions.pages(account, name, **bounds):
                yield from (_entry(account, item) for item in page)

    def pages(self, name: str, before: datetime, goes: Callable[[Entry], bool]) -> Iterator[list[Entry]]:
        """Read from what stays on, until nothing that goes is left; what does not go away is passed over."""
        for account in self._accounts.all():
            stay, last = 0, set[Entry]()
            while True:
                items = suppressions.page(account, name, stay, end_time=int(before.timestamp()))
                found = [_entry(account, item) for item in items]
                due = [entry for entry in found if entry.at < before and goes(entry) and entry not in last]
                stay += len(found) - len(due)
                if due:
                    last = set(due)
                    yield due
                elif len(items) < PAGE:
                    break

    def unchanged(self, name: str, entries: Sequence[Entry]) -> set[Entry]:
        """Those that a look at the span of time between the oldest and the newest shows."""
        span = {"start_time": int(min(entries).at.timestamp()), "end_time": int(max(entries).at.timestamp())}
        by_subuser = {account.subuser or "": account for account in self._accounts.all()}
        found: set[Entry] = set()
        for within in {entry.within for entry in entries}:
            account = by_subuser[within]
            for page in suppressions.pages(account, name, **span):
                found.update(_entry(account, item) for item in page)
        return found.intersection(entries)

    def remove(self, name: str, entries: Iterable[Entry]) -> None:
        """Remove by exact addresses, 500 to a call."""
        due: dict[str, list[suppressions.Entry]] = {}
        for entry in entries:
            due.setdefault(entry.within, []).append(suppressions.Entry(name, entry.email))
        for account in self._accounts.all():
            suppressions.remove(account, due.get(account.subuser or "", ()))

    def close(self) -> None:
        """Release the sockets."""
        self._accounts.close()


def _entry(account: Account, item: dict[str, object]) -> Entry:
    """``created`` is in seconds since 1970.

    Raises:
        Unavailable: it is not there: without it nothing can be said of the entry.
    """
    made = item.get("created")
    if isinstance(made, bool) or not isinstance(made, int):
        raise Unavailable(SYSTEM, "read when an entry was made", "Report it to the vendor: it has no date.")
    return Entry(datetime.fromtimestamp(made, UTC), str(item["email"]), account.subuser or "")
