"""LinkedIn sign-in: the link of an account to a LinkedIn member is removed, and stored tokens are revoked.

LinkedIn documents how to ask for the state of a token and not how to revoke one; the call that public clients use for
it is made, and the documented one then says what became of the token. One that is still active ends at the time that
LinkedIn names. The member can remove the application in LinkedIn's settings at any time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from include.connection import Connection
from include.errors import Unavailable
from include.policy.persons import IdentifierKind
from include.subjects.identifiers import Identifier, Subject
from include.systems.assuring import Access
from include.systems.erasing import Did, ErasingCard, ErasureProof, Exported, Found, Means, Receipt, Seen
from include.systems.http import Http
from include.systems.oauth import Application, tokens
from include.systems.sign_in import IDENTIFIERS, RIGHTS, SCOPE, Link, Links, links_of

KEY = "linkedin_sign_in"
SERVICE = "linkedin"
LIFETIME = timedelta(days=365)
"""Of a refresh token, the longest-lived one (access tokens: 60 days)."""

ERASING_CARD = ErasingCard(
    key=KEY,
    version="1",
    identifiers=IDENTIFIERS | {IdentifierKind.OAUTH_TOKEN},
    proof=ErasureProof.READ_BACK,
    batch_size=1000,
    horizon=LIFETIME,
    horizon_note=(
        "The link is gone at once. A token that LinkedIn does not revoke ends when LinkedIn says, after a year at the "
        "latest; the member can remove the application at linkedin.com/psettings/permitted-services at once. Source: "
        "token introspection and refresh tokens of LinkedIn."
    ),
    documentation=(
        "https://learn.microsoft.com/en-us/linkedin/shared/authentication/token-introspection",
        "https://learn.microsoft.com/en-us/linkedin/shared/authentication/programmatic-refresh-tokens",
        "https://cloud.google.com/identity-platform/docs/reference/rest/v1/projects.accounts/update",
    ),
    scopes=(*RIGHTS, "client id and secret of the application at LinkedIn"),
)
_NOBODYS = "a-token-of-nobody"


@dataclass(frozen=True, slots=True)
class Token:
    """A stored token that LinkedIn honours, and when it ends."""

    value: str = field(repr=False)
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """What is known of one person: links of accounts, and living tokens."""

    links: tuple[Link, ...]
    tokens: tuple[Token, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many of each kind."""
        found = {"links": len(self.links), "tokens": len(self.tokens)}
        return {kind: count for kind, count in found.items() if count}


