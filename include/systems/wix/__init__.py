"""Wix: members, contacts and submissions of a site's forms, deleted for good; conversations of the inbox by hand.

    erasing         persons                          retention   contacts and submissions that are old
    ├── contacts    search, deletion and its job
    └── site        members, submissions, the calls

The inbox has no call that lists, searches or deletes: the one that looks for a person's conversation makes one where
there is none. So whoever has a contact here, to which a conversation can belong, is looked for in the inbox by hand,
unless the connection says that the site uses none.

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

KEY = "wix"
DOCUMENTATION = (
    "https://dev.wix.com/docs/rest/crm/members-contacts/contacts/contacts/contact-v4/delete-contact",
    "https://dev.wix.com/docs/rest/crm/members-contacts/contacts/contacts/contact-v4/bulk-delete-contacts",
    "https://dev.wix.com/docs/rest/crm/members-contacts/members/member-management/members/delete-member",
    "https://dev.wix.com/docs/rest/crm/forms/form-submissions/query-submissions-by-namespace",
    "https://dev.wix.com/docs/rest/crm/forms/form-submissions/delete-submission",
    "https://dev.wix.com/docs/rest/crm/communication/inbox/conversations/introduction",
)
HORIZON = timedelta(days=1)
"""How long a job of the vendor is waited for before what is left counts as not deleted."""
_NOTE = (
    "Members, contacts (version 4 of the interface) and submissions (with 'permanent') are deleted for good; the other "
    "ways put them into a trash for 90 days. A job of the vendor is given a day. Source: delete contact, submission."
)
SCOPES = ("Manage Contacts", "Manage Members", "Manage Submissions")

ERASING_CARD = ErasingCard(
    key=KEY,
    version="1",
    identifiers=frozenset({IdentifierKind.EMAIL}),
    proof=ErasureProof.BY_HAND,
    batch_size=1000,
    horizon=HORIZON,
    horizon_note=_NOTE,
    documentation=DOCUMENTATION,
    instructions=(
        "In the dashboard of the site: Inbox, search for the person's addresses and name, open each conversation, "
        "More actions, Delete conversation. Write down how many, and attach the proof here."
    ),
    scopes=SCOPES,
)
CARD = Card(
    key=KEY,
    version="1",
    proof=Proof.READ_BACK,
    actions=frozenset({Action.DELETE}),
    location_keys=MappingProxyType({"collection": "required: 'contacts' or 'submissions'"}),
    subject_forms=MappingProxyType({"email": "the addresses of a contact, or in a submission"}),
    trigger_fields=frozenset({"lastActivity", "createdDate"}),
    batch_size=500,
    documentation=DOCUMENTATION[1],
    horizon=_NOTE,
)


def connect_erasing(connection: Connection, means: Means) -> ErasingSystem:
    """Build the client of one site; no call is made.

    ``password`` is an API key of the account with the rights of the card. ``extra``:

    - ``site_id``: id of the site. Required.
    - ``inbox``: whether visitors can write to the site's inbox or chat; true if left out. If not, nothing is by hand.
    - ``namespaces``: a list of the apps whose forms are looked at; ``["wix.form_app.form"]`` if left out.
    - ``calls_per_second``: of the site, shared by all tasks; 3.3 if left out (the vendor allows 200 a minute).

    Raises:
        Refused: the connection lacks something; the message names it.
    """
    from include.systems.rates import shared
    from include.systems.wix.erasing import WixErasing
    from include.systems.wix.site import PER_SECOND
    from include.systems.wix.site import connect as site_of

    site = site_of(connection, shared(connection, means.budgets, PER_SECOND))
    return WixErasing(site, means, inbox=connection.extra.get("inbox") is not False)


def connect(connection: Connection) -> RetentionSystem:
    """Build the client for the retention by age; the connection is the same.

    Raises:
        Refused: the connection lacks something; the message names it.
    """
    from include.systems.rates import alone
    from include.systems.wix.retention import WixRetention
    from include.systems.wix.site import PER_SECOND
    from include.systems.wix.site import connect as site_of

    return WixRetention(site_of(connection, alone(connection, PER_SECOND)))
