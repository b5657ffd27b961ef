"""What is there and what is going on: info, health, ``_cat``, ``_stats`` and the task API."""

from __future__ import annotations

import asyncio
from typing import Any

from include.sandbox.elasticsearch.call import TARGETS, Answer, Call, Endpoint, shards
from include.sandbox.elasticsearch.cluster import TASKS_INDEX
from include.sandbox.elasticsearch.dates import duration
from include.sandbox.elasticsearch.errors import illegal, missing
from include.sandbox.elasticsearch.index import Index
from include.sandbox.elasticsearch.tasks import NODE

_VERSIONS = {8: "8.19.3", 9: "9.1.0"}
_CAT_COLUMNS = ("health", "status", "index", "uuid", "pri", "rep", "docs.count", "docs.deleted")


def info(call: Call) -> Answer:
    """``GET|HEAD /``."""
    number = _VERSIONS.get(call.cluster.major, f"{call.cluster.major}.0.0")
    version = {"number": number, "build_flavor": "default", "lucene_version": "10.2.2"}
    names = {"name": NODE, "cluster_name": "sandbox", "cluster_uuid": call.cluster.uuid}
    return Answer({**names, "version": version, "tagline": "You Know, for Search"})


def health(call: Call) -> Answer:
    """``GET /_cluster/health[/{index}]``."""
    found = call.cluster.resolve(call.parts.get("index", ""))
    names = {"cluster_name": "sandbox", "status": "green", "timed_out": False}
    return Answer({**names, "number_of_nodes": 1, "active_primary_shards": len(found), "unassigned_shards": 0})


def cat_indices(call: Call) -> Answer:
    """``GET /_cat/indices[/{index}]``, as text or, with ``format=json``, as JSON."""
    columns = call.params["h"].split(",") if "h" in call.params else list(_CAT_COLUMNS)
    for column in columns:
        if column not in _CAT_COLUMNS:
            raise illegal(f"unknown column [{column}]")
    found = call.cluster.resolve(call.parts.get("index", ""), call.targets)
    rows = [{column: _cat_row(index)[column] for column in columns} for index in found]
    return _cat(call, columns, rows)


def _cat_row(index: Index) -> dict[str, str]:
    state = {"health": "green", "status": "close" if index.closed else "open", "index": index.name, "uuid": index.uuid}
    pri, rep = index.settings["index.number_of_shards"], index.settings["index.number_of_replicas"]
    docs = index.visible_docs()
    return {**state, "pri": pri, "rep": rep, "docs.count": str(docs), "docs.deleted": str(index.deleted_docs)}


def _cat(call: Call, columns: list[str], rows: list[dict[str, str]]) -> Answer:
    if call.params.get("format", "text") == "json":
        return Answer(rows)
    lines = ([columns] if call.flag("v") else []) + [list(row.values()) for row in rows]
    return Answer("".join(" ".join(line) + "\n" for line in lines))


def cat_count(call: Call) -> Answer:
    """``GET /_cat/count[/{index}]``."""
    found = call.cluster.resolve(call.parts.get("index", ""))
    return _cat(call, ["count"], [{"count": str(sum(index.visible_docs() for index in found))}])


def stats(call: Call) -> Answer:
    """``GET [/{index}]/_stats[/{metric}]``: documents and flushes."""
    found = call.cluster.resolve(call.parts.get("index", ""), call.targets)
    each = {index.name: _stats_of([index]) for index in found}
    shown = {name: {"uuid": call.cluster.indices[name].uuid, **value} for name, value in each.items()}
    return Answer({"_shards": shards(max(1, len(found))), "_all": _stats_of(found), "indices": shown})


def _stats_of(indices: list[Index]) -> dict[str, Any]:
    docs = {"count": sum(i.visible_docs() for i in indices), "deleted": sum(i.deleted_docs for i in indices)}
    flush = {"total": sum(i.flushes for i in indices), "periodic": 0, "total_time_in_millis": 0}
    part = {"docs": docs, "flush": flush}
    return {"primaries": part, "total": part}


def list_tasks(call: Call) -> Answer:
    """``GET /_tasks``."""
    found = call.cluster.tasks.matching(call.params.get("actions"), call.params.get("parent_task_id"))
    detailed, group = call.flag("detailed"), call.params.get("group_by", "nodes")
    shown = {task.id: task.as_json(call.cluster.clock(), detailed=detailed) for task in found}
    if group == "none":
        return Answer({"tasks": list(shown.values())})
    if group == "parents":
        return Answer({"tasks": {task.id: shown[task.id] for task in found if task.parent is None}})
    own = {"node": NODE, "id": 0, "type": "transport", "action": "cluster:monitor/tasks/lists", "cancellable": False}
    if call.params.get("actions") is None:
        shown[f"{NODE}:0"] = {**own, "start_time_in_millis": 0, "running_time_in_nanos": 0, "headers": {}}
    return _nodes(shown)


