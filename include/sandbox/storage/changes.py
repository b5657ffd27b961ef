"""Bodies that change a bucket or an object, strictly checked: an unknown member or a wrong type is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any, TypeAlias

from include.sandbox.google import Trouble
from include.sandbox.storage.model import Bucket, ObjectVersion
from include.sandbox.storage.resources import HOLDS, hashes

_DAYS = frozenset({"age", "daysSinceCustomTime", "daysSinceNoncurrentTime", "numNewerVersions"})
_DATES = frozenset({"createdBefore", "customTimeBefore", "noncurrentTimeBefore"})
_LISTS = frozenset({"matchesPrefix", "matchesSuffix", "matchesStorageClass"})
_ACTIONS = frozenset({"Delete", "SetStorageClass", "AbortIncompleteMultipartUpload"})
_SOFT_DELETE_DAYS = (7, 90)

ObjectChange: TypeAlias = Callable[[ObjectVersion, str, Any, datetime], None]
BucketChange: TypeAlias = Callable[[Bucket, str, Any, datetime], None]


def change_object(version: ObjectVersion, body: Mapping[str, Any], now: datetime) -> None:
    """Apply the writable members of an Object body; null removes.

    Raises:
        Trouble: 400 for a member that is unknown, not writable or of the wrong type; 403 for a shortened lock.
    """
    for name, value in body.items():
        if name not in _OBJECT:
            raise _unknown(name)
        _OBJECT[name](version, name, value, now)


def change_bucket(bucket: Bucket, body: Mapping[str, Any], now: datetime) -> None:
    """Apply the writable members of a Bucket body; null removes.

    Raises:
        Trouble: 400 for a member that is unknown, not writable or of the wrong type; 403 for a locked retention.
    """
    for name, value in body.items():
        if name not in _BUCKET:
            raise _unknown(name)
        _BUCKET[name](bucket, name, value, now)


def _unknown(name: str) -> Trouble:
    return Trouble(400, "invalid", f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.')


def _typed(name: str, value: Any, kind: type, absent: Any) -> Any:
    if value is None:
        return absent
    if not isinstance(value, kind):
        raise Trouble(400, "invalid", f"Invalid value for field {name}.")
    return value


def _only(name: str, value: Any, *members: str) -> dict[str, Any]:
    found: dict[str, Any] = _typed(name, value, dict, {})
    for member in found:
        if member not in members:
            raise _unknown(member)
    return found


def _moment(name: str, value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise Trouble(400, "invalid", f"Invalid value for field {name}.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _custom_time(version: ObjectVersion, name: str, value: Any, now: datetime) -> None:
    """Once set it cannot be removed or moved to an earlier time (…/docs/metadata#custom-time)."""
    moment = _moment(name, value) if value is not None else None
    if version.custom_time and (moment is None or moment < version.custom_time):
        raise Trouble(400, "invalid", "Custom time cannot be removed or set to an earlier time.")
    version.custom_time = moment


def _metadata(version: ObjectVersion, name: str, value: Any, now: datetime) -> None:
    merged = {} if value is None else {**version.metadata, **_typed(name, value, dict, {})}
    if any(not isinstance(entry, str) for entry in merged.values() if entry is not None):
        raise Trouble(400, "invalid", "Invalid value for field metadata.")
    version.metadata = {key: entry for key, entry in merged.items() if entry is not None}


def _retention(version: ObjectVersion, name: str, value: Any, now: datetime) -> None:
    value = _typed(name, value, dict, None)
    until = _moment("retainUntilTime", value.get("retainUntilTime")) if value else None
    locked = version.retain_until if version.retain_mode == "Locked" else None
    if locked and locked > now and (until is None or until < locked):
        raise Trouble(403, "forbidden", "A locked retention cannot be shortened or removed.")
    version.retain_until, version.retain_mode = until, str(value.get("mode", "")) if value else ""


def _soft_delete(bucket: Bucket, name: str, value: Any, now: datetime) -> None:
    value = _only(name, value, "retentionDurationSeconds", "hardDeletePause", "effectiveTime")
    pause = _only("hardDeletePause", value.get("hardDeletePause"), "enabled", "effectiveTime")
    if pause:
        bucket.hard_delete_pause = now if pause.get("enabled") else None
    if "retentionDurationSeconds" in value:
        seconds = _int(value["retentionDurationSeconds"], "retentionDurationSeconds")
        if seconds and not _SOFT_DELETE_DAYS[0] * 86400 <= seconds <= _SOFT_DELETE_DAYS[1] * 86400:
            raise Trouble(400, "invalid", "Soft delete retention must be 0 or between 7 and 90 days.")
        bucket.soft_delete_seconds, bucket.soft_delete_since = seconds, now


def _retention_policy(bucket: Bucket, name: str, value: Any, now: datetime) -> None:
    value = _only(name, value, "retentionPeriod", "effectiveTime", "isLocked")
    seconds = _int(value["retentionPeriod"], "retentionPeriod") if "retentionPeriod" in value else None
    if bucket.retention_locked and (seconds is None or seconds < (bucket.retention_seconds or 0)):
        raise Trouble(403, "forbidden", f"Cannot reduce or remove the locked retention policy of '{bucket.name}'.")
    bucket.retention_seconds, bucket.retention_since = seconds, now


def _int(value: Any, name: str) -> int:
    if not str(value).isdigit():
        raise Trouble(400, "invalid", f"Invalid value for field {name}.")
    return int(value)


def _lifecycle(bucket: Bucket, name: str, value: Any, now: datetime) -> None:
    rules: list[dict[str, Any]] = _typed("rule", _only(name, value, "rule").get("rule"), list, [])
    for rule in rules:
        action = _only("action", _only("rule", rule, "action", "condition").get("action"), "type", "storageClass")
        if action.get("type") not in _ACTIONS:
            raise Trouble(400, "invalid", "Invalid value for field action.type.")
        condition = rule.get("condition")
        if not condition:
            raise Trouble(400, "invalid", "A lifecycle rule must have a condition.")
        for member, wanted in condition.items():
            _check_condition(member, wanted)
    bucket.lifecycle = rules


def _check_condition(name: str, value: Any) -> None:
    if name in _DAYS:
        good = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    elif name in _DATES:
        good = isinstance(value, str) and _is_date(value)
    elif name in _LISTS:
        good = isinstance(value, list) and all(isinstance(entry, str) for entry in value)
    elif name == "isLive":
        good = isinstance(value, bool)
    else:
        raise _unknown(name)
    if not good:
        raise Trouble(400, "invalid", f"Invalid value for field {name}.")


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _hold(version: ObjectVersion, name: str, value: Any, now: datetime) -> None:
    if name == "eventBasedHold" and version.event_based_hold and not value:
        version.hold_released = now
    setattr(version, HOLDS[name], _typed(name, value, bool, False))


def _header(version: ObjectVersion, name: str, value: Any, now: datetime) -> None:
    version.headers.pop(name, None)
    if value is not None:
        version.headers[name] = _typed(name, value, str, "")


def _content_type(version: ObjectVersion, name: str, value: Any, now: datetime) -> None:
    version.content_type = _typed(name, value, str, "application/octet-stream")


def _storage_class(target: ObjectVersion | Bucket, name: str, value: Any, now: datetime) -> None:
    target.storage_class = _typed(name, value, str, "STANDARD")


def _checksum(version: ObjectVersion, name: str, value: Any, now: datetime) -> None:
    if value != hashes(version.content)[("md5Hash", "crc32c").index(name)]:
        raise Trouble(400, "invalid", f"Provided {name} doesn't match calculated value.")


def _versioning(bucket: Bucket, name: str, value: Any, now: datetime) -> None:
    bucket.versioning = _typed("enabled", _only(name, value, "enabled").get("enabled"), bool, False)


def _default_hold(bucket: Bucket, name: str, value: Any, now: datetime) -> None:
    bucket.default_event_based_hold = _typed(name, value, bool, False)


def _labels(bucket: Bucket, name: str, value: Any, now: datetime) -> None:
    merged = {**bucket.labels, **_typed(name, value, dict, {})} if value is not None else {}
    bucket.labels = {key: label for key, label in merged.items() if label is not None}


def _location(bucket: Bucket, name: str, value: Any, now: datetime) -> None:
    bucket.location = _typed(name, value, str, bucket.location)


def _accept(target: ObjectVersion | Bucket, name: str, value: Any, now: datetime) -> None:
    """A member that says what the address says already, or that has no effect here."""


_OBJECT: dict[str, ObjectChange] = {
    "name": _accept,
    "bucket": _accept,
    "temporaryHold": _hold,
    "eventBasedHold": _hold,
    "customTime": _custom_time,
    "metadata": _metadata,
    "retention": _retention,
    "contentType": _content_type,
    "storageClass": _storage_class,
    "cacheControl": _header,
    "contentDisposition": _header,
    "contentEncoding": _header,
    "contentLanguage": _header,
    "md5Hash": _checksum,
    "crc32c": _checksum,
}
_BUCKET: dict[str, BucketChange] = {
    "name": _accept,
    "iamConfiguration": _accept,
    "lifecycle": _lifecycle,
    "versioning": _versioning,
    "softDeletePolicy": _soft_delete,
    "retentionPolicy": _retention_policy,
    "defaultEventBasedHold": _default_hold,
    "labels": _labels,
    "location": _location,
    "storageClass": _storage_class,
}
