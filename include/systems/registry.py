"""Which module stands for which system of the policy. Modules are imported when they are used: clients are heavy."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from include.connection import Connection
from include.errors import Refused
from include.systems.contract import Card, Connect, RetentionSystem

MODULES = {
    "cloud_storage": "include.systems.cloud_storage",
    "elasticsearch": "include.systems.elasticsearch",
    "firebase_auth": "include.systems.firebase_auth",
    "firestore": "include.systems.firestore",
    "redis": "include.systems.redis",
}


def card(key: str) -> Card:
    """What the module of a system says about itself; needs no connection.

    Raises:
        Refused: no module stands for this system.
    """
    return cast(Card, import_module(_module(key)).CARD)


def cards() -> dict[str, Card]:
    """The cards of all modules by key."""
    return {key: card(key) for key in MODULES}


def connect(connection: Connection) -> RetentionSystem:
    """Build the system that a connection points to; its id is the system's key.

    Raises:
        Refused: no module stands for this system, or the connection lacks something.
    """
    return cast(Connect, import_module(_module(connection.id)).connect)(connection)


def _module(key: str) -> str:
    if key not in MODULES:
        raise Refused(key, "find its module", f"Modules exist for {', '.join(sorted(MODULES))}.")
    return MODULES[key]
