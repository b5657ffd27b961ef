"""Several processes append at once, and some die in the middle of it."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

from include.ledger.log import Ledger

WRITER = """
import sys
from datetime import UTC, datetime
from include.ledger.database import engine_for
from include.ledger.entry import Entry, Kind
from include.ledger.log import Ledger

url, run, batches = sys.argv[1], sys.argv[2], int(sys.argv[3])
ledger = Ledger(engine_for(url), lambda: datetime.now(UTC))
for batch in range(batches):
    ledger.append([Entry(Kind.OUTCOME, run, body={"batch": batch, "number": number}) for number in range(70)])
    print(batch, flush=True)
"""


def start(url: str, run: str, batches: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", WRITER, url, run, str(batches)], stdout=subprocess.PIPE)


def test_processes_that_append_at_once_leave_no_gap(ledger: Ledger, ledger_url: str) -> None:
    runs = [f"run_{number}" for number in range(4)]
    writers = [start(ledger_url, run, 12) for run in runs]
    for writer in writers:
        writer.communicate(timeout=60)
        assert writer.returncode == 0
    entries = list(ledger.entries())
    assert [item.index for item in entries] == list(range(4 * 12 * 70))
    assert Counter(item.entry.run for item in entries) == dict.fromkeys(runs, 12 * 70)
    for run in runs:
        own = [(item.entry.body["batch"], item.entry.body["number"]) for item in entries if item.entry.run == run]
        assert own == sorted(own)
    result = ledger.audit()
    assert result.ok
    assert result.root == ledger.root()


def test_a_killed_process_leaves_whole_batches_and_a_sound_log(ledger: Ledger, ledger_url: str) -> None:
    for round_number in range(3):
        with start(ledger_url, f"run_{round_number}", 100_000) as writer:
            assert writer.stdout is not None
            for _ in range(3 + round_number):
                confirmed = int(writer.stdout.readline())
            writer.kill()
        recorded = Counter(item.entry.body["batch"] for item in ledger.entries(run=f"run_{round_number}"))
        assert set(recorded.values()) == {70}
        assert set(recorded) >= set(range(confirmed + 1))
    size = ledger.size()
    result = ledger.audit()
    assert (result.ok, result.size) == (True, size)
    assert [item.index for item in ledger.entries()] == list(range(size))
