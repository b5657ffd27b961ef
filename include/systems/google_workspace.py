"""G Suite integration: what Google was told to report is stopped, then the stored grants are revoked.

The order matters: only with a grant can its channels be stopped. Whether a grant is gone is Google's own word: it no
longer gives an access token for it. Contacts in a customer's address book are the customer's; they are touched only
where the connection says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from include.connection import Connection
from include.errors import Unavailable
from include.policy.persons import IdentifierKind
from include.subjects.identifiers import Subject
from include.systems.addresses import addresses
from include.systems.assuring import Access
from include.systems.erasing import Did, ErasingCard, ErasureProof, Exported, Found, Means, Receipt, Seen
from include.systems.google_contacts import AddressBook
from include.systems.http import Http
from include.systems.oauth import Application, Grant, TokenEndpoint, named, tokens

KEY = "google_workspace"
PROVIDER = "google"
CHANNEL_LIFE = timedelta(days=7)
"""How long a channel or a mail watch lasts at most after it was made (calendar: ``ttl`` 604800; Gmail: 7 days)."""

ERASING_CARD = ErasingCard(
    key=KEY,
    version="1",
    identifiers=frozenset({IdentifierKind.OAUTH_TOKEN, IdentifierKind.NOTIFICATION_CHANNEL, IdentifierKind.EMAIL}),
    proof=ErasureProof.READ_BACK,
    batch_size=100,
    horizon=CHANNEL_LIFE,
    horizon_note=(
        "A revoked grant is refused at once. A channel whose grant had ended before can't be stopped: its messages "
        "carry no content, lead nowhere without the grant, and end at the latest 7 days after the channel was made. "
        "Source: push notifications of the Calendar and Gmail APIs."
    ),
    documentation=(
        "https://developers.google.com/identity/protocols/oauth2/web-server#tokenrevoke",
        "https://developers.google.com/workspace/calendar/api/v3/reference/channels/stop",
        "https://developers.google.com/workspace/gmail/api/reference/rest/v1/users/stop",
        "https://developers.google.com/people/api/rest/v1/people/batchDeleteContacts",
    ),
    scopes=("client id and secret of the application that got the grants",),
)
_STOP = "stop a notification channel"
_REVOKE = "revoke a grant"


@dataclass(frozen=True, slots=True)
class Held:
    """What is known of one person: living grants, channels of theirs, and contacts by the grant that found them."""

    grants: tuple[Grant, ...]
    channels: tuple[tuple[str, str], ...] = field(repr=False)
    contacts: tuple[tuple[str, ...], ...] = field(default=(), repr=False)
    until: datetime | None = None

    @property
    def counts(self) -> dict[str, int]:
        """How many of each kind can be removed, or have to be waited for."""
        reachable = len(self.channels) if self.grants or self.until else 0
        found = {"grants": len(self.grants), "channels": reachable, "contacts": sum(map(len, self.contacts))}
        return {kind: count for kind, count in found.items() if count}


class GoogleWorkspace:
    """See :class:`include.systems.erasing.ErasingSystem`.

    Args:
        api: the calls to Calendar and to Gmail.
        oauth: the calls that revoke.
        endpoint: redeems grants.
        book: address books; None where they are left alone.
        means: the engine's.
    """

    card = ERASING_CARD

    def __init__(
        self, api: tuple[Http, Http], oauth: Http, endpoint: TokenEndpoint, book: AddressBook | None, means: Means
    ) -> None:
        self._calendar, self._gmail = api
        self._oauth = oauth
        self._endpoint = endpoint
        self._book = book
        self._means = means

    def find(self, subjects: Sequence[Subject]) -> list[Found]:
        """Ask for an access token with each stored grant, and look for contacts where that is wanted."""
        found = []
        for subject in subjects:
            held = self._held(subject)
            found.append(Found(subject.ref, held.counts, clean_at=held.until, records=held))
        return found

    def erase(self, found: Sequence[Found]) -> list[Receipt]:
        """Stop channels and mail watches, delete contacts, then revoke, person by person."""
        return [self._erase(each.ref, each.records) for each in found]

    def verify(self, subjects: Sequence[Subject], receipts: Sequence[Receipt]) -> list[Seen]:
        """Try each grant again: Google must say that it has ended."""
        until = {receipt.ref: receipt.until for receipt in receipts}
        return [self._seen(subject, until.get(subject.ref)) for subject in subjects]

    def export(self, subjects: Sequence[Subject]) -> Iterator[Exported]:
        """What each grant allows, and the channels that are known."""
        for subject in subjects:
            held = self._held(subject)
            grants = [{"scopes": list(grant.scopes)} for grant in held.grants]
            known = held.channels if held.counts.get("channels") else ()
            channels = [{"id": channel, "resourceId": resource} for channel, resource in known]
            records: dict[str, Sequence[Mapping[str, Any]]] = {"grants": grants, "channels": channels}
            yield Exported(subject.ref, {kind: rows for kind, rows in records.items() if rows})

    def access(self) -> Access:
        """Whether Google accepts the application. Its rights are those of each grant, so that none are shown."""
        self._endpoint.try_application()
        return Access(shown=False, note="Google accepts the application; what it may do is up to each grant.")

    def close(self) -> None:
        """Release the sockets."""
        for http in (self._calendar, self._gmail, self._oauth):
            http.close()
        if self._book is not None:
            self._book.close()

    def _held(self, subject: Subject) -> Held:
        stored, channels = tokens(subject, PROVIDER), _channels(subject)
        redeemed = (self._endpoint.redeem(token) for token in stored)
        grants = tuple(grant for grant in redeemed if grant is not None)
        contacts: tuple[tuple[str, ...], ...] = ()
        if self._book is not None:
            contacts = tuple(self._book.search(grant, addresses(subject)) for grant in grants)
        # Whose grant a channel was made with can't be asked where no grant is known at all: it is waited for.
        until = self._means.clock() + CHANNEL_LIFE if channels and not stored else None
        return Held(grants, channels, contacts, until)

    def _erase(self, ref: str, held: Held) -> Receipt:
        stopped: set[tuple[str, str]] = set()
        for grant in held.grants:
            self._stop_mail(grant)
            stopped |= {channel for channel in held.channels if self._stop(grant, channel)}
        for grant, contacts in zip(held.grants, held.contacts, strict=bool(held.contacts)):
            if self._book is not None and contacts:
                self._book.delete(grant, contacts)
        for grant in held.grants:
            self._revoke(grant)
        gone = len(stopped) + len(held.grants) + sum(map(len, held.contacts))
        if held.until is not None:
            return Receipt(ref, Did.EXPIRING, gone, until=held.until)
        return Receipt(ref, Did.GONE if gone else Did.ABSENT, gone)

    def _seen(self, subject: Subject, until: datetime | None) -> Seen:
        held = self._held(subject)
        if held.until is None:
            return Seen(subject.ref, len(held.grants))
        ended = until is not None and until <= self._means.clock()
        return Seen(subject.ref, 0, until=None if ended else until or held.until, proved=ended)

    def _stop(self, grant: Grant, channel: tuple[str, str]) -> bool:
        """Whether a channel of this grant was stopped now; one that is not there, or is another's, answers 404."""
        body = {"id": channel[0], "resourceId": channel[1]}
        return self._call(self._calendar, "/calendar/v3/channels/stop", grant, body)

    def _stop_mail(self, grant: Grant) -> bool:
        return self._call(self._gmail, "/gmail/v1/users/me/stop", grant, None)

    def _call(self, http: Http, path: str, grant: Grant, body: dict[str, str] | None) -> bool:
        """A grant for other things than this one answers 403: then it made no channel of this kind."""
        answer = http.call(
            "POST", path, tried=_STOP, body=body, headers=grant.headers, also=(401, 403, 404), repeatable=True
        )
        if answer.status == 401:
            raise Unavailable(KEY, _STOP, "Run it again; the access token ended on the way.")
        return answer.status // 100 == 2

    def _revoke(self, grant: Grant) -> None:
        answer = self._oauth.call(
            "POST", "/revoke", tried=_REVOKE, fields={"token": grant.token}, also=(400,), repeatable=True
        )
        error = answer.json.get("error") if isinstance(answer.json, dict) else None
        if answer.status == 400 and error != "invalid_token":
            raise Unavailable(KEY, _REVOKE, "Run it again; it answered 400 and not that the token is invalid.")


