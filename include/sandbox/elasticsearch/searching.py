"""``_search``, ``_count``, ``_msearch``, scrolls and points in time."""

from __future__ import annotations

from typing import Any

from include.sandbox.elasticsearch.call import TARGETS, Answer, Call, Endpoint, shards
from include.sandbox.elasticsearch.errors import EsError, illegal, unparsable
from include.sandbox.elasticsearch.index import View
from include.sandbox.elasticsearch.leaves import parse_query_string
from include.sandbox.elasticsearch.query import matching, parse_query
from include.sandbox.elasticsearch.search import (
    Hit,
    Request,
    as_json,
    every_hit,
    read_request,
    run,
    total_of,
)

_SEARCH = f"{TARGETS} q size from sort _source track_total_hits seq_no_primary_term version scroll"
_SEARCH += " rest_total_hits_as_int preference request_cache allow_partial_search_results timeout typed_keys"


def search(call: Call) -> Answer:
    """``POST [/{index}]/_search``."""
    body = {**call.body(), **_from_params(call)}
    as_number = call.flag("rest_total_hits_as_int")
    if as_number:
        body.setdefault("track_total_hits", True)
    keep_alive = call.params.get("scroll")
    request = read_request(body, call.cluster.now, scroll=keep_alive is not None)
    if "q" in call.params:
        request = request.asking(parse_query_string(call.params["q"], call.cluster.now))
    if "pit" in body:
        return _search_point(call, body["pit"], request)
    views = _views(call, call.parts.get("index", ""))
    if keep_alive is None:
        return Answer(_searched(request, views, as_number=as_number))
    hits = every_hit(request, views)
    scroll_id = call.cluster.contexts.open_scroll(request, hits, keep_alive)
    return Answer(_scrolled(call, scroll_id, None, as_number=as_number, aggs_of=views))


def _from_params(call: Call) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for name in ("size", "from"):
        if name in call.params:
            given[name] = call.whole(name, 0)
    for name in ("version", "seq_no_primary_term"):
        if name in call.params:
            given[name] = call.flag(name)
    if "sort" in call.params:
        pairs = [item.partition(":") for item in call.params["sort"].split(",")]
        given["sort"] = [{field: order or "asc"} for field, _, order in pairs]
    if "_source" in call.params:
        value = call.params["_source"]
        given["_source"] = {"true": True, "false": False}.get(value, value)
    if "track_total_hits" in call.params:
        exact = {"true": True, "false": False}.get(call.params["track_total_hits"])
        given["track_total_hits"] = call.whole("track_total_hits", 0) if exact is None else exact
    return given


def _views(call: Call, expression: str) -> list[View]:
    return [view for index in call.cluster.resolve(expression, call.targets) for view in index.views()]


def _searched(request: Request, views: list[View], *, as_number: bool) -> dict[str, Any]:
    hits, total, aggs = run(request, views)
    answer = {**_envelope(), "hits": _hits(request, hits, total, as_number=as_number)}
    return answer if aggs is None else {**answer, "aggregations": aggs}


def _envelope() -> dict[str, Any]:
    return {"took": 1, "timed_out": False, "_shards": {**shards(1), "skipped": 0}}


def _hits(request: Request, hits: list[Hit], total: int, *, as_number: bool) -> dict[str, Any]:
    counted = total_of(total, request.track_total)
    shown = {} if counted is None else {"total": counted["value"] if as_number else counted}
    best = 1.0 if hits and hits[0].sort is None else None
    return {**shown, "max_score": best, "hits": [as_json(hit, request) for hit in hits]}


def _search_point(call: Call, pit: Any, request: Request) -> Answer:
    if "index" in call.parts:
        reason = "Validation Failed: 1: [indices] cannot be used with point in time;"
        raise EsError(400, "action_request_validation_exception", reason)
    for key in pit.keys() - {"id", "keep_alive"}:
        raise unparsable(f"[pit] unknown field [{key}]")
    point = call.cluster.contexts.point(pit.get("id"), pit.get("keep_alive"))
    return Answer({"pit_id": pit["id"], **_searched(request, list(point.views), as_number=False)})


def count(call: Call) -> Answer:
    """``POST [/{index}]/_count``."""
    body = call.body("query")
    query = parse_query(body.get("query", {"match_all": {}}), call.cluster.now)
    if "q" in call.params:
        query = parse_query_string(call.params["q"], call.cluster.now)
    views = _views(call, call.parts.get("index", ""))
    found = sum(matching(query, view).bit_count() for view in views)
    return Answer({"count": found, "_shards": {**shards(1), "skipped": 0}})


