"""The company's own stores. What the policy unlinks or routes has tests of its own; here is what it deletes."""

from datetime import timedelta

from include.policy.persons import IdentifierKind
from include.sandbox.company import INDEXES
from include.sandbox.estate import BUCKET
from include.sandbox.identitytoolkit.model import Account
from include.sandbox.records import CacheEntry
from include.sandbox.storage.model import SeedObject
from include.systems import cloud_storage_calls, firebase_auth_calls
from tests.systems.conformance.case import Case
from tests.systems.conformance.means import NOW

UID, EMAIL = IdentifierKind.USER_ID, IdentifierKind.EMAIL
HOUR = timedelta(hours=1)


class Firestore(Case):
    key = service = "firestore"
    bulk = True
    throttled, broken, expired = 8, 14, 16
    over_http = False

    def put(self, person):
        documents = []
        for uid in person.values(UID):
            documents += [
                (f"users/{uid}", {"name": "A", "email": "someone@else.example"}),
                (f"users/{uid}/files/f1", {"path": "a"}),
                (f"posts/p{person.number}", {"author": uid, "text": "hello"}),
                (f"events/e{person.number}", {"uid": uid, "at": NOW}),
            ]
        for number, address in enumerate(person.values(EMAIL)):
            fields = {"email": address, "source": "event", "owner": "somebody"}
            documents.append((f"workspaces/w/contacts/c{person.number}n{number}", fields))
        self.estate.firestore.seed(documents)


class FirebaseAuth(Case):
    key, service = "firebase_auth", "identitytoolkit"
    bulk = True
    over_http = False

    def hurry(self, monkeypatch):
        monkeypatch.setattr(firebase_auth_calls, "READ_WAITS", (0.0, 0.0))

    def put(self, person):
        address = next(iter(person.values(EMAIL)), "")
        self.estate.identitytoolkit.seed(Account(uid, email=address) for uid in person.values(UID))


class CloudStorage(Case):
    key, service = "cloud_storage", "storage"
    bulk = True
    over_http = False

    def hurry(self, monkeypatch):
        monkeypatch.setattr(cloud_storage_calls, "RETRY_SECONDS", 0.05)

    def ready(self):
        self.estate.storage.seed(BUCKET, (), versioning=True)

    def put(self, person):
        names = [f"users/{uid}/{number}/a.pdf" for uid in person.values(UID) for number in range(2)]
        self.estate.storage.seed(BUCKET, [SeedObject(name, NOW - HOUR, b"x") for name in names], versioning=True)

    def state(self):
        """The copies of a week are what ``until`` is about; they are nobody's to delete."""
        return {record: True for record in super().state() if not record.startswith(f"{BUCKET} (soft-deleted)")}


class Elasticsearch(Case):
    key = service = "elasticsearch"
    bulk = True
    over_http = False

    def ready(self):
        for index, (_, types) in INDEXES.items():
            mappings = {"properties": {name: {"type": kind} for name, kind in types.items()}}
            self.estate.elasticsearch.seed(index, (), mappings)

    def put(self, person):
        for uid in person.values(UID):
            for index in ("activity", "app-logs"):
                self.estate.elasticsearch.seed(
                    index, [(f"{index}{person.number}", {"uid": uid, "at": NOW.isoformat()})]
                )
        for number, address in enumerate(person.values(EMAIL)):
            source = {"email": address, "source": "event", "owner": "somebody", "contact_id": f"c{person.number}"}
            self.estate.elasticsearch.seed("contacts", [(f"c{person.number}n{number}", source)])


class Redis(Case):
    key = service = "redis"
    faults = False
    over_http = False

    def put(self, person):
        for uid in person.values(UID):
            entries = CacheEntry(f"profile:{uid}", "{}", 3600), CacheEntry(f"session:{uid}:1", "x", 3600)
            self.estate._put(entries)

    def shown(self, record):
        return {"key": record["key"]}
