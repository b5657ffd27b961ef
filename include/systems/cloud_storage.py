"""Google Cloud Storage: objects of a bucket, judged and deleted generation by generation.

Every deletion names a generation and carries two preconditions, so that nothing but what was judged can go: without a
generation a versioned bucket would only make a noncurrent version, and a new ``customTime`` changes the metageneration.
Sources: https://cloud.google.com/storage/docs/object-versioning, …/docs/request-preconditions, …/docs/soft-delete.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from types import MappingProxyType

from include.connection import Connection
from include.errors import Refused
from include.policy.actions import Action
from include.systems.cloud_storage_calls import KEY, NEVER, PAGE, TRIGGERS, Calls, Fate, Version, calls_to, is_paused
from include.systems.cloud_storage_lifecycle import Lifecycle, pause_warning
from include.systems.cloud_storage_prefix import Prefix
from include.systems.contract import Batch, Card, Expiry, OnHold, Proof, ReadBack, Selection, Survey, Swept

CARD = Card(
    key=KEY,
    version="1",
    proof=Proof.READ_BACK_AFTER_HORIZON,
    actions=frozenset({Action.DELETE}),
    location_keys=MappingProxyType(
        {
            "bucket": "required: name of the bucket",
            "prefix": "required: start of the object names, not empty; '{subject}' stands for one path segment",
        }
    ),
    subject_forms=MappingProxyType({"prefix": "the path segment at '{subject}' in the prefix"}),
    trigger_fields=frozenset(TRIGGERS),
    batch_size=PAGE,
    documentation="https://cloud.google.com/storage/docs/deleting-objects",
    horizon="A bucket with soft delete keeps deleted objects for the time it is set to, 7 days unless changed; "
    "nobody can remove them earlier.",
)


class CloudStorage:
    """The retention operations on one project's buckets."""

    card = CARD

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def survey(self, selection: Selection, on_hold: OnHold | None) -> Survey:
        """Count all generations under the prefix; one listing, a page in memory at a time."""
        prefix = _check(selection)
        total = due = held = 0
        oldest = newest = None
        for version in self._versions(selection, prefix):
            total += 1
            if not _is_due(version, selection):
                continue
            due += 1
            held += _is_held(version, prefix, on_hold)
            oldest = min(oldest or _moment(version), _moment(version))
            newest = max(newest or _moment(version), _moment(version))
        return Survey(total, due, held, oldest, newest)

    def batches(self, selection: Selection, on_hold: OnHold | None) -> Iterator[Batch]:
        """Yield due generations in the order of names, the only one the store can sort by. One listing."""
        prefix = _check(selection)
        versions = self._versions(selection, prefix)
        due = (v for v in versions if _is_due(v, selection) and not _is_held(v, prefix, on_hold))
        while records := tuple(islice(due, PAGE)):
            moments = [_moment(version) for version in records]
            yield Batch(len(records), min(moments), max(moments), records)

    def expire(self, selection: Selection, batch: Batch) -> Swept:
        """Delete each generation of the batch under its preconditions, 100 calls to a request.

        Raises:
            Unavailable: a request or a part of one failed; any part of the batch may be gone.
            Refused: the right to delete is missing.
        """
        _check(selection)
        bucket = selection.location["bucket"]
        records: Sequence[Version] = batch.records
        fates = list(self._calls.expire(bucket, records, as_judged=True))
        gone = [version for version, fate in fates if fate is Fate.GONE]
        count = Counter(fate for _, fate in fates)
        # The copy made last outlives the others of its batch.
        until = self._calls.hidden_until(bucket, gone[-1]) if gone else None
        return Swept(len(gone), count[Fate.ABSENT], count[Fate.CHANGED], count[Fate.BLOCKED], until)

    def read_back(self, selection: Selection, on_hold: OnHold | None) -> ReadBack:
        """List again: all generations, then what is soft-deleted, which gives the date of the last hidden copy."""
        prefix = _check(selection)
        as_of = selection.cutoff + timedelta(seconds=selection.period_seconds)
        remaining = held = blocked = 0
        for version in self._versions(selection, prefix):
            if not _is_due(version, selection):
                continue
            if _is_held(version, prefix, on_hold):
                held += 1
            elif version.hold or (version.retained_until and version.retained_until > as_of):
                blocked += 1
            else:
                remaining += 1
        return ReadBack(remaining, held, blocked, self._last_hidden_copy(selection, prefix))

    def expiry(self, selection: Selection) -> list[Expiry]:
        """The bucket's Delete rules that touch the prefix, and a pause of hard deletes if there is one."""
        lifecycle = Lifecycle.of(selection, _check(selection))
        bucket = self._calls.settings(selection.location["bucket"])
        found = lifecycle.compare(list(bucket.lifecycle_rules))
        return [*found, pause_warning()] if is_paused(bucket) else found

    def set_expiry(self, selection: Selection) -> Expiry:
        """Add a Delete rule to the bucket's lifecycle, unless someone changed the bucket meanwhile.

        Raises:
            Refused: a lifecycle rule can't say what the selection says, or the bucket changed meanwhile.
        """
        lifecycle = Lifecycle.of(selection, _check(selection))
        wanted = lifecycle.rule()
        bucket = self._calls.settings(selection.location["bucket"])
        rules = [dict(rule) for rule in bucket.lifecycle_rules]
        if not any(lifecycle.same(rule) for rule in rules):
            self._calls.set_lifecycle(bucket, [*rules, wanted])
        return next(entry for entry in self.expiry(selection) if entry.agrees)

    def close(self) -> None:
        """Release the sockets."""
        self._calls.close()

    def _versions(self, selection: Selection, prefix: Prefix, *, soft_deleted: bool = False) -> Iterator[Version]:
        listed = self._calls.versions(
            selection.location["bucket"], prefix.head, selection.trigger_field, soft_deleted=soft_deleted
        )
        return (version for version in listed if prefix.matches(version.name))

    def _last_hidden_copy(self, selection: Selection, prefix: Prefix) -> datetime | None:
        hidden = self._versions(selection, prefix, soft_deleted=True)
        ends = (version.hard_delete_time for version in hidden if _is_due(version, selection))
        until = max((end for end in ends if end), default=None)
        paused = until is not None and is_paused(self._calls.settings(selection.location["bucket"]))
        return NEVER if paused else until


