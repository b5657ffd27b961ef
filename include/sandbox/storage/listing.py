"""Pages of a bucket's listing: prefix, delimiter, offsets, versions, soft-deleted, page tokens."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from include.sandbox.google import Trouble
from include.sandbox.storage.model import Bucket, ObjectVersion

MAX_RESULTS = 1000
_LAST = 1 << 63


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a listing asks for."""

    prefix: str = ""
    delimiter: str = ""
    start: str = ""
    end: str = ""
    versions: bool = False
    soft_deleted: bool = False
    limit: int = MAX_RESULTS
    token: str = ""


@dataclass(slots=True)
class Page:
    """One page; ``token`` is empty on the last one."""

    items: list[ObjectVersion] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    token: str = ""


def list_page(bucket: Bucket, wanted: Wanted) -> Page:
    """The page after ``wanted.token``, at most ``wanted.limit`` items and prefixes, in the order of names.

    Raises:
        Trouble: 400, the token is not one of ours, or versions and soft-deleted are asked for together.
    """
    if wanted.soft_deleted and wanted.versions:
        raise Trouble(400, "invalid", "softDeleted and versions cannot both be true.")
    page = Page()
    limit = min(wanted.limit or MAX_RESULTS, MAX_RESULTS)
    last: tuple[str, int] | None = None
    for version in _after(bucket, wanted):
        group = _group(version.name, wanted)
        if group and page.prefixes and page.prefixes[-1] == group:
            last = (version.name, version.generation)
            continue
        if len(page.items) + len(page.prefixes) == limit:
            page.token = _token(last)
            break
        if group:
            page.prefixes.append(group)
        else:
            page.items.append(version)
        last = (version.name, version.generation)
    return page


def _after(bucket: Bucket, wanted: Wanted) -> Iterator[ObjectVersion]:
    index = bucket.hidden if wanted.soft_deleted else bucket.versions
    first = max(wanted.prefix, wanted.start)
    after = _position(wanted.token) if wanted.token else (first, -1)
    for key in index.irange(minimum=after, inclusive=(False, False)):
        name = key[0]
        if (wanted.end and name >= wanted.end) or not name.startswith(wanted.prefix):
            return
        version = index[key]
        if wanted.versions or wanted.soft_deleted or version.live:
            yield version


def _group(name: str, wanted: Wanted) -> str:
    rest = name[len(wanted.prefix) :]
    if not wanted.delimiter or wanted.delimiter not in rest:
        return ""
    return wanted.prefix + rest.split(wanted.delimiter, 1)[0] + wanted.delimiter


def _token(key: tuple[str, int] | None) -> str:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode()


def _position(token: str) -> tuple[str, int]:
    try:
        name, generation = json.loads(base64.urlsafe_b64decode(token))
    except ValueError:
        raise Trouble(400, "invalid", "Invalid page token.") from None
    if not isinstance(name, str) or not isinstance(generation, int) or generation >= _LAST:
        raise Trouble(400, "invalid", "Invalid page token.")
    return name, generation
