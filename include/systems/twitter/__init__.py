"""X: people in the audiences of an ad account, and direct messages with the company's account.

    system   what the erasure engine calls
    ├── audiences   hashes taken out of every audience that was made from a list
    ├── messages    direct messages of the last 30 days, deleted on our own side
    └── signing     OAuth 1.0a

This file is what the registry loads for the card, and stays light.
"""

from __future__ import annotations

from datetime import timedelta

from include.connection import Connection
from include.policy.persons import IdentifierKind
from include.systems.erasing import ErasingCard, ErasingSystem, ErasureProof, Means

KEY = "twitter"
ACCESS_LEVEL = "read-write-directmessages"
"""Right of the access token, in the words of the vendor's header."""

ERASING_CARD = ErasingCard(
    key=KEY,
    version="1",
    identifiers=frozenset({IdentifierKind.EMAIL, IdentifierKind.EXTERNAL_ID}),
    proof=ErasureProof.BY_HAND,
    batch_size=2500,
    horizon=timedelta(hours=8),
    horizon_note=(
        "Audiences are worked on in batches that take six to eight hours, and nobody can read who is in one: the "
        "acknowledgement is all there is. Direct messages go on our own side at once and stay with the person; those "
        "older than 30 days can't be seen by the API. Source: the reference of custom audience users and of direct "
        "messages."
    ),
    documentation=(
        "https://developer.x.com/en/docs/x-ads-api/audiences/api-reference/custom-audience-users",
        "https://developer.x.com/en/docs/x-ads-api/audiences/overview/user-data",
        "https://docs.x.com/x-api/direct-messages/lookup/introduction",
        "https://docs.x.com/x-api/fundamentals/rate-limits",
    ),
    instructions=(
        "On x.com, signed in as the company's account: open Messages, the requests too, search for the person's name, "
        "open the conversation, choose the information sign, then Delete conversation, and confirm. Messages older "
        "than 30 days are there only. Write down how many conversations, and attach the proof here."
    ),
    scopes=(ACCESS_LEVEL, "AD_MANAGER"),
)


def connect_erasing(connection: Connection, means: Means) -> ErasingSystem:
    """Build the client; no call is made.

    ``login`` and ``password`` are the key and the secret of the app. ``extra``:

    - ``access_token`` and ``access_token_secret``: of the company's account, with the right to direct messages.
      Required.
    - ``ad_account_id``: id of the ad account, letters and digits; left out where there are no audiences.
    - ``direct_messages``: ``false`` where the account has never had any; nobody is looked for there then.
    - ``calls_per_second``: to the audiences, 25 if left out (the vendor's 1500 in a minute).
    - ``reads_per_window`` and ``deletions_per_window``: of direct messages in 15 minutes, 15 and 300 if left out;
      ``deletions_per_day``: 1500 if left out. The vendor's limits of one account; all tasks share them.

    ``host`` takes the place of both addresses of the vendor.

    Raises:
        Refused: the connection lacks something; the message names it.
    """
    from include.systems.twitter.system import connect

    return connect(connection, means)
