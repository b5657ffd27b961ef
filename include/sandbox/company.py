"""The services of the sandbox and their data as one company: seed it, look into it, wipe it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, TypeAlias, TypeVar

import redis

from include.sandbox import traces
from include.sandbox.elasticsearch import ElasticsearchSandbox
from include.sandbox.estate import BUCKET, Estate
from include.sandbox.faults import Faults, Journal
from include.sandbox.firestore import FirestoreSandbox
from include.sandbox.google_analytics import GoogleAnalyticsSandbox
from include.sandbox.identitytoolkit import IdentityToolkitSandbox
from include.sandbox.loggly import LogglySandbox
from include.sandbox.mailgun import MailgunSandbox
from include.sandbox.records import CacheEntry, Document
from include.sandbox.sendgrid import SendGridSandbox
from include.sandbox.service import Twin
from include.sandbox.services import SERVICES
from include.sandbox.storage import StorageSandbox
from include.sandbox.tawk_to import TawkToSandbox

PROJECT = "clique-sandbox"
"""Id of the Google project of all services."""
INDEXES: dict[str, tuple[Callable[[Estate], Iterator[Document]], dict[str, str]]] = {
    "contacts": (
        Estate.contact_index,
        {"contact_id": "keyword", "email": "keyword", "name": "text", "source": "keyword", "owner": "keyword"}
        | {"created_at": "date", "last_contact_at": "date"},
    ),
    "activity": (
        Estate.activity_index,
        {"uid": "keyword", "at": "date", "feature": "keyword", "country": "keyword", "ip": "keyword"},
    ),
    "app-logs": (Estate.log_index, {"at": "date", "level": "keyword", "uid": "keyword", "message": "text"}),
}
"""Search indexes: where their documents come from, and the types of their fields."""
_PIPELINE = 2000

T = TypeVar("T")
Records: TypeAlias = Iterator[tuple[str, dict[str, Any]]]


class Clock:
    """The time of the services: set to an instant, then running."""

    def __init__(self, machine: Callable[[], float]) -> None:
        self._machine = machine
        self.set(datetime(2026, 11, 22, tzinfo=UTC))

    def set(self, now: datetime) -> None:
        """It is ``now``."""
        self._start, self._since = now, self._machine()

    def __call__(self) -> datetime:
        """The time, UTC."""
        return self._start + timedelta(seconds=self._machine() - self._since)


class Company:
    """Every service in one place.

    Args:
        clock: the time of the services.
        cache: a client of the sandbox's own Redis, which is flushed when the company is wiped.
    """

    def __init__(self, clock: Clock, cache: redis.Redis[bytes]) -> None:
        self.clock = clock
        self.faults = Faults()
        self.journal = Journal()
        self.firestore = FirestoreSandbox(self.faults, self.journal, PROJECT)
        self.elasticsearch = ElasticsearchSandbox(self.faults, self.journal, clock=lambda: clock().timestamp())
        self.storage = StorageSandbox(self.faults, self.journal, clock)
        self.identitytoolkit = IdentityToolkitSandbox(self.faults, self.journal, clock, PROJECT)
        self.sendgrid = SendGridSandbox(self.faults, self.journal, clock)
        self.mailgun = MailgunSandbox(self.faults, self.journal, clock)
        self.google_analytics = GoogleAnalyticsSandbox(self.faults, self.journal, clock)
        self.loggly = LogglySandbox(self.faults, self.journal, clock)
        self.tawk_to = TawkToSandbox(self.faults, self.journal, clock)
        self.twins: dict[str, Twin] = {
            name: one.build(self.faults, self.journal, clock) for name, one in SERVICES.items()
        }
        self._cache = cache
        self._looks: dict[str, Callable[[], Records]] = {
            "firestore": self._documents,
            "elasticsearch": self._hits,
            "storage": self._objects,
            "identitytoolkit": self._accounts,
            "redis": self._keys,
            "sendgrid": self.sendgrid.records,
            "mailgun": self.mailgun.records,
            "google_analytics": self.google_analytics.records,
            "loggly": self.loggly.records,
            "tawk_to": self.tawk_to.records,
            **{name: twin.records for name, twin in self.twins.items()},
        }

    def twin(self, kind: type[T]) -> T:
        """The service of that class.

        Raises:
            KeyError: there is none.
        """
        for twin in self.twins.values():
            if isinstance(twin, kind):
                return twin
        raise KeyError(kind.__name__)

    def seed(self, estate: Estate) -> None:
        """Wipe, set the clock to the estate's night, and put the estate into all services."""
        self.wipe()
        self.clock.set(estate.as_of)
        self.firestore.seed((document.id, dict(document.fields)) for document in estate.firestore())
        self.storage.seed(BUCKET, estate.objects(), versioning=True)
        self.identitytoolkit.seed(estate.accounts())
        for index, (documents, types) in INDEXES.items():
            mappings = {"properties": {name: {"type": kind} for name, kind in types.items()}}
            self.elasticsearch.seed(index, (_source(document) for document in documents(estate)), mappings)
        entries = estate.cache()
        while chunk := tuple(islice(entries, _PIPELINE)):
            self._put(chunk)
        traces.fill_sendgrid(estate, self.sendgrid)
        traces.fill_mailgun(estate, self.mailgun)
        traces.fill_loggly(estate, self.loggly)
        traces.fill_tawk_to(estate, self.tawk_to)
        for name, service in SERVICES.items():
            service.fill(estate, self.twins[name])

    def wipe(self) -> None:
        """Forget all data; planned faults and the journal stay."""
        self.firestore.reset()
        self.elasticsearch.reset()
        self.storage.reset()
        self.identitytoolkit.reset()
        for service in (self.sendgrid, self.mailgun, self.google_analytics, self.loggly, self.tawk_to):
            service.reset()
        for twin in self.twins.values():
            twin.reset()
        self._cache.flushdb()

    def counts(self, service: str) -> dict[str, int]:
        """Records of a service by collection: collection group, index, bucket, tenant, or start of the key.

        What a service did and what is no record of it is there too: ``sent`` are the mails that people got.

        Raises:
            KeyError: there is no such service.
        """
        return dict(Counter(collection for collection, _ in self._looks[service]()))

    def records(self, service: str, collection: str) -> list[dict[str, Any]]:
        """All records of one collection.

        Raises:
            KeyError: there is no such service.
        """
        return [record for found, record in self._looks[service]() if found == collection]

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of the services that have some, to be changed while they run."""
        named = ("sendgrid", "mailgun", "google_analytics", "loggly", "tawk_to")
        own = {name: getattr(self, name).settings for name in named}
        return own | {name: twin.settings for name, twin in self.twins.items()}

    @property
    def services(self) -> tuple[str, ...]:
        """Names of the services."""
        return tuple(self._looks)

    def _put(self, entries: tuple[CacheEntry, ...]) -> None:
        with self._cache.pipeline(transaction=False) as pipe:
            for entry in entries:
                pipe.set(entry.key, entry.value, ex=entry.ttl)
            pipe.execute()

    def _documents(self) -> Records:
        for path, fields in self.firestore.documents(None):
            yield path.split("/")[-2], {**fields, "__name__": path}

    def _hits(self) -> Records:
        for index in INDEXES:
            for identifier, source in self.elasticsearch.documents(index):
                yield index, {"_id": identifier, **source}

    def _objects(self) -> Records:
        for bucket in self.storage.buckets():
            for version in self.storage.objects(bucket, versions=True):
                yield bucket, _without_content(asdict(version))
            for version in self.storage.objects(bucket, soft_deleted=True):
                yield f"{bucket} (soft-deleted)", _without_content(asdict(version))

    def _accounts(self) -> Records:
        for account in self.identitytoolkit.accounts():
            yield "accounts", asdict(account)

    def _keys(self) -> Records:
        for raw in self._cache.scan_iter(count=1000):
            key = raw.decode(errors="replace")
            yield key.partition(":")[0], {"key": key, "ttl": self._cache.ttl(raw)}


def _source(document: Document) -> tuple[str, dict[str, Any]]:
    """Times as the client of a search index sends them."""
    fields = document.fields.items()
    return document.id, {name: v.isoformat() if isinstance(v, datetime) else v for name, v in fields}


def _without_content(version: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in version.items() if name != "content"}
