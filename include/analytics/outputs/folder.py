"""Settled releases as files in a folder, or below any URL that fsspec understands (``gs://…``, ``s3://…``).

    published/<table>/period=<period>/version=<digest>/   releases for everybody
    internal/<table>/period=…/version=…/                  exact tables that stay inside the company
    published/index.html, published/catalog.json          all of them, and the same for internal

Period and version are named so that DuckDB, polars and Spark read them as columns (Hive partitioning). The store in
the ledger's database is the truth: a file that is missing or differs is written again from it, and a file of which the
store holds another content cannot exist for longer than until the next run.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from include.analytics.outputs.page import environment
from include.analytics.releases import MANIFEST
from include.errors import Unavailable

PUBLISHED, INTERNAL = "published", "internal"
INDEX, CATALOG = "index.html", "catalog.json"


def write_release(base: str, files: Mapping[str, bytes]) -> str:
    """Write the files of a settled release, the manifest last. Writing again changes nothing.

    Returns:
        Where they are, below ``base``.

    Raises:
        Unavailable: the place cannot be written.
    """
    below = path_of(json.loads(files[MANIFEST]))
    with _folder(base) as folder:
        for name in sorted(files, key=lambda name: (name == MANIFEST, name)):
            folder.put(f"{below}/{name}", files[name])
    return below


def write_index(base: str, manifests: Sequence[Mapping[str, Any]]) -> None:
    """Write the lists of all releases, from nothing but their manifests in the order of settling.

    Raises:
        Unavailable: the place cannot be written.
    """
    template = environment().get_template("index.html.j2")
    with _folder(base) as folder:
        for root, internal in ((PUBLISHED, False), (INTERNAL, True)):
            newest = _newest([one for one in manifests if one["internal"] is internal])
            content = json.dumps({"releases": newest}, sort_keys=True, indent=2, ensure_ascii=False)
            folder.put(f"{root}/{CATALOG}", content.encode() + b"\n")
            tables: dict[str, list[Mapping[str, Any]]] = {}
            for one in newest:
                tables.setdefault(str(one["table"]), []).append(one)
            folder.put(f"{root}/{INDEX}", template.render(tables=tables, internal=internal).encode())


def path_of(manifest: Mapping[str, Any]) -> str:
    """Where the release of a manifest is."""
    root = INTERNAL if manifest["internal"] else PUBLISHED
    return f"{root}/{_below(manifest)}"


def _below(manifest: Mapping[str, Any]) -> str:
    version = manifest["specification"]["table_digest"][:12]
    return f"{manifest['table']}/period={manifest['period']}/version={version}"


def _newest(manifests: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One for each table and period, that of the last specification; tables by name, the newest period first."""
    latest = {(one["table"], one["start"], one["end"]): one for one in manifests}
    ordered = sorted(latest.values(), key=lambda one: str(one["start"]), reverse=True)
    return [
        {
            "table": one["table"],
            "title": one["title"],
            "period": one["period"],
            "start": one["start"],
            "end": one["end"],
            "specification": one["specification"]["version"],
            "path": _below(one),
        }
        for one in sorted(ordered, key=lambda one: str(one["table"]))
    ]


class _Folder:
    """The few operations that publishing needs."""

    def __init__(self, base: str) -> None:
        self._files, root = fsspec.core.url_to_fs(base)
        self._root = str(root).rstrip("/")

    def put(self, name: str, content: bytes) -> None:
        """Replace a file as a whole, unless it has this content: object stores do, a local folder by renaming."""
        path = f"{self._root}/{name}"
        if self._read(path) == content:
            return
        if not isinstance(self._files, LocalFileSystem):
            self._files.pipe_file(path, content)
            return
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
        try:
            with temporary.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)

    def _read(self, path: str) -> bytes | None:
        try:
            return bytes(self._files.cat_file(path))
        except FileNotFoundError:
            return None


@contextmanager
def _folder(base: str) -> Iterator[_Folder]:
    """The folder; its failures become the product's, without the URL, which may hold a key."""
    try:
        yield _Folder(base)
    except (OSError, ImportError, ValueError) as error:
        step = f"{type(error).__name__}: check PRIVACY_AGGREGATES, rights and space."
        raise Unavailable("analytics", "write a release", step) from None
