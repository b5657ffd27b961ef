"""The connector: submits identifiers one by one, within the limits, and keeps each receipt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TypeAlias

from include.connection import Connection
from include.errors import Refused, Throttled, Unavailable
from include.policy.register import Claim
from include.policy.rules import Promise
from include.subjects.identifiers import Subject
from include.systems.assuring import Access, Checked
from include.systems.contract import Expiry
from include.systems.erasing import Did, Found, Means, Receipt, Seen
from include.systems.google_analytics import ERASING_CARD, FIELDS, KEY
from include.systems.google_analytics.turns import Turns
from include.systems.google_analytics.watching import Watch
from include.systems.google_bearer import bearer
from include.systems.http import Http

_BASE = "https://analyticsadmin.googleapis.com"
_DATA = "https://analyticsdata.googleapis.com"
_SCOPE = "https://www.googleapis.com/auth/analytics.edit"
_READ_SCOPE = "https://www.googleapis.com/auth/analytics.readonly"
_TRIED = "submit the deletion of a user"
_REFUSED = frozenset({400, 409, 413, 422})
"""Statuses that judge one identifier; 401, 403 and 404 judge the connection."""

Named: TypeAlias = tuple[str, str]
"""Member of the request and value."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the connection says.

    Args:
        properties: ids of the properties, digits.
        per_day: deletions of each property in a day.
        per_second: calls to each property in a second.
    """

    properties: tuple[str, ...]
    per_day: int
    per_second: float

    @classmethod
    def of(cls, connection: Connection) -> Settings:
        """Read ``extra``.

        Raises:
            Refused: something is missing or out of range; the message names it.
        """
        listed = connection.extra.get("properties")
        listed = listed if isinstance(listed, list | tuple) else ()
        properties = tuple(dict.fromkeys(str(number).removeprefix("properties/") for number in listed))
        if not properties or not all(number.isascii() and number.isdigit() for number in properties):
            wanted = "Give 'properties' in the connection's extra: a list of ids of properties, as digits."
            raise Refused(connection.id, "read its connection", wanted)
        per_day, per_second = (
            connection.positive(name, default)
            for name, default in (("deletions_per_day", 500), ("calls_per_second", 1.5))
        )
        return cls(properties, int(per_day), per_second)


@dataclass(frozen=True, slots=True)
class _Sent:
    """What became of one person's submissions."""

    at: datetime | None = None
    refused: int = 0
    throttled: bool = False
    kinds: frozenset[str] = field(default_factory=frozenset)


