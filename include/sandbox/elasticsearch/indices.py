"""Management of indices: create, delete, settings, mappings, aliases, refresh, merge, rollover."""

from __future__ import annotations

import re
from typing import Any

from include.sandbox.elasticsearch.call import ACKNOWLEDGED, TARGETS, WAITS, Answer, Call, Endpoint, shards
from include.sandbox.elasticsearch.errors import EsError, illegal, missing, no_index
from include.sandbox.elasticsearch.index import Index
from include.sandbox.elasticsearch.mapping import Field, analyze
from include.sandbox.elasticsearch.settings import flatten, nest

_BLOCKS = {"write": "index.blocks.write", "read": "index.blocks.read", "read_only": "index.blocks.read_only"}
_BLOCKS["metadata"] = "index.blocks.metadata"

_MERGE = f"{TARGETS} only_expunge_deletes max_num_segments wait_for_completion"


def _indices(call: Call) -> list[Index]:
    return call.cluster.resolve(call.parts.get("index", ""), call.targets)


def create(call: Call) -> Answer:
    """``PUT /{index}``."""
    index = call.cluster.create(call.parts["index"], call.body())
    return Answer({"acknowledged": True, "shards_acknowledged": True, "index": index.name})


def delete(call: Call) -> Answer:
    """``DELETE /{index}``: names of indices only, never of aliases."""
    expression = call.parts["index"]
    if expression == "_all" or "*" in expression:
        raise illegal("Wildcard expressions or all indices are not allowed")
    for name in expression.split(","):
        if name not in call.cluster.indices and name in call.cluster.alias_names():
            raise illegal(f"The provided expression [{name}] matches an alias, specify the concrete indices")
        if name in call.cluster.streams:
            raise illegal(f"The provided expression [{name}] is a data stream, use the data stream API")
    targets = call.targets
    for name in expression.split(","):
        if name in call.cluster.indices:
            call.cluster.delete(call.cluster.indices[name])
        elif not targets.ignore_unavailable:
            raise no_index(name)
    return ACKNOWLEDGED


def exists(call: Call) -> Answer:
    """``HEAD /{index}``."""
    try:
        found = call.cluster.resolve(call.parts["index"], call.targets)
    except EsError as error:
        if error.status == 404:
            return Answer(None, 404)
        raise
    return Answer(None, 200 if found else 404)


def get(call: Call) -> Answer:
    """``GET /{index}``."""
    return Answer(
        {
            index.name: {
                "aliases": index.aliases,
                "mappings": index.mapping.as_json(),
                "settings": _settings(index, flat=call.flag("flat_settings")),
            }
            for index in _indices(call)
        }
    )


def _settings(index: Index, *, flat: bool) -> dict[str, Any]:
    created = {"index.creation_date": str(int(index.created * 1000)), "index.provided_name": index.name}
    shown = {**index.settings, **created, "index.uuid": index.uuid}
    return dict(shown) if flat else nest(shown)


def get_settings(call: Call) -> Answer:
    """``GET [/{index}]/_settings[/{name}]``."""
    wanted = re.compile(".*" if "name" not in call.parts else re.escape(call.parts["name"]).replace(r"\*", ".*"))
    shown = {}
    for index in _indices(call):
        settings = {key: value for key, value in _settings(index, flat=True).items() if wanted.fullmatch(key)}
        shown[index.name] = {"settings": settings if call.flag("flat_settings") else nest(settings)}
    return Answer(shown)


def put_settings(call: Call) -> Answer:
    """``PUT [/{index}]/_settings``."""
    body = call.body()
    changes = flatten(body.get("settings", body))
    for name in changes:
        if name in {"index.number_of_shards", "index.store.type"}:
            raise illegal(f"final {name} setting, cannot be updated")
    for index in _indices(call):
        index.settings |= changes
        for name in [name for name, value in changes.items() if value == ""]:
            del index.settings[name]
    return ACKNOWLEDGED


