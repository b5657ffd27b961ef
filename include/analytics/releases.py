"""Frozen releases: what was published about a table and a period is the same for ever, and is paid for once.

One transaction in the ledger's database looks whether the release is there, checks the budget, appends the entry to
the ledger, debits the account and keeps the bytes. If it does not commit, nothing was released: the noise that was
drawn has been seen by nobody, and drawing again costs nothing. Once it has committed, every later run gets the bytes
that are stored, whatever was erased in the meantime; noise drawn anew for the same figures could be averaged away, and
figures computed anew after an erasure would show the erased person by their difference.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, func, insert, select, text

from include.analytics.accounting import NOTHING, Cost
from include.analytics.spec import BudgetCaps
from include.errors import Inconsistent, Refused
from include.ledger.database import translated
from include.ledger.entry import Entry, Json, Kind
from include.ledger.log import Ledger
from include.ledger.schema import release_debits, release_files, releases

MANIFEST = "manifest.json"
"""The file that names all others by their SHA-256 under ``files``; its own is what the ledger records."""

_ACCOUNT = text("SELECT pg_advisory_xact_lock(hashtext('privacy-release-account'))")


@dataclass(frozen=True, slots=True)
class Place:
    """Which release: of a table, about a period, under one specification of the table.

    Args:
        table: id of the table.
        start: first day of the period, UTC.
        end: first day after it.
        digest: SHA-256 in hex of everything in the specification that shapes the bytes.
    """

    table: str
    start: date
    end: date
    digest: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A release that may still be refused; nobody may see its files before it is settled.

    Args:
        place: which release.
        debits: what it takes from the account of each calendar month, by the month's first day.
        files: contents by name, ``MANIFEST`` among them.
        exact_of: the source whose figures it shows without noise; None for a table with noise.
    """

    place: Place
    debits: Mapping[date, Cost]
    files: Mapping[str, bytes]
    exact_of: str | None = None

    @property
    def manifest(self) -> str:
        """SHA-256 of the manifest in hex."""
        return hashlib.sha256(self.files[MANIFEST]).hexdigest()


@dataclass(frozen=True, slots=True)
class Release:
    """A release that is settled.

    Args:
        place: which.
        manifest: SHA-256 of its manifest in hex, its name in the ledger.
        entry: index of its entry in the ledger.
    """

    place: Place
    manifest: str
    entry: int


