"""The connector: searches for persons, counts for claims, and says until when events last."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from include.connection import Connection
from include.errors import Refused
from include.policy.period import Period
from include.policy.register import Claim, ClaimKind
from include.policy.rules import Promise
from include.subjects.identifiers import Subject
from include.systems.assuring import Access, Checked
from include.systems.contract import Expiry
from include.systems.erasing import Found, Means, Receipt, Seen
from include.systems.expiring import Held
from include.systems.http import Http
from include.systems.mentions import Mentions
from include.systems.new_relic import ERASING_CARD, KEY, KINDS
from include.systems.new_relic.nerdgraph import NerdGraph, Row
from include.systems.new_relic.queries import Queries
from include.systems.rates import shared

CALLS_PER_SECOND = 50.0
_OVERDUE = (
    "Write to the vendor's privacy team (the message is prepared): {count} event(s) of this person are older than the "
    "retention of the account and are still found."
)


class NewRelic:
    """See :class:`include.systems.erasing.ErasingSystem`.

    Args:
        graph: the calls.
        queries: what is searched.
        means: the engine's.
    """

    card = ERASING_CARD

    def __init__(self, graph: NerdGraph, queries: Queries, means: Means) -> None:
        self._graph = graph
        self._queries = queries
        self._means = means

    def find(self, subjects: Sequence[Subject]) -> list[Found]:
        """Search for all persons. ``clean_at`` is when the last event ends."""
        return [held.found(ref) for ref, held in self._look(subjects).items()]

    def erase(self, found: Sequence[Found]) -> list[Receipt]:
        """Say until when the events last: there is no call that deletes."""
        return [each.records.receipt(each.ref, _OVERDUE) for each in found]

    def verify(self, subjects: Sequence[Subject], receipts: Sequence[Receipt]) -> list[Seen]:
        """Search again. Events within the retention are awaited, older ones remain; only an empty search proves."""
        return [held.seen(ref) for ref, held in self._look(subjects).items()]

    def access(self) -> Access:
        """Ask for the account's own number, and for its retention."""
        self._graph.open()
        lacks = () if self._graph.namespaces() else ("to see the data retention of the account",)
        return Access(missing=lacks, shown=False, note="New Relic does not show what a user key may do.")

    def check(self, claim: Claim) -> Checked:
        """Count events of the last day in which something looks like an e-mail address."""
        if claim.kind not in (ClaimKind.NO_IDENTIFIERS, ClaimKind.ONLY_IDENTIFIERS):
            return Checked(claim.id, asked=False, note="Events say nothing of it.")
        rows = self._graph.query("count events that show an address", self._queries.census())
        row = rows[0] if rows else {}
        events, attributes = ", ".join(self._queries.events), ", ".join(self._queries.attributes)
        note = f"Events of the last day of the types {events}; attributes {attributes}."
        return Checked(claim.id, int(row.get("looked", 0)), int(row.get("violations", 0)), note=note)

    def retention(self, promises: Sequence[Promise]) -> list[Expiry]:
        """The days of each namespace beside the period of each promise."""
        namespaces = sorted(self._graph.namespaces().items()) if promises else ()
        return [_beside(name, days, promise.period) for promise in promises for name, days in namespaces]

    def close(self) -> None:
        """Release the sockets."""
        self._graph.close()

    def _look(self, subjects: Sequence[Subject]) -> dict[str, Held]:
        searches = list(self._queries.searches(subjects))
        if not searches:
            return {subject.ref: Held() for subject in subjects}
        lasts = timedelta(days=max(self._graph.namespaces().values(), default=0))
        if not lasts:
            raise Refused(KEY, "read the retention", "Give the user of the key the right to see data retention.")
        times: dict[str, dict[str, datetime]] = {subject.ref: {} for subject in subjects}
        mentions, now = Mentions(subjects, KINDS), self._means.clock()
        for search in searches:
            for row in self._graph.rows(search):
                for ref in mentions.refs(row):
                    times[ref][json.dumps(row, sort_keys=True)] = _time(row, now)
        return {ref: Held.of(found.values(), lasts, now) for ref, found in times.items()}


def connect(connection: Connection, means: Means) -> NewRelic:
    """See :func:`include.systems.new_relic.connect_erasing`."""
    tried = "read its connection"
    if not connection.password:
        raise Refused(connection.id, tried, "Give a user key as password.")
    account = str(connection.extra.get("account_id"))
    if not account.isascii() or not account.isdigit():
        raise Refused(connection.id, tried, "Give the number of the account as 'account_id' in the extra.")
    pace = shared(connection, means.budgets, CALLS_PER_SECOND)
    http = Http(connection, "https://api.newrelic.com", headers={"API-Key": connection.password}, pace=pace)
    return NewRelic(NerdGraph(http, int(account)), Queries.of(connection), means)


def _time(row: Row, now: datetime) -> datetime:
    """``timestamp`` is in milliseconds; an event that has none is taken as new."""
    stamp = row.get("timestamp")
    if isinstance(stamp, bool) or not isinstance(stamp, int | float):
        return now
    return datetime.fromtimestamp(stamp / 1000, UTC)


def _beside(namespace: str, days: int, period: Period) -> Expiry:
    agrees = days * 86_400 <= period.seconds
    note = "It ends in time." if agrees else "Events stay longer than promised; set a retention rule for the namespace."
    return Expiry(f"data retention of {namespace}", f"{days} days", str(period), agrees, note)
