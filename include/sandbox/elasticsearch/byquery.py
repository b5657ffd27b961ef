"""``_delete_by_query`` and ``_update_by_query`` as tasks that work through a snapshot in batches.

https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-delete-by-query
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias
from zlib import crc32

from include.sandbox.elasticsearch.call import TARGETS, Answer, Call, Endpoint
from include.sandbox.elasticsearch.cluster import Cluster
from include.sandbox.elasticsearch.errors import EsError, illegal, rejected
from include.sandbox.elasticsearch.index import Condition, Index, View
from include.sandbox.elasticsearch.query import matching, parse_query
from include.sandbox.elasticsearch.scripts import changed_source, read_script
from include.sandbox.elasticsearch.segment import Doc
from include.sandbox.elasticsearch.tasks import Task

_PARAMS = (
    f"{TARGETS} conflicts refresh slices max_docs scroll_size wait_for_completion requests_per_second scroll timeout"
)
_NAP = 0.02
_MAX_BATCH = 10_000

Found: TypeAlias = list[tuple[View, list[int]]]
"""Documents by their place: plain numbers, which cost the garbage collector nothing."""
Apply: TypeAlias = Callable[[Task, Index, Doc], None]


@dataclass(frozen=True, slots=True)
class Work:
    """How a task treats the documents it found."""

    cluster: Cluster
    apply: Apply
    abort_on_conflict: bool
    batch: int
    partial: bool
    refresh: tuple[Index, ...]


async def delete_by_query(call: Call) -> Answer:
    """``POST /{index}/_delete_by_query``."""
    body = call.body("query", "max_docs", "slice")
    if "query" not in body:
        raise EsError(400, "action_request_validation_exception", "Validation Failed: 1: query is missing;")
    return await _by_query(call, body, "delete", _delete)


async def update_by_query(call: Call) -> Answer:
    """``POST /{index}/_update_by_query``."""
    body = call.body("query", "max_docs", "slice", "conflicts", "script")
    script, params = read_script(body["script"]) if "script" in body else (None, {})

    def apply(task: Task, index: Index, doc: Doc) -> None:
        operation, source = "index", doc.source
        if script:
            operation, source = changed_source(script, params, doc.source, index.name, doc.id)
        if operation == "none":
            task.progress.noops += 1
        elif operation == "delete":
            _delete(task, index, doc)
        else:
            index.put(doc.id, source, Condition(doc.seq_no, 1))
            task.progress.updated += 1

    return await _by_query(call, body, "update", apply)


def _delete(task: Task, index: Index, doc: Doc) -> None:
    index.delete(doc.id, Condition(doc.seq_no, 1))
    task.progress.deleted += 1


async def _by_query(call: Call, body: dict[str, Any], verb: str, apply: Apply) -> Answer:
    conflicts = call.params.get("conflicts", body.get("conflicts", "abort"))
    if conflicts not in {"abort", "proceed"}:
        raise illegal(f'conflicts may only be "proceed" or "abort" but was [{conflicts}]')
    batch = call.whole("scroll_size", 1000)
    if not 0 < batch <= _MAX_BATCH:
        raise illegal(f"Batch size must be between 1 and {_MAX_BATCH}")
    indices = call.cluster.resolve(call.parts["index"], call.targets)
    touched = tuple(indices) if call.refreshes else ()
    work = Work(call.cluster, apply, conflicts == "abort", batch, call.partial, touched)
    speed, portions = _speed(call), _portions(call, body, indices)
    names = ", ".join(index.name for index in indices)
    task = call.cluster.tasks.start(f"indices:data/write/{verb}/byquery", f"{verb}-by-query [{names}]", call.opaque_id)
    workers = [call.cluster.tasks.start(task.action, task.description, parent=task) for _ in portions[1:] and portions]
    task.throttle(speed)
    parts = list(zip(workers or [task], portions, strict=True))
    background = not call.flag("wait_for_completion", default=True)
    task.running = asyncio.create_task(_run(work, task, parts, keep=background))
    if background:
        return Answer({"task": task.id})
    outcome = await task.running
    if isinstance(outcome, EsError):
        raise outcome
    return Answer(outcome, max((failure["status"] for failure in outcome["failures"]), default=200))


def _speed(call: Call) -> float:
    try:
        speed = float(call.params.get("requests_per_second", "-1"))
    except ValueError:
        speed = 0.0
    if speed != -1 and speed <= 0:
        raise illegal("[requests_per_second] must be a float greater than 0. Use -1 to disable throttling.")
    return speed


def _portions(call: Call, body: dict[str, Any], indices: list[Index]) -> list[Found]:
    """The found documents, one list for each slice. Slices share ``max_docs`` evenly, rounded down."""
    given = call.params.get("slices", "1")
    if given != "auto" and (not given.isdecimal() or int(given) < 1):
        raise illegal("[slices] must be at least 1 or auto")
    shards = min((int(index.settings["index.number_of_shards"]) for index in indices), default=1)
    slices = shards if given == "auto" else int(given)
    manual = body.get("slice")
    if manual and slices > 1:
        raise illegal("can't specify both manual and automatic slicing at the same time")
    limit = _max_docs(call, body)
    if limit is not None and limit < slices:
        raise illegal(f"[max_docs] should be >= [slices] but was [{limit}] and [{slices}]")
    found = _found(call, body, indices)
    if manual:
        found = _sliced(found, manual["id"], manual["max"])
    if slices == 1:
        return [_first(found, limit)]
    each = limit // slices if limit else None
    return [_first(_sliced(found, number, slices), each) for number in range(slices)]


def _sliced(found: Found, number: int, of: int) -> Found:
    """The part of the documents whose id falls into one of several slices."""
    return [
        (view, [o for o in ordinals if crc32(view.segment.docs[o].id.encode()) % of == number])
        for view, ordinals in found
    ]


def _first(found: Found, limit: int | None) -> Found:
    if limit is None:
        return found
    taken: Found = []
    for view, ordinals in found:
        taken.append((view, ordinals[:limit]))
        limit -= len(taken[-1][1])
    return taken


def _max_docs(call: Call, body: dict[str, Any]) -> int | None:
    if "max_docs" not in call.params and "max_docs" not in body:
        return None
    limit = call.whole("max_docs", body.get("max_docs", 0))
    if limit <= 0:
        raise illegal(f"[max_docs] parameter cannot be negative or zero, found [{limit}]")
    return limit


def _found(call: Call, body: dict[str, Any], indices: list[Index]) -> Found:
    query = parse_query(body.get("query", {"match_all": {}}), call.cluster.now)
    views = [view for index in indices for view in index.views()]
    return [(view, list(view.segment.ordinals(matching(query, view)))) for view in views]


async def _run(work: Work, task: Task, parts: list[tuple[Task, Found]], *, keep: bool) -> dict[str, Any] | EsError:
    """Work through the slices side by side; the outcome is the response, or the error that ended it."""
    begun = time.monotonic()
    errors = [error for error in await asyncio.gather(*(_portion(work, *part) for part in parts)) if error]
    with work.cluster.lock:
        for index in work.refresh:
            index.refresh()
        outcome = errors[0] if errors else _response(task, begun)
        work.cluster.tasks.finish(task)
        if keep:
            shown = {"completed": True, "task": task.as_json(work.cluster.clock())}
            told = {"error": outcome.cause} if isinstance(outcome, EsError) else {"response": outcome}
            work.cluster.task_index().put(task.id, {**shown, **told})
    return outcome


def _response(task: Task, begun: float) -> dict[str, Any]:
    shown = {"took": int((time.monotonic() - begun) * 1000), "timed_out": False, **task.status()}
    cancelled = {"canceled": "by user request"} if task.cancelled else {}
    return {**shown, **cancelled, "failures": task.total_progress().failures}


async def _portion(work: Work, task: Task, found: Found) -> EsError | None:
    task.progress.total = sum(len(ordinals) for _, ordinals in found)
    for view, ordinals in found:
        for start in range(0, len(ordinals), work.batch):
            if task.cancelled or task.progress.failures:
                return None
            chunk = ordinals[start : start + work.batch]
            with work.cluster.lock:
                error = _batch(work, task, view, chunk)
            if error:
                return error
            await _rest(task, len(chunk))
    return None


def _batch(work: Work, task: Task, view: View, ordinals: list[int]) -> EsError | None:
    index = view.index
    task.progress.batches += 1
    for number, ordinal in enumerate(ordinals):
        doc = view.segment.docs[ordinal]
        if work.partial and number % 2:
            _fail(task, index, doc, rejected(), 429)
            continue
        try:
            work.apply(task, index, doc)
        except EsError as error:
            if error.status == 409:
                task.progress.version_conflicts += 1
            if error.cause["type"] == "script_exception":
                return error
            if error.status != 409 or work.abort_on_conflict:
                _fail(task, index, doc, error.cause, error.status)
    return None


def _fail(task: Task, index: Index, doc: Doc, cause: dict[str, Any], status: int) -> None:
    task.progress.failures.append({"index": index.name, "id": doc.id, "cause": cause, "status": status})


async def _rest(task: Task, done: int) -> None:
    """Keep to the requests per second, which may change meanwhile; always let other calls in."""
    await asyncio.sleep(0)
    begun = time.monotonic()
    while task.requests_per_second > 0 and not task.cancelled:
        left = done / task.requests_per_second - (time.monotonic() - begun)
        if left <= 0:
            break
        await asyncio.sleep(min(left, _NAP))
    task.progress.throttled_millis += int((time.monotonic() - begun) * 1000)


ENDPOINTS = (
    Endpoint("POST", "/{index}/_delete_by_query", delete_by_query, _PARAMS),
    Endpoint("POST", "/{index}/_update_by_query", update_by_query, _PARAMS),
)
