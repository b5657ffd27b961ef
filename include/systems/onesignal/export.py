"""The file of all subscriptions: asked for, awaited, and read row by row while it is being unpacked.

Who has the file's address has the file, so it is read without our key, only from the vendor, and never logged. The
vendor makes about 2,000 rows in a second, and answers 404 or 403 until the file is there.
Source: https://documentation.onesignal.com/reference/csv-export.
"""

from __future__ import annotations

import csv
import gzip
import io
import tempfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import IO
from urllib.parse import urlsplit

from urllib3.exceptions import HTTPError

from include.connection import Connection
from include.errors import Inconsistent, Refused, Unavailable
from include.systems.http import TIMEOUT
from include.systems.http_session import base_address, open_session, origin, quiet
from include.systems.onesignal import KEY

LOOKS, PAUSE = 60, 10.0
"""How often a file is looked for, and after how many seconds each: time for more than a million rows."""
BROKEN = 3
"""How often a look may fail before the file is given up."""
NO_DEVICE = ("11", "14")
"""Types of a subscription that are an address or a telephone number, and no device."""
_PIECE = 2**16
_TRIED = "read the export of the subscriptions"


@dataclass(frozen=True, slots=True)
class Row:
    """A subscription.

    Args:
        id: the vendor's own.
        external_id: our id of its user; "" without one.
        last_active: the last session; None where it can't be read.
        sessions: how many there were.
        device: whether it is a device.
    """

    id: str
    external_id: str = field(repr=False)
    last_active: datetime | None
    sessions: int
    device: bool


def rows(connection: Connection, url: object, pause: Callable[[float], None]) -> Iterator[Row]:
    """The rows of a file that the vendor named.

    Raises:
        Refused: the file lies neither with the vendor nor at the connection's own address.
        Unavailable: it did not come, or not whole.
    """
    if not isinstance(url, str) or not _is_the_vendors(connection, url):
        raise Refused(KEY, _TRIED, "The file lies on another host than the vendor's: it was not read.")
    with tempfile.TemporaryFile() as copy:
        _fetch(connection, url, pause, copy)
        copy.seek(0)
        yield from _read(copy)


def _fetch(connection: Connection, url: str, pause: Callable[[float], None], copy: IO[bytes]) -> None:
    """Wait for the file and copy it to one without a name: whoever works on a row for long keeps no call open."""
    import requests

    failed = 0
    with open_session(connection) as session:
        for _ in range(LOOKS):
            try:
                with quiet(), session.get(url, stream=True, timeout=TIMEOUT, allow_redirects=False) as answer:
                    status = answer.status_code
                    if status == 200:
                        copy.seek(0)
                        copy.truncate()
                        copy.writelines(iter(lambda: answer.raw.read(_PIECE), b""))
                        return
            except (requests.RequestException, HTTPError, OSError):
                status = 0
            failed += status not in (403, 404)
            if failed >= BROKEN:
                break
            pause(PAUSE)
    raise Unavailable(KEY, _TRIED, "Run it again; the file did not come.")


def _read(packed: IO[bytes]) -> Iterator[Row]:
    try:
        with gzip.GzipFile(fileobj=packed) as unpacked, io.TextIOWrapper(unpacked, "utf-8", newline="") as text:
            table = csv.DictReader(text)
            if not {"id", "last_active", "external_user_id"} <= set(table.fieldnames or ()):
                raise Inconsistent(KEY, _TRIED, "It lacks a column; look at the API.")
            yield from map(_row, table)
            return
    except (OSError, EOFError, zlib.error, csv.Error, ValueError):
        pass
    raise Unavailable(KEY, _TRIED, "Run it again; the file is not whole.")


def _row(cells: dict[str, str]) -> Row:
    sessions = cells.get("session_count") or "0"
    return Row(
        cells["id"],
        cells["external_user_id"] or "",
        _moment(cells["last_active"]),
        int(sessions) if sessions.isdecimal() else 0,
        cells.get("device_type") not in NO_DEVICE,
    )


def _moment(text: str | None) -> datetime | None:
    """A time of the file; without a zone it is UTC."""
    try:
        moment = datetime.fromisoformat((text or "").strip().removesuffix(" UTC"))
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _is_the_vendors(connection: Connection, url: str) -> bool:
    if connection.host and origin(url) == origin(base_address(connection, connection.host)):
        return True
    host = urlsplit(url).hostname or ""
    known = origin(url)
    return known is not None and known[0] == "https" and (host == "onesignal.com" or host.endswith(".onesignal.com"))
