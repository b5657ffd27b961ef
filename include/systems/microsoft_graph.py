"""Office 365 integration: the application's subscriptions for a person are deleted, its grant where it may be.

There is no call that revokes one application's refresh tokens. What there is (``revokeSignInSessions``) ends the
sessions of all applications of that user and is never called. A stored grant therefore ends by itself within 90 days,
or at once where the connection may delete the consent in the tenant; the identity platform says whether it still is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from include.connection import Connection
from include.policy.persons import IdentifierKind
from include.subjects.identifiers import Subject
from include.systems.addresses import same
from include.systems.assuring import Access
from include.systems.erasing import Did, ErasingCard, ErasureProof, Exported, Found, Means, Receipt, Seen
from include.systems.http import Http
from include.systems.microsoft_calls import SCOPE, Calls, Item, Tenant
from include.systems.oauth import Application, Grant, TokenEndpoint, named, texts, tokens

KEY = "microsoft_graph"
SERVICE = "microsoft"
LIFETIME = timedelta(days=90)
"""Of a refresh token, from the day it was given."""
SUBSCRIPTION_LIFE = timedelta(minutes=42_300)
"""How long a subscription lasts at most after it was made, whatever it watches (mail, events, contacts: 10,080)."""

ERASING_CARD = ErasingCard(
    key=KEY,
    version="1",
    identifiers=frozenset({IdentifierKind.OAUTH_TOKEN, IdentifierKind.EXTERNAL_ID}),
    proof=ErasureProof.SEARCH_AFTER_HORIZON,
    batch_size=100,
    horizon=LIFETIME,
    horizon_note=(
        "Subscriptions are gone at once; those of a person of whom no grant is stored, where no tenant is connected, "
        "can't be seen and end at the latest 42,300 minutes after they were made. A refresh token can't be revoked for "
        "one application: it ends 90 days after it was given, or at once where the consent is deleted in the tenant or "
        "the person withdraws it at myapps.microsoft.com. Source: refresh tokens in the Microsoft identity platform; "
        "subscription lifetime."
    ),
    documentation=(
        "https://learn.microsoft.com/en-us/graph/api/subscription-list",
        "https://learn.microsoft.com/en-us/graph/api/subscription-delete",
        "https://learn.microsoft.com/en-us/graph/api/resources/subscription",
        "https://learn.microsoft.com/en-us/graph/api/oauth2permissiongrant-delete",
        "https://learn.microsoft.com/en-us/graph/json-batching",
        "https://learn.microsoft.com/en-us/entra/identity-platform/refresh-tokens",
    ),
    scopes=("client id and secret of the application", "DelegatedPermissionGrant.ReadWrite.All for 'tenant_grants'"),
)


@dataclass(frozen=True, slots=True)
class Held:
    """What is known of one person.

    Args:
        grants: stored grants that are honoured.
        subscriptions: of the application for this person.
        consents: of this person alone to the application, where they may be deleted.
        until: when subscriptions that nobody can list have ended at the latest; None where they were listed. UTC.
    """

    grants: tuple[Grant, ...] = ()
    subscriptions: tuple[Item, ...] = field(default=(), repr=False)
    consents: tuple[Item, ...] = field(default=(), repr=False)
    until: datetime | None = None

    @property
    def counts(self) -> dict[str, int]:
        """How many of each kind."""
        found = {
            "grants": len(self.grants),
            "subscriptions": len(self.subscriptions),
            "consents": len(self.consents),
        }
        return {kind: count for kind, count in found.items() if count}


class MicrosoftGraph:
    """See :class:`include.systems.erasing.ErasingSystem`.

    Args:
        calls: the calls to Graph.
        endpoint: redeems the grants of persons.
        tenants: those in which the application has rights of its own.
        consents: whether consents of persons are deleted there.
        means: the engine's.
    """

    card = ERASING_CARD

    def __init__(
        self, calls: Calls, endpoint: TokenEndpoint, tenants: Sequence[Tenant], consents: bool, means: Means
    ) -> None:
        self._calls = calls
        self._endpoint = endpoint
        self._tenants = tenants
        self._consents = consents
        self._means = means

    def find(self, subjects: Sequence[Subject]) -> list[Found]:
        """Redeem each stored grant, list the subscriptions of it and those of each tenant, match them in code."""
        found = []
        for subject, held in zip(subjects, self._look(subjects), strict=True):
            clean_at = self._means.clock() + LIFETIME if held.grants and not held.consents else held.until
            found.append(Found(subject.ref, held.counts, clean_at=clean_at, records=held))
        return found

    def erase(self, found: Sequence[Found]) -> list[Receipt]:
        """Delete the subscriptions, then the consents, of all persons together, twenty to a call."""
        self._calls.delete("subscriptions", [item for each in found for item in each.records.subscriptions])
        self._calls.delete("oauth2PermissionGrants", [item for each in found for item in each.records.consents])
        return [_receipt(each.ref, each.records, self._means.clock() + LIFETIME) for each in found]

    def verify(self, subjects: Sequence[Subject], receipts: Sequence[Receipt]) -> list[Seen]:
        """Look again. A grant that is still honoured is awaited until the receipt's date, and remains after it.

        Subscriptions that can't be listed are proved gone by the receipt's date alone.
        """
        given = {receipt.ref: receipt for receipt in receipts}
        looks = zip(subjects, self._look(subjects), strict=True)
        return [_seen(subject.ref, held, given.get(subject.ref), self._means.clock()) for subject, held in looks]

    def export(self, subjects: Sequence[Subject]) -> Iterator[Exported]:
        """What each grant allows, and what is reported to the application."""
        for subject in subjects:
            (held,) = self._look([subject])
            grants = [{"scopes": list(grant.scopes)} for grant in held.grants]
            subscriptions = [dict(item.shown) for item in held.subscriptions]
            records: dict[str, Sequence[Mapping[str, Any]]] = {"grants": grants, "subscriptions": subscriptions}
            yield Exported(subject.ref, {kind: rows for kind, rows in records.items() if rows})

    def access(self) -> Access:
        """Whether Microsoft accepts the application, here and in each tenant."""
        self._endpoint.try_application()
        for tenant in self._tenants:
            access = tenant.access()
            if self._consents:
                self._calls.principal(access)
        note = "Microsoft accepts the application; what it may do for a person is up to each grant."
        return Access(shown=False, note=note)

    def close(self) -> None:
        """Release the sockets."""
        self._calls.close()

    def _look(self, subjects: Sequence[Subject]) -> list[Held]:
        ids = [{same(value) for value in named(subject, IdentifierKind.EXTERNAL_ID, SERVICE)} for subject in subjects]
        living = [self._living(subject) for subject in subjects]
        subscriptions, consents = self._of_tenants(set().union(*ids))
        return [
            Held(
                grants,
                _once([*(item for item in subscriptions if item.users & known), *self._of_grants(grants, known)]),
                _once(item for item in consents if item.users & known),
                self._unseen(subject) if known else None,
            )
            for subject, grants, known in zip(subjects, living, ids, strict=True)
        ]

    def _unseen(self, subject: Subject) -> datetime | None:
        """Without a grant and without a tenant nothing lists what the application is told about an account."""
        looked = self._tenants or tokens(subject, SERVICE)
        return None if looked else self._means.clock() + SUBSCRIPTION_LIFE

    def _of_tenants(self, users: set[str]) -> tuple[list[Item], list[Item]]:
        """All subscriptions of each tenant, and the consents of these users; nothing is asked for nobody."""
        subscriptions: list[Item] = []
        consents: list[Item] = []
        for tenant in self._tenants if users else ():
            access = tenant.access()
            subscriptions += self._calls.subscriptions(access)
            if self._consents:
                consents += self._calls.consents(access, sorted(users))
        return subscriptions, consents

    def _living(self, subject: Subject) -> tuple[Grant, ...]:
        redeemed = (self._endpoint.redeem(token) for token in tokens(subject, SERVICE))
        return tuple(grant for grant in redeemed if grant is not None)

    def _of_grants(self, grants: Sequence[Grant], known: set[str]) -> Iterator[Item]:
        """With some rights a grant lists the subscriptions of a whole tenant: only the person's own count."""
        for grant in grants:
            if grant.access is not None:
                mine = known or {self._calls.me(grant.access)}
                yield from (item for item in self._calls.subscriptions(grant.access) if item.users & mine)


