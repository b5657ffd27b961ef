"""Exact tables: what is shown is exact and large, and what is not shown can't be worked out."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from include.analytics import internal, suppression
from include.analytics.internal import InternalTable, internal_bundle
from include.analytics.spec import Table
from include.errors import Refused
from tests.analytics.tables import USERS, table

COUNTRY = {"column": "country", "keys": ("DE", "FR", "US")}
DEVICE = {"column": "device", "keys": ("ios", "web")}
EVENTS = {"kind": "events"}
CENTS = {"kind": "sum", "column": "cents"}
ALL = (USERS, EVENTS, CENTS)
SCHEMA = {"user": pl.String, "country": pl.String, "device": pl.String, "cents": pl.Int64}


def exact(*dimensions: Mapping[str, Any], **fields: Any) -> Table:
    return table(*dimensions, **{"measures": ALL, "rho": None, "delta": None, "internal": True, **fields})


def company(cells: Mapping[tuple[str, str], int], cents: int = 10) -> pl.LazyFrame:
    """So many users of each country and device, each in one cell with one event."""
    rows = [
        (f"{country} {device} {number}", country, device, cents)
        for (country, device), users in cells.items()
        for number in range(users)
    ]
    return pl.LazyFrame(rows, schema=SCHEMA, orient="row")


def only(one: Table, data: pl.LazyFrame) -> InternalTable:
    return internal_bundle([one], data)[one.id]


def shown(made: InternalTable) -> dict[tuple[Any, ...], tuple[int, ...]]:
    width = len(made.table.name_columns)
    return {row[:width]: row[width:] for row in made.frame.rows() if row[width] is not None}


LARGE = {(country, device): 50 for country in ("DE", "FR", "US") for device in ("ios", "web")}


def test_large_cells_and_all_their_totals_are_shown_exactly() -> None:
    made = only(exact(COUNTRY, DEVICE), company(LARGE))
    assert made.suppressed == 0
    assert shown(made)["DE", "web"] == (50, 50, 500)
    assert shown(made)["DE", None] == (100, 100, 1000)
    assert shown(made)[None, None] == (300, 300, 3000)
    assert len(made.frame) == 12


def test_a_small_cell_takes_companions_with_it_but_not_everything() -> None:
    made = only(exact(COUNTRY, DEVICE), company({**LARGE, ("US", "ios"): 3}))
    hidden = {("US", "ios"), ("US", "web")} - shown(made).keys()
    assert ("US", "ios") in hidden
    assert made.suppressed >= 4, "one alone in its row or column is the total less the others"
    assert {("DE", None), ("FR", None), (None, None)} <= shown(made).keys()


def test_one_user_who_makes_up_most_of_a_sum_hides_it() -> None:
    for cents, is_shown in ((1000, True), (1001, False)):
        rich = pl.LazyFrame([("rich", "DE", "web", cents)], schema=SCHEMA, orient="row")
        made = only(exact(COUNTRY), pl.concat([company(LARGE), rich]))
        assert (("DE",) in shown(made)) is is_shown


def test_keys_that_are_unknown_are_not_named_when_their_cell_is_hidden() -> None:
    data = company({**LARGE, ("custom_u1", "web"): 1, ("mail@clique.example", "web"): 60})
    made = only(exact({"column": "country"}), data)
    assert set(made.frame["country"]) <= {"DE", "FR", "US", None}
    assert made.suppressed >= 2
    assert 1 <= len(made.frame) <= 3


def test_a_total_of_two_tables_is_hidden_in_both_or_in_none() -> None:
    small = {**LARGE, ("US", "ios"): 3, ("US", "web"): 4}
    both = internal_bundle([exact(COUNTRY, DEVICE, id="fine"), exact(COUNTRY, id="coarse")], company(small))
    fine = {key[:1] for key in shown(both["fine"]) if key[1] is None}
    assert fine == shown(both["coarse"]).keys()
    assert ("US",) not in fine


def test_figures_of_two_tables_can_not_be_subtracted_from_each_other() -> None:
    """The one lists Germany and France, the other all three: the difference of their totals is three users."""
    data = company({("DE", "web"): 60, ("FR", "web"): 60, ("US", "web"): 3})
    two = exact({"column": "country", "keys": ("DE", "FR")}, id="two")
    three = exact(COUNTRY, id="three")
    both = internal_bundle([two, three], data)
    totals = [shown(both[name]).get((None,)) for name in ("two", "three")]
    assert None in totals


def test_a_user_in_several_cells_counts_once_in_their_total() -> None:
    data = pl.concat([company(LARGE), company({("DE", "ios"): 50}).with_columns(country=pl.lit("FR"))])
    assert shown(only(exact(COUNTRY), data))[(None,)][0] == 300


def test_values_outside_of_the_list_go_where_the_table_says() -> None:
    data = company({**LARGE, ("JP", "web"): 30, ("SE", "web"): 30})
    assert shown(only(exact(COUNTRY), data))[(None,)][0] == 300
    made = only(exact({**COUNTRY, "other": "rest"}), data)
    assert shown(made)["rest",][0] == 60
    assert shown(made)[(None,)][0] == 360


def test_no_events_show_nothing() -> None:
    made = only(exact(COUNTRY, DEVICE), company(LARGE).head(0))
    assert shown(made) == {}
    assert made.suppressed == 12
    assert shown(only(exact(), company(LARGE).head(0))) == {}


def test_without_complementary_suppression_the_audit_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suppression, "suppressed", lambda _system, primary: frozenset(primary))
    with pytest.raises(Refused, match=r"hide \d+ cells"):
        only(exact(COUNTRY, DEVICE), company({**LARGE, ("US", "ios"): 3}))


def test_without_primary_suppression_the_audit_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suppression, "suppressed", lambda _system, _primary: frozenset())
    with pytest.raises(Refused, match="show 'toy'"):
        only(exact(COUNTRY, DEVICE), company({**LARGE, ("US", "ios"): 3}))


def test_a_noisy_table_and_one_too_fine_to_audit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Refused, match="make 'toy' without noise"):
        internal_bundle([table(COUNTRY)], company(LARGE))
    monkeypatch.setattr(internal, "MOST_ATOMS", 11)
    with pytest.raises(Refused, match="audit tables of so many keys"):
        only(exact(COUNTRY, DEVICE), company(LARGE))


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 60), min_size=6, max_size=6), st.integers(0, 10**6))
def test_an_independent_solver_can_not_work_out_a_hidden_cell(sizes: list[int], seed: int) -> None:
    """Another solver, another formulation: the cells themselves as variables, their additivity as the rows."""
    rng = random.Random(seed)  # noqa: S311 - invents a company
    keys = [(country, device) for country in COUNTRY["keys"] for device in DEVICE["keys"]]
    data = company(dict(zip(keys, sizes, strict=True)), cents=rng.randint(1, 9))
    made = only(exact(COUNTRY, DEVICE), data)
    known = shown(made)
    cells = [*keys, *((c, None) for c in COUNTRY["keys"]), *((None, d) for d in DEVICE["keys"]), (None, None)]
    for measure in range(3):
        for cell in cells:
            if cell not in known:
                low, high = (_bound(cells, known, cell, measure, sign) for sign in (1, -1))
                assert high - low >= 20 - 1e-6


def _bound(
    cells: Collection[tuple[Any, ...]], known: Mapping[Any, tuple[int, ...]], cell: Any, measure: int, sign: int
) -> float:
    order = list(cells)
    rows, values = [], []
    for whole in order:
        for place in (0, 1):
            if whole[place] is None:
                parts = [one for one in order if one[place] is not None and one[1 - place] == whole[1 - place]]
                rows.append([float(one in parts) - float(one == whole) for one in order])
                values.append(0.0)
    for one, figures in known.items():
        rows.append([float(other == one) for other in order])
        values.append(float(figures[measure]))
    costs = [sign * float(one == cell) for one in order]
    found = linprog(costs, A_eq=np.array(rows), b_eq=values, bounds=(0, None))
    return 1e9 if found.status == 3 and sign == -1 else sign * found.fun


def test_a_table_of_a_usual_size_is_audited_and_mostly_shown() -> None:
    rng = random.Random(5)  # noqa: S311 - invents a company
    countries = tuple(f"C{number:02d}" for number in range(12))
    cells = {(country, device): rng.randint(5, 200) for country in countries for device in ("ios", "web", "tv")}
    made = only(
        exact({"column": "country", "keys": countries}, {"column": "device", "keys": ("ios", "web", "tv")}),
        company(cells),
    )
    small = sum(users < 20 for users in cells.values())
    assert small > 0
    assert made.suppressed <= 6 * small
    assert all(figures[0] >= 20 for figures in shown(made).values())
