"""The data dictionary: what each column of a release means, as a Frictionless table schema.

https://specs.frictionlessdata.io/table-schema/ is read by DuckDB's, R's and Python's tools alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from include.analytics.outputs.publication import Publication
from include.analytics.spec import Dimension, Measure, MeasureKind, Source

PERIOD_START, PERIOD_END = "period_start", "period_end"


def dictionary(publication: Publication) -> dict[str, Any]:
    """The schema of ``data.csv`` and ``data.parquet``."""
    table = publication.table
    return {
        "title": table.title,
        "fields": [*_period(), *_dimensions(publication), *_measures(publication)],
        "primaryKey": [PERIOD_START, *table.name_columns],
        "missingValues": [""],
    }


def _period() -> Iterator[dict[str, Any]]:
    yield {"name": PERIOD_START, "type": "date", "description": "First day of the period (UTC)."}
    yield {"name": PERIOD_END, "type": "date", "description": "First day after the period (UTC)."}


def _dimensions(publication: Publication) -> Iterator[dict[str, Any]]:
    source = publication.specification.source_of(publication.table)
    for dimension in publication.table.dimensions:
        yield {
            "name": dimension.column,
            "type": "string",
            "title": _about(source, dimension.column),
            "description": _keys(dimension, internal=publication.noise is None),
            **({"constraints": {"enum": list(dimension.listed)}} if dimension.listed else {}),
        }


def _keys(dimension: Dimension, *, internal: bool) -> str:
    total = " Empty in the row of the total." if internal else ""
    if dimension.listed is None:
        return "Keys that enough people share; others are not shown." + total
    other = f" '{dimension.other}' stands for every other value." if dimension.other else ""
    return "A public list: each key has a row in every release." + other + total


def _measures(publication: Publication) -> Iterator[dict[str, Any]]:
    table = publication.table
    source = publication.specification.source_of(table)
    for measure in table.measures:
        yield {"name": measure.name, "type": "integer", "description": _meaning(publication, measure, source)}
        if publication.noise is not None:
            text = f"Margin of error: 95 times in 100 the noise moves '{measure.name}' no further than this."
            yield {"name": measure.margin, "type": "integer", "description": text}


def _meaning(publication: Publication, measure: Measure, source: Source) -> str:
    table = publication.table
    groups = f" A person counts in at most {table.max_groups} rows of the table." if table.dimensions else ""
    hidden = f" Empty where fewer than {table.minimum_count} people were counted."
    if measure.kind is MeasureKind.USERS:
        counted = "People with at least one event."
    elif measure.kind is MeasureKind.EVENTS:
        counted = f"Events; at most {measure.bound} of one person in a row."
    else:
        counted = (
            f"Sum of '{measure.column}' ({_about(source, str(measure.column))}); one person adds 0 to {measure.bound}."
        )
    if publication.noise is None:
        return f"{counted} Exact.{hidden}"
    return f"{counted} With random noise, see '{measure.margin}'.{groups}{hidden}"


def _about(source: Source, column: str) -> str:
    return source.columns[column].about