class GoogleAnalytics:
    """See :class:`include.systems.erasing.ErasingSystem`.

    Args:
        properties: a client for each property, paced.
        watch: reads settings and dimensions.
        settings: what the connection says.
        means: the engine's.
    """

    card = ERASING_CARD

    def __init__(self, properties: Mapping[str, Http], watch: Watch, settings: Settings, means: Means) -> None:
        self._properties = properties
        self._watch = watch
        self._means = means
        self._turns = Turns(means.budgets, settings.properties, settings.per_day)

    def find(self, subjects: Sequence[Subject]) -> list[Found]:
        """Count what would be submitted. Analytics offers no look-up by identifier: nothing is asked."""
        clean_at = self._means.clock() + self.card.horizon
        return [
            Found(subject.ref, {"identifiers": len(named)}, clean_at=clean_at, records=named)
            if (named := _named(subject))
            else Found(subject.ref, {}, records=())
            for subject in subjects
        ]

    def erase(self, found: Sequence[Found]) -> list[Receipt]:
        """Submit each identifier to each property. A repetition only moves the date that Google acknowledges."""
        return [self._submit(each.ref, each.records) for each in found]

    def verify(self, subjects: Sequence[Subject], receipts: Sequence[Receipt]) -> list[Seen]:
        """Nothing can be read back: the receipt and its date are all there is.

        Of a person without any identifier that Analytics knows there is nothing to delete, and nothing to prove.
        """
        until = {receipt.ref: receipt.until for receipt in receipts}
        return [
            Seen(subject.ref, remaining=0, until=until.get(subject.ref), proved=not _named(subject))
            for subject in subjects
        ]

    def access(self) -> Access:
        """Read the settings and the dimensions of each property."""
        return self._watch.access()

    def check(self, claim: Claim) -> Checked:
        """Look at dimensions; see :meth:`include.systems.google_analytics.watching.Watch.check`."""
        return self._watch.check(claim)

    def retention(self, promises: Sequence[Promise]) -> list[Expiry]:
        """The settings of each property beside the period of each promise."""
        return self._watch.retention(promises)

    def close(self) -> None:
        """Release the sockets."""
        for http in self._properties.values():
            http.close()
        self._watch.close()

    def _submit(self, ref: str, named: tuple[Named, ...]) -> Receipt:
        if not named:
            return Receipt(ref, Did.ABSENT)
        if self._turns.never(len(named)):
            return Receipt(ref, Did.FAILED, next_action=_TOO_MANY)
        if not self._turns.take(ref, len(named)):
            return self._defer(ref, len(named))
        sent = self._send(named)
        if sent.throttled:
            return self._defer(ref, len(named))
        until = None if sent.at is None else sent.at + self.card.horizon
        if sent.refused:
            return Receipt(ref, Did.FAILED, until=until, next_action=_refused(sent))
        return Receipt(ref, Did.ACCEPTED, until=until)

    def _defer(self, ref: str, needed: int) -> Receipt:
        return Receipt(ref, Did.DEFERRED, until=self._turns.wait(ref, needed, self._means.clock()))

    def _send(self, named: tuple[Named, ...]) -> _Sent:
        """All submissions of one person; ``at`` is the latest time that Google acknowledged."""
        at: datetime | None = None
        refused: list[str] = []
        for number, http in self._properties.items():
            for member, value in named:
                try:
                    acknowledged = _submit(http, number, member, value)
                except Throttled:
                    return _Sent(throttled=True)
                if acknowledged is None:
                    refused.append(member)
                else:
                    at = acknowledged if at is None else max(at, acknowledged)
        return _Sent(at, len(refused), kinds=frozenset(refused))


def connect(connection: Connection, means: Means) -> GoogleAnalytics:
    """See :func:`include.systems.google_analytics.connect_erasing`."""
    settings = Settings.of(connection)
    auth = bearer(connection, _SCOPE)
    properties = {
        number: Http(
            connection,
            _BASE,
            auth=auth,
            pace=partial(means.budgets.pace, f"google_analytics/{number}/calls", settings.per_second),
        )
        for number in settings.properties
    }
    reading = bearer(connection, _READ_SCOPE)
    watch = Watch(properties, Http(connection, _DATA, auth=reading))
    return GoogleAnalytics(properties, watch, settings, means)


def _submit(http: Http, number: str, member: str, value: str) -> datetime | None:
    """Submit one identifier: when Google received it, None when it refuses this identifier."""
    if not value.strip() or member not in FIELDS.values():
        raise Refused(KEY, _TRIED, "An identifier is empty: nothing was sent.")
    answer = http.call(
        "POST",
        "/v1alpha/properties/{}:submitUserDeletion",
        number,
        tried=_TRIED,
        body={member: value},
        also=_REFUSED,
        repeatable=True,
    )
    return None if answer.status in _REFUSED else _time(answer.json)


def _named(subject: Subject) -> tuple[Named, ...]:
    return tuple((member, value) for kind, member in FIELDS.items() for value in subject.values(kind) if value.strip())


def _time(body: object) -> datetime:
    """``deletionRequestTime``, RFC 3339.

    Raises:
        Unavailable: it is missing: without it nothing was acknowledged. To submit again does no harm.
    """
    try:
        return datetime.fromisoformat(body["deletionRequestTime"]).astimezone(UTC)  # type: ignore[index]
    except (KeyError, TypeError, ValueError):
        raise Unavailable(KEY, _TRIED, "Run it again; it answered without a receipt.") from None


_TOO_MANY = (
    "This person has more identifiers than Google takes deletions of a property in a day. Ask Google for more, then "
    "raise 'deletions_per_day' in the connection."
)


def _refused(sent: _Sent) -> str:
    return (
        f"Google refused {sent.refused} deletion(s) of the kind {', '.join(sorted(sent.kinds))}; all others were "
        "accepted. Correct these identifiers in the request, or delete this user in the user explorer of Analytics."
    )
