"""Time as the tests let it pass."""

from __future__ import annotations

from datetime import datetime, timedelta

from include.sandbox.app import Sandbox
from tests.erasure import kit


class Time:
    """The time of desk, ledger, vault and sandbox: never the same twice and never behind the sandbox's own.

    Days pass when a test says so.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self.now = kit.AS_OF + timedelta(hours=2)

    def __call__(self) -> datetime:
        self.now = max(self.now + timedelta(milliseconds=1), self._sandbox.company.clock())
        return self.now

    def go_on(self, days: float) -> datetime:
        """Let days pass for everybody."""
        self.now += timedelta(days=days)
        self._sandbox.company.clock.set(self.now)
        return self.now
