"""What a person contributes: never more than the bounds, and nothing is lost below them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.analytics import accounting, bounding
from include.analytics.spec import Table
from include.errors import Refused
from tests.analytics.tables import PUBLIC, UNKNOWN, USERS, events, table

OTHER = {**PUBLIC, "other": "z"}
EVENTS = {"kind": "events", "cap": 3}
SUM = {"kind": "sum", "column": "cents", "cap": 50}
ROWS = st.lists(
    st.tuples(st.sampled_from("uvwxy"), st.sampled_from("abcdefgh"), st.integers(-100, 100)), min_size=1, max_size=60
)


def exact(one: Table, rows: Sequence[tuple[str, str, int]], at_once: int = bounding.AT_ONCE) -> pl.DataFrame:
    data = events([(user, kind) for user, kind, _ in rows], cents=[cents for *_, cents in rows])
    return bounding.cells([one], data, unit="user", at_once=at_once)[one.id]


def figures(frame: pl.DataFrame) -> Mapping[object, tuple[int, ...]]:
    width = 1 if "kind" in frame.columns else 0
    return {row[:width]: row[width:] for row in frame.rows()}


@settings(max_examples=40, deadline=None)
@given(ROWS)
def test_with_generous_bounds_the_figures_are_those_of_plain_counting(rows: list[tuple[str, str, int]]) -> None:
    one = table(UNKNOWN, measures=(USERS, {"kind": "events", "cap": 1000}, {**SUM, "cap": 10**6}), max_groups=8)
    expected = {}
    for kind in {kind for _, kind, _ in rows}:
        mine = [(user, max(0, cents)) for user, key, cents in rows if key == kind]
        expected[kind,] = (len({user for user, _ in mine}), len(mine), sum(cents for _, cents in mine))
    assert figures(exact(one, rows)) == expected


@settings(max_examples=60, deadline=None)
@given(ROWS, st.integers(1, 4), st.sampled_from([UNKNOWN, PUBLIC, OTHER]))
def test_one_person_more_moves_the_figures_no_further_than_the_noise_allows_for(
    rows: list[tuple[str, str, int]], most: int, dimension: Mapping[str, object]
) -> None:
    """The distance that the mechanism's proof stands on, by leaving a person out whose draw touches nobody else."""
    one = table(dimension, measures=(USERS, EVENTS, SUM), max_groups=most)
    alone = [row for row in rows if row[0] == "u"]
    moved = exact(one, alone) if alone else None
    if moved is None:
        return
    assert moved.height <= most
    for measure in one.measures:
        change = moved[measure.name].to_list()
        assert all(0 <= value <= measure.bound for value in change)
        assert math.dist(change, [0] * len(change)) <= accounting.distance(most, measure.bound)


@settings(max_examples=40, deadline=None)
@given(ROWS, st.integers(1, 4), st.integers(0, 60))
def test_a_part_of_a_person_moves_the_figures_by_no_more_than_twice_the_squared_distance(
    rows: list[tuple[str, str, int]], most: int, left: int
) -> None:
    """A day within a week, a week cut by the end of a month: for those the account takes twice the rho."""
    one = table(UNKNOWN, measures=(USERS, EVENTS, SUM), max_groups=most)
    alone = [("u", kind, cents) for _, kind, cents in rows]
    whole, part = (figures(exact(one, some)) if some else {} for some in (alone, alone[:left]))
    for place, measure in enumerate(one.measures):
        nothing = (0,) * len(one.measures)
        change = [whole.get(key, nothing)[place] - part.get(key, nothing)[place] for key in whole | part]
        assert math.hypot(*change) <= math.sqrt(2) * accounting.distance(most, measure.bound)


@settings(max_examples=30, deadline=None)
@given(ROWS, st.integers(1, 20))
def test_parts_on_the_disk_add_up_to_the_whole(rows: list[tuple[str, str, int]], at_once: int) -> None:
    one = table(UNKNOWN, measures=(USERS, EVENTS, SUM), max_groups=8)
    total = table(measures=(USERS, EVENTS, SUM))
    assert figures(exact(one, rows, at_once)) == figures(exact(one, rows))
    assert figures(exact(total, rows, at_once)) == figures(exact(total, rows))


def test_parts_lie_in_the_given_folder_and_are_gone_afterwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    real = bounding._persons

    def look(part: pl.LazyFrame, tables: Sequence[Table]) -> pl.DataFrame:
        seen.append(len(list(tmp_path.rglob("*.parquet"))))
        return real(part, tables)

    monkeypatch.setattr(bounding, "_persons", look)
    data = events([(f"u{number}", "a") for number in range(40)])
    bounding.cells([table(UNKNOWN)], data, unit="user", spool=tmp_path, at_once=10)
    assert len(seen) > 1
    assert min(seen) > 1
    assert list(tmp_path.iterdir()) == []


def test_a_column_may_be_named_like_anything_used_inside() -> None:
    data = events([(f"u{number}", "a") for number in range(9)])
    for name in ("part", "person", "events", "index", "literal", "len", "__index__"):
        seen = bounding.cells([table({"column": name})], data.rename({"kind": name}), unit="user", at_once=2)
        assert seen["toy"].rows() == [("a", 9)]


