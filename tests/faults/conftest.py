"""Says at the end what the kills came to."""

from __future__ import annotations

import pytest

from tests.faults.trial import TALLY


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if TALLY.kills:
        terminalreporter.section("kill trials")
        for line in TALLY.lines():
            terminalreporter.write_line(line)
