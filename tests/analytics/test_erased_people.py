"""After an erasure nothing that was published changes, and what identifies somebody never shows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from include.analytics.batches import ending_with
from include.analytics.making import Office, make, place_of
from include.analytics.outputs.folder import write_index, write_release
from include.analytics.releases import Releases
from include.ledger.log import Ledger
from include.sandbox.app import Sandbox
from tests.analytics import kit

DAYS = [kit.SUNDAY - timedelta(days=number) for number in (2, 1, 0)]


def nights(office: Office, folder: Path) -> dict[str, bytes]:
    """Run all nights and publish into a folder; returns all files."""
    for day in DAYS:
        for batch, start in ending_with(office.specification, day):
            make(office, batch, start, "run_1")
            for table in batch.tables:
                release = office.releases.find(place_of(office.specification, table, start))
                assert release is not None
                write_release(str(folder), office.releases.files(release))
    write_index(str(folder), office.releases.manifests())
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_erasing_twenty_people_changes_no_byte_of_what_was_published(
    company_sandbox: Sandbox, ledger: Ledger, tmp_path: Path
) -> None:
    people = kit.users(120)
    events = list(kit.events(people, DAYS))
    kit.seed(company_sandbox, events)
    before = nights(kit.office(company_sandbox, ledger, tmp_path), tmp_path / "out")
    assert len(before) == (3 * len(DAYS) + 1) * 5 + 4

    gone = set(people[40:60])
    kit.seed(company_sandbox, [event for event in events if event["uid"] not in gone])
    spent = Releases(ledger).spent([kit.DAY.replace(day=1)])

    def erased(users: Sequence[str]) -> list[bool]:
        return [user in gone for user in users]

    later = kit.office(company_sandbox, ledger, tmp_path, are_erased=erased)
    assert nights(later, tmp_path / "out") == before, "into the same folder"
    assert nights(later, tmp_path / "elsewhere") == before, "and into an empty one"
    assert Releases(ledger).spent([kit.DAY.replace(day=1)]) == spent


@pytest.mark.parametrize("share", [1, 200])
def test_what_identifies_somebody_is_in_no_file(
    company_sandbox: Sandbox, ledger: Ledger, tmp_path: Path, share: int
) -> None:
    """A canary that one person used, or two hundred, so that no threshold keeps it from showing."""
    people = kit.users(200)
    planted = [
        {"uid": uid, "at": event["at"], "feature": canary, "country": canary, "clicks": 1}
        for event in kit.events(["x"], [kit.SUNDAY])
        for canary in kit.CANARIES
        for uid in people[:share]
    ]
    kit.seed(company_sandbox, [*kit.events(people, DAYS), *planted])
    tables = [{**table, "max_groups": 8} if table["id"] == "daily_features" else table for table in kit.TABLES]
    office = kit.office(company_sandbox, ledger, tmp_path, spec=kit.specification(tables=tuple(tables)))
    files = nights(office, tmp_path / "out")
    shown = b"".join(content for path, content in files.items() if "daily_features" in path and path.endswith(".csv"))
    assert b"search" in shown, "the table shows what is no secret"
    for canary in (*kit.CANARIES, *people):
        assert not [path for path, content in files.items() if canary.encode() in content]
