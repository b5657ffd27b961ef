"""Buckets and object versions as the sandbox keeps them. Times are UTC, durations are seconds."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sortedcontainers import SortedDict  # type: ignore[import-untyped]

WEEK = 604_800
"""Soft delete is on by default for a week (https://cloud.google.com/storage/docs/soft-delete)."""


@dataclass(frozen=True, slots=True)
class SeedObject:
    """One version to put into a bucket as if it had been written at ``time_created``.

    ``noncurrent_since`` makes it a noncurrent version, which has to come before the live version of its name.
    """

    name: str
    time_created: datetime
    content: bytes = b""
    content_type: str = "application/octet-stream"
    custom_time: datetime | None = None
    temporary_hold: bool = False
    event_based_hold: bool = False
    noncurrent_since: datetime | None = None


@dataclass(slots=True)
class ObjectVersion:
    """One generation of an object: live, noncurrent (``time_deleted``) or soft-deleted (``hard_delete_time``)."""

    name: str
    generation: int
    content: bytes
    content_type: str
    time_created: datetime
    updated: datetime
    metageneration: int = 1
    storage_class: str = "STANDARD"
    metadata: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    custom_time: datetime | None = None
    temporary_hold: bool = False
    event_based_hold: bool = False
    hold_released: datetime | None = None
    retain_until: datetime | None = None
    retain_mode: str = ""
    time_deleted: datetime | None = None
    soft_delete_time: datetime | None = None
    hard_delete_time: datetime | None = None

    @property
    def live(self) -> bool:
        """Whether a request without a generation means this version."""
        return self.time_deleted is None and self.soft_delete_time is None


@dataclass(slots=True)
class Bucket:
    """A bucket: settings, versions sorted by name and generation, and what is soft-deleted."""

    name: str
    time_created: datetime
    updated: datetime
    metageneration: int = 1
    location: str = "EUROPE-WEST1"
    storage_class: str = "STANDARD"
    versioning: bool = False
    labels: dict[str, str] = field(default_factory=dict)
    lifecycle: list[dict[str, Any]] = field(default_factory=list)
    soft_delete_seconds: int = WEEK
    soft_delete_since: datetime | None = None
    hard_delete_pause: datetime | None = None
    retention_seconds: int | None = None
    retention_since: datetime | None = None
    retention_locked: bool = False
    default_event_based_hold: bool = False
    versions: SortedDict[tuple[str, int], ObjectVersion] = field(default_factory=SortedDict)
    live: dict[str, ObjectVersion] = field(default_factory=dict)
    hidden: SortedDict[tuple[str, int], ObjectVersion] = field(default_factory=SortedDict)
    ends: list[tuple[datetime, str, int]] = field(default_factory=list)

    def put(self, version: ObjectVersion) -> None:
        """Index a version that is not soft-deleted."""
        self.versions[version.name, version.generation] = version
        if version.live:
            self.live[version.name] = version

    def take(self, version: ObjectVersion) -> None:
        """Remove a version from the index."""
        del self.versions[version.name, version.generation]
        if self.live.get(version.name) is version:
            del self.live[version.name]

    def retained_until(self, version: ObjectVersion) -> datetime | None:
        """When the retention of the bucket or of the object ends; None without one or while an event hold is on."""
        if version.event_based_hold:
            return None
        ends = [version.retain_until] if version.retain_until else []
        if self.retention_seconds is not None:
            ends.append((version.hold_released or version.time_created) + timedelta(seconds=self.retention_seconds))
        return max(ends, default=None)

    def hide(self, version: ObjectVersion, now: datetime) -> None:
        """Keep a deleted version until the soft-delete time of the bucket is over."""
        end = now + timedelta(seconds=self.soft_delete_seconds)
        version.soft_delete_time, version.hard_delete_time = now, end
        self.hidden[version.name, version.generation] = version
        heapq.heappush(self.ends, (end, version.name, version.generation))

    def purge(self, now: datetime) -> None:
        """Forget soft-deleted versions whose time is over, unless hard deletes are paused."""
        while self.hard_delete_pause is None and self.ends and self.ends[0][0] <= now:
            end, name, generation = heapq.heappop(self.ends)
            version = self.hidden.get((name, generation))
            if version is not None and version.hard_delete_time == end:
                del self.hidden[name, generation]
