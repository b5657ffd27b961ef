"""What the tests of the Elasticsearch system share: an index of their own, seeded through the API."""

import time
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from elasticsearch import Elasticsearch, helpers

from include.connection import Connection
from include.sandbox.elasticsearch import ElasticsearchSandbox
from include.sandbox.faults import Faults, Journal
from include.systems.contract import Selection, Swept
from include.systems.elasticsearch import ElasticsearchSystem, connect_client

CUTOFF = datetime(2025, 1, 1, tzinfo=UTC)
OLD, NEW = "2024-12-31T23:59:59.999Z", "2025-01-01T00:00:00Z"
MAPPING: dict[str, Any] = {
    "properties": {
        "at": {"type": "date"},
        "uid": {"type": "keyword"},
        "kind": {"type": "keyword"},
        "email": {"type": "keyword"},
        "text": {"type": "text"},
        "age": {"type": "integer"},
    }
}


class Sandbox:
    """The server in this process, with its faults."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.journal = Journal()
        self.server = ElasticsearchSandbox(self.faults, self.journal)
        self.url = ""

    def operations(self) -> list[str]:
        return [str(call["operation"]) for call in self.journal.as_json()]


class Store:
    """An index of one test and the system under test."""

    def __init__(self, connection: Connection) -> None:
        self.client: Elasticsearch = connect_client(connection)
        self.system = ElasticsearchSystem(connection, sleep=_short_sleep)
        self.index = f"test-{uuid.uuid4().hex[:12]}"

    def create(self, mapping: dict[str, Any] | None = None, shards: int = 1, **settings: Any) -> None:
        settings = {"number_of_shards": shards, "number_of_replicas": 0, "refresh_interval": "-1", **settings}
        self.client.indices.create(index=self.index, mappings=mapping or MAPPING, settings=settings)

    def seed(self, docs: Iterable[dict[str, Any]], *, refresh: bool = True) -> None:
        actions = [{"_index": self.index, "_id": str(n), "_source": doc} for n, doc in enumerate(docs)]
        helpers.bulk(self.client, actions, chunk_size=5000, refresh=refresh)

    def old_and_new(self, old: int, new: int) -> None:
        self.create()
        self.seed([{"at": OLD, "uid": f"u{n}"} for n in range(old)] + [{"at": NEW, "uid": "new"} for _ in range(new)])

    def selection(self, **changes: Any) -> Selection:
        fields: dict[str, Any] = {
            "rule": "logs",
            "location": {"index": self.index},
            "subject": "field:uid",
            "trigger_field": "at",
            "cutoff": CUTOFF,
            "period_seconds": 90 * 86_400,
        }
        return Selection(**(fields | changes))

    def sweep(self, selection: Selection, on_hold: Any = None) -> Swept:
        swept = [self.system.expire(selection, batch) for batch in self.system.batches(selection, on_hold)]
        return Swept(gone=sum(one.gone for one in swept), changed=sum(one.changed for one in swept))

    def sources(self) -> dict[str, dict[str, Any]]:
        self.client.indices.refresh(index=self.index)
        return {hit["_id"]: hit["_source"] for hit in helpers.scan(self.client, index=self.index)}

    def close(self) -> None:
        self.client.options(ignore_status=404).indices.delete(index=self.index)
        self.client.close()
        self.system.close()


def _short_sleep(seconds: float) -> None:
    time.sleep(min(seconds, 0.01))
