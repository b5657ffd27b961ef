"""Mailgun: suppressions and members of lists removed address by address and read back; events left to expire; mail.

    system   what the erasure engine calls          mailer   what sends the answer to a person
    ageing   what the retention engine calls, behind ``dated_lists``
    ├── entries   suppressions of each domain, members of each list
    ├── events    what the vendor logged, and until when
    └── client    the HTTP client, domains and subaccounts

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

ERASING_CARD = ErasingCard(
    key="mailgun",
    version="1",
    identifiers=frozenset({IdentifierKind.EMAIL}),
    proof=ErasureProof.READ_BACK,
    batch_size=1000,
    horizon=timedelta(days=30),
    horizon_note=(
        "Events can't be deleted and expire 30 days after they happened, stored messages after 7 days at most "
        "(documentation.mailgun.com, events and storing messages)."
    ),
    documentation=(
        "https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/bounces",
        "https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/unsubscribe",
        "https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/complaints",
        "https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/allowlist",
        "https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/mailing-lists",
        "https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/logs",
    ),
    scopes=("an API key with the role Admin or Developer",),
)

CARD = Card(
    key="mailgun",
    version="1",
    proof=Proof.READ_BACK,
    actions=frozenset({Action.DELETE}),
    location_keys=MappingProxyType({"list": "name of the list: bounces, complaints"}),
    subject_forms=MappingProxyType({"email": "the address is the person's identifier"}),
    trigger_fields=frozenset({"created_at"}),
    batch_size=1000,
    documentation="https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/bounces",
    horizon="An entry is gone at once; the vendor names no copies of it.",
)
AGED = ("bounces", "complaints")
"""Lists whose entries go by age; who does not want mail is on others, which stay."""


def connect_erasing(connection: Connection, means: Means) -> ErasingSystem:
    """Build the client of an account, its subaccounts and all their domains.

    The connection's ``login`` is "api", its ``password`` an API key of the account; ``host`` is
    ``https://api.eu.mailgun.net`` for accounts in the EU.

    Raises:
        Refused: the key is missing, or a list to keep is none of Mailgun's.
    """
    from include.systems.mailgun.system import Mailgun

    return Mailgun(connection, means)


def connect(connection: Connection) -> RetentionSystem:
    """Build the client that removes old entries of suppression lists.

    The connection is that of :func:`connect_erasing`.

    Raises:
        Refused: the key is missing.
    """
    from include.systems.dated_lists import DatedLists
    from include.systems.mailgun.ageing import SuppressionTables

    return DatedLists(CARD, AGED, SuppressionTables(connection))


def connect_mailer(connection: Connection, means: Means) -> Mailer:
    """Build the client that sends. Extra ``sending_domain``; ``activity_delay_seconds`` (300): how late the log may be.

    Raises:
        Refused: the key or the domain is missing.
    """
    from include.systems.mailgun.mailer import MailgunMailer

    return MailgunMailer(connection, means)
