"""Typeform: answers to forms, found in all forms, deleted by their ids, and read back until they are gone.

    erasing    answers that name a person         retention   answers that are old
    └── calls  forms, answers, deletion           └── naming  whom an answer names

The vendor's own erasure by e-mail address (RTBF) is never called: it matches parts of texts, so that the deletion of
ann@x.example would take what joann@x.example answered. Nor is its search: what it makes of case and of parts of words
is stated nowhere, and an empty result of it would prove nothing. All answers are read, and matched in code.

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

KEY = "typeform"
DOCUMENTATION = (
    "https://www.typeform.com/developers/responses/reference/retrieve-responses/",
    "https://www.typeform.com/developers/responses/reference/delete-responses/",
    "https://www.typeform.com/developers/create/reference/retrieve-forms/",
    "https://www.typeform.com/developers/responses/reference/rtbf-delete-responses/",
)
HORIZON = timedelta(days=1)
"""How long a registered deletion is waited for. The vendor names no time; what is left then is a residual."""
_NOTE = (
    "Typeform registers a deletion and carries it out a little later, without naming a time; what a look still finds "
    "after a day counts as not deleted. Files that were uploaded go with their answer. Source: delete responses."
)
SCOPES = ("accounts:read", "forms:read", "responses:read", "responses:write")

ERASING_CARD = ErasingCard(
    key=KEY,
    version="1",
    identifiers=frozenset({IdentifierKind.EMAIL, IdentifierKind.USER_ID}),
    proof=ErasureProof.READ_BACK,
    batch_size=1000,
    horizon=HORIZON,
    horizon_note=_NOTE,
    documentation=DOCUMENTATION,
    scopes=SCOPES,
)
CARD = Card(
    key=KEY,
    version="1",
    proof=Proof.READ_BACK,
    actions=frozenset({Action.DELETE}),
    location_keys=MappingProxyType({"form": "optional: id of a form; all forms that the token sees if left out"}),
    subject_forms=MappingProxyType({"answers": "the addresses in an answer, and the values of its hidden fields"}),
    trigger_fields=frozenset({"submitted_at", "landed_at"}),
    batch_size=1000,
    documentation=DOCUMENTATION[1],
    horizon=_NOTE,
)


def connect_erasing(connection: Connection, means: Means) -> ErasingSystem:
    """Build the client of an account; no call is made.

    ``password`` is a personal access token (or one of OAuth) with the scopes of the card. ``host`` is given for an
    account in the EU, by the day it was opened: ``https://api.eu.typeform.com`` or ``https://api.typeform.eu``.
    ``extra``:

    - ``calls_per_second``: of the account, shared by all tasks; 2 if left out.

    Raises:
        Refused: the connection lacks something; the message names it.
    """
    from include.systems.rates import shared
    from include.systems.typeform.calls import PER_SECOND
    from include.systems.typeform.calls import connect as calls_to
    from include.systems.typeform.erasing import TypeformErasing

    return TypeformErasing(calls_to(connection, shared(connection, means.budgets, PER_SECOND)), means)


def connect(connection: Connection) -> RetentionSystem:
    """Build the client for the retention by age; the connection is the same.

    Raises:
        Refused: the connection lacks something; the message names it.
    """
    from include.systems.rates import alone
    from include.systems.typeform.calls import PER_SECOND
    from include.systems.typeform.calls import connect as calls_to
    from include.systems.typeform.retention import TypeformRetention

    return TypeformRetention(calls_to(connection, alone(connection, PER_SECOND)))
