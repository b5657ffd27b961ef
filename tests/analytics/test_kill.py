"""SIGKILL at 50 random instants of nights of releases: the same bytes, paid once, nothing left behind."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from random import Random

import pytest

from include.analytics.accounting import debits
from include.analytics.releases import MANIFEST, Place, Releases
from include.ledger.entry import Kind
from include.ledger.log import Ledger
from include.sandbox.app import Sandbox, connections
from tests.analytics import kit, nightly

KILLS = int(os.environ.get("PRIVACY_RELEASE_KILLS", "50"))
SEED = int(os.environ.get("PRIVACY_KILL_SEED", "1"))
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.analytics.preload"])


@dataclass
class Nights:
    """Nights on one ledger and one folder, and what was seen of them."""

    sandbox: Sandbox
    url: str
    ledger: Ledger
    folder: Path
    seen: dict[Place, dict[str, bytes]] = field(default_factory=dict)

    def start(self, days: Sequence[date]) -> BaseProcess:
        environ = connections(self.sandbox.endpoints)
        arguments = (self.url, environ, str(self.folder), [day.isoformat() for day in days])
        process = PROCESSES.Process(target=nightly.run_night, args=arguments, daemon=True)
        process.start()
        return process

    def finish(self, days: Sequence[date]) -> float:
        """Run what is left to its end. Returns the seconds it took."""
        began = time.monotonic()
        process = self.start(days)
        process.join(120)
        assert process.exitcode == 0
        return time.monotonic() - began

    def published(self) -> dict[str, bytes]:
        """Every whole file of the folder by its path."""
        files = (path for path in (self.folder / "out").rglob("*") if path.is_file() and path.name[0] != ".")
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in files}

    def assert_nothing_untrue(self) -> None:
        """At any moment: what was settled once is there unchanged, paid once, and nothing else was published."""
        store = Releases(self.ledger)
        settled = store.all()
        assert len({release.place for release in settled}) == len(settled)
        recorded = {item.entry.body["manifest"]: item.index for item in self.ledger.entries(kinds=[Kind.RELEASE])}
        assert recorded == {release.manifest: release.entry for release in settled}
        for release in settled:
            files = store.files(release)
            assert self.seen.setdefault(release.place, files) == files
        assert self.seen.keys() == {release.place for release in settled}
        prices = [debits(kit.specification().table(one.place.table), one.place.start) for one in settled]
        for month in {month for price in prices for month in price}:
            assert store.spent([month])[month].rho == sum(price[month].rho for price in prices if month in price)
        known = {hashlib.sha256(content).hexdigest() for files in self.seen.values() for content in files.values()}
        for path, content in self.published().items():
            assert hashlib.sha256(content).hexdigest() in known or Path(path).name in {"index.html", "catalog.json"}

    def assert_done(self, releases: int) -> None:
        """At the end: every table is settled and published, with the bytes that were seen first."""
        self.assert_nothing_untrue()
        assert len(self.seen) == releases
        published = self.published()
        manifests = [path for path in published if Path(path).name == MANIFEST]
        assert len(manifests) == len(self.seen)
        for path in manifests:
            for name, digest in json.loads(published[path])["files"].items():
                assert hashlib.sha256(published[str(Path(path).with_name(name))]).hexdigest() == digest
        assert [path.name for path in (self.folder / "spool").iterdir()] == ["lock"], "no event outlives its night"
        assert self.ledger.audit().ok


@pytest.fixture
def nights(company_sandbox: Sandbox, ledger_url: str, ledger: Ledger, tmp_path: Path) -> Nights:
    days = [kit.DAY - timedelta(days=number) for number in range(5)]
    kit.seed(company_sandbox, list(kit.events(kit.users(40), days)))
    return Nights(company_sandbox, ledger_url, ledger, tmp_path)


def test_nights_survive_being_killed(nights: Nights) -> None:
    rng = Random(SEED)  # noqa: S311 - a repeatable choice is the point
    nights.finish([])  # the server that the others are forked from takes a while to start
    seconds = nights.finish([kit.DAY])
    days = [kit.DAY]
    kills = 0
    while kills < KILLS:
        days.append(days[-1] - timedelta(days=1))
        while (process := nights.start(days[-1:])).exitcode is None:
            process.join(rng.uniform(0, seconds))
            if not process.is_alive():
                break
            process.kill()
            process.join()
            kills += 1
            nights.assert_nothing_untrue()
        assert process.exitcode == 0
    nights.assert_done(len(nightly.TABLES) * len(days))
    before = nights.published()
    nights.finish(days[::5])
    assert nights.published() == before
    nights.assert_done(len(nightly.TABLES) * len(days))


def test_nights_that_run_at_once_publish_the_same_bytes(nights: Nights) -> None:
    days = [kit.DAY, kit.DAY - timedelta(days=1)]
    nights.finish([])
    at_once = [nights.start(days) for _ in range(4)]
    for process in at_once:
        process.join(120)
    assert [process.exitcode for process in at_once] == [0] * 4
    nights.assert_done(len(nightly.TABLES) * len(days))