class LinkedInSignIn:
    """See :class:`include.systems.erasing.ErasingSystem`.

    Args:
        links: of accounts to LinkedIn.
        oauth: the calls to LinkedIn.
        application: the product there.
        means: the engine's.
    """

    card = ERASING_CARD

    def __init__(self, links: Links, oauth: Http, application: Application, means: Means) -> None:
        self._links = links
        self._oauth = oauth
        self._application = application
        self._means = means

    def find(self, subjects: Sequence[Subject]) -> list[Found]:
        """Look up the accounts of all persons together, and ask for the state of each stored token."""
        return [
            Found(subject.ref, held.counts, records=held)
            for subject, held in zip(subjects, self._look(subjects), strict=True)
        ]

    def erase(self, found: Sequence[Found]) -> list[Receipt]:
        """Remove the links found, and revoke the tokens found; what stays active ends by itself."""
        self._links.remove([link for each in found for link in each.records.links])
        return [self._receipt(each.ref, each.records) for each in found]

    def verify(self, subjects: Sequence[Subject], receipts: Sequence[Receipt]) -> list[Seen]:
        """Look again. A token that is still active is awaited until the receipt's date, and remains after it."""
        given = {receipt.ref: receipt.until for receipt in receipts}
        looks = zip(subjects, self._look(subjects), strict=True)
        return [self._seen(subject.ref, held, given.get(subject.ref)) for subject, held in looks]

    def export(self, subjects: Sequence[Subject]) -> Iterator[Exported]:
        """What is stored of each link: the id, the address and the name at LinkedIn."""
        for subject, own in zip(subjects, self._links.look(subjects), strict=True):
            yield Exported(subject.ref, {"links": [dict(link.shown) for link in own]} if own else {})

    def access(self) -> Access:
        """Count the accounts, and ask LinkedIn for the state of a token that is nobody's."""
        self._links.try_access()
        self._state(_NOBODYS)
        return Access(shown=False, note="Both accept the keys; that accounts may be updated shows with the first one.")

    def people(self) -> Iterator[Identifier]:
        """Everybody who is linked."""
        return self._links.everybody()

    def close(self) -> None:
        """Release the sockets."""
        self._links.close()
        self._oauth.close()

    def _look(self, subjects: Sequence[Subject]) -> list[Held]:
        links = self._links.look(subjects)
        return [Held(own, self._living(subject)) for own, subject in zip(links, subjects, strict=True)]

    def _living(self, subject: Subject) -> tuple[Token, ...]:
        found = (self._state(token) for token in tokens(subject, SERVICE))
        return tuple(token for token in found if token is not None)

    def _state(self, token: str) -> Token | None:
        """The token while it is active; None once it is revoked or has expired, or is none of the application."""
        tried = "ask for the state of a token"
        body = self._ask("/oauth/v2/introspectToken", token, tried).json
        if not isinstance(body, dict) or not isinstance(body.get("active"), bool):
            raise Unavailable(KEY, tried, "Run it again; it does not say whether the token is active.")
        if not body["active"]:
            return None
        seconds = body.get("expires_at")
        return Token(token, datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int) and seconds else None)

    def _receipt(self, ref: str, held: Held) -> Receipt:
        for token in held.tokens:
            self._ask("/oauth/v2/revoke", token.value, "revoke a token", also=(400, 403, 404, 405))
        left = [token for token in (self._state(token.value) for token in held.tokens) if token is not None]
        gone = len(held.links) + len(held.tokens) - len(left)
        if left:
            latest = self._means.clock() + LIFETIME
            return Receipt(ref, Did.EXPIRING, gone, until=max(token.ends_at or latest for token in left))
        return Receipt(ref, Did.GONE if gone else Did.ABSENT, gone)

    def _seen(self, ref: str, held: Held, until: datetime | None) -> Seen:
        waiting = bool(held.tokens) and until is not None and until > self._means.clock()
        remaining = len(held.links) + (0 if waiting else len(held.tokens))
        return Seen(ref, remaining, until=until if waiting else None, proved=not waiting)

    def _ask(self, path: str, token: str, tried: str, also: Sequence[int] = ()) -> Any:
        fields = {**self._application.fields, "token": token}
        return self._oauth.call("POST", path, tried=tried, fields=fields, also=also, repeatable=True)


def connect_erasing(connection: Connection, means: Means) -> LinkedInSignIn:
    """Build the client; no call is made.

    ``login`` is the client id of the application at LinkedIn, ``password`` its secret; ``host`` overrides the address
    of Identity Toolkit. ``extra`` of the connection:

    - ``project``, ``token`` or ``keyfile_dict``, ``tenants``, ``updates_per_second``: as for Google sign-in.
    - ``provider_id``: of LinkedIn in Firebase Authentication; ``oidc.linkedin`` if left out.
    - ``oauth_host``: overrides LinkedIn's address, for a sandbox.
    - ``calls_per_second``: to LinkedIn, of all tasks together; 10 if left out (LinkedIn publishes no number).

    Raises:
        Refused: the connection lacks something; the message names it.
    """
    from include.systems.google_bearer import bearer

    application = Application.of(connection)
    provider = connection.text("provider_id", "oidc.linkedin")
    links = links_of(connection, provider, bearer(connection, SCOPE), means)
    elsewhere = connection.extra.get("oauth_host")
    at_linkedin = replace(connection, host=str(elsewhere) if elsewhere else None, port=None)
    pace = partial(means.budgets.pace, KEY, connection.positive("calls_per_second", 10))
    return LinkedInSignIn(links, Http(at_linkedin, "https://www.linkedin.com", pace=pace), application, means)
