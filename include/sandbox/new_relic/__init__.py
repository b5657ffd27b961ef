"""New Relic on loopback: NerdGraph over events that nothing deletes and that end with their retention.

    new_relic
    ├── traces   what an estate leaves there
    ├── api      what NerdGraph answers
    ├── graphql  the selection of a query
    └── nrql     its language for events

Held against the vendor's GraphQL schema; NRQL is that of
https://docs.newrelic.com/docs/nrql/nrql-syntax-clauses-functions/, as far as a look for one person needs it.
"""

from __future__ import annotations

from include.sandbox.new_relic.api import ACCOUNT, Event, NewRelicSandbox, Settings
from include.sandbox.new_relic.traces import connections, fill
from include.sandbox.service import Service

__all__ = ["ACCOUNT", "Event", "NewRelicSandbox", "Settings"]

SERVICE = Service(NewRelicSandbox, fill, connections)
