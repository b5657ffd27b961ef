"""SendGrid: mail data erased by the vendor's own job, contacts and suppressions removed and read back; and mail sent.

    system   what the erasure engine calls          mailer   what sends the answer to a person
    ageing   what the retention engine calls, behind ``dated_lists``
    ├── erasejob       the vendor's erasure of mail data
    ├── contacts       search, deletion and its job
    ├── suppressions   who gets no mail any more
    └── client         the official package over our HTTP client; the account and its subusers

This file is what the registry loads for the card, and stays light.
"""

from __future__ import annotations

from datetime import timedelta
from types import MappingProxyType

from include.connection import Connection
from include.policy.actions import Action
from include.policy.persons import IdentifierKind
from include.systems.contract import Card, Proof, RetentionSystem
from include.systems.erasing import ErasingCard, ErasingSystem, ErasureProof, Means
from include.systems.mailing import Mailer
from include.systems.sendgrid.rights import NEEDED, OF_SUBUSERS

ERASING_CARD = ErasingCard(
    key="sendgrid",
    version="1",
    identifiers=frozenset({IdentifierKind.EMAIL}),
    proof=ErasureProof.SEARCH_AFTER_HORIZON,
    batch_size=1000,
    horizon=timedelta(days=37),
    horizon_note=(
        "The erasure job has no status; recipients' data is kept for at most 37 days after it "
        "(support.sendgrid.com, article 18017175645595), so that it is proved by a search from then on."
    ),
    documentation=(
        "https://www.twilio.com/docs/sendgrid/api-reference/recipients-data-erasure/delete-recipients-email-data",
        "https://www.twilio.com/docs/sendgrid/api-reference/contacts",
        "https://www.twilio.com/docs/sendgrid/api-reference/suppressions-suppressions",
        "https://support.sendgrid.com/hc/en-us/articles/18017175645595",
    ),
    scopes=(*NEEDED, OF_SUBUSERS),
)

CARD = Card(
    key="sendgrid",
    version="1",
    proof=Proof.READ_BACK,
    actions=frozenset({Action.DELETE}),
    location_keys=MappingProxyType({"list": "name of the list: bounces, blocks, invalid_emails, spam_reports"}),
    subject_forms=MappingProxyType({"email": "the address is the person's identifier"}),
    trigger_fields=frozenset({"created"}),
    batch_size=500,
    documentation="https://www.twilio.com/docs/sendgrid/api-reference/suppressions-suppressions",
    horizon="An entry is gone at once; the vendor names no copies of it.",
)
AGED = ("bounces", "blocks", "invalid_emails", "spam_reports")
"""Lists whose entries go by age; who does not want mail is on others, which stay."""


def connect_erasing(connection: Connection, means: Means) -> ErasingSystem:
    """Build the client of an account and all its subusers.

    The connection's ``password`` is an API key with the rights of ``client.RIGHTS``; ``host`` is given for another
    region only. Extra ``"subusers": false`` says that the account has none, for a key that may not list them.

    Raises:
        Refused: the key is missing, or a list to keep is none of SendGrid's.
    """
    from include.systems.sendgrid.system import SendGrid

    return SendGrid(connection, means)


def connect(connection: Connection) -> RetentionSystem:
    """Build the client that removes old entries of suppression lists.

    The connection is that of :func:`connect_erasing`.

    Raises:
        Refused: the key is missing.
    """
    from include.systems.dated_lists import DatedLists
    from include.systems.sendgrid.ageing import SuppressionLists

    return DatedLists(CARD, AGED, SuppressionLists(connection))


def connect_mailer(connection: Connection, means: Means) -> Mailer:
    """Build the client that sends. Extra ``activity_delay_seconds`` (300): how far the vendor's log may lag behind.

    Raises:
        Refused: the key is missing.
    """
    from include.systems.sendgrid.mailer import SendGridMailer

    return SendGridMailer(connection, means)
