"""Which module stands for which system of the policy. Modules are imported when they are used: clients are heavy."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import cast

from include.connection import Connection
from include.errors import Refused
from include.systems.contract import Card, Connect, RetentionSystem
from include.systems.erasing import ConnectErasing, ErasingCard, ErasingSystem, Means
from include.systems.mailing import ConnectMailer, Mailer

MODULES = {
    "cloud_storage": "include.systems.cloud_storage",
    "elasticsearch": "include.systems.elasticsearch",
    "firebase_auth": "include.systems.firebase_auth",
    "firestore": "include.systems.firestore",
    "mailgun": "include.systems.mailgun",
    "onesignal": "include.systems.onesignal",
    "ortto": "include.systems.autopilot.ortto_ages",
    "phantombuster": "include.systems.phantombuster",
    "redis": "include.systems.redis",
    "sendgrid": "include.systems.sendgrid",
    "typeform": "include.systems.typeform",
    "wix": "include.systems.wix",
}
"""Systems whose records can be deleted by age."""
ERASING: dict[str, str] = {
    "autopilot": "include.systems.autopilot.legacy",
    "cloud_storage": "include.systems.cloud_storage_erasing",
    "elasticsearch": "include.systems.elasticsearch",
    "facebook": "include.systems.facebook",
    "firebase_auth": "include.systems.firebase_auth_erasing",
    "firebase_performance": "include.systems.firebase_performance",
    "firestore": "include.systems.firestore",
    "google_analytics": "include.systems.google_analytics",
    "google_sign_in": "include.systems.google_sign_in",
    "google_workspace": "include.systems.google_workspace",
    "hotjar": "include.systems.hotjar",
    "instagram": "include.systems.instagram",
    "linkedin": "include.systems.linkedin",
    "linkedin_sign_in": "include.systems.linkedin_sign_in",
    "loggly": "include.systems.loggly",
    "looker_studio": "include.systems.looker_studio",
    "mailgun": "include.systems.mailgun",
    "microsoft_graph": "include.systems.microsoft_graph",
    "new_relic": "include.systems.new_relic",
    "onesignal": "include.systems.onesignal",
    "ortto": "include.systems.autopilot.ortto",
    "phantombuster": "include.systems.phantombuster",
    "redis": "include.systems.redis",
    "sendgrid": "include.systems.sendgrid",
    "tag_manager": "include.systems.tag_manager",
    "tawk_to": "include.systems.tawk_to",
    "twitter": "include.systems.twitter",
    "typeform": "include.systems.typeform",
    "wix": "include.systems.wix",
    "zapier": "include.systems.zapier",
}
"""Systems from which a person's data can be removed, or in which it can at least be looked for."""
MAILERS = {
    "mailgun": "include.systems.mailgun",
    "sendgrid": "include.systems.sendgrid",
}
"""Systems that can send a person the answer."""


def erasing_card(key: str) -> ErasingCard:
    """What the module of a system says about itself as one that erases; needs no connection.

    Raises:
        Refused: no module stands for this system.
    """
    return cast(ErasingCard, import_module(_module(key, ERASING)).ERASING_CARD)


def connect_erasing(connection: Connection, means: Means) -> ErasingSystem:
    """Build the system that a connection points to, for the erasure of persons.

    Raises:
        Refused: no module stands for this system, or the connection lacks something.
    """
    return cast(ConnectErasing, import_module(_module(connection.id, ERASING)).connect_erasing)(connection, means)


def connect_mailer(connection: Connection, means: Means) -> Mailer:
    """Build the sender of mail that a connection points to.

    Raises:
        Refused: no module stands for this system, or the connection lacks something.
    """
    return cast(ConnectMailer, import_module(_module(connection.id, MAILERS)).connect_mailer)(connection, means)


def card(key: str) -> Card:
    """What the module of a system says about itself; needs no connection.

    Raises:
        Refused: no module stands for this system.
    """
    return cast(Card, import_module(_module(key, MODULES)).CARD)


def cards() -> dict[str, Card]:
    """The cards of all modules by key."""
    return {key: card(key) for key in MODULES}


def connect(connection: Connection) -> RetentionSystem:
    """Build the system that a connection points to; its id is the system's key.

    Raises:
        Refused: no module stands for this system, or the connection lacks something.
    """
    return cast(Connect, import_module(_module(connection.id, MODULES)).connect)(connection)


def _module(key: str, modules: Mapping[str, str]) -> str:
    if key not in modules:
        raise Refused(key, "find its module", f"Modules exist for {', '.join(sorted(modules))}.")
    return modules[key]
