"""Suppression tables of a domain. The path without an address is the whole table, and its deletion clears it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from include.sandbox.mailgun.errors import refused
from include.sandbox.mailgun.model import Domain, Entry, shown
from include.sandbox.mailgun.paging import page_of
from include.sandbox.mailgun.settings import Settings
from include.sandbox.rest import Ask, Reply

_CLEARED = {
    "bounces": "Bounced addresses for this domain have been removed",
    "unsubscribes": "Unsubscribe addresses for this domain have been removed",
    "complaints": "Complaint addresses for this domain have been removed",
    "whitelists": "Allowlist addresses/domains for this domain have been removed",
}
_REMOVED = {
    "bounces": "Bounced addresses for this domain have been removed",
    "unsubscribes": "Unsubscribe event has been removed",
    "complaints": "Complaint addresses for this domain have been removed",
    "whitelists": "Allowlist address/domain has been removed",
}
_NOT_FOUND = {
    "bounces": "Address not found in bounces table",
    "unsubscribes": "Address not found in unsubscribers table",
    "complaints": "No spam complaints found for this address",
    "whitelists": "Address/Domain not found in allowlist table",
}
_NOTHING_TO_DELETE = {**_NOT_FOUND, "unsubscribes": "Unsubscribe event for this tag does not exist"}


class Suppressions:
    """The operations.

    Args:
        domain: finds a domain or refuses.
        clock: the time of the service.
        settings: of the service.
    """

    def __init__(self, domain: Callable[[str], Domain], clock: Callable[[], datetime], settings: Settings) -> None:
        self._domain = domain
        self._clock = clock
        self._settings = settings

    @property
    def table(self) -> dict[str, Callable[..., Reply]]:
        """Routes."""
        return {
            "GET /v3/{}/{}": self._list,
            "POST /v3/{}/{}": self._add,
            "DELETE /v3/{}/{}": self._clear,
            "GET /v3/{}/{}/{}": self._get,
            "DELETE /v3/{}/{}/{}": self._delete,
        }

    def _list(self, ask: Ask, domain: str, table: str) -> Reply:
        start = ask.query.get("term", "").lower()
        latest = self._settled()
        entries = {
            key: entry
            for key, entry in self._entries(domain, table).items()
            if key.startswith(start) and entry.created_at <= latest
        }
        rows, paging = page_of(ask, entries)
        return Reply(body={"items": [shown(table, row) for row in rows], "paging": paging})

    def _add(self, ask: Ask, domain: str, table: str) -> Reply:
        """One entry as a form, or up to 1000 as JSON."""
        entries = self._entries(domain, table)
        rows = ask.json if isinstance(ask.json, list) else [dict(ask.form)]
        if len(rows) > 1000:
            raise refused(400, "Batch size should be less than 1000")
        for row in rows:
            if not isinstance(row, dict) or not isinstance(row.get("address"), str) or "@" not in row["address"]:
                raise refused(400, "'address' parameter is invalid")
            code, error = str(row.get("code", "550")), str(row.get("error", ""))
            entries[row["address"].lower()] = Entry(row["address"].lower(), self._clock(), code, error)
        count = f"{len(rows)} {table} addresses have" if len(rows) > 1 else "Address has"
        return Reply(body={"message": f"{count} been added to the {table} table"})

    def _clear(self, ask: Ask, domain: str, table: str) -> Reply:
        self._entries(domain, table).clear()
        return Reply(body={"message": _CLEARED[table]})

    def _get(self, ask: Ask, domain: str, table: str, address: str) -> Reply:
        entry = self._entries(domain, table).get(address.lower())
        if entry is None or entry.created_at > self._settled():
            raise refused(404, _NOT_FOUND[table])
        return Reply(body=shown(table, entry))

    def _delete(self, ask: Ask, domain: str, table: str, address: str) -> Reply:
        entries = self._entries(domain, table)
        if address.lower() not in entries or entries[address.lower()].created_at > self._settled():
            raise refused(404, _NOTHING_TO_DELETE[table])
        del entries[address.lower()]
        name = "value" if table == "whitelists" else "address"
        return Reply(body={"message": _REMOVED[table], name: address})

    def _settled(self) -> datetime:
        """Up to when what was written can be seen."""
        return self._clock() - timedelta(seconds=self._settings.settle_seconds)

    def _entries(self, domain: str, table: str) -> dict[str, Entry]:
        entries = self._domain(domain).tables.get(table)
        if entries is None:
            raise refused(404, "Not Found")
        return entries
