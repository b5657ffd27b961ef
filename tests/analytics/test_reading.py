"""Events of a period from files and stores: which, in which types, and what is no whole period."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import fsspec
import polars as pl
import pytest

from include.analytics.reading.pages import Wanted, page, read
from include.analytics.spec import ColumnType, Source
from include.connection import Connection
from include.errors import Refused, Unavailable
from include.sandbox.app import Sandbox, connections
from tests.analytics import kit

START, END = date(2026, 11, 16), date(2026, 11, 23)
MIDNIGHT = datetime(2026, 11, 16, tzinfo=UTC)
COLUMNS = {"feature": ColumnType.TEXT, "clicks": ColumnType.INTEGER}
SECOND = timedelta(seconds=1)


def wanted(kind: str, location: str, **names: str) -> Wanted:
    about = {name: {"about": "x", "type": kind.value} for name, kind in COLUMNS.items()}
    fields: dict[str, Any] = {
        "id": "s",
        "kind": kind,
        "location": location,
        "user": "uid",
        "at": "at",
        "columns": about,
    }
    return Wanted(Source.model_validate(fields | names), COLUMNS, START, END)


def rows(asked: Wanted, folder: Path) -> list[tuple[Any, ...]]:
    def none(key: str) -> Connection:
        raise AssertionError(key)

    return sorted(row for one in read(asked, none, folder) for row in one.rows())


def around() -> dict[str, list[Any]]:
    """Events just outside and just inside of the borders."""
    return {
        "uid": ["before", "first", "last", "after"],
        "at": [MIDNIGHT - SECOND, MIDNIGHT, MIDNIGHT + timedelta(days=7) - SECOND, MIDNIGHT + timedelta(days=7)],
        "feature": ["f"] * 4,
        "clicks": [1, 2, 3, 4],
        "email": ["a@b.example"] * 4,
    }


INSIDE = [("first", "f", 2), ("last", "f", 3)]


@pytest.mark.parametrize("form", ["zone", "naive", "other zone", "text", "nanoseconds"])
def test_parquet_rows_of_the_period_in_any_form_of_time(tmp_path: Path, form: str) -> None:
    frame = pl.DataFrame(around())
    at = pl.col("at")
    changed = {
        "zone": at,
        "naive": at.dt.replace_time_zone(None),
        "other zone": at.dt.convert_time_zone("Asia/Tokyo"),
        "text": at.dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ"),
        "nanoseconds": at.dt.cast_time_unit("ns"),
    }
    frame.with_columns(changed[form]).write_parquet(tmp_path / "e.parquet")
    assert rows(wanted("parquet", str(tmp_path / "e.parquet")), tmp_path) == INSIDE


@pytest.mark.parametrize("suffix", ["Z", "+00:00", ""])
def test_csv_rows_of_the_period(tmp_path: Path, suffix: str) -> None:
    frame = pl.DataFrame(around()).with_columns(pl.col("at").dt.strftime("%Y-%m-%dT%H:%M:%S%.3f") + suffix)
    frame.write_csv(tmp_path / "e.csv")
    assert rows(wanted("csv", str(tmp_path / "e.csv")), tmp_path) == INSIDE


def test_times_of_several_forms_in_one_file_are_read_and_moved_to_utc(tmp_path: Path) -> None:
    times = {
        "too early": "2026-11-16T01:59:59+02:00",
        "a": "2026-11-16T02:00:00+02:00",
        "b": "2026-11-16 00:00:00",
        "c": "2026-11-22T23:59:59.999999Z",
        "too late": "2026-11-22T23:30:00-0100",
    }
    lines = [f"{uid},{at},f,1" for uid, at in times.items()]
    (tmp_path / "e.csv").write_text("\n".join(["uid,at,feature,clicks", *lines]))
    assert [row[0] for row in rows(wanted("csv", str(tmp_path / "e.csv")), tmp_path)] == ["a", "b", "c"]


def test_one_file_for_each_day_by_its_date_and_stars(tmp_path: Path) -> None:
    for number in range(-1, 8):
        day = START + timedelta(days=number)
        (tmp_path / str(day)).mkdir()
        for part in range(2):
            at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
            frame = pl.DataFrame({"uid": [f"u{number}{part}"], "at": [at], "feature": ["f"], "clicks": [1]})
            frame.write_parquet(tmp_path / str(day) / f"{part}.parquet")
    found = rows(wanted("parquet", f"{tmp_path}/{{date}}/*.parquet"), tmp_path)
    assert [row[0] for row in found] == [f"u{number}{part}" for number in range(7) for part in range(2)]


def test_a_day_without_its_file_is_waited_for_and_not_counted_as_empty(tmp_path: Path) -> None:
    for number in range(6):
        pl.DataFrame(around()).write_parquet(tmp_path / f"{START + timedelta(days=number)}.parquet")
    with pytest.raises(Unavailable, match="not there yet"):
        rows(wanted("parquet", f"{tmp_path}/{{date}}.parquet"), tmp_path)
    with pytest.raises(Unavailable, match="not there yet"):
        rows(wanted("parquet", f"{tmp_path}/none/*.parquet"), tmp_path)


def test_a_remote_file_is_copied_to_the_private_folder(tmp_path: Path) -> None:
    store = fsspec.filesystem("memory")
    with store.open("/warehouse/e.parquet", "wb") as file:
        pl.DataFrame(around()).write_parquet(file)
    assert rows(wanted("parquet", "memory://warehouse/*.parquet"), tmp_path) == INSIDE
    assert [path.name for path in tmp_path.iterdir()] == ["source-0"]


@pytest.mark.parametrize(
    "text",
    [
        "uid,at,feature\na,2026-11-20T00:00:00Z,f\n",
        "uid,at,feature,clicks\na,yesterday,f,1\n",
        "uid,at,feature,clicks\na,2026-11-20T00:00:00Z,f,many\n",
        "uid,at,feature,clicks\na,2026-11-20T00:00:00Z,f,1.5\n",
    ],
)
def test_a_file_that_is_not_as_specified_is_refused_without_its_values(tmp_path: Path, text: str) -> None:
    (tmp_path / "e.csv").write_text(text)
    with pytest.raises(Refused) as caught:
        rows(wanted("csv", str(tmp_path / "e.csv")), tmp_path)
    assert not [word for word in ("yesterday", "many", "1.5") if word in str(caught.value)]


def test_a_broken_file_is_no_empty_period(tmp_path: Path) -> None:
    (tmp_path / "e.parquet").write_bytes(b"PAR1 and then nothing")
    with pytest.raises(Unavailable):
        rows(wanted("parquet", str(tmp_path / "e.parquet")), tmp_path)


@pytest.mark.parametrize("location", ["nosuch://bucket/e.parquet"])
def test_a_url_that_no_package_understands_is_refused(tmp_path: Path, location: str) -> None:
    with pytest.raises(Refused):
        rows(wanted("parquet", location), tmp_path)


def test_events_without_a_user_are_left_behind(tmp_path: Path) -> None:
    events = around() | {"uid": ["x", None, "", "y"]}
    pl.DataFrame(events).write_parquet(tmp_path / "e.parquet")
    assert rows(wanted("parquet", str(tmp_path / "e.parquet")), tmp_path) == []
    asked = wanted("parquet", "e")
    made = page(asked, [["a", "f", 1], [None, "f", 1], ["", "f", 1], [True, "f", 1], [7, "f", 1], [1.5, "f", 1]])
    assert made["uid"].to_list() == ["a", "7"]


def test_a_value_of_another_type_counts_as_missing() -> None:
    made = page(wanted("parquet", "e"), [["a", 5, "5"], ["b", None, True], ["c", "f", 2**63], ["d", ["f"], 7]])
    assert made.rows() == [("a", None, None), ("b", None, None), ("c", "f", None), ("d", None, 7)]


@pytest.fixture
def reader(company_sandbox: Sandbox) -> Iterator[Any]:
    environ = connections(company_sandbox.endpoints)

    def run(asked: Wanted) -> list[pl.DataFrame]:
        return list(read(asked, lambda key: Connection.from_env(key, environ), Path("unused")))

    yield run
    company_sandbox.company.wipe()


@pytest.mark.parametrize(("kind", "location"), [("firestore", "events"), ("elasticsearch", "activity")])
@pytest.mark.parametrize("count", [0, 7, 20, 21])
def test_a_store_is_read_in_pages_without_loss_or_repetition(
    company_sandbox: Sandbox, reader: Any, monkeypatch: pytest.MonkeyPatch, kind: str, location: str, count: int
) -> None:
    for module in ("documents", "hits"):
        monkeypatch.setattr(f"include.analytics.reading.{module}.PAGE", 7)
    same = MIDNIGHT + timedelta(days=2)  # all at one instant: only the name tells them apart
    kit.seed(
        company_sandbox,
        [{"uid": f"u{n:03}", "at": same, "feature": "f", "country": "DE", "clicks": n} for n in range(count)]
        + [{"uid": "late", "at": MIDNIGHT + timedelta(days=7), "feature": "f", "country": "DE", "clicks": 1}],
    )
    pages = reader(wanted(kind, location))
    assert [one.height for one in pages][:-1] == [7] * (len(pages) - 1)
    assert sorted(row for one in pages for row in one.rows()) == [(f"u{n:03}", "f", n) for n in range(count)]


def test_documents_of_one_collection_and_not_of_others_of_its_name(company_sandbox: Sandbox, reader: Any) -> None:
    at = MIDNIGHT + timedelta(days=1)
    company_sandbox.company.wipe()
    company_sandbox.company.firestore.seed(
        [
            ("events/a", {"uid": "root", "at": at, "feature": "f", "clicks": 1}),
            ("teams/t1/events/b", {"uid": "below", "at": at, "feature": "f", "clicks": 1}),
        ]
    )
    assert [row for one in reader(wanted("firestore", "events")) for row in one.rows()] == [("root", "f", 1)]
    assert [row for one in reader(wanted("firestore", "teams/t1/events")) for row in one.rows()] == [("below", "f", 1)]


def test_only_the_fields_that_tables_use_are_asked_for(company_sandbox: Sandbox, reader: Any) -> None:
    event = {"uid": "u", "at": MIDNIGHT, "feature": "f", "clicks": 1, "country": "DE", "ip": "192.0.2.1"}
    kit.seed(company_sandbox, [event])
    for kind, location in (("firestore", "events"), ("elasticsearch", "activity")):
        assert reader(wanted(kind, location))[0].columns == ["uid", "feature", "clicks"]
