"""OneSignal: users found by our user id or by a push subscription, deleted with all that hangs on them, read back.

    system   what the erasure engine calls           ages   dormant push subscriptions, for the nightly run
    ├── calls    identities, users, deletions
    └── export   the file of all subscriptions, a row in memory at a time

This file is what the registry loads for the cards, and stays light.
"""

from __future__ import annotations

from datetime import timedelta
from types import MappingProxyType

from include.connection import Connection
from include.policy.actions import Action
from include.policy.persons import IdentifierKind
from include.systems.contract import Card, Proof, RetentionSystem
from include.systems.erasing import ErasingCard, ErasingSystem, ErasureProof, Means

KEY = "onesignal"
LATE = timedelta(days=1)
"""The vendor deletes "shortly after" it accepted; what is there after a day is an alarm."""

ERASING_CARD = ErasingCard(
    key=KEY,
    version="1",
    identifiers=frozenset({IdentifierKind.USER_ID, IdentifierKind.PUSH_ID}),
    proof=ErasureProof.READ_BACK,
    batch_size=1000,
    horizon=LATE,
    horizon_note=(
        "The deletion is accepted and carried out shortly after (documentation.onesignal.com, delete user); it is "
        "awaited, and looked at again after a day. A device on which the app is opened again makes a new user."
    ),
    documentation=(
        "https://documentation.onesignal.com/reference/delete-user",
        "https://documentation.onesignal.com/reference/fetch-aliases",
        "https://documentation.onesignal.com/reference/fetch-aliases-by-subscription",
        "https://documentation.onesignal.com/reference/csv-export",
        "https://documentation.onesignal.com/reference/rate-limits",
    ),
    scopes=("App API key",),
)
CARD = Card(
    key=KEY,
    version="1",
    proof=Proof.READ_BACK,
    actions=frozenset({Action.DELETE}),
    location_keys=MappingProxyType({}),
    subject_forms=MappingProxyType({"external_user_id": "our id of the user, else the id of the subscription"}),
    trigger_fields=frozenset({"last_active"}),
    batch_size=100,
    documentation="https://documentation.onesignal.com/reference/csv-export",
    horizon="The vendor deletes shortly after it accepted; a device that is used again makes a new subscription.",
)


def connect_erasing(connection: Connection, means: Means) -> ErasingSystem:
    """Build the client; no call is made.

    ``password`` is an App API key (Settings, Keys & IDs). ``extra``: ``app_id`` of the app, required;
    ``calls_per_second`` (10) for identities and deletions; ``views_per_second`` (1, as the vendor) for whole users.

    Raises:
        Refused: key or app are missing, or a pace is none.
    """
    from include.systems.onesignal.calls import calls_to
    from include.systems.onesignal.system import OneSignal
    from include.systems.rates import shared

    pace = shared(connection, means.budgets, 10.0)
    return OneSignal(calls_to(connection, pace, shared(connection, means.budgets, 1.0, "views_per_second")), means)


def connect(connection: Connection) -> RetentionSystem:
    """Build the client for the nightly run, from the same connection; no call is made.

    Raises:
        Refused: key or app are missing, or a pace is none.
    """
    from include.systems.onesignal.ages import OneSignalAges
    from include.systems.onesignal.calls import calls_to
    from include.systems.rates import alone

    return OneSignalAges(calls_to(connection, alone(connection, 10.0), alone(connection, 1.0, "views_per_second")))
