"""Buckets and objects as the JSON resources of the API."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import google_crc32c

from include.sandbox.storage.model import Bucket, ObjectVersion

HOLDS = {"temporaryHold": "temporary_hold", "eventBasedHold": "event_based_hold"}
"""Members of the Object resource that are holds, and their attributes."""


def rfc3339(moment: datetime) -> str:
    """A time as the API writes it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def object_resource(bucket: Bucket, version: ObjectVersion, base: str) -> dict[str, Any]:
    """The Object resource (projection noAcl)."""
    encoded = quote(version.name, safe="")
    md5, crc32c = hashes(version.content)
    until = bucket.retained_until(version)
    times = {
        "timeCreated": version.time_created,
        "timeFinalized": version.time_created,
        "timeStorageClassUpdated": version.time_created,
        "updated": version.updated,
        "timeDeleted": version.time_deleted or version.soft_delete_time,
        "softDeleteTime": version.soft_delete_time,
        "hardDeleteTime": version.hard_delete_time,
        "customTime": version.custom_time,
        "retentionExpirationTime": until,
    }
    resource: dict[str, Any] = {
        "kind": "storage#object",
        "id": f"{bucket.name}/{version.name}/{version.generation}",
        "selfLink": f"{base}/storage/v1/b/{bucket.name}/o/{encoded}",
        "mediaLink": f"{base}/download/storage/v1/b/{bucket.name}/o/{encoded}"
        f"?generation={version.generation}&alt=media",
        "bucket": bucket.name,
        "name": version.name,
        "generation": str(version.generation),
        "metageneration": str(version.metageneration),
        "etag": base64.b64encode(f"{version.generation}/{version.metageneration}".encode()).decode(),
        "contentType": version.content_type,
        "storageClass": version.storage_class,
        "size": str(len(version.content)),
        "md5Hash": md5,
        "crc32c": crc32c,
        **version.headers,
        **{name: rfc3339(moment) for name, moment in times.items() if moment is not None},
        **{name: True for name, attribute in HOLDS.items() if getattr(version, attribute)},
    }
    if version.metadata:
        resource["metadata"] = version.metadata
    if version.retain_until:
        resource["retention"] = {"mode": version.retain_mode, "retainUntilTime": rfc3339(version.retain_until)}
    return resource


def bucket_resource(bucket: Bucket, base: str) -> dict[str, Any]:
    """The Bucket resource (projection noAcl)."""
    soft: dict[str, Any] = {"retentionDurationSeconds": str(bucket.soft_delete_seconds)}
    if bucket.soft_delete_seconds:
        soft["effectiveTime"] = rfc3339(bucket.soft_delete_since or bucket.time_created)
    if bucket.hard_delete_pause:
        soft["hardDeletePause"] = {"enabled": True, "effectiveTime": rfc3339(bucket.hard_delete_pause)}
    resource: dict[str, Any] = {
        "kind": "storage#bucket",
        "id": bucket.name,
        "selfLink": f"{base}/storage/v1/b/{bucket.name}",
        "name": bucket.name,
        "projectNumber": "1",
        "metageneration": str(bucket.metageneration),
        "location": bucket.location,
        "locationType": "region",
        "storageClass": bucket.storage_class,
        "etag": base64.b64encode(str(bucket.metageneration).encode()).decode(),
        "timeCreated": rfc3339(bucket.time_created),
        "updated": rfc3339(bucket.updated),
        "softDeletePolicy": soft,
        "defaultEventBasedHold": bucket.default_event_based_hold,
    }
    if bucket.versioning:
        resource["versioning"] = {"enabled": True}
    if bucket.labels:
        resource["labels"] = bucket.labels
    if bucket.lifecycle:
        resource["lifecycle"] = {"rule": bucket.lifecycle}
    if bucket.retention_seconds is not None:
        policy: dict[str, Any] = {"retentionPeriod": str(bucket.retention_seconds)}
        policy["effectiveTime"] = rfc3339(bucket.retention_since or bucket.time_created)
        resource["retentionPolicy"] = {**policy, "isLocked": True} if bucket.retention_locked else policy
    return resource


@lru_cache(maxsize=1024)
def hashes(content: bytes) -> tuple[str, str]:
    """MD5 and CRC32C of the content, in base64."""
    checksum: bytes = google_crc32c.value(content).to_bytes(4, "big")
    md5 = hashlib.md5(content, usedforsecurity=False).digest()
    return base64.b64encode(md5).decode(), base64.b64encode(checksum).decode()
