"""Google Cloud Storage: the files of persons, every generation of them, where one segment of a name is the person's id.

A name belongs to a person whatever is in the object, so that each deletion names a generation and asks for nothing
else. What a bucket with soft delete still hides afterwards is listed, with the store's own date for its end.
Sources: https://cloud.google.com/storage/docs/object-versioning, …/docs/soft-delete, …/docs/object-holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from include.connection import Connection
from include.errors import Refused
from include.policy.persons import Disposal, IdentifierKind
from include.subjects.identifiers import Identifier, Subject
from include.systems.assuring import Access
from include.systems.cloud_storage_calls import KEY, NEVER, Calls, Fate, Version, calls_to, is_paused
from include.systems.cloud_storage_prefix import Prefix
from include.systems.erasing import Did, ErasingCard, ErasureProof, Found, Means, Place, Receipt, Seen
from include.systems.places import Tally, check, goes, known_by, usable

_TOO_MUCH = ("storage.buckets.delete", "storage.buckets.setIamPolicy", "storage.objects.create")
"""Far more than the modules need, asked for to be told that the account lacks it."""
_LONGEST_NAME = 1024
"""Bytes of the longest name of an object (https://cloud.google.com/storage/docs/objects#naming)."""

_NEEDED = ("storage.objects.list", "storage.objects.get", "storage.objects.delete", "storage.buckets.get")

ERASING_CARD = ErasingCard(
    key=KEY,
    version="1",
    identifiers=frozenset(IdentifierKind),
    proof=ErasureProof.READ_BACK,
    batch_size=1000,
    horizon=timedelta(days=7),
    horizon_note="A bucket with soft delete hides deleted objects for the time it is set to, 7 days unless changed; "
    "its own date is read with each look, and nobody can remove them earlier.",
    documentation=(
        "https://cloud.google.com/storage/docs/deleting-objects",
        "https://cloud.google.com/storage/docs/soft-delete",
        "https://cloud.google.com/storage/docs/object-holds",
    ),
    scopes=_NEEDED,
)


@dataclass(frozen=True, slots=True)
class Objects:
    """The versions of one person's objects, by bucket."""

    versions: Mapping[str, tuple[Version, ...]] = field(repr=False)


@dataclass(slots=True)
class _Files:
    """What one person has.

    Args:
        tally: the sums.
        due: the versions to delete, by bucket.
        hidden: when the last hidden copy is purged.
    """

    tally: Tally = field(default_factory=Tally)
    due: dict[str, list[Version]] = field(default_factory=dict)
    hidden: datetime | None = None


@dataclass(slots=True)
class _Done:
    """What became of one person's versions."""

    gone: int = 0
    blocked: list[Version] = field(default_factory=list)
    until: datetime | None = None


class CloudStorageErasing:
    """The files of one project's buckets.

    Args:
        calls: the calls.
        means: see :class:`include.systems.erasing.Means`.
    """

    card = ERASING_CARD

    def __init__(self, calls: Calls, means: Means) -> None:
        self._calls = calls
        self._clock = means.clock
        self._places = [(place, place.location.get("bucket", ""), _prefix(place)) for place in means.places]

    def find(self, subjects: Sequence[Subject]) -> list[Found]:
        """List every generation below each person's prefix, and what is soft-deleted there."""
        files = self._look(subjects)
        kept_for = {bucket: self._kept_for(bucket) for bucket in {b for one in files for b in one.due}}
        return [
            one.tally.found(
                subject.ref,
                Objects({bucket: tuple(versions) for bucket, versions in one.due.items()}),
                self._clean_at(one, kept_for),
            )
            for subject, one in zip(subjects, files, strict=True)
        ]

    def erase(self, found: Sequence[Found]) -> list[Receipt]:
        """Delete each generation that was found, 100 to a request.

        Raises:
            Unavailable: a request or a part of one failed; any part may be gone.
            Refused: the right to delete is missing.
        """
        done: dict[int, _Done] = {position: _Done() for position in range(len(found))}
        due: dict[str, dict[Version, list[int]]] = {}
        for position, one in enumerate(found):
            for bucket, versions in one.records.versions.items():
                for version in versions:
                    due.setdefault(bucket, {}).setdefault(version, []).append(position)
        for bucket, owners in due.items():
            self._delete(bucket, owners, done)
        return [_receipt(one, done[position]) for position, one in enumerate(found)]

    def verify(self, subjects: Sequence[Subject], receipts: Sequence[Receipt]) -> list[Seen]:
        """List again: all generations, and what is soft-deleted, which gives the date of the last hidden copy."""
        now, files = self._clock(), self._look(subjects)
        seen = []
        for subject, one in zip(subjects, files, strict=True):
            blocked = sum(_is_blocked(version, now) for versions in one.due.values() for version in versions)
            seen.append(Seen(subject.ref, one.tally.total - blocked, blocked=blocked, until=one.hidden))
        return seen

    def access(self) -> Access:
        """Ask each bucket which of some rights the account has; nothing is read."""
        missing, excess = set[str](), set[str]()
        for bucket in dict.fromkeys(bucket for _, bucket, _ in self._places):
            held = self._calls.rights(bucket, [*_NEEDED, *_TOO_MUCH])
            missing.update(right for right in _NEEDED if right not in held)
            excess.update(held.intersection(_TOO_MUCH))
        return Access(tuple(sorted(missing)), tuple(sorted(excess)), note="Rights as each bucket tells them.")

    def people(self) -> Iterator[Identifier]:
        """Everybody who has a file, by the path segment that names them."""
        for place, bucket, prefix in self._places:
            if goes(place):
                kind = place.person.identifier
                yield from (Identifier(kind, value) for value in self._subjects(bucket, prefix))

    def close(self) -> None:
        """Release the sockets."""
        self._calls.close()

    def _look(self, subjects: Sequence[Subject]) -> list[_Files]:
        files = [_Files() for _ in subjects]
        for place, bucket, prefix in self._places:
            index = known_by(subjects, place.person.identifier, partial(_fits, prefix))
            for position, version in self._versions(bucket, prefix, index):
                disposal = place.disposal(subjects[position].request)
                files[position].tally.add(place, disposal)
                if disposal is Disposal.DELETE:
                    files[position].due.setdefault(bucket, []).append(version)
            self._add_hidden(files, bucket, prefix, index)
        return files

    def _add_hidden(
        self, files: Sequence[_Files], bucket: str, prefix: Prefix, index: Mapping[str, Sequence[int]]
    ) -> None:
        ends: dict[int, datetime] = {}
        for position, version in self._versions(bucket, prefix, index, soft_deleted=True):
            if version.hard_delete_time is not None:
                ends[position] = max(ends.get(position, version.hard_delete_time), version.hard_delete_time)
        paused = bool(ends) and is_paused(self._calls.settings(bucket))
        for position, end in ends.items():
            files[position].hidden = max(files[position].hidden or end, NEVER if paused else end)

    def _versions(
        self, bucket: str, prefix: Prefix, index: Mapping[str, Sequence[int]], *, soft_deleted: bool = False
    ) -> Iterator[tuple[int, Version]]:
        heads = {prefix.of(value): positions for value, positions in index.items()}
        for head, version in self._calls.under(bucket, list(heads), soft_deleted=soft_deleted):
            for position in heads[head]:
                yield position, version

    def _subjects(self, bucket: str, prefix: Prefix) -> Iterator[str]:
        if prefix.tail == "/":
            folders = self._calls.folders(bucket, prefix.head)
            yield from (name[len(prefix.head) : -1] for name in folders)
        else:
            names = (version.name for version in self._calls.versions(bucket, prefix.head, "timeCreated"))
            yield from filter(None, map(prefix.subject, names))

    def _kept_for(self, bucket: str) -> timedelta | None:
        """For how long the bucket hides what is deleted now; None while it promises no date."""
        settings = self._calls.settings(bucket)
        seconds = (settings.soft_delete_policy or {}).get("retentionDurationSeconds") or 0
        return None if is_paused(settings) else timedelta(seconds=int(seconds))

    def _clean_at(self, files: _Files, kept_for: Mapping[str, timedelta | None]) -> datetime | None:
        """When nothing would be left, not even hidden; holds have no date and are left out."""
        now = self._clock()
        ends = [files.hidden] if files.hidden else []
        for bucket, versions in files.due.items():
            kept = kept_for[bucket]
            latest = max([now, *(version.retained_until for version in versions if version.retained_until)])
            if kept is None:
                ends.append(NEVER)
            elif latest + kept > now:
                ends.append(latest + kept)
        return max(ends, default=None)

    def _delete(self, bucket: str, owners: Mapping[Version, Sequence[int]], done: Mapping[int, _Done]) -> None:
        last = None
        gone: set[int] = set()
        for version, fate in self._calls.expire(bucket, list(owners), as_judged=False):
            for position in owners[version]:
                if fate is Fate.GONE:
                    done[position].gone += 1
                    gone.add(position)
                    last = version
                elif fate is Fate.BLOCKED:
                    done[position].blocked.append(version)
        # The copy made last outlives the others of the batch.
        until = self._calls.hidden_until(bucket, last) if last else None
        if until is not None:
            for position in gone:
                done[position].until = max(done[position].until or until, until)


def connect_erasing(connection: Connection, means: Means) -> CloudStorageErasing:
    """Build the connector; nothing is called yet.

    Args:
        connection: as for :func:`include.systems.cloud_storage.connect`.
        means: a place names persons by ``prefix``, where its location's prefix has ``{subject}``.

    Raises:
        Refused: the connection lacks something, or a place cannot be treated as it asks.
    """
    return CloudStorageErasing(calls_to(connection), means)


def _prefix(place: Place) -> Prefix:
    """The prefix of a place; refuses what this module does not understand, before any call."""
    tried = f"read the persons of '{place.holding}'"
    check(KEY, place, {Disposal.DELETE, Disposal.KEEP, Disposal.ROUTE})
    if place.location.keys() != {"bucket", "prefix"} or not place.location["bucket"]:
        raise Refused(KEY, tried, "Give its location a 'bucket' and a 'prefix', and nothing else.")
    prefix = Prefix.parse(place.location["prefix"])
    if place.person.match != "prefix" or not prefix.has_subject or place.person.where:
        raise Refused(KEY, tried, "Use 'prefix' as its 'match', with '{subject}' in the location's prefix; no 'where'.")
    return prefix


def _fits(prefix: Prefix, value: str) -> bool:
    """Whether a value is one path segment that a name of an object can have."""
    return (
        usable(value)
        and value not in {".", ".."}
        and not set("/\r\n") & set(value)
        and len(prefix.of(value).encode()) <= _LONGEST_NAME
    )


def _is_blocked(version: Version, now: datetime) -> bool:
    return version.hold or (version.retained_until is not None and version.retained_until > now)


def _receipt(found: Found, done: _Done) -> Receipt:
    """Blocked objects count before what is gone; they have a date where each has one."""
    if not done.blocked:
        return Receipt(found.ref, Did.GONE if done.gone else Did.ABSENT, gone=done.gone, until=done.until)
    ends = [None if version.hold else version.retained_until for version in done.blocked]
    until = None if None in ends else max((end for end in ends if end), default=None)
    return Receipt(found.ref, Did.BLOCKED, gone=done.gone, until=until, blocked=len(done.blocked))
