"""``python -m include.local demo|up``: the product on this machine, see the README."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from include.errors import PrivacyError
from include.local.airflow import ROOT
from include.local.demo import demo
from include.local.stack import Size


def main() -> int:
    """Parse the command line and run it; mistakes are one sentence on standard error."""
    parser = argparse.ArgumentParser(prog="python -m include.local", description=__doc__)
    parser.add_argument("command", choices=["demo", "up"], help="demo: one night, then stop; up: stay up until Ctrl-C")
    parser.add_argument("--folder", type=Path, default=ROOT / ".local", help="where state, logs and reports go")
    parser.add_argument("--people", type=int, default=2000, help="people of the sandbox company")
    parser.add_argument("--workspaces", type=int, default=40, help="its customers")
    parser.add_argument("--seed", type=int, default=7, help="another seed gives another company")
    chosen = parser.parse_args()
    size = Size(chosen.people, chosen.workspaces, chosen.seed)
    try:
        return demo(chosen.folder.resolve(), size, stay=chosen.command == "up")
    except PrivacyError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