def many_searches(call: Call) -> Answer:
    """``POST [/{index}]/_msearch``."""
    lines, answers = call.lines(), []
    if len(lines) % 2:
        raise illegal("The msearch request must have a header and a body for each search")
    for header, body in zip(lines[::2], lines[1::2], strict=True):
        for key in header.keys() - {"index", "ignore_unavailable", "allow_no_indices", "expand_wildcards"}:
            raise illegal(f"key [{key}] is not supported in the metadata section")
        names = header.get("index", call.parts.get("index", ""))
        try:
            request = read_request(body, call.cluster.now)
            views = _views(call, ",".join(names) if isinstance(names, list) else names)
            answers.append({**_searched(request, views, as_number=False), "status": 200})
        except EsError as error:
            answers.append(error.body())
    return Answer({"took": 1, "responses": answers})


def open_point(call: Call) -> Answer:
    """``POST /{index}/_pit``."""
    if "keep_alive" not in call.params:
        reason = "Validation Failed: 1: [keep_alive] is not specified;"
        raise EsError(400, "action_request_validation_exception", reason)
    point = call.cluster.contexts.open_point(_views(call, call.parts["index"]), call.params["keep_alive"])
    return Answer({"id": point, "_shards": {**shards(1), "skipped": 0}})


def close_point(call: Call) -> Answer:
    """``DELETE /_pit``."""
    closed = call.cluster.contexts.close(str(call.body("id").get("id")))
    return Answer({"succeeded": True, "num_freed": int(closed)}, 200 if closed else 404)


def scroll(call: Call) -> Answer:
    """``POST /_search/scroll``: the next page."""
    body = call.body("scroll_id", "scroll")
    scroll_id = body.get("scroll_id", call.parts.get("scroll_id", call.params.get("scroll_id")))
    keep_alive = body.get("scroll", call.params.get("scroll"))
    return Answer(_scrolled(call, scroll_id, keep_alive, as_number=call.flag("rest_total_hits_as_int")))


def _scrolled(
    call: Call, scroll_id: Any, keep_alive: str | None, *, as_number: bool, aggs_of: list[View] | None = None
) -> dict[str, Any]:
    context = call.cluster.contexts.scroll(scroll_id, keep_alive)
    page = context.hits[context.position : context.position + context.request.size]
    context.position += len(page)
    request = context.request.tracking_all()
    answer = {"_scroll_id": scroll_id, **_envelope()}
    answer["hits"] = _hits(request, page, len(context.hits), as_number=as_number)
    if aggs_of is not None and request.aggs is not None:
        answer["aggregations"] = run(request, aggs_of)[2]
    return answer


def clear_scroll(call: Call) -> Answer:
    """``DELETE /_search/scroll``."""
    given = call.body("scroll_id").get("scroll_id", call.parts.get("scroll_id", "_all"))
    ids = given if isinstance(given, list) else [given]
    contexts = call.cluster.contexts
    freed = contexts.close_scrolls() if ids == ["_all"] else sum(contexts.close(one) for one in ids)
    return Answer({"succeeded": True, "num_freed": freed}, 200 if freed or ids == ["_all"] else 404)


ENDPOINTS = (
    Endpoint("GET POST", "/_search", search, _SEARCH),
    Endpoint("GET POST", "/{index}/_search", search, _SEARCH),
    Endpoint("GET POST", "/_count", count, f"{TARGETS} q preference"),
    Endpoint("GET POST", "/{index}/_count", count, f"{TARGETS} q preference"),
    Endpoint("GET POST", "/_msearch", many_searches, f"{TARGETS} max_concurrent_searches typed_keys"),
    Endpoint("GET POST", "/{index}/_msearch", many_searches, f"{TARGETS} max_concurrent_searches typed_keys"),
    Endpoint("POST", "/{index}/_pit", open_point, f"{TARGETS} keep_alive preference"),
    Endpoint("DELETE", "/_pit", close_point),
    Endpoint("GET POST", "/_search/scroll", scroll, "scroll scroll_id rest_total_hits_as_int"),
    Endpoint("GET POST", "/_search/scroll/{scroll_id}", scroll, "scroll rest_total_hits_as_int"),
    Endpoint("DELETE", "/_search/scroll", clear_scroll),
    Endpoint("DELETE", "/_search/scroll/{scroll_id}", clear_scroll),
)
