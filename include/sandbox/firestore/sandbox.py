"""The Firestore of the sandbox as the rest of the sandbox sees it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from starlette.applications import Starlette

from include.sandbox.faults import Faults, Journal
from include.sandbox.firestore import admin
from include.sandbox.firestore.paths import Names, key_of
from include.sandbox.firestore.server import serve
from include.sandbox.firestore.service import Service
from include.sandbox.firestore.store import Store, Stored
from include.sandbox.firestore.transactions import Transactions
from include.sandbox.firestore.values import from_python, to_python
from include.sandbox.firestore.wire import Document, timestamp

_GRACE = 0.2


class FirestoreSandbox:
    """A Firestore database in memory, served over gRPC on loopback.

    Args:
        faults: planned faults, by RPC name (service ``firestore``).
        journal: gets one line for each call.
        project: id of the project; its database ``(default)`` is the only one.
    """

    def __init__(self, faults: Faults, journal: Journal, project: str) -> None:
        self._faults = faults
        self._journal = journal
        self._store = Store()
        self._names = Names(project)
        self._service = Service(self._store, self._names)
        self._admin = admin.AdminState(project, faults, journal)
        self.admin_app: Starlette = admin.admin_app(self._admin)
        self._server: object | None = None

    def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Serve; port 0 takes a free one.

        Returns:
            The port.
        """
        self._server, bound = serve(self._service, self._faults, self._journal, f"{host}:{port}")
        return bound

    def stop(self) -> None:
        """Stop serving; the documents stay."""
        if self._server is not None:
            self._server.stop(_GRACE).wait()  # type: ignore[attr-defined]
            self._server = None

    def reset(self) -> None:
        """Forget all documents, transactions and settings."""
        with self._store.lock:
            self._store.clear()
            self._service.transactions = Transactions()
        self._admin.clear()

    def seed(self, documents: Iterable[tuple[str, dict[str, object]]]) -> None:
        """Put documents without the network.

        Args:
            documents: path below the documents root (``workspaces/w1/contacts/c1``) and the fields as Python values.

        Raises:
            Refusal: a path is not one of a document.
            TypeError: a value has a type that Firestore doesn't have.
        """
        with self._store.lock:
            at = self._store.tick()
            time = timestamp(at)
            self._store.load(self._stored(path, fields, at, time) for path, fields in documents)

    def _stored(self, path: str, fields: dict[str, object], at: int, time: object) -> Stored:
        name = f"{self._names.root}/{path}"
        key = key_of(path)
        if len(key) % 2:
            self._names.document(name)
        values = {field: from_python(value) for field, value in fields.items()}
        return Stored(key, Document(name=name, fields=values, create_time=time, update_time=time), at, at)

    def documents(self, collection_group: str | None = None) -> Iterator[tuple[str, dict[str, object]]]:
        """Every document, or those of one collection group, as path and Python values; a snapshot, in no order."""
        with self._store.lock:
            found = list(self._store.group(collection_group))
        for stored in found:
            fields = stored.document.fields
            yield self._names.path(stored.key), {name: to_python(value) for name, value in fields.items()}
