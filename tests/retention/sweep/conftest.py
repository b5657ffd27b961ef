"""Small batches, and a policy that tolerates nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from include.retention.desk import Desk
from include.systems.firestore import system as firestore
from tests.retention.sweep.boundary import tolerating


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> int:
    """So that a small estate needs several of them."""
    monkeypatch.setattr(firestore, "CARD", replace(firestore.CARD, batch_size=10))
    return 10


@pytest.fixture
def desk(desk: Desk) -> Desk:
    """A desk whose policy tolerates not one record more than was allowed."""
    return replace(desk, policy=tolerating(desk.policy, 0))
