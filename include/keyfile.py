"""Secrets of one machine in files that only their owner can read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from include.errors import Refused


def read_or_create(path: Path, fresh: bytes) -> bytes:
    """Read a secret; if the file is missing, create it with ``fresh``, mode 0600, durably and without a race.

    Raises:
        Refused: others may read the file, or it cannot be read or written.
    """
    try:
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _create(path, fresh)
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if stat.S_IMODE(os.fstat(descriptor).st_mode) & 0o077:
                raise Refused("key file", f"trust {path}", "Others may read it: replace the key and set mode 0600.")
            return file.read()
    except OSError as error:
        raise Refused("key file", f"use {path}", f"{error.strerror}.") from None


def _create(path: Path, content: bytes) -> None:
    """Write beside, then link: whoever comes second finds the first one's complete file."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content + b"\n")
            file.flush()
            os.fsync(descriptor)
        try:
            os.link(draft, path)
        except FileExistsError:
            return
    finally:
        draft.unlink()
