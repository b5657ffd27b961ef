"""Index settings: flat names with text values inside, nested objects outside."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeAlias

from include.sandbox.elasticsearch.errors import illegal

Settings: TypeAlias = dict[str, str]

DEFAULTS: Settings = {"index.number_of_shards": "1", "index.number_of_replicas": "1"}

_KNOWN = re.compile(
    r"index\.(number_of_(shards|replicas|routing_shards)|refresh_interval|hidden|codec|priority|max_result_window"
    r"|blocks\.(write|read|metadata|read_only|read_only_allow_delete)|lifecycle\.(name|prefer_ilm|rollover_alias"
    r"|indexing_complete|origination_date)|store\.(type|snapshot\.\w+)|merge\.policy\.expunge_deletes_allowed"
    r"|translog\.flush_threshold_size|routing\.rebalance\.enable|auto_expand_replicas)"
)


def flatten(body: Mapping[str, Any]) -> Settings:
    """Flat settings from either form, with the prefix ``index.`` where it was left out; null becomes "".

    Raises:
        EsError: 400, a setting is not known here.
    """
    flat: Settings = {}
    for name, value in _walk("", body):
        full = name if name.startswith("index.") else f"index.{name}"
        if not _KNOWN.fullmatch(full):
            raise illegal(f"unknown setting [{full}] please check that any required plugins are installed")
        flat[full] = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return flat


def _walk(prefix: str, node: Mapping[str, Any]) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key, value in node.items():
        found += _walk(f"{prefix}{key}.", value) if isinstance(value, Mapping) else [(prefix + key, value)]
    return found


def nest(flat: Mapping[str, str]) -> dict[str, Any]:
    """The nested form that the settings API shows by default."""
    root: dict[str, Any] = {}
    for name, value in sorted(flat.items()):
        *parents, leaf = name.split(".")
        node = root
        for part in parents:
            node = node.setdefault(part, {})
        node[leaf] = value
    return root
