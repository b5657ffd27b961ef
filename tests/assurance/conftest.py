"""A desk on a real ledger and vault, and doubles in the place of two systems of the policy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from include.assurance.checks import assure
from include.assurance.evidence import Night, State
from include.connection import Connection
from include.erasure.desk import Desk
from include.ledger.log import Ledger
from include.subjects.vault import Vault
from include.systems import registry
from tests.conftest import Clock
from tests.erasure import kit

NIGHT = Night("run_" + "a" * 16, kit.AS_OF)
DOUBLES = ("zapier", "hotjar", "sendgrid")

Check = Callable[..., list[State]]


@pytest.fixture
def desk(ledger: Ledger, vault: Vault, monkeypatch: pytest.MonkeyPatch) -> Desk:
    clock = Clock()
    clock.now = kit.AS_OF
    ledger.clock = vault.clock = clock
    for key in DOUBLES:
        monkeypatch.setitem(registry.ERASING, key, "tests.assurance.double")
    return kit.desk_on(ledger, vault, clock)


@pytest.fixture
def check(desk: Desk) -> Check:
    """Check one system as what a test made of it."""

    def run(key: str, double: Any, night: Night = NIGHT) -> list[State]:
        connection = None if double is None else Connection(key, extra={"double": double})
        return assure(desk, night, key, connection)

    return run
