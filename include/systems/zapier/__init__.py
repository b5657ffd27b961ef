"""Zapier: runs of workflows can be searched and read, not deleted; they end with the account's history.

    system   what the erasure engine calls
    ├── runs     the calls, and whom a run names
    └── ends     when the history lets go of a run

This file is what the registry loads for the card, and stays light.
"""

from __future__ import annotations

from datetime import timedelta

from include.connection import Connection
from include.policy.persons import IdentifierKind
from include.systems.erasing import ErasingCard, ErasingSystem, ErasureProof, Means, PrivacyContact

KEY = "zapier"
LONGEST = timedelta(days=70)
"""From a run to the day on which the history lets go of it, and that day: 69 and one (Zapier, data retention)."""

ERASING_CARD = ErasingCard(
    key=KEY,
    version="1",
    identifiers=frozenset({IdentifierKind.EMAIL, IdentifierKind.USER_ID}),
    proof=ErasureProof.SEARCH_AFTER_HORIZON,
    batch_size=1000,
    horizon=LONGEST,
    horizon_note=(
        "Runs can't be deleted. The history lets go of each on the first Monday of the second month after it (29 to 69 "
        "days; 7 to 30 on a plan that sets it). Backups, which nobody can look into, end up to four months later; "
        "samples of a test stay in the Zap until it is deleted. Source: Zapier, data retention and deletion."
    ),
    documentation=(
        "https://docs.zapier.com/powered-by-zapier/api-reference/experimental/get-zap-runs",
        "https://docs.zapier.com/powered-by-zapier/api-reference/authentication",
        "https://zapier.com/legal/data-retention-deletion",
        "https://zapier.com/help/account/data-management/data-privacy-security-faqs",
    ),
    contact=PrivacyContact(
        address="privacy@zapier.com",
        subject="Erasure of one person's data from our account (article 17 GDPR)",
        text=(
            "We are a customer and the controller of what our Zaps process. A person has asked us for erasure. Please "
            "delete what our account still holds of: {identifiers}. Please confirm when it is gone, backups included."
        ),
        source="https://zapier.com/privacy",
    ),
    scopes=("zap:runs",),
)


def connect_erasing(connection: Connection, means: Means) -> ErasingSystem:
    """Build the client; no call is made.

    Either ``password`` is an access token of a user of the account with the scope ``zap:runs``, for a trial. Or
    ``login`` and ``password`` are id and secret of the OAuth client and ``extra.refresh_token`` is the user's. More of
    ``extra``:

    - ``tables``: false if the account uses neither Tables nor Interfaces. Else nobody can say from here what they hold,
      and each request asks a person to look.
    - ``retention_days``: where the plan sets a shorter history (7 to 30).
    - ``calls_per_second``: 1 by default, the vendor's 60 a minute.
    - ``token_host``: another address for tokens than ``https://zapier.com``, for a sandbox.

    Raises:
        Refused: the connection lacks something; the message names it.
    """
    from include.systems.zapier.system import connect

    return connect(connection, means)
