"""Aliases and rollover."""

from __future__ import annotations

import re
from typing import Any

from include.sandbox.elasticsearch.call import ACKNOWLEDGED, TARGETS, WAITS, Answer, Call, Endpoint
from include.sandbox.elasticsearch.errors import EsError, illegal


def put_alias(call: Call) -> Answer:
    """``PUT /{index}/_alias/{name}``."""
    _add_alias(call, call.parts["index"], call.parts["name"], call.body("is_write_index"))
    return ACKNOWLEDGED


def _add_alias(call: Call, expression: str, alias: str, options: dict[str, Any]) -> None:
    if alias in call.cluster.indices or alias in call.cluster.streams:
        raise EsError(
            400, "invalid_alias_name_exception", f"an index or data stream exists with the same name [{alias}]"
        )
    for index in call.cluster.resolve(expression):
        index.aliases[alias] = options


def delete_alias(call: Call) -> Answer:
    """``DELETE /{index}/_alias/{name}``."""
    _remove_alias(call, call.parts["index"], call.parts["name"])
    return ACKNOWLEDGED


def _remove_alias(call: Call, expression: str, alias: str) -> None:
    removed = [index.aliases.pop(alias, None) for index in call.cluster.resolve(expression)]
    if all(options is None for options in removed):
        raise EsError(404, "aliases_not_found_exception", f"aliases [{alias}] missing")


def get_alias(call: Call) -> Answer:
    """``GET|HEAD [/{index}]/_alias[/{name}]``."""
    pattern = re.compile(re.escape(call.parts.get("name", "*")).replace(r"\*", ".*"))
    shown = {}
    for index in call.cluster.resolve(call.parts.get("index", ""), call.targets):
        aliases = {alias: options for alias, options in index.aliases.items() if pattern.fullmatch(alias)}
        if aliases or "name" not in call.parts:
            shown[index.name] = {"aliases": aliases}
    if "name" in call.parts and not shown and "*" not in call.parts["name"]:
        return Answer({"error": f"alias [{call.parts['name']}] missing", "status": 404}, 404)
    return Answer(shown)


def update_aliases(call: Call) -> Answer:
    """``POST /_aliases``."""
    for action in call.body("actions").get("actions", []):
        ((kind, options),) = action.items()
        options = dict(options)
        expression, alias = options.pop("index"), options.pop("alias")
        if kind == "add":
            _add_alias(call, expression, alias, options)
        elif kind == "remove":
            _remove_alias(call, expression, alias)
        else:
            raise illegal(f"[aliases] unknown action [{kind}]")
    return ACKNOWLEDGED


def rollover(call: Call) -> Answer:
    """``POST /{alias}/_rollover``, without conditions."""
    name = call.parts["alias"]
    call.body("settings", "mappings", "aliases")
    if name in call.cluster.streams:
        stream = call.cluster.streams[name]
        old = stream.indices[-1]
        return _rolled_over(old, call.cluster.add_backing(stream).name)
    if name not in call.cluster.alias_names():
        raise illegal(f"rollover target [{name}] does not exist")
    index = call.cluster.one(name)
    match = re.fullmatch(r"(.*)-(\d+)", index.name)
    if not match:
        raise illegal(f"index name [{index.name}] does not match pattern '^.*-\\d+$'")
    new = call.cluster.create(f"{match[1]}-{int(match[2]) + 1:06d}", call.body())
    new.aliases[name] = index.aliases.pop(name)
    return _rolled_over(index.name, new.name)


def _rolled_over(old: str, new: str) -> Answer:
    flags = {"acknowledged": True, "shards_acknowledged": True, "rolled_over": True, "dry_run": False}
    return Answer({**flags, "old_index": old, "new_index": new, "conditions": {}})


ENDPOINTS = (
    Endpoint("PUT POST", "/{index}/_alias/{name}", put_alias, WAITS),
    Endpoint("DELETE", "/{index}/_alias/{name}", delete_alias, WAITS),
    Endpoint("GET HEAD", "/_alias", get_alias, TARGETS),
    Endpoint("GET HEAD", "/_alias/{name}", get_alias, TARGETS),
    Endpoint("GET HEAD", "/{index}/_alias", get_alias, TARGETS),
    Endpoint("GET HEAD", "/{index}/_alias/{name}", get_alias, TARGETS),
    Endpoint("POST", "/_aliases", update_aliases, WAITS),
    Endpoint("POST", "/{alias}/_rollover", rollover, WAITS),
)
