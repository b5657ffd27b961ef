"""Cloud Storage's JSON API on loopback: versions, preconditions, holds, retention, soft delete, batches, uploads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

from include.sandbox.faults import Faults, Journal
from include.sandbox.google import serve
from include.sandbox.storage.api import StorageApi
from include.sandbox.storage.model import WEEK, Bucket, ObjectVersion, SeedObject
from include.sandbox.storage.store import Store

__all__ = ["ObjectVersion", "SeedObject", "StorageSandbox"]


class StorageSandbox:
    """The service and what it holds.

    ``app`` is the ASGI application. google-cloud-storage reaches it with ``client_options={"api_endpoint": url}``,
    where ``url`` is the address of the mount, without a slash at its end.

    Args:
        faults: shared with the other services of the sandbox; this one is ``storage``.
        journal: shared likewise.
        clock: the time of the service, UTC.
    """

    def __init__(self, faults: Faults, journal: Journal, clock: Callable[[], datetime]) -> None:
        self._store = Store(clock)
        self._api = StorageApi(self._store)
        self.app = serve(self._api.handle, "storage", faults, journal)

    @property
    def permissions(self) -> set[str]:
        """What callers are told that they may do; can be changed while it runs."""
        return self._api.permissions

    def reset(self) -> None:
        """Forget all buckets."""
        self._store.buckets.clear()

    def seed(
        self,
        bucket: str,
        objects: Iterable[SeedObject] = (),
        *,
        versioning: bool = False,
        soft_delete_seconds: int = WEEK,
    ) -> int:
        """Put versions into a bucket, which is made when it is new; returns how many."""
        if bucket not in self._store.buckets:
            made = datetime(2019, 1, 1, tzinfo=UTC)
            self._store.buckets[bucket] = Bucket(
                bucket, made, made, versioning=versioning, soft_delete_seconds=soft_delete_seconds
            )
        return self._store.seed(self._store.buckets[bucket], objects)

    def buckets(self) -> list[str]:
        """Names of all buckets."""
        return sorted(self._store.buckets)

    def objects(self, bucket: str, *, versions: bool = False, soft_deleted: bool = False) -> Iterator[ObjectVersion]:
        """What a bucket holds, in the order of names: live versions, all versions, or the soft-deleted ones."""
        found = self._store.bucket(bucket)
        index = found.hidden if soft_deleted else found.versions
        return (version for version in tuple(index.values()) if versions or soft_deleted or version.live)