def connect_erasing(connection: Connection, means: Means) -> GoogleWorkspace:
    """Build the client; no call is made.

    ``login`` is the client id of the OAuth application that got the grants, ``password`` its secret. ``host`` replaces
    all of Google's hosts at once, for a sandbox. ``extra`` of the connection:

    - ``contacts``: true deletes contacts with an address of the person from the address books that the person's own
      grants open. False if left out: what is in an address book is decided by its owner.
    - ``calls_per_second``: of all tasks together; 10 if left out (Calendar's 600 a minute and user).

    Raises:
        Refused: the connection lacks something; the message names it.
    """
    application = Application.of(connection)
    pace = partial(means.budgets.pace, KEY, connection.positive("calls_per_second", 10))
    oauth = Http(connection, "https://oauth2.googleapis.com", pace=pace)
    calendar = Http(connection, "https://www.googleapis.com", pace=pace)
    gmail = Http(connection, "https://gmail.googleapis.com", pace=pace)
    book = None
    if connection.extra.get("contacts") is True:
        book = AddressBook(KEY, Http(connection, "https://people.googleapis.com", pace=pace))
    endpoint = TokenEndpoint(KEY, oauth, application, "/token")
    return GoogleWorkspace((calendar, gmail), oauth, endpoint, book, means)


def _channels(subject: Subject) -> tuple[tuple[str, str], ...]:
    """Channel and resource of ``google:<channel>/<resource>``, both of which a stop must name."""
    parts = (value.partition("/") for value in named(subject, IdentifierKind.NOTIFICATION_CHANNEL, PROVIDER))
    return tuple((channel, resource) for channel, _, resource in parts if channel.strip() and resource.strip())
