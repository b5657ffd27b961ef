"""The sandbox in a process of its own, for benchmarks."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def sandbox(*arguments: str) -> Iterator[dict[str, str]]:
    """Yield its endpoints; the process ends with the block."""
    command = [sys.executable, "-m", "include.sandbox", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own module
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()