def connect(connection: Connection) -> CloudStorage:
    """Build the connector; nothing is called yet.

    ``extra`` has ``project`` and, for the credentials, ``keyfile_dict``, ``token``, ``anonymous`` or nothing.

    Raises:
        Refused: the project is missing.
    """
    return CloudStorage(calls_to(connection))


def _check(selection: Selection) -> Prefix:
    """Refuse a selection that this module does not understand, before any call."""
    tried = f"read the rule {selection.rule}"
    if selection.location.keys() != {"bucket", "prefix"} or not selection.location["bucket"]:
        raise Refused(KEY, tried, "Give its location a 'bucket' and a 'prefix', and nothing else.")
    if selection.trigger_field not in CARD.trigger_fields:
        raise Refused(KEY, tried, f"Use one of {', '.join(sorted(CARD.trigger_fields))} as its trigger.")
    if selection.where or selection.action is not Action.DELETE:
        raise Refused(KEY, tried, "Objects can only be deleted, and not be narrowed down by 'where'.")
    prefix = Prefix.parse(selection.location["prefix"])
    if selection.subject not in (None, "prefix") or (selection.subject and not prefix.has_subject):
        raise Refused(KEY, tried, "Use 'prefix' as its subject, with '{subject}' in the location's prefix.")
    return prefix


def _is_due(version: Version, selection: Selection) -> bool:
    return version.moment is not None and version.moment < selection.cutoff


def _is_held(version: Version, prefix: Prefix, on_hold: OnHold | None) -> bool:
    subject = prefix.subject(version.name) if on_hold else None
    return on_hold is not None and subject is not None and on_hold(subject)


def _moment(version: Version) -> datetime:
    if version.moment is None:
        raise ValueError("a version without a trigger is never due")
    return version.moment
