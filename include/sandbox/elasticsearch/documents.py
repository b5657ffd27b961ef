"""Single documents and ``_bulk``."""

from __future__ import annotations

import base64
import uuid
from typing import Any

from include.sandbox.elasticsearch.call import Answer, Call, Endpoint, shards
from include.sandbox.elasticsearch.errors import EsError, illegal, no_index, rejected
from include.sandbox.elasticsearch.index import ANYTHING, Condition, Index
from include.sandbox.elasticsearch.scripts import changed_source, read_script
from include.sandbox.elasticsearch.search import filter_source
from include.sandbox.elasticsearch.segment import Doc

_IF = "if_seq_no if_primary_term"
_WRITE = "refresh timeout wait_for_active_shards"
_SOURCE = "_source _source_includes _source_excludes"
_ACTIONS = frozenset({"index", "create", "update", "delete"})


def index_document(call: Call) -> Answer:
    """``PUT|POST /{index}/_doc[/{id}]``."""
    create = call.params.get("op_type", "index") == "create"
    return _written(call, _put(call, call.parts["index"], call.parts.get("id"), call.body(), _condition(call, create)))


def create_document(call: Call) -> Answer:
    """``PUT|POST /{index}/_create/{id}``."""
    return _written(call, _put(call, call.parts["index"], call.parts["id"], call.body(), _condition(call, create=True)))


def _condition(call: Call, create: bool) -> Condition:
    seq_no = call.whole("if_seq_no", -1)
    term = call.whole("if_primary_term", -1)
    return Condition(seq_no if seq_no >= 0 else None, term if term > 0 else None, absent=create)


def _put(call: Call, name: str, doc_id: str | None, source: Any, condition: Condition) -> tuple[Index, dict[str, Any]]:
    if not isinstance(source, dict) or (not source and not call.content):
        raise EsError(400, "action_request_validation_exception", "Validation Failed: 1: source is missing;")
    index = call.cluster.writable(name, create=condition.absent or doc_id is None)
    new_id = doc_id or base64.urlsafe_b64encode(uuid.uuid4().bytes[:15]).decode()
    if len(new_id.encode()) > 512:
        raise EsError(400, "action_request_validation_exception", "Validation Failed: 1: id is too long;")
    doc = index.put(new_id, source, condition)
    return index, _receipt(index, doc, "created" if doc.version == 1 else "updated")


def _receipt(index: Index, doc: Doc, result: str) -> dict[str, Any]:
    return _told(index, doc.id, doc.version, doc.seq_no, result)


def _told(index: Index, doc_id: str, version: int, seq_no: int, result: str) -> dict[str, Any]:
    names = {"_index": index.name, "_id": doc_id, "_version": version, "result": result}
    return {**names, "_shards": shards(1), "_seq_no": seq_no, "_primary_term": 1}


def _written(call: Call, outcome: tuple[Index, dict[str, Any]]) -> Answer:
    index, receipt = outcome
    if call.refreshes:
        index.refresh()
    status = {"created": 201, "not_found": 404}.get(receipt["result"], 200)
    return Answer(receipt, status)


def delete_document(call: Call) -> Answer:
    """``DELETE /{index}/_doc/{id}``."""
    return _written(call, _delete(call, call.parts["index"], call.parts["id"], _condition(call, create=False)))


def _delete(call: Call, name: str, doc_id: str, condition: Condition = ANYTHING) -> tuple[Index, dict[str, Any]]:
    index = call.cluster.one(name)
    before, version, seq_no = index.delete(doc_id, condition)
    return index, _told(index, doc_id, version, seq_no, "deleted" if before else "not_found")


def update_document(call: Call) -> Answer:
    """``POST /{index}/_update/{id}``."""
    body = call.body("doc", "script", "upsert", "doc_as_upsert", "detect_noop")
    return _written(call, _update(call, call.parts["index"], call.parts["id"], body, _condition(call, create=False)))


def _update(
    call: Call, name: str, doc_id: str, body: dict[str, Any], condition: Condition = ANYTHING
) -> tuple[Index, dict[str, Any]]:
    index = call.cluster.writable(name, create=False)
    before = index.get(doc_id)
    if before is None:
        source = body.get("upsert", body.get("doc") if body.get("doc_as_upsert") else None)
        if source is None:
            raise EsError(404, "document_missing_exception", f"[{doc_id}]: document missing", index=index.name)
        return index, _receipt(index, index.put(doc_id, source, condition), "created")
    operation, source = _updated(index, before, body)
    if operation == "delete":
        return _delete(call, name, doc_id, condition)
    if operation == "none" or (source == before.source and body.get("detect_noop", True) and "doc" in body):
        return index, _receipt(index, before, "noop")
    return index, _receipt(index, index.put(doc_id, source, condition), "updated")


