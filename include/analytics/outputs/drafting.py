"""The files of a release, made once: whoever asks again gets these bytes from the store."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

import polars as pl

from include.analytics.accounting import debits
from include.analytics.outputs.dictionary import PERIOD_END, PERIOD_START, dictionary
from include.analytics.outputs.manifest import manifest, naming
from include.analytics.outputs.page import page
from include.analytics.outputs.publication import Publication
from include.analytics.releases import MANIFEST, Draft, Place

PARQUET, CSV, DICTIONARY, PAGE = "data.parquet", "data.csv", "dictionary.json", "page.html"

_FORMULA = r"^[=+\-@\t\r\n\x{ff1d}\x{ff0b}\x{ff0d}\x{ff20}]"
"""Beginnings at which a spreadsheet takes a text for a formula (OWASP, CSV injection), full-width ones too."""


def draft(publication: Publication) -> Draft:
    """All files of a release, ready to be settled."""
    data, meaning = _with_period(publication), dictionary(publication)
    made = manifest(publication)
    files = {
        PARQUET: _parquet(data, meaning),
        CSV: _csv(data),
        DICTIONARY: _json(meaning),
        PAGE: page(publication, meaning, made),
    }
    files[MANIFEST] = _json(naming(made, files))
    place = Place(publication.table.id, publication.start, publication.end, publication.digest)
    price = {} if publication.noise is None else debits(publication.table, publication.start)
    return Draft(place, price, files, exact_of=publication.table.source if publication.table.internal else None)


def _with_period(publication: Publication) -> pl.DataFrame:
    period = [pl.lit(publication.start).alias(PERIOD_START), pl.lit(publication.end).alias(PERIOD_END)]
    return publication.frame.select(*period, pl.all())


def _parquet(data: pl.DataFrame, meaning: Mapping[str, Any]) -> bytes:
    file = io.BytesIO()
    data.write_parquet(file, metadata={"table_schema": json.dumps(meaning, sort_keys=True)})
    return file.getvalue()


def _csv(data: pl.DataFrame) -> bytes:
    """RFC 4180 with a header; a text that a spreadsheet would compute begins with an apostrophe."""
    text = pl.selectors.string()
    safe = pl.when(text.str.contains(_FORMULA)).then(pl.lit("'") + text).otherwise(text).name.keep()
    return data.with_columns(safe).write_csv(line_terminator="\r\n").encode()


def _json(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, sort_keys=True, indent=2, ensure_ascii=False) + "\n").encode()
