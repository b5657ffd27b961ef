"""Peak memory of this process since a moment, from the kernel's own book-keeping (Linux)."""

from __future__ import annotations

import re
from pathlib import Path

_PEAK = re.compile(r"VmHWM:\s+(\d+) kB")


def forget_peak() -> None:
    """Let the peak start again from what is used now; a child would otherwise inherit its parent's."""
    Path("/proc/self/clear_refs").write_text("5")


def peak_mb() -> float:
    """Megabytes of resident memory at the highest."""
    found = _PEAK.search(Path("/proc/self/status").read_text())
    if found is None:
        raise RuntimeError("this kernel does not tell a process's peak memory")
    return int(found.group(1)) / 1024
