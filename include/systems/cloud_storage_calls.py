"""The calls to Cloud Storage that the connector makes, through the official client, with typed answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING, Any

from include.connection import Connection
from include.systems.cloud_storage_client import checked_batch, errors
from include.systems.google import TIMEOUT, base_url, credentials, failure
from include.systems.silence import silence

if TYPE_CHECKING:
    from google.cloud.storage import Blob, Bucket, Client  # type: ignore[import-untyped]

KEY = "cloud_storage"
PAGE = 1000
RETRY_SECONDS = 60.0
"""How long a read is tried again by the official client."""
SMALL_PAGE = 50
"""Page of a walk where hardly anything on the way is wanted."""
CALLS_IN_A_REQUEST = 100
"""Most calls in one batch request (https://cloud.google.com/storage/docs/batch)."""
NEVER = datetime.max.replace(tzinfo=UTC)
"""Horizon of hidden copies while hard deletes are paused: the store promises no date."""
_SCOPE = "https://www.googleapis.com/auth/devstorage.full_control"
TRIGGERS = {"customTime": "custom_time", "timeCreated": "time_created", "updated": "updated"}
"""Names of the API to attributes of the client."""
_FIELDS = (
    "nextPageToken,items(name,generation,metageneration,temporaryHold,eventBasedHold,retentionExpirationTime,"
    "hardDeleteTime,{trigger})"
)


@dataclass(frozen=True, slots=True)
class Version:
    """One generation of an object. ``moment`` is its trigger, None when it has none."""

    name: str = field(repr=False)
    generation: int
    metageneration: int
    moment: datetime | None
    hold: bool
    retained_until: datetime | None
    hard_delete_time: datetime | None


class Fate(Enum):
    """What became of a version that was to be deleted."""

    GONE = "gone"
    ABSENT = "absent"
    CHANGED = "changed"
    BLOCKED = "blocked"


_FATES = {200: Fate.GONE, 204: Fate.GONE, 404: Fate.ABSENT, 412: Fate.CHANGED}


class Calls:
    """The calls. ``make`` builds the client at the first one."""

    def __init__(self, make: Callable[[], Client]) -> None:
        self._make = make
        self._made: Client | None = None

    def versions(self, bucket: str, prefix: str, trigger: str, *, soft_deleted: bool = False) -> Iterator[Version]:
        """Every generation of every object under the prefix, or every soft-deleted one; a page in memory at a time."""
        which: dict[str, Any] = {"soft_deleted": True} if soft_deleted else {"versions": True}
        with errors("list a bucket"):
            blobs = self._client.list_blobs(
                bucket,
                prefix=prefix,
                fields=_FIELDS.format(trigger=trigger),
                page_size=PAGE,
                timeout=TIMEOUT,
                retry=_retry(),
                **which,
            )
            for blob in blobs:
                yield _version(blob, trigger)

    def under(self, bucket: str, heads: Sequence[str], *, soft_deleted: bool = False) -> Iterator[tuple[str, Version]]:
        """Every version, or every soft-deleted one, whose name begins with one of the heads, beside that head.

        One walk in the order of names, which leaps over what lies between the heads: as many calls as there are heads
        where they are far apart, as many as there are pages where they are close together.

        Args:
            bucket: name of the bucket.
            heads: not empty, none of them the beginning of another.
            soft_deleted: look at the soft-deleted ones.
        """
        left = sorted(heads, reverse=True)
        start, token, size = "", "", SMALL_PAGE
        while left:
            start = start if token else left[-1]
            blobs, token = self._page(bucket, start, token, size, soft_deleted=soft_deleted)
            before = len(left)
            for blob in blobs:
                while left and left[-1] < blob.name and not blob.name.startswith(left[-1]):
                    left.pop()
                if left and blob.name.startswith(left[-1]):
                    yield left[-1], _version(blob, "timeCreated")
            if not token:
                return
            goes_on = bool(left) and blobs[-1].name.startswith(left[-1])
            size = PAGE if goes_on or before - len(left) > 1 else SMALL_PAGE
            token = token if goes_on else ""

    def expire(self, bucket: str, versions: Sequence[Version], *, as_judged: bool) -> Iterator[tuple[Version, Fate]]:
        """Delete versions, 100 to a request; what became of each.

        Args:
            bucket: name of the bucket.
            versions: each is deleted by its generation.
            as_judged: only if its metadata has not changed either.

        Raises:
            Unavailable: a request or a part of one failed; any part may be gone.
            Refused: the right to delete is missing.
        """
        for start in range(0, len(versions), CALLS_IN_A_REQUEST):
            part = versions[start : start + CALLS_IN_A_REQUEST]
            for version, status in zip(part, self._delete(bucket, part, as_judged=as_judged), strict=True):
                fate = _FATES.get(status)
                if status == 403 and self.is_protected(bucket, version):
                    fate = Fate.BLOCKED
                if fate is None:
                    raise failure(KEY, "delete a batch of objects", status)
                yield version, fate

    def _delete(self, bucket: str, versions: Iterable[Version], *, as_judged: bool) -> list[int]:
        """One batch request; the HTTP status of each part, in order."""
        target = self._client.bucket(bucket)
        with errors("delete a batch of objects"):
            batch = checked_batch(self._client)
            with batch:
                for version in versions:
                    target.delete_blob(
                        version.name,
                        generation=version.generation,
                        if_generation_match=version.generation,
                        if_metageneration_match=version.metageneration if as_judged else None,
                        timeout=TIMEOUT,
                        retry=None,
                    )
            statuses: list[int] = batch.statuses
            return statuses

    def is_protected(self, bucket: str, version: Version) -> bool:
        """Whether a hold or a retention stands on the object: a 403 alone does not tell it from a missing right."""
        blob = self._get(bucket, version)
        return blob is not None and bool(blob.temporary_hold or blob.event_based_hold or blob.retention_expiration_time)

    def hidden_until(self, bucket: str, version: Version) -> datetime | None:
        """The store's own date for the end of a soft-deleted copy; None when there is no copy."""
        blob = self._get(bucket, version, soft_deleted=True)
        moment: datetime | None = blob.hard_delete_time if blob is not None else None
        return moment

    def rights(self, bucket: str, wanted: Sequence[str]) -> set[str]:
        """Those of some permissions that the account of the connection has on a bucket."""
        with errors("read the rights on a bucket"):
            found = self._client.bucket(bucket).test_iam_permissions(list(wanted), timeout=TIMEOUT, retry=_retry())
            return set(found)

    def folders(self, bucket: str, head: str) -> Iterator[str]:
        """The names up to the next slash behind a head, each once, older versions too; a page in memory at a time."""
        with errors("list a bucket"):
            listed = self._client.list_blobs(
                bucket,
                prefix=head,
                delimiter="/",
                versions=True,
                fields="nextPageToken,prefixes",
                page_size=PAGE,
                timeout=TIMEOUT,
                retry=_retry(),
            )
            for page in listed.pages:
                yield from page.prefixes

    def settings(self, bucket: str) -> Bucket:
        """The bucket's resource."""
        found = self._client.bucket(bucket)
        with errors("read the bucket's settings"):
            found.reload(timeout=TIMEOUT, retry=_retry())
        return found

    def set_lifecycle(self, bucket: Bucket, rules: list[dict[str, Any]]) -> None:
        """Replace the lifecycle rules of a bucket that nobody changed since it was read."""
        bucket.lifecycle_rules = rules
        with errors("set the bucket's lifecycle"):
            bucket.patch(if_metageneration_match=bucket.metageneration, timeout=TIMEOUT, retry=None)

    def close(self) -> None:
        """Release the sockets."""
        if self._made is not None:
            self._made.close()

    def _page(self, bucket: str, start: str, token: str, size: int, *, soft_deleted: bool) -> tuple[list[Blob], str]:
        """One page from a name on, or the one of a token; the token of the next, "" at the end."""
        which: dict[str, Any] = {"soft_deleted": True} if soft_deleted else {"versions": True}
        with errors("list a bucket"):
            listed = self._client.list_blobs(
                bucket,
                start_offset=start,
                page_token=token or None,
                page_size=size,
                fields=_FIELDS.format(trigger="timeCreated"),
                timeout=TIMEOUT,
                retry=_retry(),
                **which,
            )
            blobs = list(next(listed.pages, ()))
            return blobs, listed.next_page_token or ""

    @property
    def _client(self) -> Client:
        if self._made is None:
            self._made = self._make()
        return self._made

    def _get(self, bucket: str, version: Version, **which: bool) -> Blob | None:
        with errors("read the metadata of an object"):
            return self._client.bucket(bucket).get_blob(
                version.name, generation=version.generation, timeout=TIMEOUT, retry=_retry(), **which
            )


def calls_to(connection: Connection) -> Calls:
    """The calls to the project of a connection; nothing is called yet.

    Raises:
        Refused: the project is missing.
    """
    project = connection.text("project")

    def client() -> Client:
        from google.cloud.storage import Client

        silence("google.api_core.retry", "google.auth.transport.requests")
        options = {"api_endpoint": base_url(connection, "")} if connection.host else None
        return Client(project=project, credentials=credentials(connection, _SCOPE), client_options=options)

    return Calls(client)


def is_paused(bucket: Bucket) -> bool:
    """Whether soft-deleted objects stay until someone ends the pause."""
    policy: Mapping[str, Any] = bucket.soft_delete_policy or {}
    return bool((policy.get("hardDeletePause") or {}).get("enabled"))


def _version(blob: Blob, trigger: str) -> Version:
    return Version(
        name=blob.name,
        generation=blob.generation,
        metageneration=blob.metageneration,
        moment=getattr(blob, TRIGGERS[trigger]),
        hold=bool(blob.temporary_hold or blob.event_based_hold),
        retained_until=blob.retention_expiration_time,
        hard_delete_time=blob.hard_delete_time,
    )


def _retry() -> Any:
    from google.cloud.storage.retry import DEFAULT_RETRY  # type: ignore[import-untyped]

    return DEFAULT_RETRY.with_timeout(RETRY_SECONDS)
