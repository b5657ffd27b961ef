"""Run the benchmarks and print their tables: ``python -m benchmarks [name …] [--sizes 10000 100000]``.

Without names all of them run, one after another: on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

import psutil

from benchmarks.table import show

NAMES = sorted(path.stem.removeprefix("bench_") for path in Path(__file__).parent.glob("bench_*.py"))


def main() -> int:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(NAMES)}; none means all")
    parser.add_argument("--sizes", nargs="+", type=int, default=[10_000, 100_000], help="records to delete")
    chosen = parser.parse_args()
    if unknown := sorted(set(chosen.names) - set(NAMES)):
        parser.error(f"there is no benchmark {', '.join(unknown)}; there are {', '.join(NAMES)}")
    print(_machine(), "\n")
    for name in chosen.names or NAMES:
        module = importlib.import_module(f"benchmarks.bench_{name}")
        print(f"## {name}\n\n{(module.__doc__ or '').strip().splitlines()[0]}\n", flush=True)
        # A store is measured at each size; what has no records has a scale of its own.
        by_size = "sizes" in inspect.signature(module.run).parameters and name != "planning"
        show(module.run(chosen.sizes) if by_size else module.run())
    return 0


def _machine() -> str:
    memory = psutil.virtual_memory().total / 2**30
    load = psutil.getloadavg()[0]
    return (
        f"{datetime.now(tz=UTC):%Y-%m-%d %H:%M} UTC, {psutil.cpu_count()} cores, {memory:.0f} GB, "
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, load {load:.1f} at the start"
    )


if __name__ == "__main__":
    sys.exit(main())
