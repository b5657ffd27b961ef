"""Listings: documents of a collection (with missing parents), collection ids, and partitions of a collection group."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any

from include.sandbox.firestore import engine
from include.sandbox.firestore.paths import NAME, Key, Names, check_id, field_path
from include.sandbox.firestore.query import Order, Query
from include.sandbox.firestore.store import Store, Stored
from include.sandbox.firestore.values import Rank
from include.sandbox.firestore.wire import invalid

_PAGE = 300


def _page_size(asked: int) -> int:
    if asked < 0:
        raise invalid("Page size must be nonnegative.")
    return asked or _PAGE


def _token(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


def _untoken(token: str) -> str:
    try:
        return base64.b64decode(token.encode(), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError):
        raise invalid("invalid page token") from None


def _subtree(store: Store, parent: Key) -> Iterator[Key]:
    """Keys of all existing documents below a document (or below the root), in order of name."""
    low = ((Rank.REFERENCE, (*parent, "")),)
    for _, key in store.index(None, NAME).between(low, None, reverse=False):
        if key[: len(parent)] != parent:
            return
        yield key


def documents(store: Store, names: Names, request: Any) -> tuple[list[Stored | Key], str]:
    """One page of ``ListDocuments``: stored documents, or keys of missing ones that have descendants.

    Returns:
        The page and the token of the next one ("" at the end).

    Raises:
        Refusal: INVALID_ARGUMENT.
    """
    size = _page_size(request.page_size)
    orders = _orders(request.order_by)
    if request.show_missing and request.order_by:
        raise invalid("cannot specify an order when show_missing is true")
    if request.collection_id:
        check_id(request.collection_id, collection=True)
    parent = names.parent(request.parent)
    start = _offset(request.page_token)
    if request.show_missing:
        if not request.collection_id:
            raise invalid("collection_id is required when show_missing is true")
        rows: list[Stored | Key] = list(_with_missing(store, (*parent, request.collection_id)))
    else:
        query = Query(parent, request.collection_id or None, False, None, orders, None, None, 0, None, None)
        rows = list(engine.run(store, query)[0])
    page = rows[start : start + size]
    return page, _token(str(start + size)) if start + size < len(rows) else ""


def _offset(token: str) -> int:
    text = _untoken(token) if token else "0"
    if not text.isascii() or not text.isdigit():
        raise invalid("invalid page token")
    return int(text)


def _orders(text: str) -> tuple[Order, ...]:
    orders: list[Order] = []
    for clause in filter(None, (part.strip() for part in text.split(","))):
        words = clause.split()
        if len(words) > 2 or (len(words) == 2 and words[1].lower() not in {"asc", "desc"}):
            raise invalid(f'Invalid order by clause "{clause}".')
        orders.append(Order(field_path(words[0]), len(words) == 2 and words[1].lower() == "desc"))
    if any(order.path == NAME for order in orders):
        return tuple(orders)
    return (*orders, Order(NAME, orders[-1].descending if orders else False))


def _with_missing(store: Store, collection: Key) -> Iterator[Stored | Key]:
    """Direct children of a collection, including ids that only exist as parts of longer paths."""
    depth = len(collection) + 1
    last: Key | None = None
    for key in _subtree(store, collection):
        child = key[:depth]
        if child != last:
            last = child
            yield store.documents.get(child, child)


def collection_ids(store: Store, names: Names, request: Any) -> tuple[list[str], str]:
    """One page of ``ListCollectionIds``, sorted, and the token of the next page.

    Raises:
        Refusal: INVALID_ARGUMENT.
    """
    size = _page_size(request.page_size)
    parent = names.parent(request.parent)
    after = _untoken(request.page_token) if request.page_token else ""
    found: list[str] = []
    index = store.index(None, NAME)
    while len(found) <= size:
        low = ((Rank.REFERENCE, (*parent, after + "\x00")),)
        _, key = next(index.between(low, None, reverse=False), (None, ()))
        if len(key) <= len(parent) or key[: len(parent)] != parent:
            return found, ""
        after = key[len(parent)]
        found.append(after)
    return found[:size], _token(found[size - 1])


def partitions(store: Store, query: Query, count: int) -> list[Key]:
    """Cut points that split a collection group into about equal parts, at most ``count`` of them.

    Raises:
        Refusal: INVALID_ARGUMENT, the query is not a bare collection group query ordered by name.
    """
    if not query.descendants or query.where or len(query.orders) > 1 or query.start or query.end:
        raise invalid("Partition queries must be unfiltered collection group queries ordered by __name__.")
    if query.offset or query.limit is not None:
        raise invalid("Partition queries take neither offset nor limit.")
    if count < 1:
        raise invalid("partition_count must be positive.")
    keys = [stored.key for stored in engine.run(store, query)[0]]
    step = max(len(keys) / (count + 1), 1.0)
    places = sorted({int(step * part) for part in range(1, count + 1)})
    return [keys[place] for place in places if 0 < place < len(keys)]