def _nodes(tasks: dict[str, Any]) -> Answer:
    node = {"name": NODE, "transport_address": "127.0.0.1:9300", "host": "127.0.0.1", "roles": ["data", "master"]}
    return Answer({"nodes": {NODE: {**node, "tasks": tasks}} if tasks else {}})


async def get_task(call: Call) -> Answer:
    """``GET /_tasks/{task_id}``: of a running task its status, of a finished one the stored result."""
    task_id = call.parts["task_id"]
    task = call.cluster.tasks.get(task_id)
    if task and task.running and call.flag("wait_for_completion"):
        await asyncio.wait([task.running], timeout=duration(call.params.get("timeout", "30s")) / 1000)
        task = call.cluster.tasks.get(task_id)
    if task:
        return Answer({"completed": False, "task": task.as_json(call.cluster.clock())})
    stored = call.cluster.indices.get(TASKS_INDEX)
    doc = stored.get(task_id) if stored else None
    if doc is None:
        raise missing(f"task [{task_id}] isn't running and hasn't stored its results")
    return Answer(dict(doc.source))


def cancel_tasks(call: Call) -> Answer:
    """``POST /_tasks[/{task_id}]/_cancel``."""
    if "task_id" in call.parts:
        task = call.cluster.tasks.get(call.parts["task_id"])
        if task is None:
            raise missing(f"task [{call.parts['task_id']}] is not found")
        found = [task]
    else:
        found = call.cluster.tasks.matching(call.params.get("actions"))
    for task in found:
        task.cancel()
    return _nodes({task.id: task.as_json(call.cluster.clock()) for task in found})


def rethrottle(call: Call) -> Answer:
    """``POST /_delete_by_query/{task_id}/_rethrottle`` and the same for updates."""
    task_id = call.parts["task_id"]
    speed = call.params.get("requests_per_second", "")
    try:
        wanted = float(speed)
    except ValueError:
        raise illegal("requests_per_second is a required parameter") from None
    node, _, number = task_id.partition(":")
    if not number.isdecimal():
        raise illegal(f"malformed task id {task_id}")
    if node != NODE:
        cause = {"type": "no_such_node_exception", "reason": "no such node"}
        failure = {"type": "failed_node_exception", "reason": f"Failed node [{node}]", "node_id": node}
        return Answer({"node_failures": [{**failure, "caused_by": cause}], "nodes": {}})
    task = call.cluster.tasks.get(task_id)
    if task is None:
        raise missing(f"task [{task_id}] is missing")
    task.throttle(wanted)
    return _nodes({task.id: task.as_json(call.cluster.clock())})


ENDPOINTS = (
    Endpoint("GET HEAD", "/", info),
    Endpoint("GET", "/_cluster/health", health, "wait_for_status timeout master_timeout"),
    Endpoint("GET", "/_cluster/health/{index}", health, "wait_for_status timeout master_timeout"),
    Endpoint("GET", "/_cat/indices", cat_indices, f"{TARGETS} h v format"),
    Endpoint("GET", "/_cat/indices/{index}", cat_indices, f"{TARGETS} h v format"),
    Endpoint("GET", "/_cat/count", cat_count, "h v format"),
    Endpoint("GET", "/_cat/count/{index}", cat_count, "h v format"),
    Endpoint("GET", "/_stats", stats, TARGETS),
    Endpoint("GET", "/{index}/_stats", stats, TARGETS),
    Endpoint("GET", "/_tasks", list_tasks, "actions detailed group_by parent_task_id timeout"),
    Endpoint("GET", "/_tasks/{task_id}", get_task, "wait_for_completion timeout"),
    Endpoint("POST", "/_tasks/_cancel", cancel_tasks, "actions"),
    Endpoint("POST", "/_tasks/{task_id}/_cancel", cancel_tasks),
    Endpoint("POST", "/_delete_by_query/{task_id}/_rethrottle", rethrottle, "requests_per_second"),
    Endpoint("POST", "/_update_by_query/{task_id}/_rethrottle", rethrottle, "requests_per_second"),
)
