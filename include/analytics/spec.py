"""The release specification as typed, immutable values: what is published about whom, how often, at what price.

    Specification
    ├── sources       where events come from, and which of their columns may be used
    ├── left_out      whose events are removed before anything is counted
    ├── tables        dimensions, measures, contribution bounds and budget of each published table
    ├── budget        what a person may be charged in a calendar month, over all tables
    └── company       public figures about the company's size, for the forecast alone

DAG files read this while they are parsed: it stays free of data frames and solvers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, model_validator
from pydantic.json_schema import SkipJsonSchema

from include.analytics.table import Cadence, Count, Dimension, Fraction, Measure, MeasureKind, Name, Spread, Table
from include.policy.canonical import sha256
from include.policy.register import Model, Text

__all__ = [
    "DEFAULT",
    "MECHANISM",
    "Active",
    "BudgetCaps",
    "Cadence",
    "Column",
    "ColumnType",
    "Company",
    "Count",
    "Dimension",
    "Fraction",
    "LeftOut",
    "Measure",
    "MeasureKind",
    "Name",
    "Source",
    "SourceKind",
    "Specification",
    "Spread",
    "Table",
    "load",
]

DEFAULT = Path(__file__).parent.parent / "policy" / "releases.yaml"
MECHANISM = "1"
"""Part of every digest of a table: raised when the same specification would give other figures."""


class SourceKind(StrEnum):
    """How the events of a source are read."""

    FIRESTORE = "firestore"
    ELASTICSEARCH = "elasticsearch"
    PARQUET = "parquet"
    CSV = "csv"


class ColumnType(StrEnum):
    """What a column holds. There are no fractions: money is in cents, time in seconds."""

    TEXT = "text"
    INTEGER = "integer"


class Column(Model):
    """A field of an event."""

    type: Annotated[ColumnType, Field(strict=False)] = Field(ColumnType.TEXT, description="'text' or 'integer'")
    about: Text = Field(description="what it says, for the data dictionary")
    identifier: bool = Field(False, description="true if it names a person or a device; it then enters no table")
    from_google_api: bool = Field(False, description="true if it came from a Google API (Limited Use); it never leaves")


class Source(Model):
    """Events of one place."""

    id: SkipJsonSchema[Name] = Field(description="the name of the entry")
    kind: Annotated[SourceKind, Field(strict=False)] = Field(
        description="one of 'firestore', 'elasticsearch', 'parquet', 'csv'"
    )
    location: Text = Field(description="the collection, the index, or an fsspec URL that may hold * and {date}")
    user: Text = Field(description="the field that names the person; one person is protected as a whole")
    at: Text = Field(description="the field that holds the time of the event")
    columns: Mapping[str, Column] = Field(min_length=1, description="the fields that tables may use, by name")


class LeftOut(Model):
    """People whose record in a holding says that their events are not to be used."""

    holding: Text = Field(description="id of an entry of 'holdings' of the policy file; the id of a record is the user")
    field: Text = Field(description="the field that is looked at")
    equals: bool | int | Text = Field(True, description="the value that leaves a person out")
    reason: Text = Field(description="why, such as 'restricted (article 18 GDPR)'")


class BudgetCaps(Model):
    """The most that may be spent on one person."""

    rho_month: Fraction = Field(description="most rho in a calendar month over all tables, such as '0.5'")
    delta_month: Fraction = Field(description="most delta in a calendar month over all tables, such as '1e-5'")
    epsilon_delta: Fraction = Field(description="delta at which epsilon is shown, such as '1e-6'")


class Active(Model):
    """Share of users with an event in a period, in percent."""

    daily: Annotated[int, Field(ge=1, le=100)] = Field(description="percent of users active on a day")
    weekly: Annotated[int, Field(ge=1, le=100)] = Field(description="percent of users active in a week")
    monthly: Annotated[int, Field(ge=1, le=100)] = Field(description="percent of users active in a month")

    def of(self, cadence: Cadence) -> int:
        """Percent for a period."""
        return int(getattr(self, cadence.value))


class Company(Model):
    """What anybody may know about the company's size. Written down by a person, never measured by a run."""

    users: Annotated[int, Field(ge=1)] = Field(description="number of users, rounded")
    active_percent: Active
    worst_error_percent: Annotated[int, Field(ge=1, le=100)] = Field(
        15, description="median relative error above which a table makes no sense"
    )


class Specification(Model):
    """A whole release specification."""

    version: Text = Field(description="version of this file, in quotes; raise it with each change")
    company: Company
    budget: BudgetCaps
    sources: Mapping[Name, Source] = Field(min_length=1, description="entries named by the id of the source")
    left_out: tuple[LeftOut, ...] = Field((), description="a list of records that leave a person out")
    tables: tuple[Table, ...] = Field(min_length=1, description="a list of what is published")

    @model_validator(mode="before")
    @classmethod
    def _expand(cls, data: Any) -> Any:
        if not isinstance(data, Mapping) or not isinstance(data.get("sources"), Mapping):
            return data
        named = {
            name: {**entry, "id": name} if isinstance(entry, Mapping) else entry
            for name, entry in data["sources"].items()
        }
        return {**data, "sources": named}

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the content: comments, layout and the order of keys don't count, every value does."""
        return sha256(self.model_dump(mode="json"))

    def table(self, table_id: str) -> Table:
        """The table of that id.

        Raises:
            KeyError: there is none.
        """
        return {table.id: table for table in self.tables}[table_id]

    def source_of(self, table: Table) -> Source:
        """The source that a table is made from.

        Raises:
            KeyError: there is none of that name; the lint says so.
        """
        return self.sources[table.source]

    def table_digest(self, table: Table) -> str:
        """SHA-256 of everything that shapes the bytes of a table: itself, its source, who is left out, the mechanism.

        Titles and figures of the forecast do not count, so that a correction there is no new release.
        """
        shape = table.model_dump(mode="json", exclude={"title": True, "typical_groups": True, "dimensions": True})
        shape["dimensions"] = [
            dimension.model_dump(mode="json", exclude={"expected_keys", "spread"}) for dimension in table.dimensions
        ]
        source = self.source_of(table)
        used = {name: source.columns[name].type for name in _columns(table) if name in source.columns}
        where = source.model_dump(mode="json", exclude={"columns"})
        left_out = [entry.model_dump(mode="json", exclude={"reason"}) for entry in self.left_out]
        return sha256({"mechanism": MECHANISM, "table": shape, "source": where, "columns": used, "left_out": left_out})


def _columns(table: Table) -> Iterator[str]:
    yield from table.name_columns
    yield from (measure.column for measure in table.measures if measure.column)


def load(path: str | Path = DEFAULT) -> Specification:
    """Read, check and type a release specification.

    Raises:
        PolicyInvalid: it has mistakes; all of them are listed with their lines.
        Refused: it can't be read.
    """
    from include.analytics.lint import build  # the lint knows the types, so the types can't import it above
    from include.policy.document import read_file

    return build(read_file(path))
