"""New Relic: nothing can be deleted, events end with the retention of the account; until then they are watched.

    new_relic
    ├── system     one person, claims, retention
    ├── nerdgraph  the calls, and what an error in an accepted answer means
    └── queries    the searches in the vendor's language

Performance is meant to be measured without anybody's identifiers. Whether that is so is counted for everybody, as a
claim, and looked for by person: the attributes in which an address or an id could have slipped are searched for its
text, and what comes back is matched again in code.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from include.policy.persons import IdentifierKind
from include.systems.erasing import ErasingCard, ErasureProof, PrivacyContact

if TYPE_CHECKING:
    from include.connection import Connection
    from include.systems.erasing import ErasingSystem, Means

KEY = "new_relic"
KINDS = (IdentifierKind.EMAIL, IdentifierKind.USER_ID)

ERASING_CARD = ErasingCard(
    key=KEY,
    version="1",
    identifiers=frozenset(KINDS),
    proof=ErasureProof.SEARCH_AFTER_HORIZON,
    batch_size=1000,
    horizon=timedelta(days=396),
    horizon_note=(
        "Events can't be deleted; each ends with the retention of its namespace (the date is computed from what the "
        "account says), at the latest 395 days and one after the event. The vendor's privacy team removes data of a "
        "person within 30 days when an administrator asks. Source: how New Relic manages data retention."
    ),
    documentation=(
        "https://docs.newrelic.com/docs/apis/nerdgraph/get-started/introduction-new-relic-nerdgraph/",
        "https://docs.newrelic.com/docs/data-apis/manage-data/manage-data-retention/",
        "https://docs.newrelic.com/docs/nrql/using-nrql/rate-limits-nrql-queries/",
    ),
    contact=PrivacyContact(
        address="personaldatarequests@newrelic.com",
        subject="Request to delete personal data from our account",
        text=(
            "As administrators of our account at New Relic we ask you to delete the personal data of a data subject "
            "(article 17 GDPR) from all event data and logs of the account, and to confirm it.\n\n{identifiers}\n"
        ),
        source="https://docs.newrelic.com/docs/security/security-privacy/data-privacy/personal-data-requests/",
    ),
    scopes=("a user key of a user who may query the account and see its data retention",),
)


def connect_erasing(connection: Connection, means: Means) -> ErasingSystem:
    """Build the client; no call is made.

    ``password`` is a user key. ``host`` is given for another region: ``https://api.eu.newrelic.com`` or
    ``https://api.jp.newrelic.com``. ``extra`` of the connection:

    - ``account_id``: number of the account. Required.
    - ``event_types``, ``attributes``: lists of what is searched in place of :data:`.queries.EVENTS` and
      :data:`.queries.ATTRIBUTES`.
    - ``calls_per_second``: of the account, shared by all tasks; 50 if left out (3,000 queries in a minute).

    Raises:
        Refused: the connection lacks something; the message names it.
    """
    from include.systems.new_relic.system import connect

    return connect(connection, means)
