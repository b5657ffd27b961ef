"""The rules of Cloud Storage: versions, preconditions, holds, retention, soft delete.

Sources: https://cloud.google.com/storage/docs/object-versioning, …/docs/object-holds, …/docs/bucket-lock,
…/docs/soft-delete, …/docs/request-preconditions and the discovery document of the JSON API.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from include.sandbox.google import Call, Trouble
from include.sandbox.storage.model import Bucket, ObjectVersion, SeedObject

MAX_NAME_BYTES = 1024


@dataclass(frozen=True, slots=True)
class Preconditions:
    """The four ``if…Match`` parameters; 0 for a generation means "there is no live version"."""

    generation: int | None = None
    generation_not: int | None = None
    metageneration: int | None = None
    metageneration_not: int | None = None

    @classmethod
    def of(cls, call: Call) -> Preconditions:
        """Read them from the query.

        Raises:
            Trouble: 400, one is not a number.
        """
        names = ("ifGenerationMatch", "ifGenerationNotMatch", "ifMetagenerationMatch", "ifMetagenerationNotMatch")
        return cls(*(call.number(name) for name in names))

    def check(self, version: ObjectVersion | Bucket | None) -> None:
        """Compare with what is there.

        Raises:
            Trouble: 412.
        """
        generation = version.generation if isinstance(version, ObjectVersion) else 0
        metageneration = version.metageneration if version else 0
        if (
            self.generation not in (None, generation)
            or self.generation_not == generation
            or self.metageneration not in (None, metageneration)
            or self.metageneration_not == metageneration
        ):
            raise Trouble(412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold.")


class Store:
    """All buckets of the sandbox."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self.buckets: dict[str, Bucket] = {}
        self._last_generation = 0

    def bucket(self, name: str) -> Bucket:
        """The bucket, with what is over its soft-delete time forgotten.

        Raises:
            Trouble: 404.
        """
        bucket = self.buckets.get(name)
        if bucket is None:
            raise Trouble(404, "notFound", "The specified bucket does not exist.")
        bucket.purge(self.clock())
        return bucket

    def find(self, bucket: Bucket, name: str, generation: int | None, *, soft_deleted: bool = False) -> ObjectVersion:
        """The live version, or the named one.

        Raises:
            Trouble: 404.
        """
        version: ObjectVersion | None
        if soft_deleted:
            version = bucket.hidden.get((name, generation or 0))
        elif generation is None:
            version = bucket.live.get(name)
        else:
            version = bucket.versions.get((name, generation))
        if version is None:
            raise Trouble(404, "notFound", f"No such object: {bucket.name}/{name}")
        return version

    def insert(self, bucket: Bucket, draft: ObjectVersion, conditions: Preconditions) -> ObjectVersion:
        """Make ``draft`` the live version of its name.

        Raises:
            Trouble: 400 for a name that Cloud Storage does not allow, 403 or 412.
        """
        check_name(draft.name)
        old = bucket.live.get(draft.name)
        conditions.check(old)
        if old is not None:
            self._replace(bucket, old)
        now = self.clock()
        hold = draft.event_based_hold or bucket.default_event_based_hold
        version = replace(
            draft, generation=self._new_generation(now), time_created=now, updated=now, event_based_hold=hold
        )
        bucket.put(version)
        return version

    def delete(self, bucket: Bucket, name: str, generation: int | None, conditions: Preconditions) -> None:
        """Delete for good when versioning is off or a generation is named; else make the live version noncurrent.

        Raises:
            Trouble: 403, 404 or 412.
        """
        version = self.find(bucket, name, generation)
        conditions.check(version)
        if generation is None:
            self._replace(bucket, version)
        else:
            self._remove(bucket, version)

    def restore(self, bucket: Bucket, name: str, generation: int, conditions: Preconditions) -> ObjectVersion:
        """Bring a soft-deleted version back as the live version with a new generation.

        Raises:
            Trouble: 403, 404 or 412.
        """
        hidden = self.find(bucket, name, generation, soft_deleted=True)
        draft = replace(hidden, metageneration=1, time_deleted=None, soft_delete_time=None, hard_delete_time=None)
        version = self.insert(bucket, draft, conditions)
        del bucket.hidden[name, generation]
        return version

    def seed(self, bucket: Bucket, objects: Iterable[SeedObject]) -> int:
        """Put versions into the bucket with the times they name; returns how many."""
        count = 0
        for item in objects:
            count += 1
            generation = int(item.time_created.timestamp() * 1_000_000)
            while (item.name, generation) in bucket.versions:
                generation += 1
            bucket.put(
                ObjectVersion(
                    name=item.name,
                    generation=generation,
                    content=item.content,
                    content_type=item.content_type,
                    time_created=item.time_created,
                    updated=item.time_created,
                    custom_time=item.custom_time,
                    temporary_hold=item.temporary_hold,
                    event_based_hold=item.event_based_hold,
                    time_deleted=item.noncurrent_since,
                )
            )
        return count

    def _replace(self, bucket: Bucket, version: ObjectVersion) -> None:
        """What happens to a live version that is overwritten or deleted without its generation."""
        if not bucket.versioning:
            self._remove(bucket, version)
            return
        _refuse_held(bucket, version)
        bucket.take(version)
        version.time_deleted = self.clock()
        bucket.put(version)

    def _remove(self, bucket: Bucket, version: ObjectVersion) -> None:
        now = self.clock()
        _refuse_held(bucket, version)
        until = bucket.retained_until(version)
        if until is not None and until > now:
            raise Trouble(
                403,
                "retentionPolicyNotMet",
                f"Object '{bucket.name}/{version.name}' is subject to bucket's retention policy or object retention "
                f"and cannot be deleted or overwritten until {until.isoformat()}",
            )
        bucket.take(version)
        if bucket.soft_delete_seconds:
            bucket.hide(version, now)

    def _new_generation(self, now: datetime) -> int:
        self._last_generation = max(self._last_generation + 1, int(now.timestamp() * 1_000_000))
        return self._last_generation


def check_name(name: str) -> None:
    """Refuse names that Cloud Storage does not allow (https://cloud.google.com/storage/docs/objects#naming).

    Raises:
        Trouble: 400.
    """
    if not name:
        raise Trouble(400, "required", "Required")
    forbidden = name in (".", "..") or "\r" in name or "\n" in name or name.startswith(".well-known/acme-challenge/")
    if forbidden or len(name.encode()) > MAX_NAME_BYTES:
        raise Trouble(400, "invalid", "Disallowed object name.")


def _refuse_held(bucket: Bucket, version: ObjectVersion) -> None:
    holds = (("Temporary", version.temporary_hold), ("Event-Based", version.event_based_hold))
    for kind, on in holds:
        if on:
            raise Trouble(
                403,
                "objectUnderActiveHold",
                f"Object '{bucket.name}/{version.name}' is under active {kind} hold and cannot be deleted, "
                "overwritten or archived until hold is removed.",
            )
