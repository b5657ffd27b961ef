"""Waits of the HTTP client that are noted instead of waited."""

import pytest

from include.systems.http import Http


@pytest.fixture
def quick(monkeypatch):
    """The seconds that the clients built during the test would have waited."""
    waits: list[float] = []
    monkeypatch.setitem(Http.__init__.__kwdefaults__, "sleep", waits.append)
    return waits
