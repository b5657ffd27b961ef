"""Loggly: nothing can be deleted, events end with the retention of the subscription; until then they are watched.

A person is looked for with exact phrases of the person's ids and addresses, and what comes back is matched again in
code. Many persons share a query. An event older than the retention and a day should not be there any more: that one is
a residual, and only the vendor's support can remove it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from urllib.parse import quote

from include.connection import Connection
from include.errors import Inconsistent, Refused
from include.policy.period import Period
from include.policy.persons import IdentifierKind
from include.policy.register import Claim, ClaimKind
from include.policy.rules import Promise
from include.subjects.identifiers import Subject
from include.systems.assuring import Access, Checked
from include.systems.contract import Expiry
from include.systems.erasing import ErasingCard, ErasureProof, Found, Means, Receipt, Seen
from include.systems.expiring import Held
from include.systems.http import Http
from include.systems.mentions import Mentions, is_word, shows_address

KEY = "loggly"
KINDS = (IdentifierKind.USER_ID, IdentifierKind.EMAIL)
PAGE = 1000
"""Events in a page, the vendor's maximum."""
TERMS = 20
"""Phrases in one query."""
LENGTH = 4000
"""Characters of a query as it is sent. The vendor names no limit; common servers take a request line of 8000."""
OLDEST = "-3650d"
"""From when on events are looked for: long before any retention, so that one that outlived it is seen."""
SAMPLE = 20_000
"""Events that a claim is judged by, at most."""
_SEARCH = "search the events"

ERASING_CARD = ErasingCard(
    key=KEY,
    version="1",
    identifiers=frozenset(KINDS),
    proof=ErasureProof.SEARCH_AFTER_HORIZON,
    batch_size=100,
    horizon=timedelta(days=91),
    horizon_note=(
        "Events can't be deleted; each ends with the retention of the subscription (the date is computed from what the "
        "account says), at the latest 90 days and one after the event. An archive to a bucket of one's own is not "
        "covered: it is emptied there. Source: account info and plans of Loggly."
    ),
    documentation=(
        "https://documentation.solarwinds.com/en/success_center/loggly/content/admin/paginating-event-retrieval-api.htm",
        "https://documentation.solarwinds.com/en/success_center/loggly/content/admin/api-account-info.htm",
        "https://documentation.solarwinds.com/en/success_center/loggly/content/admin/api-overview.htm",
    ),
)

_OVERDUE = (
    "Open a case with the support of SolarWinds: {count} event(s) of this person are older than the retention of the "
    "subscription and are still found. Look at the request's page for when they were seen."
)


@dataclass(slots=True)
class _Tally:
    """What was seen of one person. ``times`` has the time of each event by its id, which is the vendor's own."""

    times: dict[str, datetime] = field(default_factory=dict, repr=False)


