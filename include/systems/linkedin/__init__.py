"""LinkedIn: people in matched audiences, and messages to the company's page, which no call of an app like this shows.

Hashes of addresses are taken out of each segment of people with the vendor's batch call. Messages and comments of
members are open to approved partners only: of somebody whose LinkedIn account is known, a person has to look.

    system     what the erasure engine calls
    └── segments   the calls to matched audiences

This file is what the registry loads for the card, and stays light.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from include.connection import Connection
from include.policy.persons import IdentifierKind
from include.systems.erasing import ErasingCard, ErasingSystem, ErasureProof, Means

KEY = "linkedin"
SCOPE = "rw_dmp_segments"

ERASING_CARD = ErasingCard(
    key=KEY,
    version="1",
    identifiers=frozenset({IdentifierKind.EMAIL, IdentifierKind.EXTERNAL_ID}),
    proof=ErasureProof.BY_HAND,
    batch_size=1000,
    horizon=timedelta(hours=48),
    horizon_note=(
        "Segments are worked on within 48 hours, and nobody can read who is in one: the acknowledgement is all there "
        "is. Messages and comments of members can't be looked at by a call. Source: the guides to matched audiences."
    ),
    documentation=(
        "https://learn.microsoft.com/en-us/linkedin/marketing/matched-audiences/create-and-manage-segment-users",
        "https://learn.microsoft.com/en-us/linkedin/marketing/matched-audiences/create-and-manage-segments",
        "https://learn.microsoft.com/en-us/linkedin/shared/authentication/token-introspection",
        "https://learn.microsoft.com/en-us/linkedin/marketing/versioning",
    ),
    instructions=(
        "On linkedin.com open the company's page as its administrator: Inbox, search for the person's name, open the "
        "conversation, choose the three dots, then Delete conversation, and confirm. Then Page posts: delete the "
        "person's comments, each by its three dots. Write down how many, and attach the proof here."
    ),
    scopes=(SCOPE,),
    sunset=datetime(2027, 10, 1, tzinfo=UTC),
)


def connect_erasing(connection: Connection, means: Means) -> ErasingSystem:
    """Build the client; no call is made.

    ``password`` is an access token of a member who may edit the ad account, with ``rw_dmp_segments``; ``login`` is the
    id of the app. ``extra``:

    - ``ad_account_id``: id of the ad account, digits; left out where there are no matched audiences.
    - ``client_secret``: of the app, to ask for the rights and the end of the token.
    - ``page_messages``: ``false`` where the page takes no messages and comments.
    - ``version``: of the API, a month such as ``202610``; LinkedIn ends each after about a year.
    - ``calls_per_second``: shared by all tasks, 10 if left out (the vendor's 600 in a minute).
    - ``batch_records``: most people in a call, 1000 if left out.

    Raises:
        Refused: the connection lacks something; the message names it.
    """
    from include.systems.linkedin.system import connect

    return connect(connection, means)
