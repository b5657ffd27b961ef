"""Google Analytics: one deletion request per identifier and property, acknowledged by a receipt and never provable.

The Admin API takes a user id, a client id or an app instance id and answers with the time up to which it will delete.
There is no status to ask for and no person to look up: what is known here is what was asked, and when it is due.
Analytics holds no e-mail address (the policy says an internal id only), so ``userProvidedData`` is never sent.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from include.policy.persons import IdentifierKind
from include.systems.erasing import ErasingCard, ErasureProof

if TYPE_CHECKING:
    from include.connection import Connection
    from include.systems.erasing import ErasingSystem, Means

KEY = "google_analytics"
FIELDS = {
    IdentifierKind.USER_ID: "userId",
    IdentifierKind.ANALYTICS_CLIENT_ID: "clientId",
    IdentifierKind.ANALYTICS_APP_INSTANCE_ID: "appInstanceId",
}
"""Which member of the request carries an identifier; a request has exactly one of them."""

ERASING_CARD = ErasingCard(
    key=KEY,
    version="1",
    identifiers=frozenset(FIELDS),
    proof=ErasureProof.RECEIPT_ONLY,
    batch_size=100,
    horizon=timedelta(days=63),
    horizon_note=(
        "Google removes the person from the report on single users within 72 hours and from its servers in the next "
        "deletion process, which runs every two months. Aggregated reports and exports to BigQuery are not touched. "
        "Source: the guide to user deletion of Google Analytics."
    ),
    documentation=(
        "https://developers.google.com/analytics/devguides/config/admin/v1/rest/v1alpha/properties/submitUserDeletion",
        "https://developers.google.com/analytics/devguides/config/userdeletion/v3",
        "https://developers.google.com/analytics/devguides/config/admin/v1/quotas",
        "https://developers.google.com/analytics/devguides/reporting/data/v1/rest/v1beta/properties/getMetadata",
    ),
    scopes=(
        "https://www.googleapis.com/auth/analytics.edit",
        "https://www.googleapis.com/auth/analytics.readonly",
    ),
)


def connect_erasing(connection: Connection, means: Means) -> ErasingSystem:
    """Build the client; no call is made.

    ``extra`` of the connection:

    - ``properties``: a list of ids of properties, as digits ("1001", or "properties/1001"). Required.
    - ``token`` or ``keyfile_dict``: credentials, see :mod:`include.systems.google`; else those of the machine.
    - ``deletions_per_day``: of each property, shared by all tasks; 500 unless Google granted more.
    - ``calls_per_second``: of each property, shared likewise; 1.5 unless Google granted more.

    ``host`` takes the place of both of Google's hosts, ``analyticsadmin.googleapis.com`` and, for claims,
    ``analyticsdata.googleapis.com``.

    Raises:
        Refused: the connection lacks something; the message names it.
    """
    from include.systems.google_analytics.deletions import connect

    return connect(connection, means)
