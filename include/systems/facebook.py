"""Facebook: people in audiences, what they wrote on the company's page, and their conversations with it.

Hashes are taken out of all audiences of the ad account in one call; posts and comments are deleted by id; a
conversation is found by the page-scoped id of the person and deleted by hand.
"""

from __future__ import annotations

from datetime import timedelta

from include.connection import Connection
from include.policy.persons import IdentifierKind
from include.systems.erasing import ErasingCard, ErasureProof, Means
from include.systems.meta.connecting import Account, connect
from include.systems.meta.contributions import Shape
from include.systems.meta.profile import Profile

KEY = "facebook"
_COMMENT = "id,from,parent{id},message,created_time"

SHAPE = Shape(
    root="/{}/feed",
    fields=f"id,from,message,created_time,comments.filter(stream).limit(100){{{_COMMENT}}}",
    below={"comments": {"filter": "stream", "limit": 100, "fields": _COMMENT}},
)
"""``stream`` lists comments and the answers to them flat, each with its parent."""

ERASING_CARD = ErasingCard(
    key=KEY,
    version="1",
    identifiers=frozenset({IdentifierKind.EMAIL, IdentifierKind.PHONE, IdentifierKind.EXTERNAL_ID}),
    proof=ErasureProof.BY_HAND,
    batch_size=1000,
    horizon=timedelta(hours=24),
    horizon_note=(
        "Audiences change within 24 hours, and nobody can read who is in one: the acknowledgement is all there is. "
        "Comments are gone at once. Conversations can't be deleted by a call, and what a person received stays in that "
        "person's own inbox. Source: the guide to customer file custom audiences, the reference of the Graph API."
    ),
    documentation=(
        "https://developers.facebook.com/documentation/ads-commerce/marketing-api/audiences/guides/custom-audiences",
        "https://developers.facebook.com/docs/marketing-api/reference/ad-account/usersofanyaudience/",
        "https://developers.facebook.com/docs/graph-api/reference/comment",
        "https://developers.facebook.com/docs/messenger-platform/conversations",
    ),
    instructions=(
        "In Meta Business Suite choose the page, open Inbox, then Messenger; search for the person's name, open the "
        "conversation, choose More, then Delete conversation, and confirm. For a comment with answers of others open "
        "the post, and delete or hide the comment: to delete it deletes the answers too. Write down how many, and "
        "attach the proof here."
    ),
    scopes=(
        "ads_management",
        "pages_manage_engagement",
        "pages_messaging",
        "pages_read_engagement",
        "pages_read_user_content",
    ),
)


def connect_erasing(connection: Connection, means: Means) -> Profile:
    """Build the client; no call is made.

    ``password`` is the token of a system user of the business, with the rights of the card. ``extra``:

    - ``page_id``: id of the company's page, digits. Required.
    - ``ad_account_id``: id of the ad account, digits or ``act_`` and digits; left out where there are no audiences.
    - ``version``: of the Graph API, such as ``v25.0``.
    - ``calls_per_second``: shared by all tasks, 2 if left out; Meta's limits grow with the page, so that no number
      fits all.
    - ``content_per_page``: posts in a page, with their comments, 25 if left out and 100 at most; fewer where Meta
      answers 500 to a list that is too long for it.
    - ``audience_records``: most hashes in a call, 10000 if left out.

    Raises:
        Refused: the connection lacks something; the message names it.
    """
    return connect(connection, means, Account(ERASING_CARD, "page_id", SHAPE, "messenger", audiences=True))
