"""From events in the stores to settled releases, over loopback."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from include.analytics.batches import batches
from include.analytics.making import Office, make, place_of
from include.errors import Refused
from include.ledger.log import Ledger
from include.sandbox.app import Sandbox
from tests.analytics import kit


@pytest.fixture
def office(company_sandbox: Sandbox, ledger: Ledger, tmp_path: Path) -> Office:
    kit.seed(company_sandbox, list(kit.events(kit.users(200), [kit.DAY, kit.SUNDAY])))
    return kit.office(company_sandbox, ledger, tmp_path)


def released(office: Office, table: str, start: object = kit.DAY) -> dict[str, bytes]:
    place = place_of(office.specification, office.specification.table(table), start)  # type: ignore[arg-type]
    found = office.releases.find(place)
    assert found is not None
    return office.releases.files(found)


def frame(files: dict[str, bytes]) -> pl.DataFrame:
    return pl.read_parquet(io.BytesIO(files["data.parquet"]))


def test_a_day_of_documents_becomes_releases_close_to_the_truth(office: Office) -> None:
    daily = batches(office.specification)[0]
    assert make(office, daily, kit.DAY, "run_1") == 3
    total = frame(released(office, "daily_total")).row(0, named=True)
    assert abs(total["users"] - 200) < 60
    assert abs(total["events"] - 400) < 300
    assert 0 < total["users_margin"] < 60
    assert frame(released(office, "daily_countries"))["country"].to_list() == ["DE", "FR", "US"]


def test_a_week_of_hits_becomes_a_release(office: Office) -> None:
    weekly = batches(office.specification)[1]
    start = kit.SUNDAY - timedelta(days=6)
    assert make(office, weekly, start, "run_1") == 1
    found = frame(released(office, "weekly_activity", start))
    assert found["feature"].to_list() == ["export", "search"]
    assert all(abs(users - 200) < 60 for users in found["users"])


def test_only_the_events_of_the_period_count(company_sandbox: Sandbox, ledger: Ledger, tmp_path: Path) -> None:
    borders = [kit.DAY - timedelta(days=1), kit.DAY + timedelta(days=1)]
    kit.seed(company_sandbox, list(kit.events(kit.users(200), borders)))
    office = kit.office(company_sandbox, ledger, tmp_path)
    make(office, batches(office.specification)[0], kit.DAY, "run_1")
    assert frame(released(office, "daily_total"))["users"].to_list() == [None]
    assert frame(released(office, "daily_features")).is_empty()


def test_a_period_that_is_not_over_is_never_released(office: Office, ledger: Ledger) -> None:
    weekly = batches(office.specification)[1]
    with pytest.raises(Refused, match="not over"):
        make(office, weekly, kit.NOW.date() - timedelta(days=kit.NOW.weekday()), "run_1")
    assert ledger.size() == 0


def test_making_again_reads_nothing_and_gives_the_same(
    office: Office, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    daily = batches(office.specification)[0]
    make(office, daily, kit.DAY, "run_1")
    first = {table.id: released(office, table.id) for table in daily.tables}
    monkeypatch.setattr("include.analytics.making.read", None)
    assert make(office, daily, kit.DAY, "run_2") == 0
    assert {table.id: released(office, table.id) for table in daily.tables} == first
    assert ledger.size() == 3


def test_a_table_without_budget_does_not_take_the_others_with_it(
    company_sandbox: Sandbox, ledger: Ledger, tmp_path: Path, office: Office
) -> None:
    poor = kit.office(company_sandbox, ledger, tmp_path, spec=kit.specification(rho_month="0.05"))
    daily = batches(poor.specification)[0]
    for _ in range(2):
        with pytest.raises(Refused, match="November 2026"):
            make(poor, daily, kit.DAY, "run_1")
    assert [release.place.table for release in poor.releases.all()] == ["daily_total", "daily_countries"]


def test_a_changed_specification_is_a_new_release_beside_the_old_one(
    company_sandbox: Sandbox, ledger: Ledger, tmp_path: Path, office: Office
) -> None:
    make(office, batches(office.specification)[0], kit.DAY, "run_1")
    before = released(office, "daily_total")
    changed = kit.specification("daily_total", tables=({**kit.TABLES[0], "rho": "0.03"},), version="2")
    again = kit.office(company_sandbox, ledger, tmp_path, spec=changed)
    make(again, batches(changed)[0], kit.DAY, "run_2")
    assert released(again, "daily_total") != before
    assert released(office, "daily_total") == before
    assert len(office.releases.all()) == 4


def test_a_title_that_is_corrected_is_no_new_release(
    company_sandbox: Sandbox, ledger: Ledger, tmp_path: Path, office: Office
) -> None:
    make(office, batches(office.specification)[0], kit.DAY, "run_1")
    corrected = kit.specification(tables=({**kit.TABLES[0], "title": "Another title"},), version="2")
    assert make(kit.office(company_sandbox, ledger, tmp_path, spec=corrected), batches(corrected)[0], kit.DAY, "r") == 0


def test_the_manifest_says_what_was_spent_and_names_every_file(office: Office) -> None:
    make(office, batches(office.specification)[0], kit.DAY, "run_1")
    files = released(office, "daily_features")
    manifest = json.loads(files["manifest.json"])
    assert set(manifest["files"]) == set(files) - {"manifest.json"}
    assert manifest["specification"]["digest"] == office.specification.digest
    assert manifest["watermark"] == "2026-12-02T05:00:00Z"
    privacy = manifest["privacy"]
    assert (privacy["unit"], privacy["rho"], privacy["delta"]) == ("user-day", "0.02", "0.0000001")
    assert float(privacy["user_month"]["epsilon"]) > float(privacy["epsilon"]) > 0
    assert manifest["code"].keys() == {"source", "opendp", "polars"}


def test_nothing_of_the_events_is_left_on_the_disk(office: Office) -> None:
    make(office, batches(office.specification)[0], kit.DAY, "run_1")
    assert [path.name for path in office.spool.iterdir()] == ["lock"]


def test_an_internal_table_is_frozen_too_and_costs_nothing(
    company_sandbox: Sandbox, ledger: Ledger, tmp_path: Path, office: Office
) -> None:
    internal = {**kit.TABLES[1], "id": "inside_countries", "internal": True, "rho": None}
    specification = kit.specification(tables=(internal, kit.TABLES[0]))
    inside = kit.office(company_sandbox, ledger, tmp_path, spec=specification)
    daily = batches(specification)[0]
    assert make(inside, daily, kit.DAY, "run_1") == 2
    files = released(inside, "inside_countries")
    assert "users_margin" not in frame(files).columns
    assert json.loads(files["manifest.json"])["internal"] is True
    assert inside.releases.spent([kit.DAY.replace(day=1)])[kit.DAY.replace(day=1)].rho == specification.tables[1].rho
    assert make(inside, daily, kit.DAY, "run_2") == 0


def test_exact_figures_of_the_same_days_are_given_out_once(
    company_sandbox: Sandbox, ledger: Ledger, tmp_path: Path, office: Office
) -> None:
    first = {**kit.TABLES[1], "id": "inside_countries", "internal": True, "rho": None}
    second = {**first, "id": "inside_again"}
    early = kit.office(company_sandbox, ledger, tmp_path, spec=kit.specification(tables=(first,)))
    make(early, batches(early.specification)[0], kit.DAY, "run_1")
    later = kit.office(company_sandbox, ledger, tmp_path, spec=kit.specification(tables=(first, second)))
    daily = batches(later.specification)[0]
    with pytest.raises(Refused, match="without noise"):
        make(later, daily, kit.DAY, "run_2")
    assert len(later.releases.all()) == 1
