"""A desk on a real ledger and vault, and doubles in the place of two systems of the policy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from include.assurance.checks import assure
from include.assurance.evidence import Night, State
from include.connection import Connection
from include.erasure.desk import Desk
from include.ledger.log import Ledger
from include.policy.model import Policy
from include.policy.rules import Enforcement
from include.subjects.vault import Vault
from include.systems import registry
from tests.conftest import Clock
from tests.erasure import kit

NIGHT = Night("run_" + "a" * 16, kit.AS_OF)
DOUBLES = ("zapier", "hotjar", "sendgrid")

Check = Callable[..., list[State]]


def policy() -> Policy:
    """The company's, with claims and periods of two systems that stay as these tests need them."""
    own = kit.POLICY
    systems = {**own.systems, "zapier": own.systems["zapier"].model_copy(update={"claims": ()})}
    vendor = next(one for one in own.promises if one.enforced is Enforcement.VENDOR)
    promises = [one for one in own.promises if one.system not in {"zapier", "hotjar"}]
    promises += [vendor.model_copy(update={"id": f"T-{key}", "system": key}) for key in ("zapier", "hotjar")]
    return own.model_copy(update={"systems": systems, "promises": tuple(promises)})


@pytest.fixture
def desk(ledger: Ledger, vault: Vault, monkeypatch: pytest.MonkeyPatch) -> Desk:
    clock = Clock()
    clock.now = kit.AS_OF
    ledger.clock = vault.clock = clock
    for key in DOUBLES:
        monkeypatch.setitem(registry.ERASING, key, "tests.assurance.double")
    return replace(kit.desk_on(ledger, vault, clock), policy=policy())


@pytest.fixture
def check(desk: Desk) -> Check:
    """Check one system as what a test made of it."""

    def run(key: str, double: Any, night: Night = NIGHT) -> list[State]:
        connection = None if double is None else Connection(key, extra={"double": double})
        return assure(desk, night, key, connection)

    return run