def test_every_set_of_cells_of_a_person_is_equally_likely() -> None:
    """OpenDP's own sampling of groups does not run, and its ``first`` and ``last`` favour the alphabet's ends."""
    people, kinds, most = 6000, "abcde", 2
    rows = [(f"u{number}", kind, 0) for number in range(people) for kind in kinds]
    seen = exact(table(UNKNOWN, max_groups=most), rows)
    expected = people * most / len(kinds)
    spread = math.sqrt(people * (most / len(kinds)) * (1 - most / len(kinds)))
    assert all(abs(users - expected) < 5 * spread for users in seen["users"])
    again = exact(table(UNKNOWN, max_groups=most), rows)
    assert figures(seen) != figures(again)


def test_pairs_of_cells_of_a_person_are_drawn_evenly_too() -> None:
    seen: Counter[tuple[str, ...]] = Counter()
    rows = [("u", kind, 0) for kind in "abcd"]
    for _ in range(600):
        seen[tuple(sorted(exact(table(UNKNOWN, max_groups=2), rows)["kind"]))] += 1
    assert len(seen) == 6
    assert all(abs(times - 100) < 5 * math.sqrt(100) for times in seen.values())


def test_values_are_put_together_before_a_person_is_bounded() -> None:
    """opendp#2949: a column redefined after truncation got a tenth of the noise it needed."""
    rows = [("u", f"rare {number}", 1) for number in range(100)] + [("u", "a", 1)]
    one = table(OTHER, measures=(USERS, EVENTS, SUM), max_groups=4)
    assert figures(exact(one, rows)) == {("z",): (1, 3, 50), ("a",): (1, 1, 1)}


def test_a_value_outside_of_the_list_drops_or_goes_to_the_other_key() -> None:
    rows = [("u", "a", 1), ("v", "x", 1), ("v", "y", 1)]
    assert figures(exact(table(PUBLIC), rows)) == {("a",): (1,)}
    assert figures(exact(table(OTHER), rows)) == {("a",): (1,), ("z",): (1,)}


def test_tables_of_one_bundle_may_read_a_column_differently() -> None:
    tables = [
        table(PUBLIC, id="listed"),
        table(UNKNOWN, id="unknown", max_groups=9),
        table(OTHER, id="other", max_groups=9),
        table(id="total"),
        table({"column": "plan"}, UNKNOWN, id="fine", max_groups=9),
        table({"column": "plan"}, id="plan"),
    ]
    data = events([("u", "a"), ("u", "x"), ("v", "x"), ("v", "a"), ("w", "b")], plan=["p", "p", "q", "q", "p"])
    seen = bounding.cells(tables, data, unit="user")
    assert dict(seen["unknown"].rows()) == {"a": 2, "x": 2, "b": 1}
    assert dict(seen["other"].rows()) == {"a": 2, "z": 2, "b": 1}
    assert dict(seen["listed"].rows()) == {"a": 2, "b": 1}
    assert dict(seen["plan"].rows()) == {"p": 2, "q": 1}
    assert seen["total"].rows() == [(3,)]
    assert sorted(seen["fine"].rows()) == [("p", "a", 1), ("p", "b", 1), ("p", "x", 1), ("q", "a", 1), ("q", "x", 1)]


def test_events_without_a_person_or_a_key_count_nowhere() -> None:
    data = pl.LazyFrame({"user": ["u", None, "v"], "kind": ["a", "a", None]})
    assert bounding.cells([table(UNKNOWN)], data, unit="user")["toy"].rows() == [("a", 1)]


def test_no_events_at_all_are_no_cells_but_a_total_of_zero() -> None:
    none = events([], cents=pl.Series([], dtype=pl.Int64))
    tables = [table(UNKNOWN, measures=(USERS, SUM), id="cells"), table(measures=(USERS, SUM), id="total")]
    seen = bounding.cells(tables, none, unit="user")
    assert seen["cells"].rows() == []
    assert seen["total"].rows() == [(0, 0)]


@pytest.mark.parametrize("cents", [[0.5], [None], ["1"]])
def test_what_is_not_an_integer_is_not_added_up(cents: list[object]) -> None:
    """Sums of floating numbers leak through their rounding (Casacuberta et al. 2022)."""
    data = events([("u", "a")], cents=cents)
    with pytest.raises(Refused, match=r"'cents', which is of the type (Float64|Null|String)"):
        bounding.cells([table(PUBLIC, measures=(USERS, SUM))], data, unit="user")


@pytest.mark.parametrize("missing", ["user", "kind"])
def test_a_missing_column_is_named(missing: str) -> None:
    with pytest.raises(Refused, match=f"'{missing}', which is missing"):
        bounding.cells([table(PUBLIC)], events([("u", "a")]).drop(missing), unit="user")


def test_huge_integers_do_not_overflow() -> None:
    largest = 2**63 - 1
    rows = [("u", "a", largest)] * 3 + [("v", "a", -largest)] * 3
    assert figures(exact(table(PUBLIC, measures=(USERS, {**SUM, "cap": 1_000_000})), rows)) == {("a",): (2, 1_000_000)}