def connect_erasing(connection: Connection, means: Means) -> MicrosoftGraph:
    """Build the client; no call is made.

    ``login`` is the application's client id, ``password`` its secret. ``host`` replaces both of Microsoft's hosts at
    once, for a sandbox. ``extra`` of the connection:

    - ``tenant``: where grants of persons are redeemed; ``organizations`` if left out.
    - ``tenants``: a list of ids of tenants in which the application has rights of its own: their subscriptions are
      listed once for all persons, which finds those of persons whose grant is lost. None if left out.
    - ``tenant_grants``: true deletes a person's consent in these tenants, which ends the grant at once; needs
      ``DelegatedPermissionGrant.ReadWrite.All`` and ``Application.Read.All`` there. False if left out.
    - ``calls_per_second``: of all tasks together; 16 if left out (10,000 in ten minutes).

    Raises:
        Refused: the connection lacks something; the message names it.
    """
    application = Application.of(connection)
    pace = partial(means.budgets.pace, KEY, connection.positive("calls_per_second", 16))
    login = Http(connection, "https://login.microsoftonline.com", pace=pace)
    graph = Http(connection, "https://graph.microsoft.com", pace=pace)
    path = "/{}/oauth2/v2.0/token"
    endpoint = TokenEndpoint(KEY, login, application, path, connection.text("tenant", "organizations"))
    tenants = [
        Tenant(partial(TokenEndpoint(KEY, login, application, path, tenant).application_token, SCOPE))
        for tenant in texts(connection, "tenants")
    ]
    consents = connection.extra.get("tenant_grants") is True
    return MicrosoftGraph(Calls(KEY, graph, login, application.id), endpoint, tenants, consents, means)


def _once(items: Iterable[Item]) -> tuple[Item, ...]:
    """Each item once; the first way in which it was found counts, so that those of a tenant share batches."""
    return tuple(dict.fromkeys(items))


def _receipt(ref: str, held: Held, until: datetime) -> Receipt:
    gone = len(held.subscriptions) + len(held.consents)
    if held.grants and not held.consents:
        return Receipt(ref, Did.EXPIRING, gone, until=until)
    if held.until is not None:
        return Receipt(ref, Did.EXPIRING, gone, until=held.until)
    gone += len(held.grants)
    return Receipt(ref, Did.GONE if gone else Did.ABSENT, gone)


def _seen(ref: str, held: Held, receipt: Receipt | None, now: datetime) -> Seen:
    if held.until is not None:
        promised = None if receipt is None else receipt.until
        ended = promised is not None and promised <= now
        return Seen(ref, 0, until=None if ended else promised or held.until, proved=ended)
    until = now + LIFETIME if receipt is None else receipt.until
    waiting = bool(held.grants) and until is not None and until > now
    remaining = len(held.subscriptions) + len(held.consents) + (0 if waiting else len(held.grants))
    return Seen(ref, remaining, until=until if waiting else None, proved=not waiting)
