"""A release as one HTML file: charts that show the margin of error, the data, the dictionary and the price."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from include.analytics.outputs.charts import Bar, bars
from include.analytics.outputs.publication import Publication
from include.analytics.spec import Measure, MeasureKind

MOST_BARS = 40
"""Bars of a chart, the longest first."""
MOST_ROWS = 500
"""Rows of the table on the page; the files have all of them."""

_TEMPLATES = Path(__file__).with_name("templates")
_ALL = "all"


@dataclass(frozen=True, slots=True)
class Chart:
    """A measure as bars; ``left`` are those for which there is no room."""

    title: str
    svg: str
    left: int


def page(publication: Publication, dictionary: Mapping[str, Any], manifest: Mapping[str, Any]) -> bytes:
    """The page of a release.

    Args:
        publication: what it shows.
        dictionary: its data dictionary.
        manifest: its manifest, still without its files, of which this page is one.
    """
    template = environment().get_template("release.html.j2")
    frame = publication.frame
    return template.render(
        table=publication.table,
        period=publication.period,
        start=publication.start,
        end=publication.end,
        manifest=manifest,
        fields=dictionary["fields"],
        charts=[_chart(publication, measure) for measure in publication.table.measures],
        columns=frame.columns,
        rows=frame.head(MOST_ROWS).rows(),
        left=max(0, frame.height - MOST_ROWS),
    ).encode()


def _chart(publication: Publication, measure: Measure) -> Chart:
    names = publication.table.name_columns
    shown = [_bar(row, names, measure) for row in publication.frame.iter_rows(named=True)]
    known = sorted(shown, key=lambda bar: (bar.value is None, -(bar.value or 0), bar.label))
    below = f"fewer than {publication.table.minimum_count}"
    title = {MeasureKind.USERS: "People", MeasureKind.EVENTS: "Events"}.get(measure.kind, f"Sum of {measure.column}")
    return Chart(title, bars(title, known[:MOST_BARS], hidden=below), max(0, len(known) - MOST_BARS))


def _bar(row: Mapping[str, Any], names: tuple[str, ...], measure: Measure) -> Bar:
    label = " · ".join(_ALL if row[name] is None else str(row[name]) for name in names) or _ALL
    return Bar(label, row[measure.name], row.get(measure.margin) or 0)


@cache
def environment() -> Environment:
    """The templates; every value is escaped and a missing one is an error."""
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