def _updated(index: Index, before: Doc, body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    if "script" in body:
        script, params = read_script(body["script"])
        return changed_source(script, params, before.source, index.name, before.id)
    if "doc" not in body:
        raise EsError(400, "action_request_validation_exception", "Validation Failed: 1: script or doc is missing;")
    return "index", _merged(dict(before.source), body["doc"])


def _merged(into: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    for key, value in changes.items():
        inner = into.get(key)
        into[key] = _merged(dict(inner), value) if isinstance(inner, dict) and isinstance(value, dict) else value
    return into


def get_document(call: Call) -> Answer:
    """``GET|HEAD /{index}/_doc/{id}``."""
    index = call.cluster.one(call.parts["index"])
    if call.refreshes:
        index.refresh()
    shown = _shown(index, call.parts["id"], _wanted_source(call))
    return Answer(shown, 200 if shown["found"] else 404)


def get_source(call: Call) -> Answer:
    """``GET|HEAD /{index}/_source/{id}``."""
    index = call.cluster.one(call.parts["index"])
    doc = index.get(call.parts["id"])
    if doc is None:
        raise EsError(404, "resource_not_found_exception", f"Document not found [{index.name}]/[{call.parts['id']}]")
    return Answer(filter_source(doc.source, _wanted_source(call)))


def _wanted_source(call: Call) -> Any:
    includes, excludes = call.params.get("_source_includes"), call.params.get("_source_excludes")
    if includes or excludes:
        return {"includes": includes, "excludes": excludes}
    return call.params.get("_source", True)


def _shown(index: Index, doc_id: str, wanted: Any) -> dict[str, Any]:
    doc = index.get(doc_id)
    if doc is None:
        return {"_index": index.name, "_id": doc_id, "found": False}
    names = {"_index": index.name, "_id": doc_id, "_version": doc.version, "_seq_no": doc.seq_no, "_primary_term": 1}
    source = filter_source(doc.source, wanted)
    return {**names, "found": True, **({} if source is None else {"_source": source})}


def get_many(call: Call) -> Answer:
    """``POST [/{index}]/_mget``."""
    body = call.body("docs", "ids")
    wanted = body.get("docs") or [{"_id": doc_id} for doc_id in body.get("ids", [])]
    if not wanted:
        raise EsError(400, "action_request_validation_exception", "Validation Failed: 1: no documents to get;")
    found = []
    for item in wanted:
        name, doc_id = item.get("_index", call.parts.get("index", "")), str(item["_id"])
        try:
            found.append(_shown(call.cluster.one(name), doc_id, item.get("_source", _wanted_source(call))))
        except EsError as error:
            found.append({"_index": name, "_id": doc_id, "error": error.body()["error"]})
    return Answer({"docs": found})


def bulk(call: Call) -> Answer:
    """``POST [/{index}]/_bulk``: each item succeeds or fails by itself."""
    lines = iter(call.lines())
    items: list[dict[str, Any]] = []
    touched: dict[str, Index] = {}
    for line in lines:
        ((action, meta),) = line.items()
        if action not in _ACTIONS:
            raise illegal(f"Malformed action/metadata line, found [{action}], not create, delete, index or update")
        for key in meta.keys() - {"_index", "_id", "if_seq_no", "if_primary_term", "retry_on_conflict"}:
            raise illegal(f"Action/metadata line contains an unknown parameter [{key}]")
        body = next(lines, None) if action != "delete" else None
        items.append({action: _bulk_item(call, action, meta, body, touched, fail=call.partial and len(items) % 2 == 1)})
    if call.refreshes:
        for index in touched.values():
            index.refresh()
    errors = any("error" in next(iter(item.values())) for item in items)
    return Answer({"took": 1, "errors": errors, "items": items})


def _bulk_item(
    call: Call, action: str, meta: dict[str, Any], body: Any, touched: dict[str, Index], *, fail: bool
) -> dict[str, Any]:
    name = meta.get("_index", call.parts.get("index"))
    doc_id = str(meta["_id"]) if meta.get("_id") is not None else None
    names = {"_index": name, "_id": doc_id}
    if fail:
        return {**names, "status": 429, "error": rejected()}
    condition = Condition(meta.get("if_seq_no"), meta.get("if_primary_term"), absent=action == "create")
    try:
        if name is None:
            raise no_index("null")
        if action == "delete":
            index, receipt = _delete(call, name, str(doc_id), condition)
        elif action == "update":
            index, receipt = _update(call, name, str(doc_id), body, condition)
        else:
            index, receipt = _put(call, name, doc_id, body, condition)
    except EsError as error:
        return {**names, "status": error.status, "error": error.cause}
    touched[index.name] = index
    return {**receipt, "status": {"created": 201, "not_found": 404}.get(receipt["result"], 200)}


ENDPOINTS = (
    Endpoint("PUT POST", "/{index}/_doc/{id}", index_document, f"{_WRITE} {_IF} op_type"),
    Endpoint("POST", "/{index}/_doc", index_document, f"{_WRITE} op_type"),
    Endpoint("PUT POST", "/{index}/_create/{id}", create_document, _WRITE),
    Endpoint("GET HEAD", "/{index}/_doc/{id}", get_document, f"{_SOURCE} refresh realtime preference"),
    Endpoint("GET HEAD", "/{index}/_source/{id}", get_source, f"{_SOURCE} realtime preference"),
    Endpoint("DELETE", "/{index}/_doc/{id}", delete_document, f"{_WRITE} {_IF}"),
    Endpoint("POST", "/{index}/_update/{id}", update_document, f"{_WRITE} {_IF} retry_on_conflict"),
    Endpoint("GET POST", "/_mget", get_many, f"{_SOURCE} realtime preference"),
    Endpoint("GET POST", "/{index}/_mget", get_many, f"{_SOURCE} realtime preference"),
    Endpoint("POST PUT", "/_bulk", bulk, _WRITE),
    Endpoint("POST PUT", "/{index}/_bulk", bulk, _WRITE),
)
