"""The JSON API of Cloud Storage, as far as a client that lists, reads, writes and deletes needs it.

Every method knows its parameters: an unknown one is refused. Built to the discovery document of storage v1.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeAlias

from include.sandbox.google import Answer, Call, Trouble, answered, segment
from include.sandbox.storage import fields, mixed
from include.sandbox.storage.changes import change_bucket, change_object
from include.sandbox.storage.listing import Wanted, list_page
from include.sandbox.storage.model import Bucket, ObjectVersion
from include.sandbox.storage.resources import bucket_resource, object_resource
from include.sandbox.storage.store import Preconditions, Store
from include.sandbox.storage.uploads import Uploads

Method: TypeAlias = Callable[..., Answer]

_GENERATIONS = {"ifGenerationMatch", "ifGenerationNotMatch", "ifMetagenerationMatch", "ifMetagenerationNotMatch"}
_METAGENERATIONS = {"ifMetagenerationMatch", "ifMetagenerationNotMatch"}
PERMISSIONS = ("storage.buckets.get", "storage.objects.delete", "storage.objects.get", "storage.objects.list")
"""What the caller may do to every bucket, for whoever asks; no call is refused for it."""
_LIST = {"delimiter", "endOffset", "maxResults", "pageToken", "prefix", "projection", "softDeleted", "startOffset"}
_BUCKET_NAME = re.compile(r"^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$")


class StorageApi:
    """Routes calls to the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.permissions = set(PERMISSIONS)
        self._uploads = Uploads(store)
        one = r"/storage/v1/b/(?P<bucket>[^/]+)"
        item = one + r"/o/(?P<name>[^/]+)"
        upload = r"(?:/resumable)?/upload" + one + "/o"
        table: list[tuple[str, str, Method]] = [
            ("POST", r"/batch/storage/v1", self._batch),
            ("GET", r"/storage/v1/b", self._list_buckets),
            ("POST", r"/storage/v1/b", self._insert_bucket),
            ("GET", one, self._get_bucket),
            ("PATCH", one, self._patch_bucket),
            ("DELETE", one, self._delete_bucket),
            ("POST", one + "/lockRetentionPolicy", self._lock),
            ("GET", one + "/iam/testPermissions", self._test_permissions),
            ("GET", one + "/o", self._list),
            ("GET", item, self._get),
            ("GET", r"/download" + item, self._download),
            ("PATCH", item, self._patch),
            ("DELETE", item, self._delete),
            ("POST", item + "/restore", self._restore),
            ("POST", upload, self._uploads.start),
            ("PUT", upload, self._uploads.resume),
        ]
        self._routes = [(method, re.compile(pattern), handler) for method, pattern, handler in table]

    def handle(self, call: Call) -> Answer:
        """Answer one call; errors become Google's error bodies."""
        return answered(self._dispatch, call)

    def _dispatch(self, call: Call) -> Answer:
        for method, pattern, handler in self._routes:
            match = pattern.fullmatch(call.path) if method == call.method else None
            if match:
                answer = handler(call, **{name: segment(raw) for name, raw in match.groupdict().items()})
                mask = call.query.get("fields")
                if mask and isinstance(answer.body, dict) and answer.status < 300:
                    return Answer(answer.status, fields.select(answer.body, fields.parse(mask)), answer.headers)
                return answer
        raise Trouble(404, "notFound", "Not Found")

    def _batch(self, call: Call) -> Answer:
        call.expect(())
        return mixed.batch(call, self.handle)

    def _list_buckets(self, call: Call) -> Answer:
        call.expect({"project", "maxResults", "pageToken", "prefix", "projection"})
        if not call.query.get("project"):
            raise Trouble(400, "required", "Required parameter: project")
        names = [name for name in sorted(self._store.buckets) if name.startswith(call.query.get("prefix", ""))]
        names = [name for name in names if name > call.query.get("pageToken", "")]
        limit = min(call.number("maxResults") or 1000, 1000)
        body: dict[str, Any] = {"kind": "storage#buckets"}
        if names:
            body["items"] = [bucket_resource(self._store.bucket(name), call.base) for name in names[:limit]]
        if len(names) > limit:
            body["nextPageToken"] = names[limit - 1]
        return Answer(body=body)

    def _insert_bucket(self, call: Call) -> Answer:
        call.expect({"project", "projection"})
        body = call.json()
        name = body.get("name")
        if not isinstance(name, str) or not _BUCKET_NAME.match(name):
            raise Trouble(400, "invalid", "Invalid bucket name.")
        if name in self._store.buckets:
            raise Trouble(409, "conflict", "The requested bucket name is not available.")
        now = self._store.clock()
        bucket = Bucket(name=name, time_created=now, updated=now)
        change_bucket(bucket, body, now)
        self._store.buckets[name] = bucket
        return Answer(body=bucket_resource(bucket, call.base))

    def _get_bucket(self, call: Call, bucket: str) -> Answer:
        call.expect({"projection", *_METAGENERATIONS})
        found = self._store.bucket(bucket)
        Preconditions.of(call).check(found)
        return Answer(body=bucket_resource(found, call.base))

    def _test_permissions(self, call: Call, bucket: str) -> Answer:
        call.expect({"permissions", "userProject"})
        self._store.bucket(bucket)
        asked = [value for name, value in call.pairs if name == "permissions"]
        if not asked:
            raise Trouble(400, "required", "Required parameter: permissions")
        held = [permission for permission in asked if permission in self.permissions]
        body = {"kind": "storage#testIamPermissionsResponse", **({"permissions": held} if held else {})}
        return Answer(body=body)

    def _patch_bucket(self, call: Call, bucket: str) -> Answer:
        call.expect({"projection", *_METAGENERATIONS})
        found = self._store.bucket(bucket)
        Preconditions.of(call).check(found)
        change_bucket(found, call.json(), self._store.clock())
        found.metageneration += 1
        found.updated = self._store.clock()
        return Answer(body=bucket_resource(found, call.base))

    def _delete_bucket(self, call: Call, bucket: str) -> Answer:
        call.expect(_METAGENERATIONS)
        found = self._store.bucket(bucket)
        Preconditions.of(call).check(found)
        if found.versions:
            raise Trouble(409, "conflict", "The bucket you tried to delete is not empty.")
        del self._store.buckets[bucket]
        return Answer(204)

    def _lock(self, call: Call, bucket: str) -> Answer:
        call.expect({"ifMetagenerationMatch"})
        found = self._store.bucket(bucket)
        if "ifMetagenerationMatch" not in call.query:
            raise Trouble(400, "required", "Required parameter: ifMetagenerationMatch")
        Preconditions.of(call).check(found)
        if found.retention_seconds is None:
            raise Trouble(400, "invalid", "The bucket has no retention policy to lock.")
        found.retention_locked = True
        found.metageneration += 1
        return Answer(body=bucket_resource(found, call.base))

    def _list(self, call: Call, bucket: str) -> Answer:
        call.expect({"versions", *_LIST})
        found = self._store.bucket(bucket)
        wanted = Wanted(
            prefix=call.query.get("prefix", ""),
            delimiter=call.query.get("delimiter", ""),
            start=call.query.get("startOffset", ""),
            end=call.query.get("endOffset", ""),
            versions=call.flag("versions"),
            soft_deleted=call.flag("softDeleted"),
            limit=call.number("maxResults") or 0,
            token=call.query.get("pageToken", ""),
        )
        page = list_page(found, wanted)
        body: dict[str, Any] = {"kind": "storage#objects"}
        if page.items:
            body["items"] = [object_resource(found, version, call.base) for version in page.items]
        if page.prefixes:
            body["prefixes"] = page.prefixes
        if page.token:
            body["nextPageToken"] = page.token
        return Answer(body=body)

    def _get(self, call: Call, bucket: str, name: str) -> Answer:
        call.expect({"generation", "projection", "softDeleted", *_GENERATIONS})
        if call.query.get("alt") == "media":
            return self._media(call, bucket, name)
        found, version = self._find(call, bucket, name)
        return Answer(body=object_resource(found, version, call.base))

    def _download(self, call: Call, bucket: str, name: str) -> Answer:
        call.expect({"generation", *_GENERATIONS})
        return self._media(call, bucket, name)

    def _media(self, call: Call, bucket: str, name: str) -> Answer:
        found, version = self._find(call, bucket, name)
        resource = object_resource(found, version, call.base)
        headers = {
            "content-type": version.content_type,
            "x-goog-generation": resource["generation"],
            "x-goog-metageneration": resource["metageneration"],
            "x-goog-hash": f"crc32c={resource['crc32c']},md5={resource['md5Hash']}",
        }
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", call.headers.get("range", ""))
        if not wanted:
            return Answer(200, version.content, headers)
        first, size = int(wanted[1]), len(version.content)
        if first >= size:
            return Answer(416, b"", {"content-range": f"bytes */{size}"})
        content = version.content[first : int(wanted[2]) + 1 if wanted[2] else None]
        return Answer(206, content, {**headers, "content-range": f"bytes {first}-{first + len(content) - 1}/{size}"})

    def _patch(self, call: Call, bucket: str, name: str) -> Answer:
        call.expect({"generation", "projection", "overrideUnlockedRetention", *_GENERATIONS})
        found, version = self._find(call, bucket, name)
        change_object(version, call.json(), self._store.clock())
        version.metageneration += 1
        version.updated = self._store.clock()
        return Answer(body=object_resource(found, version, call.base))

    def _delete(self, call: Call, bucket: str, name: str) -> Answer:
        call.expect({"generation", *_GENERATIONS})
        self._store.delete(self._store.bucket(bucket), name, call.number("generation"), Preconditions.of(call))
        return Answer(204)

    def _restore(self, call: Call, bucket: str, name: str) -> Answer:
        call.expect({"generation", "projection", "copySourceAcl", *_GENERATIONS})
        generation = call.number("generation")
        if generation is None:
            raise Trouble(400, "required", "Required parameter: generation")
        found = self._store.bucket(bucket)
        version = self._store.restore(found, name, generation, Preconditions.of(call))
        return Answer(body=object_resource(found, version, call.base))

    def _find(self, call: Call, bucket: str, name: str) -> tuple[Bucket, ObjectVersion]:
        found = self._store.bucket(bucket)
        soft_deleted = call.flag("softDeleted")
        if soft_deleted and "generation" not in call.query:
            raise Trouble(400, "required", "Required parameter: generation")
        version = self._store.find(found, name, call.number("generation"), soft_deleted=soft_deleted)
        Preconditions.of(call).check(version)
        return found, version
