"""The files of a release, the folder they are copied to, and the documented way to read them."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import duckdb
import fsspec
import polars as pl
import pytest

from include.analytics.mechanism import Noise, Parameters
from include.analytics.outputs import charts
from include.analytics.outputs.drafting import draft
from include.analytics.outputs.folder import path_of, write_index, write_release
from include.analytics.outputs.page import MOST_BARS, MOST_ROWS
from include.analytics.outputs.publication import Publication, period_name
from include.analytics.releases import Draft
from include.analytics.spec import Cadence
from include.errors import Unavailable
from tests.analytics import kit
from tests.surroundings import ROOT

WATERMARK = datetime(2026, 11, 21, 5, tzinfo=UTC)
NASTY = '<script>alert("x")</script>'


def noise(*measures: str) -> Parameters:
    made = tuple(Noise(name, 1, Decimal("0.01"), 7.07, 14) for name in measures)
    return Parameters(Decimal("0.02"), Decimal(0), 1, None, 20, made, "1")


def publication(keys: list[str], table: str = "daily_features", start: date = kit.DAY) -> Publication:
    specification = kit.specification()
    users = [None if number % 5 == 4 else 100 + number for number in range(len(keys))]
    frame = pl.DataFrame(
        {"feature": keys, "users": users, "users_margin": [14] * len(keys)},
        schema={"feature": pl.String, "users": pl.Int64, "users_margin": pl.Int64},
    )
    if table == "daily_total":
        frame = pl.DataFrame({"users": [321], "users_margin": [14], "events": [900], "events_margin": [60]})
    return Publication(specification, specification.table(table), start, WATERMARK, frame, noise("users"))


def files(keys: list[str], **more: object) -> dict[str, bytes]:
    return dict(draft(publication(keys, **more)).files)  # type: ignore[arg-type]


def test_the_dictionary_names_the_columns_of_the_data_in_their_order() -> None:
    made = files(["search", "export"])
    named = [field["name"] for field in json.loads(made["dictionary.json"])["fields"]]
    assert pl.read_parquet(io.BytesIO(made["data.parquet"])).columns == named
    assert next(csv.reader(io.StringIO(made["data.csv"].decode()))) == named
    assert json.loads(pl.read_parquet_metadata(io.BytesIO(made["data.parquet"]))["table_schema"])["fields"]


def test_parquet_and_csv_hold_the_same_figures() -> None:
    made = files(["a", "b", "c", "d", "e"])
    parquet = pl.read_parquet(io.BytesIO(made["data.parquet"]))
    text = pl.read_csv(made["data.csv"], schema=parquet.schema)
    assert text.equals(parquet)
    assert parquet["period_start"].to_list() == [kit.DAY] * 5
    assert parquet["users"].to_list() == [100, 101, 102, 103, None]


@pytest.mark.parametrize("key", ["=1+1", "+1", "-1", "@sum", "\t=1", "\uff1d1"])
def test_a_key_that_a_spreadsheet_would_compute_is_text_in_the_csv(key: str) -> None:
    made = files([key, "plain"])
    assert [row[2] for row in csv.reader(io.StringIO(made["data.csv"].decode()))][1:] == [f"'{key}", "plain"]
    assert pl.read_parquet(io.BytesIO(made["data.parquet"]))["feature"].to_list() == [key, "plain"]


class _Parts(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def parts(page: bytes) -> list[tuple[str, dict[str, str | None]]]:
    parser = _Parts()
    parser.feed(page.decode())
    return parser.tags


def test_the_page_takes_nothing_from_elsewhere_and_runs_nothing() -> None:
    tags = parts(files([NASTY, "search"])["page.html"])
    assert not [tag for tag, _ in tags if tag in {"script", "link", "img", "iframe", "object", "form"}]
    assert not [name for _, attributes in tags for name in attributes if name in {"src", "srcset"} or name[:2] == "on"]
    policy = next(a["content"] for tag, a in tags if tag == "meta" and a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'")


def test_the_page_shows_each_figure_with_its_margin_and_hides_the_small_ones() -> None:
    page = files(["a", "b", "c", "d", "e"])["page.html"].decode()
    assert "103 ± 14" in page
    assert "fewer than 20" in page
    assert page.count('class="margin"') == 4
    assert page.count('class="bar"') == 4


def test_a_page_has_an_end() -> None:
    keys = [f"k{number:05}" for number in range(MOST_ROWS + 100)]
    page = files(keys)["page.html"].decode()
    assert page.count('class="bar"') == MOST_BARS
    assert "100 more rows" in page
    assert f"{len(keys) - MOST_BARS} more rows" in page


@pytest.mark.parametrize(
    ("largest", "end"), [(0, 4), (4, 4), (5, 8), (9, 20), (21, 40), (41, 80), (81, 200), (10**9, 2 * 10**9)]
)
def test_an_axis_ends_at_a_round_number_that_has_room(largest: int, end: int) -> None:
    assert charts.scale(largest) == end


@pytest.mark.parametrize(
    ("cadence", "start", "name"),
    [
        (Cadence.DAILY, date(2026, 11, 20), "2026-11-20"),
        (Cadence.WEEKLY, date(2026, 12, 28), "2026-W53"),
        (Cadence.WEEKLY, date(2024, 12, 30), "2025-W01"),
        (Cadence.MONTHLY, date(2026, 2, 1), "2026-02"),
    ],
)
def test_periods_are_named_as_iso_8601_does(cadence: Cadence, start: date, name: str) -> None:
    assert period_name(cadence, start) == name


def test_a_draft_is_charged_to_its_months(tmp_path: Path) -> None:
    made = draft(publication(["a"]))
    assert {month: str(price.rho) for month, price in made.debits.items()} == {date(2026, 11, 1): "0.02"}
    assert (made.place.start, made.place.end) == (date(2026, 11, 20), date(2026, 11, 21))


def write(base: str, *drafts: Draft) -> None:
    for one in drafts:
        write_release(base, one.files)
    write_index(base, [json.loads(one.files["manifest.json"]) for one in drafts])


def below(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_writing_again_touches_no_file_and_mends_what_was_changed(tmp_path: Path) -> None:
    made = draft(publication(["a", "b"]))
    write(str(tmp_path), made)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    write(str(tmp_path), made)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
    content = below(tmp_path)
    folder = tmp_path / path_of(json.loads(made.files["manifest.json"]))
    (folder / "data.csv").write_text("forged")
    (folder / "manifest.json").unlink()
    write(str(tmp_path), made)
    assert below(tmp_path) == content


def test_an_object_store_gets_the_same_files(tmp_path: Path) -> None:
    made = draft(publication(["a"]))
    write(str(tmp_path), made)
    write("memory://aggregates/x", made)
    store = fsspec.filesystem("memory")
    found = {path.removeprefix("/aggregates/x/"): store.cat_file(path) for path in store.find("/aggregates/x")}
    assert found == below(tmp_path)


@pytest.mark.parametrize("base", ["/proc/nowhere", "nosuch://bucket/x"])
def test_a_place_that_cannot_be_written_is_unavailable_and_not_quoted(base: str) -> None:
    with pytest.raises(Unavailable) as caught:
        write(base, draft(publication(["a"])))
    assert base not in str(caught.value)


def test_internal_tables_go_to_a_folder_of_their_own(tmp_path: Path) -> None:
    table = {**kit.TABLES[2], "internal": True, "rho": None, "delta": None}
    specification = kit.specification(tables=(table,))
    frame = pl.DataFrame({"feature": ["search", None], "users": [40, 90]})
    exact = Publication(specification, specification.tables[0], kit.DAY, WATERMARK, frame, None)
    made = draft(exact)
    assert made.debits == {}
    write(str(tmp_path), made)
    assert not [path for path in below(tmp_path) if path.startswith("published/") and "features" in path]
    page = made.files["page.html"].decode()
    assert "must not be passed on" in page
    assert "margin of error" not in page
    assert json.loads(made.files["manifest.json"])["privacy"] is None


def test_the_documented_query_reads_the_newest_specification_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = [date(2026, 11, 19), date(2026, 11, 20)]
    first = [draft(publication([], table="daily_total", start=day)) for day in days]
    changed = kit.specification(tables=({**kit.TABLES[0], "rho": "0.03"},), version="2")
    old = publication([], table="daily_total", start=days[1])
    frame = old.frame.with_columns(users=pl.lit(400, pl.Int64))
    second = draft(Publication(changed, changed.tables[0], days[1], WATERMARK, frame, old.noise))
    write(str(tmp_path), *first, second)
    query = re.findall(r"```sql\n(.*?)```", (ROOT / "docs" / "aggregates.md").read_text(), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    with duckdb.connect() as connection:
        found = connection.sql(query[0]).fetchall()
    assert found == [(days[0], 321, 307, 335), (days[1], 400, 386, 414)]
