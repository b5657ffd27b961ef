"""Make the releases of one batch and period: read once, leave people out, aggregate, settle each table.

What is settled already is not made again. Any step can die at any instruction and be run again: until a release is
settled nothing of it is visible, afterwards it is the same for everybody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path

import polars as pl

from include.analytics.batches import Batch
from include.analytics.internal import internal_bundle
from include.analytics.leaving_out import AreErased, LeavingOut, with_a_mark, with_open_requests
from include.analytics.mechanism import bundle
from include.analytics.outputs.drafting import draft
from include.analytics.outputs.publication import Publication
from include.analytics.reading.pages import Wanted, read
from include.analytics.releases import Place, Releases
from include.analytics.spec import ColumnType, Source, Specification, Table
from include.analytics.spool import private_folder, write_page
from include.connection import Connection
from include.errors import Refused
from include.policy.model import Policy
from include.subjects.vault import Vault


@dataclass(frozen=True, slots=True)
class Office:
    """The means of a task.

    Args:
        specification: what is published.
        policy: whose holdings the specification names.
        releases: the store and the account.
        connection: gives the connection of a system.
        vault: with the open requests of persons; None where the company has none.
        are_erased: tells of user ids whether those people were erased.
        clock: gives the present in UTC.
        spool: folder for events on their way.
    """

    specification: Specification
    policy: Policy
    releases: Releases
    connection: Callable[[str], Connection]
    vault: Vault | None
    are_erased: AreErased
    clock: Callable[[], datetime]
    spool: Path


def place_of(specification: Specification, table: Table, start: date) -> Place:
    """Where the release of a table and period is kept."""
    return Place(table.id, start, table.period.end(start), specification.table_digest(table))


def make(office: Office, batch: Batch, start: date, run: str) -> int:
    """Make what is missing of a batch and period.

    Args:
        office: the means.
        batch: the tables.
        start: first day of the period.
        run: opaque id of the run, for the ledger.

    Returns:
        How many releases were missing.

    Raises:
        Refused: the period is not over, the budget is used up, or the source is not as specified. Tables for which
            there is budget are released all the same.
        Unavailable: a source or a database did not answer; making again is safe.
    """
    watermark = office.clock()
    if datetime.combine(batch.period.end(start), time(), UTC) > watermark:
        raise Refused("analytics", f"release {batch.id} of {start}", "The period is not over: a release is for good.")
    missing = [
        table for table in batch.tables if office.releases.find(place_of(office.specification, table, start)) is None
    ]
    if not missing:
        return 0
    with private_folder(office.spool) as folder:
        events = _spooled(office, batch, missing, start, folder)
        publications = _aggregated(office.specification, missing, events, folder, start, watermark)
    _settle(office, publications, run)
    return len(missing)


def _settle(office: Office, publications: Sequence[Publication], run: str) -> None:
    """One table after the other, those without noise together; a refusal does not take the others with it."""
    refusals: list[Refused] = []
    exact = [publication for publication in publications if publication.table.internal]
    for together in [*([one] for one in publications if not one.table.internal), *([exact] if exact else [])]:
        try:
            office.releases.settle_together([draft(one) for one in together], office.specification.budget, run)
        except Refused as refusal:
            refusals.append(refusal)
    if refusals:
        raise refusals[0]


def _spooled(office: Office, batch: Batch, tables: Sequence[Table], start: date, folder: Path) -> pl.LazyFrame:
    """The events of the period without the people who are left out."""
    source = office.specification.sources[batch.source]
    wanted = Wanted(source, _columns(source, tables), start, batch.period.end(start))
    users = with_a_mark(office.specification.left_out, office.policy, office.connection)
    if office.vault is not None:
        users |= with_open_requests(office.vault)
    leaving_out = LeavingOut(users, office.are_erased)
    parts = folder / "events"
    parts.mkdir()
    write_page(parts, 0, pl.DataFrame(schema=wanted.schema))
    for number, page in enumerate(read(wanted, office.connection, folder), 1):
        write_page(parts, number, leaving_out.drop_from(page, source.user))
    return pl.scan_parquet(parts / "*.parquet")


def _columns(source: Source, tables: Sequence[Table]) -> Mapping[str, ColumnType]:
    used = {name for table in tables for name in table.name_columns}
    used |= {measure.column for table in tables for measure in table.measures if measure.column}
    return {name: column.type for name, column in source.columns.items() if name in used}


def _aggregated(
    specification: Specification,
    tables: Sequence[Table],
    events: pl.LazyFrame,
    folder: Path,
    start: date,
    watermark: datetime,
) -> list[Publication]:
    user = specification.source_of(tables[0]).user
    noisy = [table for table in tables if not table.internal]
    exact = [table for table in tables if table.internal]
    made = [
        Publication(specification, one.table, start, watermark, one.frame, one.parameters)
        for one in (bundle(noisy, events, unit=user, spool=folder).values() if noisy else ())
    ]
    made += [
        Publication(specification, one.table, start, watermark, one.frame, None)
        for one in (internal_bundle(exact, events, unit=user).values() if exact else ())
    ]
    return made
