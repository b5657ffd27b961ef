"""Cloud Firestore: documents of a collection group, deleted or anonymised by age, and deleted or unlinked by person.

    __init__ ── the cards, ``connect`` and ``connect_erasing``; imports nothing heavy
    place    ── what a rule means here: typed and checked, no calls
    persons  ── how documents name persons: typed and checked, no calls
    system   ── survey, batches, expire, read_back
    erasing  ── find, erase, verify
      ├─ cases     what becomes of a document
      ├─ profiles  which identifiers belong to one person
      ├─ writing   many writes, each with its own status
      ├─ gateway   the calls, their time-outs and errors
      ├─ queries   structured queries
      ├─ cascade   documents together with what lies below them
      ├─ anonymise what a generalised document looks like
      └─ ttl       the store's own expiry

``google.cloud.firestore`` takes a second to import, so it is only imported when a connection is made.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from include.connection import Connection
from include.policy.actions import Action
from include.policy.persons import IdentifierKind
from include.systems.contract import Card, Proof
from include.systems.erasing import ErasingCard, ErasureProof, Means

if TYPE_CHECKING:
    from include.systems.firestore.erasing import FirestoreErasing
    from include.systems.firestore.system import FirestoreSystem

CARD = Card(
    key="firestore",
    version="1.0.0",
    proof=Proof.READ_BACK,
    actions=frozenset({Action.DELETE, Action.ANONYMISE}),
    location_keys={
        "group": "id of the collection group; all collections of this id, at any depth",
        "parent": "optional: path of the one collection that is meant, as 'events' or 'workspaces/w1/contacts'",
        "cascade": "optional: 'descendants' deletes what lies below a due document together with it",
    },
    subject_forms={
        "field:<name>": "the field holds the person's identifier (a string, an integer, a reference or a list of them)",
        "id": "the document's id is the person's identifier",
        "parent": "the id of the document above is the person's identifier",
    },
    trigger_fields=frozenset(),
    batch_size=2000,
    documentation="https://firebase.google.com/docs/firestore/manage-data/delete-data",
    horizon=(
        "Deleted documents stay readable by point-in-time recovery for up to 7 days where it is enabled, "
        "and in backups for at most 14 weeks."
    ),
)

ERASING_CARD = ErasingCard(
    key="firestore",
    version="1.0.0",
    identifiers=frozenset(IdentifierKind),
    proof=ErasureProof.READ_BACK,
    batch_size=1000,
    horizon=timedelta(weeks=14),
    horizon_note=(
        "Deleted documents are gone from the database at once; point-in-time recovery keeps them for up to 7 days "
        "where it is enabled, and a backup for at most the 14 weeks that its schedule can ask for."
    ),
    documentation=(
        "https://firebase.google.com/docs/firestore/manage-data/delete-data",
        "https://firebase.google.com/docs/firestore/query-data/queries",
        "https://firebase.google.com/docs/firestore/backups",
    ),
    scopes=("roles/datastore.user",),
)


def connect_erasing(connection: Connection, means: Means) -> FirestoreErasing:
    """Build the client that removes the data of persons; no call is made.

    Args:
        connection: as for :func:`connect`; ``rest_endpoint`` is not used.
        means: a place names persons by ``id`` (its location needs a ``parent``) or by ``field:<name>`` of a string.

    Raises:
        Refused: the connection lacks something, or a place cannot be treated as it asks.
    """
    from include.systems.firestore.erasing import FirestoreErasing

    return FirestoreErasing.connect(connection, means)


def connect(connection: Connection) -> FirestoreSystem:
    """Build the client; no call is made.

    Args:
        connection: ``extra`` holds ``project``, ``database`` (default "(default)"), ``emulator`` (true: plain text to
            ``host``:``port``), ``keyfile_dict`` (service account key), ``rest_endpoint`` (base URL of the admin API).
            Without ``emulator`` and ``keyfile_dict`` the environment's default credentials are used.

    Raises:
        Refused: the connection lacks something.
    """
    from include.systems.firestore.system import FirestoreSystem

    return FirestoreSystem.connect(connection)