def get_mapping(call: Call) -> Answer:
    """``GET [/{index}]/_mapping``."""
    return Answer({index.name: {"mappings": index.mapping.as_json()} for index in _indices(call)})


def put_mapping(call: Call) -> Answer:
    """``PUT /{index}/_mapping``."""
    body = call.body()
    for index in _indices(call):
        index.mapping.merge(body)
    return ACKNOWLEDGED


def get_field_mapping(call: Call) -> Answer:
    """``GET [/{index}]/_mapping/field/{fields}``."""
    names = call.parts["fields"].split(",")
    shown = {}
    for index in _indices(call):
        fields = [field for field in map(index.mapping.field, names) if field]
        shown[index.name] = {"mappings": {field.path: _field_json(field) for field in fields}}
    return Answer(shown)


def _field_json(field: Field) -> dict[str, Any]:
    return {"full_name": field.path, "mapping": {field.path.split(".")[-1]: dict(field.options)}}


def refresh(call: Call) -> Answer:
    """``POST [/{index}]/_refresh``."""
    found = _indices(call)
    for index in found:
        index.refresh()
    return Answer({"_shards": shards(len(found))})


def flush(call: Call) -> Answer:
    """``POST [/{index}]/_flush``."""
    found = _indices(call)
    for index in found:
        index.flushes += 1
    return Answer({"_shards": shards(len(found))})


def clear_cache(call: Call) -> Answer:
    """``POST [/{index}]/_cache/clear``: there is no cache to clear."""
    return Answer({"_shards": shards(len(_indices(call)))})


def force_merge(call: Call) -> Answer:
    """``POST [/{index}]/_forcemerge``: rewrites segments without their deleted documents."""
    found = _indices(call)
    if call.flag("only_expunge_deletes") and "max_num_segments" in call.params:
        raise illegal("cannot set only_expunge_deletes and max_num_segments at the same time")
    for index in found:
        index.check_writable()
        index.force_merge(only_deletes=call.flag("only_expunge_deletes"))
    if call.flag("wait_for_completion", default=True):
        return Answer({"_shards": shards(len(found))})
    task = call.cluster.tasks.start("indices:admin/forcemerge", "Force-merge indices", call.opaque_id)
    call.cluster.tasks.finish(task)
    shown = {"completed": True, "task": task.as_json(call.cluster.clock(), detailed=False)}
    call.cluster.task_index().put(task.id, {**shown, "response": {"_shards": shards(len(found))}})
    return Answer({"task": task.id})


def add_block(call: Call) -> Answer:
    """``PUT|DELETE /{index}/_block/{block}``."""
    if call.parts["block"] not in _BLOCKS:
        raise illegal(f"No block found with name {call.parts['block']}")
    on, found = call.method == "PUT", _indices(call)
    for index in found:
        index.settings[_BLOCKS[call.parts["block"]]] = str(on).lower()
    shown = [{"name": index.name, "blocked" if on else "unblocked": True} for index in found]
    return Answer({"acknowledged": True, "shards_acknowledged": True, "indices": shown})


def close(call: Call) -> Answer:
    """``POST /{index}/_close``."""
    found = _indices(call)
    for index in found:
        index.closed = True
        index.settings["index.verified_before_close"] = "true"
    closed = {index.name: {"closed": True} for index in found}
    return Answer({"acknowledged": True, "shards_acknowledged": True, "indices": closed})


def open_(call: Call) -> Answer:
    """``POST /{index}/_open``."""
    for name in call.parts["index"].split(","):
        if name not in call.cluster.indices:
            raise no_index(name)
        call.cluster.indices[name].closed = False
        call.cluster.indices[name].settings.pop("index.verified_before_close", None)
    return Answer({"acknowledged": True, "shards_acknowledged": True})


def resolve(call: Call) -> Answer:
    """``GET /_resolve/index/{name}``."""
    found = call.cluster.resolve(call.parts["name"], call.targets)
    aliases = {alias: [i.name for i in found if alias in i.aliases] for index in found for alias in index.aliases}
    return Answer(
        {
            "indices": [{"name": i.name, "aliases": sorted(i.aliases), "attributes": ["open"]} for i in found],
            "aliases": [{"name": alias, "indices": names} for alias, names in sorted(aliases.items())],
            "data_streams": [{"name": n} for n in call.cluster.streams if n == call.parts["name"]],
        }
    )


