"""What comes in: bodies with a limit, forms in memory alone, and the protection of forms against other sites.

A browser sends the session's cookie with a form of any site, so a form counts only if the browser says that it comes
from here (Sec-Fetch-Site, Origin) and if it carries a token that was made for this user. (OWASP, Cross-Site Request
Forgery Prevention: Fetch Metadata, signed double submit.)
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from airflow.configuration import conf
from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from include.erasure.manual import File
from include.orchestration import desk
from include.orchestration.web.access import User
from include.orchestration.web.answers import Rejected

VALID = timedelta(hours=8)
FIELDS_BYTES = 64 * 1024
"""Room for the fields of a form."""

_MOST_FIELDS = 20
_DOMAIN = b"privacy-form-v1\0"


@dataclass(frozen=True, slots=True)
class Sent:
    """A form that was sent from one of our pages by this user."""

    fields: Mapping[str, str] = field(repr=False)
    file: File | None = None


class _InMemory(MultiPartParser):
    """Starlette's parser puts large files on disk, in clear: this one keeps them in memory, which has a limit here."""

    spool_max_size = 0
    """For ``SpooledTemporaryFile``: never."""


def token_for(user: User, now: datetime) -> str:
    """A token for the forms of a user."""
    expires = int((now + VALID).timestamp())
    return f"{expires}.{_sign(user, expires)}"


def is_token(given: str, user: User, now: datetime) -> bool:
    """Whether a token is one of this user's and still valid."""
    expires, _, signature = given.partition(".")
    if not expires.isascii() or not expires.isdigit() or len(expires) > 12:
        return False
    genuine = hmac.compare_digest(signature.encode(), _sign(user, int(expires)).encode())
    return genuine and now.timestamp() < int(expires)


def sent(limit: int) -> Callable[[Request, User], Awaitable[Sent]]:
    """A dependency that reads a form.

    Args:
        limit: most bytes of its file.

    Raises:
        Rejected: 403 it does not come from one of our pages, 413 it is too large, 400 it can't be read.
    """

    async def read(request: Request, user: User) -> Sent:
        _check_site(request)
        form = await _parsed(request, await body(request, limit + FIELDS_BYTES))
        if not is_token(form.fields.get("token", ""), user, desk.now()):
            raise Rejected(403, "The form is too old, or not yours. Nothing was done: open the page again.")
        return form

    return read


async def body(request: Request, limit: int) -> bytes:
    """The body, read up to a limit and no further.

    Raises:
        Rejected: 413 it is larger, 400 the header about its length is wrong.
    """
    length = request.headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()):
        raise Rejected(400, "The header Content-Length is not a number.")
    read = bytearray()
    if int(length) <= limit:
        async for chunk in request.stream():
            read += chunk
            if len(read) > limit:
                break
        else:
            return bytes(read)
    raise Rejected(413, f"It is too large: at most {limit // 1024:,} KiB are taken. Nothing was stored.")


def _check_site(request: Request) -> None:
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    hosts = {request.headers.get("host", ""), urlsplit(conf.get("api", "base_url", fallback="")).netloc}
    from_here = site in {None, "same-origin"} and (origin is None or origin.partition("://")[2] in hosts - {""})
    if not from_here or (site is None and origin is None):
        raise Rejected(403, "The form was sent from another site. Nothing was done: open the page here.")


async def _parsed(request: Request, content: bytes) -> Sent:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        if kind == "application/x-www-form-urlencoded":
            pairs = parse_qsl(content.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
            return Sent(dict(pairs))
        if kind == "multipart/form-data":
            return await _multipart(request, content)
    except (ValueError, MultiPartException):
        pass
    raise Rejected(400, "The form can't be read. Nothing was stored: send it from its page.")


async def _multipart(request: Request, content: bytes) -> Sent:
    async def chunks() -> AsyncGenerator[bytes, None]:
        yield content

    parser = _InMemory(request.headers, chunks(), max_files=1, max_fields=_MOST_FIELDS, max_part_size=FIELDS_BYTES)
    form = await parser.parse()
    fields: dict[str, str] = {}
    file: File | None = None
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            data = await value.read()
            # A browser sends an empty file where none was chosen.
            file = File(value.filename or "", data) if data else None
        else:
            fields[name] = value
    await form.close()
    return Sent(fields, file)


def _sign(user: Any, expires: int) -> str:
    key = hashlib.sha256(_DOMAIN + conf.get("api", "secret_key").encode()).digest()
    return hmac.new(key, f"{expires}\0{user.get_id()}".encode(), hashlib.sha256).hexdigest()
