"""One night of releases in a process of its own, made to be killed."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from include.analytics.batches import ending_with
from include.analytics.making import make, place_of
from include.analytics.outputs.folder import write_index, write_release
from include.connection import Connection
from include.ledger.database import engine_for
from include.ledger.log import Ledger
from tests.analytics import kit

TABLES = ("daily_total", "daily_features")


def run_night(ledger_url: str, environ: dict[str, str], folder: str, days: list[str]) -> None:
    """What the DAG does for some days: make, settle, publish, list."""
    engine = engine_for(ledger_url)
    place = Path(folder)
    office = kit.office_at(
        lambda key: Connection.from_env(key, environ),
        Ledger(engine, lambda: kit.NOW),
        place,
        kit.specification(*TABLES, rho_month="10"),
    )
    for day in map(date.fromisoformat, days):
        for batch, start in ending_with(office.specification, day):
            make(office, batch, start, "run_1")
            for table in batch.tables:
                release = office.releases.find(place_of(office.specification, table, start))
                assert release is not None
                write_release(str(place / "out"), office.releases.files(release))
        write_index(str(place / "out"), office.releases.manifests())
    engine.dispose()
