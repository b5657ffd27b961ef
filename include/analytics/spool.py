"""A private folder for events on their way into an aggregate, gone afterwards even if the process was killed.

Whoever opens a spool holds a lock on it. A killed process cannot clean up, but its lock ends with it: the next one to
open a spool removes every folder whose lock is free.
"""

from __future__ import annotations

import fcntl
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import polars as pl

from include.errors import Unavailable

_LOCK = "lock"
_PREFIX = "spool-"


@contextmanager
def private_folder(base: Path) -> Iterator[Path]:
    """A folder that only this account can read; it and what is in it is removed at the end.

    Args:
        base: where spools are: local, with room for the events of a month, and shared with nobody.

    Raises:
        Unavailable: the folder cannot be written.
    """
    try:
        folder, lock = _open(base)
    except OSError as error:
        step = f"{type(error).__name__}: check PRIVACY_SPOOL, rights and space."
        raise Unavailable("analytics", "open its spool", step) from None
    with lock:
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _open(base: Path) -> tuple[Path, IO[str]]:
    base.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (base / _LOCK).open("w") as everybody:
        # Nobody may see a folder between its making and its locking, and take it for an abandoned one.
        fcntl.flock(everybody, fcntl.LOCK_EX)
        _remove_abandoned(base)
        folder = base / f"{_PREFIX}{secrets.token_hex(8)}"
        folder.mkdir(mode=0o700)
        lock = (folder / _LOCK).open("w")
        fcntl.flock(lock, fcntl.LOCK_EX)
    return folder, lock


def _remove_abandoned(base: Path) -> None:
    for folder in base.glob(f"{_PREFIX}*"):
        try:
            with (folder / _LOCK).open("r+") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        except FileNotFoundError:
            pass  # Killed before it had a lock, or removed by its owner this moment.
        shutil.rmtree(folder, ignore_errors=True)


def write_page(folder: Path, number: int, page: pl.DataFrame) -> None:
    """One more part of what is spooled."""
    page.write_parquet(folder / f"{number:08}.parquet", compression="lz4", statistics=False)
