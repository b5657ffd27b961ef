"""One night of the sandbox company: start everything, let the scheduler run the retention DAG, show what it did."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from sqlalchemy import create_engine

from include.errors import Refused, Unavailable
from include.ledger.entry import Kind
from include.ledger.log import Ledger
from include.ledger.recent import latest
from include.local.stack import Say, Size, Stack, running
from include.retention.status import RuleStatus, statuses

NIGHT_SECONDS = 900
COLUMNS = ("system", "rule", "due", "deleted", "anonymised", "with others", "held", "failed", "verified")
NUMBERS = range(2, 8)


def demo(folder: Path, size: Size, *, stay: bool) -> int:
    """Run one night and print its table; with ``stay``, keep everything up until Ctrl-C. Returns the exit status."""
    began = time.monotonic()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)

    def say(text: str) -> None:
        print(f"[{time.monotonic() - began:5.0f} s] {text}", flush=True)

    try:
        with running(folder, size, say) as stack:
            state = _one_night(stack, say)
            rows = _rows_of_newest_run(stack.ledger)
            print("\n" + table(rows) + "\n")
            _tell_where(stack)
            if stay:
                say("Everything stays up. End it with Ctrl-C.")
                threading.Event().wait()
            return 0 if state == "success" else 1
    except KeyboardInterrupt:
        return 130


def table(rows: Sequence[RuleStatus]) -> str:
    """The night as text, one line per rule, totals last."""
    lines: list[tuple[str, ...]] = [
        (
            row.system,
            row.rule,
            str(row.due),
            str(row.deleted),
            str(row.anonymised),
            str(row.elsewhere),
            str(row.held),
            str(row.failed),
            row.state.value if row.verified else f"NO ({row.state.value})",
        )
        for row in rows
    ]
    sums = [str(sum(int(line[at]) for line in lines)) for at in NUMBERS]
    lines.append(("total", f"{len(rows)} rules", *sums, ""))
    widths = [max(len(line[i]) for line in [COLUMNS, *lines]) for i in range(len(COLUMNS))]
    return "\n".join(_line(line, widths) for line in [COLUMNS, tuple("-" * width for width in widths), *lines])


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [c.rjust(w) if i in NUMBERS else c.ljust(w) for i, (c, w) in enumerate(zip(cells, widths, strict=True))]
    return "  ".join(padded).rstrip()


def _one_night(stack: Stack, say: Say) -> str:
    say("Waiting for tonight's run of the retention DAG")
    deadline = time.monotonic() + NIGHT_SECONDS
    shown = ""
    while time.monotonic() < deadline:
        run = stack.rest.newest_run("retention")
        if run is not None:
            state = stack.rest.run_state("retention", run)
            counts = stack.rest.task_states("retention", run)
            progress = f"retention is {state}: " + ", ".join(f"{n} {name}" for name, n in sorted(counts.items()))
            if progress != shown:
                say(progress)
            shown = progress
            if state in ("success", "failed"):
                return state
        time.sleep(1)
    raise Unavailable("airflow", "finish the night", f"Read {stack.logs / 'airflow.log'}.")


def _rows_of_newest_run(url: str) -> list[RuleStatus]:
    engine = create_engine(url)
    try:
        ledger = Ledger(engine, lambda: datetime.now(tz=UTC))
        opened = latest(ledger, [Kind.RUN_OPENED])
        if not opened:
            raise Refused("retention", "show the night", "The run wrote nothing: read its 'open' task in the UI.")
        return statuses(ledger.entries(run=opened[0].entry.run), at=datetime.now(tz=UTC))
    finally:
        engine.dispose()


def _tell_where(stack: Stack) -> None:
    print(f"Audit report  {stack.folder / 'reports' / 'latest.html'}")
    print(f"Airflow UI    {stack.airflow.url}")
    for user, password in stack.airflow.passwords.items():
        print(f"  login       {user} / {password}")


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