def reload_analyzers(call: Call) -> Answer:
    """``POST /{index}/_reload_search_analyzers``: there are none that could change."""
    found = _indices(call)
    details = [{"index": index.name, "reloaded_analyzers": [], "reloaded_node_ids": []} for index in found]
    return Answer({"_shards": shards(len(found)), "reload_details": details})


def analyze_text(call: Call) -> Answer:
    """``POST [/{index}]/_analyze``."""
    body = call.body("analyzer", "text")
    if "index" in call.parts and not call.cluster.names_of(call.parts["index"]):
        raise missing(f"no such index [{call.parts['index']}]")
    texts = body["text"] if isinstance(body["text"], list) else [body["text"]]
    tokens = [token for text in texts for token in analyze(body.get("analyzer", "standard"), text)]
    return Answer({"tokens": [{"token": token, "position": at} for at, token in enumerate(tokens)]})


ENDPOINTS = (
    Endpoint("PUT", "/{index}", create, WAITS),
    Endpoint("DELETE", "/{index}", delete, f"{TARGETS} {WAITS}"),
    Endpoint("HEAD", "/{index}", exists, f"{TARGETS} local"),
    Endpoint("GET", "/{index}", get, f"{TARGETS} flat_settings master_timeout"),
    Endpoint("GET", "/_settings", get_settings, f"{TARGETS} flat_settings master_timeout"),
    Endpoint("GET", "/{index}/_settings", get_settings, f"{TARGETS} flat_settings master_timeout"),
    Endpoint("GET", "/{index}/_settings/{name}", get_settings, f"{TARGETS} flat_settings master_timeout"),
    Endpoint("PUT", "/_settings", put_settings, f"{TARGETS} {WAITS}"),
    Endpoint("PUT", "/{index}/_settings", put_settings, f"{TARGETS} {WAITS}"),
    Endpoint("GET", "/_mapping", get_mapping, f"{TARGETS} master_timeout"),
    Endpoint("GET", "/{index}/_mapping", get_mapping, f"{TARGETS} master_timeout"),
    Endpoint("PUT POST", "/{index}/_mapping", put_mapping, f"{TARGETS} {WAITS}"),
    Endpoint("GET", "/_mapping/field/{fields}", get_field_mapping, TARGETS),
    Endpoint("GET", "/{index}/_mapping/field/{fields}", get_field_mapping, TARGETS),
    Endpoint("GET POST", "/_refresh", refresh, TARGETS),
    Endpoint("GET POST", "/{index}/_refresh", refresh, TARGETS),
    Endpoint("GET POST", "/_flush", flush, f"{TARGETS} force wait_if_ongoing"),
    Endpoint("GET POST", "/{index}/_flush", flush, f"{TARGETS} force wait_if_ongoing"),
    Endpoint("POST", "/_cache/clear", clear_cache, f"{TARGETS} fielddata request query"),
    Endpoint("POST", "/{index}/_cache/clear", clear_cache, f"{TARGETS} fielddata request query"),
    Endpoint("POST", "/{index}/_forcemerge", force_merge, _MERGE),
    Endpoint("PUT DELETE", "/{index}/_block/{block}", add_block, f"{TARGETS} {WAITS}"),
    Endpoint("POST", "/{index}/_close", close, f"{TARGETS} {WAITS}"),
    Endpoint("POST", "/{index}/_open", open_, f"{TARGETS} {WAITS}"),
    Endpoint("GET POST", "/_resolve/index/{name}", resolve, TARGETS),
    Endpoint("GET POST", "/{index}/_reload_search_analyzers", reload_analyzers, TARGETS),
    Endpoint("GET POST", "/_analyze", analyze_text),
    Endpoint("GET POST", "/{index}/_analyze", analyze_text),
)