class Releases:
    """The store of releases and the account of their cost, in the ledger's database."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def find(self, place: Place) -> Release | None:
        """The release of that place, if it is settled.

        Raises:
            Inconsistent: what is settled there is about a period of another length.
            Unavailable: the database did not answer.
        """
        with translated("look for a release"), self._ledger.engine.connect() as connection:
            return _find(connection, place)

    def settle(self, draft: Draft, caps: BudgetCaps, run: str) -> Release:
        """Debit and keep a draft, or give what was settled before it: then the draft is void and costs nothing.

        Args:
            draft: what was computed.
            caps: what a calendar month may cost.
            run: opaque id of the run, for the ledger.

        Raises:
            Refused: a month would cost more than its cap; nothing was released and nothing debited.
            Unavailable: the database did not answer; it is settled or not, and asking again is safe.
        """
        return self.settle_together([draft], caps, run)[0]

    def settle_together(self, drafts: Sequence[Draft], caps: BudgetCaps, run: str) -> list[Release]:
        """Settle all of them or none. Tables without noise were audited against each other and against nothing else.

        Raises:
            Refused: a month would cost more than its cap, or exact figures of the same people and days are out already.
            Unavailable: the database did not answer; all are settled or none, and asking again is safe.
        """
        with translated(f"keep a release of {drafts[0].place.table}"), self._ledger.engine.begin() as connection:
            # From here on nobody else settles: of two runs the later one sees the earlier, and no sum misses a debit.
            connection.execute(_ACCOUNT)
            found = [_find(connection, draft.place) for draft in drafts]
            settled = [release for release in found if release is not None]
            if len(settled) == len(drafts):
                return settled
            for draft in drafts:
                _check_exact(connection, draft)
            return [self._settle(connection, draft, caps, run) for draft in drafts]

    def _settle(self, connection: Connection, draft: Draft, caps: BudgetCaps, run: str) -> Release:
        _check(connection, draft, caps)
        entry = self._ledger.append_within(connection, [_entry(draft, run)])[0].index
        return _keep(connection, draft, entry)

    def files(self, release: Release) -> dict[str, bytes]:
        """The files of a settled release, by name, checked against its manifest and that against the ledger.

        Raises:
            Inconsistent: they are not what was settled.
            Unavailable: the database did not answer.
        """
        query = select(release_files.c.name, release_files.c.content).order_by(release_files.c.name)
        with translated("read a release"), self._ledger.engine.connect() as connection:
            rows = connection.execute(query.where(release_files.c.manifest == release.manifest))
            files = {str(name): bytes(content) for name, content in rows}
        recorded = self._ledger.entry(release.entry).entry
        if recorded.body.get("manifest") != release.manifest or not _as_settled(release, files):
            raise Inconsistent("releases", f"read a release of {release.place.table}", "Keep everything, ask a person.")
        return files

    def all(self) -> list[Release]:
        """Every settled release, in the order of settling.

        Raises:
            Unavailable: the database did not answer.
        """
        with translated("list the releases"), self._ledger.engine.connect() as connection:
            return [
                Release(Place(row.table_id, row.start, row.end, row.digest), row.manifest, row.entry)
                for row in connection.execute(select(releases).order_by(releases.c.entry))
            ]

    def manifests(self) -> list[dict[str, Any]]:
        """The manifests of all settled releases, in the order of settling.

        Raises:
            Unavailable: the database did not answer.
        """
        query = (
            select(release_files.c.content)
            .join(releases, releases.c.manifest == release_files.c.manifest)
            .where(release_files.c.name == MANIFEST)
            .order_by(releases.c.entry)
        )
        with translated("list the releases"), self._ledger.engine.connect() as connection:
            return [json.loads(bytes(content)) for content in connection.scalars(query)]

    def spent(self, months: Sequence[date]) -> dict[date, Cost]:
        """What all releases together have taken from calendar months.

        Args:
            months: first days.

        Raises:
            Unavailable: the database did not answer.
        """
        with translated("read the privacy budget"), self._ledger.engine.connect() as connection:
            return _spent(connection, months)


def _find(connection: Connection, place: Place) -> Release | None:
    table = releases.c
    query = select(table.end, table.manifest, table.entry).where(
        table.table_id == place.table, table.start == place.start, table.digest == place.digest
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    if row.end != place.end:
        raise Inconsistent("releases", f"find a release of {place.table}", "One of another length begins on its day.")
    return Release(place, row.manifest, row.entry)


def _check_exact(connection: Connection, draft: Draft) -> None:
    """Fail closed: two sets of exact figures about the same people could be subtracted from each other."""
    if draft.exact_of is None:
        return
    table, place = releases.c, draft.place
    query = (
        select(release_files.c.content)
        .join(releases, table.manifest == release_files.c.manifest)
        .where(release_files.c.name == MANIFEST, table.start < place.end, table.end > place.start)
    )
    manifests = (json.loads(bytes(content)) for content in connection.scalars(query))
    if any(made["internal"] and made["source"] == draft.exact_of for made in manifests):
        raise Refused(
            "releases",
            f"release {place.table} of {place.start}",
            "Other tables without noise about these days and this source are out: with them, figures of few people "
            "could be worked out. New internal tables begin with the next period.",
        )


def _check(connection: Connection, draft: Draft, caps: BudgetCaps) -> None:
    """Fail closed: with the draft, every month that it is about must stay within the caps."""
    spent = _spent(connection, list(draft.debits))
    for month, price in draft.debits.items():
        total = spent[month] + price
        if total.rho > caps.rho_month or total.delta > caps.delta_month:
            raise Refused(
                "privacy budget",
                f"release {draft.place.table} of {draft.place.start}",
                f"{month:%B %Y} would have cost rho {total.rho:f} of {caps.rho_month:f} and delta {total.delta} of "
                f"{caps.delta_month}. Nothing was released; wait for the next month or publish less.",
            )


def _spent(connection: Connection, months: Sequence[date]) -> dict[date, Cost]:
    table = release_debits.c
    query = select(table.month, func.sum(table.rho).label("rho"), func.sum(table.delta).label("delta"))
    rows = connection.execute(query.where(table.month.in_(months)).group_by(table.month))
    found = {row.month: Cost(Decimal(row.rho), Decimal(row.delta)) for row in rows}
    return {month: found.get(month, NOTHING) for month in months}


def _entry(draft: Draft, run: str) -> Entry:
    debits: dict[str, Json] = {
        f"{month:%Y-%m}": {"rho": f"{price.rho.normalize():f}", "delta": f"{price.delta.normalize():f}"}
        for month, price in draft.debits.items()
    }
    body: dict[str, Json] = {
        "table": draft.place.table,
        "start": draft.place.start.isoformat(),
        "end": draft.place.end.isoformat(),
        "digest": draft.place.digest,
        "manifest": draft.manifest,
        "debits": debits,
    }
    return Entry(Kind.RELEASE, run, body=body)


def _keep(connection: Connection, draft: Draft, entry: int) -> Release:
    place, manifest = draft.place, draft.manifest
    row = {"table_id": place.table, "start": place.start, "end": place.end, "digest": place.digest}
    connection.execute(insert(releases), {**row, "manifest": manifest, "entry": entry})
    files = [{"manifest": manifest, "name": name, "content": content} for name, content in draft.files.items()]
    connection.execute(insert(release_files), files)
    if draft.debits:
        prices = draft.debits.items()
        debits = [{"manifest": manifest, "month": month, "rho": one.rho, "delta": one.delta} for month, one in prices]
        connection.execute(insert(release_debits), debits)
    return Release(place, manifest, entry)


def _as_settled(release: Release, files: Mapping[str, bytes]) -> bool:
    manifest = files.get(MANIFEST, b"")
    if hashlib.sha256(manifest).hexdigest() != release.manifest:
        return False
    found = {name: hashlib.sha256(content).hexdigest() for name, content in files.items() if name != MANIFEST}
    return bool(json.loads(manifest)["files"] == found)
