"""Start the sandbox: ``python -m include.sandbox``. Prints one line of JSON with the endpoints when all are ready.

It ends, with everything it started, on SIGTERM, on SIGINT and, on Linux, when its parent ends.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import signal
import sys
import threading
from collections.abc import Sequence
from datetime import UTC, datetime

from include.errors import PrivacyError
from include.sandbox.app import Sandbox
from include.sandbox.estate import Estate

_PR_SET_PDEATHSIG = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until a signal comes; returns the exit status."""
    options = _options(arguments)
    ending = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ending.set())
    _end_with_parent()
    estate = None if options.empty else Estate(options.as_of, options.people, options.workspaces, options.seed)
    try:
        with Sandbox(options.port, estate) as sandbox:
            print(json.dumps(dict(sandbox.endpoints)), flush=True)
            ending.wait()
    except PrivacyError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m include.sandbox", description="A company to try the product on.")
    parser.add_argument("--port", type=int, default=0, help="port of the HTTP services, 0 for a free one")
    parser.add_argument("--people", type=int, default=2000)
    parser.add_argument("--workspaces", type=int, default=40)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--as-of", type=_night, default=_night("2026-11-22"), metavar="YYYY-MM-DD")
    parser.add_argument("--empty", action="store_true", help="start without data")
    return parser.parse_args(arguments)


def _night(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)


def _end_with_parent() -> None:
    """Ask Linux for a SIGTERM when the thread that started this process ends."""
    if sys.platform != "linux":
        return
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
