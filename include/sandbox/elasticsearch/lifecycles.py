"""Data streams and the two kinds of lifecycle: ILM policies and data stream lifecycles."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

from include.sandbox.elasticsearch.call import ACKNOWLEDGED, TARGETS, WAITS, Answer, Call, Endpoint, shards
from include.sandbox.elasticsearch.cluster import Stream
from include.sandbox.elasticsearch.dates import duration, iso
from include.sandbox.elasticsearch.errors import illegal, missing, no_index


def _streams(call: Call) -> list[Stream]:
    pattern = call.parts.get("name", "*")
    found = [
        stream
        for stream in call.cluster.streams.values()
        if any(fnmatchcase(stream.name, part) for part in pattern.split(","))
    ]
    if not found and "*" not in pattern and pattern not in call.cluster.indices:
        raise no_index(pattern)
    return found


def create_stream(call: Call) -> Answer:
    """``PUT /_data_stream/{name}``."""
    call.cluster.create_stream(call.parts["name"])
    return ACKNOWLEDGED


def get_streams(call: Call) -> Answer:
    """``GET /_data_stream[/{name}]``."""
    return Answer({"data_streams": [_stream_json(call, stream) for stream in _streams(call)]})


def _stream_json(call: Call, stream: Stream) -> dict[str, Any]:
    shown = {
        "name": stream.name,
        "timestamp_field": {"name": "@timestamp"},
        "indices": [{"index_name": name, "index_uuid": call.cluster.indices[name].uuid} for name in stream.indices],
        "generation": len(stream.indices),
        "status": "GREEN",
        "template": stream.template,
        "settings": stream.settings,
        "mappings": stream.mappings,
        "hidden": False,
        "system": False,
    }
    policy = call.cluster.indices[stream.indices[-1]].settings.get("index.lifecycle.name")
    if policy:
        shown["ilm_policy"] = policy
    return shown if stream.lifecycle is None else {**shown, "lifecycle": stream.lifecycle}


def delete_stream(call: Call) -> Answer:
    """``DELETE /_data_stream/{name}``."""
    for stream in _streams(call):
        del call.cluster.streams[stream.name]
        for name in stream.indices:
            del call.cluster.indices[name]
    return ACKNOWLEDGED


def stream_stats(call: Call) -> Answer:
    """``GET /_data_stream/_stats``."""
    found = list(call.cluster.streams.values())
    backing = sum(len(stream.indices) for stream in found)
    shown = [{"data_stream": s.name, "backing_indices": len(s.indices), "store_size_bytes": 0} for s in found]
    counts = {"data_stream_count": len(found), "backing_indices": backing, "total_store_size_bytes": 0}
    return Answer({"_shards": shards(backing), **counts, "data_streams": shown})


def put_lifecycle(call: Call) -> Answer:
    """``PUT /_data_stream/{name}/_lifecycle``."""
    body = call.body("data_retention", "enabled")
    if "data_retention" in body:
        duration(body["data_retention"])
    for stream in _streams(call):
        stream.lifecycle = {"enabled": True, **body}
    return ACKNOWLEDGED


def get_lifecycle(call: Call) -> Answer:
    """``GET /_data_stream/{name}/_lifecycle``."""
    found = [s for s in _streams(call) if s.lifecycle is not None]
    return Answer({"data_streams": [{"name": s.name, "lifecycle": s.lifecycle} for s in found]})


def delete_lifecycle(call: Call) -> Answer:
    """``DELETE /_data_stream/{name}/_lifecycle``."""
    for stream in _streams(call):
        stream.lifecycle = None
    return ACKNOWLEDGED


def lifecycle_stats(call: Call) -> Answer:
    """``GET /_lifecycle/stats``."""
    managed = [stream for stream in call.cluster.streams.values() if stream.lifecycle]
    shown = [{"name": stream.name, "backing_indices_in_total": len(stream.indices)} for stream in managed]
    return Answer({"data_stream_count": len(managed), "data_streams": shown})


def explain_lifecycle(call: Call) -> Answer:
    """``GET /{index}/_lifecycle/explain``."""
    managed = {name for s in call.cluster.streams.values() if s.lifecycle for name in s.indices}
    found = call.cluster.resolve(call.parts["index"])
    return Answer({"indices": {i.name: {"index": i.name, "managed_by_lifecycle": i.name in managed} for i in found}})


def put_policy(call: Call) -> Answer:
    """``PUT /_ilm/policy/{policy}``."""
    policy = call.body("policy").get("policy")
    if not isinstance(policy, dict) or not isinstance(policy.get("phases"), dict):
        raise illegal("[policy] is required, with [phases]")
    for key in policy["phases"].keys() - {"hot", "warm", "cold", "frozen", "delete"}:
        raise illegal(f"lifecycle does not support phase [{key}]")
    before = call.cluster.policies.get(call.parts["policy"], {"version": 0})
    now = iso(int(call.cluster.clock() * 1000))
    call.cluster.policies[call.parts["policy"]] = {
        "version": before["version"] + 1,
        "modified_date": now,
        "policy": policy,
    }
    return ACKNOWLEDGED


def get_policies(call: Call) -> Answer:
    """``GET /_ilm/policy[/{policy}]``."""
    wanted = call.parts.get("policy", "*")
    found = {name: policy for name, policy in call.cluster.policies.items() if fnmatchcase(name, wanted)}
    if not found and "*" not in wanted:
        raise missing(f"Lifecycle policy not found: {wanted}")
    return Answer({name: {**policy, "in_use_by": _users(call, name)} for name, policy in found.items()})


def _users(call: Call, policy: str) -> dict[str, list[str]]:
    using = [i.name for i in call.cluster.indices.values() if i.settings.get("index.lifecycle.name") == policy]
    streams = [s.name for s in call.cluster.streams.values() if s.indices[-1] in using]
    return {"indices": using, "data_streams": streams, "composable_templates": []}


def delete_policy(call: Call) -> Answer:
    """``DELETE /_ilm/policy/{policy}``."""
    name = call.parts["policy"]
    if name not in call.cluster.policies:
        raise missing(f"Lifecycle policy not found: {name}")
    if _users(call, name)["indices"]:
        raise illegal(f"Cannot delete policy [{name}]. It is in use by one or more indices.")
    del call.cluster.policies[name]
    return ACKNOWLEDGED


def explain_policy(call: Call) -> Answer:
    """``GET /{index}/_ilm/explain``."""
    shown = {}
    for index in call.cluster.resolve(call.parts["index"], call.targets):
        policy = index.settings.get("index.lifecycle.name")
        age = f"{(call.cluster.clock() - index.created) / 86400:.2f}d"
        state = {"policy": policy, "age": age, "phase": "hot", "step": "complete"} if policy else {}
        shown[index.name] = {"index": index.name, "managed": policy is not None, **state}
    return Answer({"indices": shown})


def remove_policy(call: Call) -> Answer:
    """``POST /{index}/_ilm/remove``."""
    for index in call.cluster.resolve(call.parts["index"]):
        index.settings.pop("index.lifecycle.name", None)
    return Answer({"has_failures": False, "failed_indexes": []})


def policy_status(call: Call) -> Answer:
    """``GET /_ilm/status``."""
    return Answer({"operation_mode": "RUNNING" if call.cluster.ilm_running else "STOPPED"})


def start_policies(call: Call) -> Answer:
    """``POST /_ilm/start``."""
    call.cluster.ilm_running = True
    return ACKNOWLEDGED


def stop_policies(call: Call) -> Answer:
    """``POST /_ilm/stop``."""
    call.cluster.ilm_running = False
    return ACKNOWLEDGED


ENDPOINTS = (
    Endpoint("PUT", "/_data_stream/{name}", create_stream, WAITS),
    Endpoint("GET", "/_data_stream/{name}", get_streams, "expand_wildcards master_timeout"),
    Endpoint("GET", "/_data_stream", get_streams, "expand_wildcards master_timeout"),
    Endpoint("DELETE", "/_data_stream/{name}", delete_stream, f"expand_wildcards {WAITS}"),
    Endpoint("GET", "/_data_stream/_stats", stream_stats),
    Endpoint("PUT", "/_data_stream/{name}/_lifecycle", put_lifecycle, f"expand_wildcards {WAITS}"),
    Endpoint("GET", "/_data_stream/{name}/_lifecycle", get_lifecycle, "expand_wildcards include_defaults"),
    Endpoint("DELETE", "/_data_stream/{name}/_lifecycle", delete_lifecycle, f"expand_wildcards {WAITS}"),
    Endpoint("GET", "/_lifecycle/stats", lifecycle_stats),
    Endpoint("GET", "/{index}/_lifecycle/explain", explain_lifecycle, "include_defaults"),
    Endpoint("PUT", "/_ilm/policy/{policy}", put_policy, WAITS),
    Endpoint("GET", "/_ilm/policy/{policy}", get_policies, WAITS),
    Endpoint("GET", "/_ilm/policy", get_policies, WAITS),
    Endpoint("DELETE", "/_ilm/policy/{policy}", delete_policy, WAITS),
    Endpoint("GET", "/{index}/_ilm/explain", explain_policy, f"{TARGETS} only_errors only_managed"),
    Endpoint("POST", "/{index}/_ilm/remove", remove_policy),
    Endpoint("GET", "/_ilm/status", policy_status),
    Endpoint("POST", "/_ilm/start", start_policies, WAITS),
    Endpoint("POST", "/_ilm/stop", stop_policies, WAITS),
)
