"""One installation for all files of this folder; they run in the order in which an operator would do these things."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from tests.local.whole.installation import Installation


@pytest.fixture(scope="package")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    running = Installation(tmp_path_factory.mktemp("up"))
    try:
        running.wait_until_up()
        yield running
    finally:
        running.process.send_signal(signal.SIGINT)
        running.process.wait(timeout=120)
