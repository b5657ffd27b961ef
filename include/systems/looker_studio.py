"""Looker Studio: reports that show data of Analytics and are clean when Analytics is.

The API knows reports and data sources by title and owner, and neither what a data source is connected to nor what a
report shows: there is nothing to find or to delete of a visitor. What it does hold is who owns an asset. Of each person
the inventory is looked through for that; an asset is handed over or deleted by hand, because others work with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from include.connection import Connection
from include.errors import Inconsistent, Refused
from include.policy.persons import IdentifierKind
from include.policy.register import Claim, ClaimKind
from include.subjects.identifiers import Subject
from include.systems import google
from include.systems.addresses import addresses, same
from include.systems.assuring import Access, Checked
from include.systems.erasing import Did, ErasingCard, ErasureProof, Found, Means, Receipt, Seen
from include.systems.http import Http
from include.systems.rates import shared

if TYPE_CHECKING:
    from google.auth.credentials import Credentials
    from google.oauth2.service_account import Credentials as Key

KEY = "looker_studio"
SCOPE = "https://www.googleapis.com/auth/datastudio.readonly"
CALLS_PER_SECOND = 2
"""Google publishes no limit; this is ours."""
PAGE = 1000
"""Assets in a page, the vendor's default."""
SOURCE = (
    IdentifierKind.USER_ID,
    IdentifierKind.ANALYTICS_CLIENT_ID,
    IdentifierKind.ANALYTICS_APP_INSTANCE_ID,
)
"""What the source, Google Analytics, knows a person by."""
TYPES = ("REPORT", "DATA_SOURCE")

ERASING_CARD = ErasingCard(
    key=KEY,
    version="1",
    identifiers=frozenset({IdentifierKind.EMAIL, *SOURCE}),
    proof=ErasureProof.SOURCE,
    batch_size=1000,
    horizon=timedelta(days=64),
    horizon_note=(
        "A report follows Google Analytics, whose servers are clean within two months, by the freshness of its data "
        "source, at most a day. Extracts and uploads don't follow: whether there are any is checked as a claim. "
        "Source: reference of the Looker Studio API."
    ),
    documentation=(
        "https://developers.google.com/looker-studio/integrate/api",
        "https://developers.google.com/looker-studio/integrate/api/reference/assets/search",
        "https://developers.google.com/looker-studio/integrate/api/reference/types",
    ),
    scopes=(SCOPE,),
)

_TITLE = re.compile(r"extract|\bcsv\b|upload|\bsheets?\b|\bcopy\b|snapshot", re.IGNORECASE)
"""Titles of data sources that are no live connection, as Looker Studio and people name them."""
_OWNED = (
    "In Looker Studio, search 'owner:' with the person's address: hand over or delete {count} asset(s), then empty the "
    "trash. Attach the proof here."
)


@dataclass(frozen=True, slots=True)
class _Held:
    """What is about one person.

    Args:
        assets: owned.
        source: identifiers by which Analytics can have data of the person for a report to show.
    """

    assets: int
    source: int

    @property
    def counts(self) -> dict[str, int]:
        """By kind of data, without what is nothing."""
        return {kind: n for kind, n in (("assets", self.assets), ("identifiers", self.source)) if n}


