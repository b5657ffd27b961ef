"""PhantomBuster: leads that are deleted by call, and files with results that only a person can delete.

    phantombuster
    ├── system     one person: leads deleted, files found and left to a human
    ├── retention  leads by their age
    ├── matching   whose a lead or a result is
    └── calls      the vendor's calls

Leads are read through one list that has no conditions, which the operator makes once. A list for each search would be a
change at the vendor with every look, and would leave addresses in the filters of lists. What an agent collected is read
run by run; a file can't be changed for one person, and an agent is never deleted here, because its results are of many.
"""

from __future__ import annotations

from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

from include.policy.actions import Action
from include.policy.persons import IdentifierKind
from include.systems.contract import Card, Proof
from include.systems.erasing import ErasingCard, ErasureProof

if TYPE_CHECKING:
    from include.connection import Connection
    from include.systems.contract import RetentionSystem
    from include.systems.erasing import ErasingSystem, Means

KEY = "phantombuster"
BATCH = 100
"""Leads in a page and in a deletion. The vendor publishes no limit; its own pages show 100."""
_DOCUMENTATION = "https://hub.phantombuster.com/reference/post_org-storage-leads-delete-many"

ERASING_CARD = ErasingCard(
    key=KEY,
    version="1",
    identifiers=frozenset({IdentifierKind.EMAIL, IdentifierKind.EXTERNAL_ID}),
    proof=ErasureProof.BY_HAND,
    batch_size=1000,
    horizon=timedelta(0),
    horizon_note=(
        "A deleted lead is gone from the lists at once. Files with results stay until a person deletes them; results "
        "of a run that kept no result object can't be read by a call. Source: reference of the PhantomBuster API, "
        "which names no time for backups."
    ),
    documentation=(
        _DOCUMENTATION,
        "https://hub.phantombuster.com/reference/post_org-storage-leads-by-list-listid",
        "https://hub.phantombuster.com/reference/get_containers-fetch-result-object",
        "https://hub.phantombuster.com/docs/creating-and-updating-leads-lists-using-filters",
    ),
    instructions=(
        "In PhantomBuster: open each Phantom named, Results, download and keep what is still needed without this "
        "person, then delete its results (Settings, Delete results) or the Phantom. Attach the proof here."
    ),
    scopes=("a workspace API key (not a third-party key)",),
)

CARD = Card(
    key=KEY,
    version="1",
    proof=Proof.READ_BACK,
    actions=frozenset({Action.DELETE}),
    location_keys=MappingProxyType({}),
    subject_forms=MappingProxyType(
        {"id": "the id of the lead", "linkedinProfileSlug": "the name of the profile in its public address"}
    ),
    trigger_fields=frozenset({"firstEditedAt", "lastEditedAt"}),
    batch_size=BATCH,
    documentation=_DOCUMENTATION,
    horizon="Files with results of the agents are not part of it; a person deletes them.",
)


def connect_erasing(connection: Connection, means: Means) -> ErasingSystem:
    """Build the client; no call is made.

    ``password`` is the API key of the workspace. ``extra`` of the connection:

    - ``list_id``: id of the list of all leads. Required.
    - ``org_id``: id of the workspace, where the key is of a user of several.
    - ``calls_per_second``: shared by all tasks, 5 if left out (the vendor publishes no limit).

    Raises:
        Refused: the connection lacks something; the message names it.
    """
    from include.systems.phantombuster.calls import RATE, calls_to
    from include.systems.phantombuster.system import PhantomBuster
    from include.systems.rates import shared

    return PhantomBuster(calls_to(connection, shared(connection, means.budgets, RATE)))


def connect(connection: Connection) -> RetentionSystem:
    """Build the client for leads by age; connection as for :func:`connect_erasing`.

    Raises:
        Refused: the connection lacks something; the message names it.
    """
    from include.systems.phantombuster.calls import calls_to
    from include.systems.phantombuster.retention import Leads

    return Leads(calls_to(connection))
