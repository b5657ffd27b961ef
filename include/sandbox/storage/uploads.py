"""Uploads: simple, multipart and resumable (https://cloud.google.com/storage/docs/uploads-downloads)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from include.sandbox.google import Answer, Call, Trouble
from include.sandbox.storage import mixed
from include.sandbox.storage.changes import change_object
from include.sandbox.storage.model import ObjectVersion
from include.sandbox.storage.resources import object_resource
from include.sandbox.storage.store import Preconditions, Store

_PARAMETERS = {"name", "uploadType", "upload_id", "projection", "contentEncoding"} | {
    "ifGenerationMatch",
    "ifGenerationNotMatch",
    "ifMetagenerationMatch",
    "ifMetagenerationNotMatch",
}
_RANGE = re.compile(r"bytes (?:(?P<first>\d+)-(?P<last>\d+)|\*)/(?P<size>\d+|\*)")


@dataclass(slots=True)
class _Session:
    bucket: str
    metadata: dict[str, Any]
    content_type: str
    conditions: Preconditions
    content: bytearray = field(default_factory=bytearray)


class Uploads:
    """Upload sessions and what becomes of them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._sessions: dict[str, _Session] = {}

    def start(self, call: Call, bucket: str) -> Answer:
        """POST: upload at once, or open a resumable session whose address is in ``Location``.

        Raises:
            Trouble: 400, 403, 404 or 412.
        """
        call.expect(_PARAMETERS)
        kind = call.query.get("uploadType")
        content_type = call.headers.get("content-type", "application/octet-stream")
        if kind == "media":
            return self._insert(call, _Session(bucket, {}, content_type, Preconditions.of(call)), call.body)
        if kind == "multipart":
            pieces = mixed.parts(content_type, call.body)
            if len(pieces) != 2:
                raise Trouble(400, "badContent", "A multipart upload has two parts.")
            (_, metadata), (headers, content) = pieces
            part_type = headers.get("content-type", "application/octet-stream")
            return self._insert(call, _Session(bucket, _metadata(metadata), part_type, Preconditions.of(call)), content)
        if kind != "resumable":
            raise Trouble(400, "invalidParameter", "Invalid value for parameter uploadType.")
        self._store.bucket(bucket)
        session = _Session(
            bucket,
            _metadata(call.body),
            call.headers.get("x-upload-content-type", "application/octet-stream"),
            Preconditions.of(call),
        )
        if "name" in call.query:
            session.metadata["name"] = call.query["name"]
        upload_id = uuid4().hex
        self._sessions[upload_id] = session
        address = f"{call.base}/upload/storage/v1/b/{bucket}/o?uploadType=resumable&upload_id={upload_id}"
        return Answer(200, b"", {"location": address, "x-guploader-uploadid": upload_id})

    def resume(self, call: Call, bucket: str) -> Answer:
        """PUT: the next bytes of a session; 308 until the last one has come.

        Raises:
            Trouble: 400, 403, 404 or 412.
        """
        call.expect(_PARAMETERS)
        upload_id = call.query.get("upload_id", "")
        session = self._sessions.get(upload_id)
        if session is None or session.bucket != bucket:
            raise Trouble(404, "notFound", "No such upload session.")
        wanted = _RANGE.fullmatch(call.headers.get("content-range", f"bytes 0-{len(call.body) - 1}/{len(call.body)}"))
        if wanted is None or (wanted["first"] and int(wanted["first"]) != len(session.content)):
            raise Trouble(400, "invalid", "Invalid Content-Range.")
        session.content += call.body
        if wanted["size"] == "*" or int(wanted["size"]) > len(session.content):
            held = {"range": f"bytes=0-{len(session.content) - 1}"} if session.content else {}
            return Answer(308, b"", held)
        del self._sessions[upload_id]
        return self._insert(call, session, bytes(session.content))

    def _insert(self, call: Call, session: _Session, content: bytes) -> Answer:
        found = self._store.bucket(session.bucket)
        name = call.query.get("name") or session.metadata.get("name", "")
        now = self._store.clock()
        draft = ObjectVersion(str(name), 0, content, session.content_type, now, now)
        change_object(draft, session.metadata, now)
        version = self._store.insert(found, draft, session.conditions)
        return Answer(body=object_resource(found, version, call.base))


def _metadata(raw: bytes) -> dict[str, Any]:
    try:
        value = json.loads(raw) if raw else {}
    except ValueError:
        raise Trouble(400, "parseError", "Parse Error") from None
    if not isinstance(value, dict):
        raise Trouble(400, "parseError", "Parse Error")
    return value
