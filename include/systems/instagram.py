"""Instagram: comments below the media of the company's own account, and conversations with it.

Comments and answers are deleted by id, wherever below one's own media they stand; there is no search by author, so that
all media are listed once for a whole batch of persons. A conversation is found by the Instagram-scoped id of the person
and deleted by hand. Comments on ads are objects of their own and are reached through the media of the ad.
"""

from __future__ import annotations

from datetime import timedelta

from include.connection import Connection
from include.policy.persons import IdentifierKind
from include.systems.erasing import ErasingCard, ErasureProof, Means
from include.systems.meta.connecting import Account, connect
from include.systems.meta.contributions import Shape
from include.systems.meta.profile import Profile

KEY = "instagram"
_REPLY = "id,from,text,timestamp"
_COMMENT = f"{_REPLY},replies.limit(50){{{_REPLY}}}"

SHAPE = Shape(
    root="/{}/media",
    fields=f"id,comments.limit(50){{{_COMMENT}}}",
    below={"comments": {"limit": 50, "fields": _COMMENT}, "replies": {"limit": 50, "fields": _REPLY}},
)
"""Comments come in pages of 50, the vendor's maximum, each with its answers."""

ERASING_CARD = ErasingCard(
    key=KEY,
    version="1",
    identifiers=frozenset({IdentifierKind.EXTERNAL_ID}),
    proof=ErasureProof.BY_HAND,
    batch_size=1000,
    horizon=timedelta(),
    horizon_note=(
        "Comments are gone at once. Conversations can't be deleted by a call; what a person received stays in that "
        "person's own inbox, and requests that were silent for 30 days are not listed. Source: the guides to the "
        "moderation of comments and to conversations of the Instagram platform."
    ),
    documentation=(
        "https://developers.facebook.com/docs/instagram-platform/comment-moderation",
        "https://developers.facebook.com/docs/instagram-platform/reference/instagram-media/comments",
        "https://developers.facebook.com/docs/messenger-platform/instagram/features/conversation",
    ),
    instructions=(
        "In Meta Business Suite choose the account, open Inbox, then Instagram, the requests too; search for the "
        "person's name, open the conversation, choose More, then Delete conversation, and confirm. For a comment with "
        "answers of others open the post, and delete or hide the comment: to delete it deletes the answers too. Write "
        "down how many, and attach the proof here."
    ),
    scopes=(
        "instagram_basic",
        "instagram_manage_comments",
        "instagram_manage_messages",
        "pages_manage_metadata",
        "pages_read_engagement",
    ),
)


def connect_erasing(connection: Connection, means: Means) -> Profile:
    """Build the client; no call is made.

    ``password`` is the token of a system user of the business, with the rights of the card. ``extra``:

    - ``instagram_id``: id of the company's professional account, digits. Required.
    - ``page_id``: id of the page that the account is linked to, digits. Required.
    - ``version``, ``calls_per_second`` and ``content_per_page``: as for Facebook.

    Raises:
        Refused: the connection lacks something; the message names it.
    """
    return connect(connection, means, Account(ERASING_CARD, "instagram_id", SHAPE, "instagram"))