class LookerStudio:
    """See :class:`include.systems.erasing.ErasingSystem`.

    Args:
        http: the client.
        live: ids of data sources that an operator looked at: live connections; None if nobody has.
        means: the engine's.
    """

    card = ERASING_CARD

    def __init__(self, http: Http, live: frozenset[str] | None, means: Means) -> None:
        self._http = http
        self._live = live
        self._means = means

    def find(self, subjects: Sequence[Subject]) -> list[Found]:
        """Read the inventory once for all persons: what each owns, and by how much the source knows each."""
        clean_at = self._means.clock() + self.card.horizon
        return [
            Found(ref, held.counts, clean_at=clean_at if held.source else None, records=held)
            for ref, held in self._look(subjects).items()
        ]

    def erase(self, found: Sequence[Found]) -> list[Receipt]:
        """Say what follows the source, and what a person has to do; nothing is changed by a call."""
        return [self._receipt(each.ref, each.records) for each in found]

    def verify(self, subjects: Sequence[Subject], receipts: Sequence[Receipt]) -> list[Seen]:
        """Read the inventory again. What a report shows can't be read: that is proved at the source."""
        until = {receipt.ref: receipt.until for receipt in receipts}
        return [
            Seen(ref, remaining=held.assets, until=until.get(ref), proved=not held.source)
            for ref, held in self._look(subjects).items()
        ]

    def access(self) -> Access:
        """Ask for one title."""
        self._page(TYPES[0], trashed=False, page="", size=1)
        return Access(shown=False, note="Google does not show a key's scopes here; searching was tried.")

    def check(self, claim: Claim) -> Checked:
        """Whether data sources are live connections, as far as it can be told.

        With ``live_data_sources`` in the connection each other data source contradicts the claim until somebody has
        looked at it. Without it only titles speak, and can only accuse: that none does proves nothing.
        """
        if claim.kind is not ClaimKind.DERIVED_FROM:
            return Checked(claim.id, asked=False, note="The inventory says nothing of it.")
        sources = list(self._assets("DATA_SOURCE"))
        if self._live is not None:
            unknown = sum(str(source.get("name")) not in self._live for source in sources)
            note = "Data sources that nobody has confirmed to be live connections, by 'live_data_sources'."
            return Checked(claim.id, len(sources), unknown, note=note)
        telling = sum(_TITLE.search(str(source.get("title"))) is not None for source in sources)
        note = (
            "Titles of data sources; the API does not tell what they are connected to. List those that are live "
            "connections as 'live_data_sources' in the connection."
        )
        return Checked(claim.id, len(sources), telling, asked=telling > 0, note=note)

    def close(self) -> None:
        """Release the sockets."""
        self._http.close()

    def _look(self, subjects: Sequence[Subject]) -> dict[str, _Held]:
        owners: dict[str, int] = {}
        for kind in TYPES if any(addresses(subject) for subject in subjects) else ():
            for asset in self._assets(kind):
                owner = same(str(asset.get("owner") or ""))
                owners[owner] = owners.get(owner, 0) + 1
        return {
            subject.ref: _Held(sum(owners.get(address, 0) for address in addresses(subject)), _source(subject))
            for subject in subjects
        }

    def _receipt(self, ref: str, held: _Held) -> Receipt:
        until = self._means.clock() + self.card.horizon if held.source else None
        if held.assets:
            return Receipt(ref, Did.MANUAL, until=until, next_action=_OWNED.format(count=held.assets))
        return Receipt(ref, Did.DERIVED, until=until) if held.source else Receipt(ref, Did.ABSENT)

    def _assets(self, kind: str) -> Iterator[Mapping[str, Any]]:
        """All assets of a type, page by page; those in the trash are a list of their own."""
        for trashed in (False, True):
            page, seen = "", set[str]()
            while True:
                body = self._page(kind, trashed=trashed, page=page, size=PAGE)
                yield from body.get("assets", ())
                page = str(body.get("nextPageToken") or "")
                if not page:
                    break
                if page in seen:
                    raise Inconsistent(KEY, "list the assets", "The list does not advance; report it to the vendor.")
                seen.add(page)

    def _page(self, kind: str, *, trashed: bool, page: str, size: int) -> Mapping[str, Any]:
        params: dict[str, str | int] = {"assetTypes": kind, "includeTrashed": str(trashed).lower(), "pageSize": size}
        if page:
            params["pageToken"] = page
        body = self._http.call("GET", "/v1/assets:search", tried="list the assets", params=params).json
        if not isinstance(body, dict):
            raise Inconsistent(KEY, "list the assets", "It answered without a list; look at the API.")
        return body


def connect_erasing(connection: Connection, means: Means) -> LookerStudio:
    """Build the client; no call is made.

    ``extra`` of the connection:

    - ``keyfile_dict`` or ``token``: credentials, see :mod:`include.systems.google`; else those of the machine.
    - ``subject``: address of the account in the Workspace for which a service account asks. It sees what that account
      sees. Required with ``keyfile_dict``.
    - ``live_data_sources``: a list of ids of data sources that somebody looked at and found to be live connections.
    - ``calls_per_second``: shared by all tasks, 2 if left out.

    Raises:
        Refused: the connection lacks something; the message names it.
    """
    from include.systems.google_bearer import Bearer

    live = connection.extra.get("live_data_sources")
    if live is not None and not isinstance(live, list | tuple):
        wanted = "'live_data_sources' in the connection's extra is a list of ids."
        raise Refused(connection.id, "read its connection", wanted)
    auth, pace = Bearer(KEY, _credentials(connection)), shared(connection, means.budgets, CALLS_PER_SECOND)
    http = Http(connection, "https://datastudio.googleapis.com", auth=auth, pace=pace)
    return LookerStudio(http, None if live is None else frozenset(map(str, live)), means)


def _credentials(connection: Connection) -> Credentials:
    """Those of the account that is asked for: the API takes no service account of its own."""
    found = google.credentials(connection, SCOPE)
    if "keyfile_dict" not in connection.extra or "token" in connection.extra:
        return found
    return cast("Key", found).with_subject(connection.text("subject"))  # type: ignore[no-any-return, no-untyped-call]


def _source(subject: Subject) -> int:
    return sum(bool(value.strip()) for value in subject.values(*SOURCE))