class Loggly:
    """See :class:`include.systems.erasing.ErasingSystem`."""

    card = ERASING_CARD

    def __init__(self, http: Http, means: Means) -> None:
        self._http = http
        self._means = means

    def find(self, subjects: Sequence[Subject]) -> list[Found]:
        """Search for each person. ``clean_at`` is when the last event ends."""
        return [held.found(ref) for ref, held in self._look(subjects).items()]

    def erase(self, found: Sequence[Found]) -> list[Receipt]:
        """Say until when the events last: there is no call that deletes."""
        return [each.records.receipt(each.ref, _OVERDUE) for each in found]

    def verify(self, subjects: Sequence[Subject], receipts: Sequence[Receipt]) -> list[Seen]:
        """Search again. Events within the retention are awaited, older ones remain; only an empty search proves."""
        return [held.seen(ref) for ref, held in self._look(subjects).items()]

    def access(self) -> Access:
        """Read the account's own entry, which has no personal data."""
        self._retention()
        return Access(shown=False, note="A token of Loggly can read all of the account's logs.")

    def check(self, claim: Claim) -> Checked:
        """Count events of the last day, at most :data:`SAMPLE` of the newest, in which an e-mail address is written."""
        if claim.kind not in (ClaimKind.NO_IDENTIFIERS, ClaimKind.ONLY_IDENTIFIERS):
            return Checked(claim.id, asked=False, note="Events say nothing of it.")
        looked = violations = 0
        for event in islice(self._events("*", "-1d", "desc"), SAMPLE):
            looked, violations = looked + 1, violations + shows_address([event.get("event"), event.get("raw")])
        return Checked(claim.id, looked, violations, note=f"Events of the last day, at most {SAMPLE:,} of the newest.")

    def retention(self, promises: Sequence[Promise]) -> list[Expiry]:
        """The days of the subscription beside the period of each promise."""
        return [_beside(self._retention(), promise.period) for promise in promises]

    def close(self) -> None:
        """Release the sockets."""
        self._http.close()

    def _look(self, subjects: Sequence[Subject]) -> dict[str, Held]:
        held = {subject.ref: Held() for subject in subjects}
        if not any(_phrases(subject) for subject in subjects):
            return held
        lasts = self._retention()
        for together in _groups(subjects):
            tallies = {subject.ref: _Tally() for subject in together}
            mentions = Mentions(together, KINDS)
            for query in _queries(together):
                for event in self._events(query):
                    for ref in mentions.refs(event):
                        tallies[ref].times[str(event.get("id"))] = _time(event, self._means.clock())
            now = self._means.clock()
            held.update((ref, Held.of(tally.times.values(), lasts, now)) for ref, tally in tallies.items())
        return held

    def _retention(self) -> timedelta:
        tried = "read the retention of the subscription"
        body = self._http.call("GET", "/apiv2/customer", tried=tried).json
        subscription = body.get("subscription") if isinstance(body, dict) else None
        days = subscription.get("retention_days") if isinstance(subscription, dict) else None
        if isinstance(days, bool) or not isinstance(days, int) or days < 1:
            raise Refused(KEY, tried, "It names no days; look at the subscription of the account.")
        return timedelta(days=days)

    def _events(self, query: str, start: str = OLDEST, order: str = "asc") -> Iterator[Mapping[str, Any]]:
        """All events of a query, one page in memory at a time."""
        params: dict[str, str | int] = {"q": query, "from": start, "until": "now", "order": order, "size": PAGE}
        body = self._http.call("GET", "/apiv2/events/iterate", tried=_SEARCH, params=params).json
        seen: set[str] = set()
        while True:
            events = body.get("events") if isinstance(body, dict) else None
            if not isinstance(events, list):
                raise Inconsistent(KEY, _SEARCH, "It answered without a list of events; look at the API.")
            ids = {str(event.get("id")) for event in events}
            if events and ids <= seen:
                raise Inconsistent(KEY, _SEARCH, "The list does not advance; report it to the vendor.")
            seen |= ids
            yield from events
            if not events or not body.get("next"):
                return
            body = self._http.follow(body["next"], tried=_SEARCH).json


def connect_erasing(connection: Connection, means: Means) -> Loggly:
    """Build the client; no call is made.

    ``host`` is the account's own address, as ``example.loggly.com``; ``password`` is an API token (not a customer
    token). Nothing is read from ``extra``: the retention comes from the account.

    Raises:
        Refused: the connection lacks something; the message names it.
    """
    if not connection.host:
        raise Refused(KEY, "read its connection", "Give the account's address as host, as example.loggly.com.")
    if not connection.password:
        raise Refused(KEY, "read its connection", "Give an API token as password.")
    headers = {"Authorization": f"bearer {connection.password}"}
    return Loggly(Http(connection, connection.host, headers=headers), means)


def _phrases(subject: Subject) -> list[str]:
    """Exact phrases. Inside quotes nothing is an operator or a wildcard but the quote and the backslash."""
    values = filter(is_word, subject.values(*KINDS))
    return ['"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' for value in values]


def _groups(subjects: Sequence[Subject]) -> Iterator[list[Subject]]:
    """Persons who share a query; one who needs more than a query is alone."""
    together: list[Subject] = []
    for subject in subjects:
        if together and len(_queries([*together, subject])) > 1:
            yield together
            together = []
        together.append(subject)
    if together:
        yield together


def _queries(subjects: Sequence[Subject]) -> list[str]:
    """The fewest queries, in order, that hold all phrases of these persons."""
    queries: list[list[str]] = []
    for phrase in dict.fromkeys(phrase for subject in subjects for phrase in _phrases(subject)):
        last = queries[-1] if queries else None
        if last is not None and len(last) < TERMS and len(quote(" OR ".join([*last, phrase]))) <= LENGTH:
            last.append(phrase)
        else:
            queries.append([phrase])
    return [" OR ".join(query) for query in queries]


def _time(event: Mapping[str, Any], now: datetime) -> datetime:
    """``timestamp`` is in milliseconds; an event that has none is taken as new."""
    stamp = event.get("timestamp")
    if isinstance(stamp, bool) or not isinstance(stamp, int | float):
        return now
    return datetime.fromtimestamp(stamp / 1000, UTC)


def _beside(lasts: timedelta, period: Period) -> Expiry:
    agrees = lasts.total_seconds() <= period.seconds
    note = "It ends in time." if agrees else "Events stay longer than promised; shorten the subscription's retention."
    return Expiry("retention of the subscription", f"{lasts.days} days", str(period), agrees, note)
