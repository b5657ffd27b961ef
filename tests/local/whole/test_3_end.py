"""What an installation leaves: nobody's data where it does not belong, and no process."""

from __future__ import annotations

import os
import signal

import psutil
import pytest

from tests.local.whole.installation import Installation
from tests.local.whole.needles import Needles

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_no_personal_data_in_airflow_ledger_logs_and_reports(installation: Installation) -> None:
    needles = Needles(installation.estate())
    leaks = [
        f"{name}.{table}: {what}"
        for name in ("privacy_airflow", "privacy_ledger", "privacy_vault")
        for table, text in installation.database(name)
        for what in needles.found_in(text)
    ]
    for place in (installation.folder / "stack").rglob("*"):
        searched = {"logs", "reports"} & set(place.relative_to(installation.folder / "stack").parts)
        if place.is_file() and searched:
            text = place.read_bytes().decode("utf-8", "replace")
            leaks += [f"{place.name}: {what}" for what in needles.found_in(text)]

    assert leaks == []


def test_search_for_leaks_finds_a_planted_one(installation: Installation) -> None:
    estate = installation.estate()
    person, needles = estate.people[0], Needles(estate)

    for planted in (person.email, person.uid, person.name):
        assert needles.found_in(f"task failed for '{planted}'.")


def test_ending_it_leaves_no_process(installation: Installation) -> None:
    sessions = [int(place.name) for place in (installation.folder / "stack" / "sessions").iterdir()]
    assert sessions

    installation.process.send_signal(signal.SIGINT)
    installation.process.wait(timeout=120)

    left = [process.pid for process in psutil.process_iter() if _session(process.pid) in sessions]
    folder = str(installation.folder)
    left += [p.pid for p in psutil.process_iter(["cmdline"]) if any(folder in part for part in p.info["cmdline"] or ())]
    assert left == []


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except (ProcessLookupError, PermissionError):
        return -1
