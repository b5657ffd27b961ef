"""Tables and events for the tests of the aggregates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from include.analytics.spec import Table

USERS = {"kind": "users"}
PUBLIC = {"column": "kind", "keys": ("a", "b", "c")}
UNKNOWN = {"column": "kind"}
PRICE: Mapping[str, str] = {"rho": "0.5", "delta": "1e-6"}


def table(*dimensions: Mapping[str, Any], measures: Iterable[Mapping[str, Any]] = (USERS,), **fields: Any) -> Table:
    """A daily table; with unknown keys it gets a delta."""
    unknown = any("keys" not in dimension for dimension in dimensions)
    price = {name: PRICE[name] for name in ("rho", "delta") if name == "rho" or unknown}
    given = {"id": "toy", "title": "Toy", "source": "toy", "period": "daily", **price, **fields}
    return Table.model_validate({**given, "dimensions": dimensions, "measures": tuple(measures)})


def events(rows: Iterable[tuple[str, str]], **columns: Any) -> pl.LazyFrame:
    """Events of ``(user, kind)``, with further columns if given."""
    pairs = list(rows)
    data = {"user": [user for user, _ in pairs], "kind": [kind for _, kind in pairs], **columns}
    return pl.LazyFrame(data, schema_overrides={"user": pl.String, "kind": pl.String})
