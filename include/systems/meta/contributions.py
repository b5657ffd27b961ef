"""What people wrote below the company's own content: posts of visitors, comments and answers, each with its author.

To delete a comment deletes all answers below it, whoever wrote them. So one below which others have written is left to
a person to decide on; the company's own answers may go along.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from include.systems.meta.graph import Graph, following, objects

_TRIED = "list what people wrote"


@dataclass(frozen=True, slots=True)
class Shape:
    """How a kind of profile lists what is below its content.

    Args:
        root: path of the list of its content, with a ``{}`` for the profile's id.
        fields: of the content, what is below it included.
        below: edges that hold what people wrote, each with the parameters to read on with.
        size: pieces of content in a page, with what is below them.
    """

    root: str
    fields: str
    below: Mapping[str, Mapping[str, str | int]]
    size: int = 25


@dataclass(frozen=True, slots=True)
class Contribution:
    """One text.

    Args:
        id: the vendor's.
        author: id of its author as the profile knows it; "" where it is not told.
        parent: id of what it stands below; "" for the content itself.
        content: as the vendor sends it.
    """

    id: str
    author: str = field(repr=False)
    parent: str
    content: Mapping[str, Any] = field(repr=False)


def contributions(graph: Graph, system: str, profile: str, shape: Shape) -> Iterator[Contribution]:
    """Everything on a profile, one page of its content in memory at a time."""
    params: dict[str, str | int] = {"fields": shape.fields, "limit": shape.size}
    for content in graph.pages(shape.root, profile, tried=_TRIED, params=params):
        yield from _walk(graph, system, shape, content, "")


def of_authors(
    listed: Iterator[Contribution], own: str, authors: Collection[str]
) -> tuple[list[Contribution], list[Contribution]]:
    """What some authors wrote: what can be deleted alone, and what others have written below.

    Args:
        listed: everything, in any order.
        own: id of the profile.
        authors: ids.
    """
    theirs: list[Contribution] = []
    places: dict[str, tuple[str, str]] = {}
    for one in listed:
        places[one.id] = (one.author, one.parent)
        if one.author in authors:
            theirs.append(one)
    answered: set[str] = set()
    for author, up in places.values():
        while up in places:
            writer, above = places[up]
            if author not in (own, writer):
                answered.add(up)
            up = above
    return [one for one in theirs if one.id not in answered], [one for one in theirs if one.id in answered]


def _walk(graph: Graph, system: str, shape: Shape, node: Mapping[str, Any], parent: str) -> Iterator[Contribution]:
    number = str(node.get("id") or "")
    named = node.get("parent")
    parent = str(named.get("id")) if isinstance(named, Mapping) else parent
    yield Contribution(number, _author(node), parent, {k: v for k, v in node.items() if k not in shape.below})
    for edge, params in shape.below.items():
        for child in _children(graph, system, number, edge, params, node.get(edge)):
            yield from _walk(graph, system, shape, child, number)


def _children(
    graph: Graph, system: str, number: str, edge: str, params: Mapping[str, str | int], page: Any
) -> Iterator[Mapping[str, Any]]:
    """Those that came with the object, then the pages behind them."""
    if page is None:
        return
    first: Sequence[Mapping[str, Any]] = objects(system, page, _TRIED)
    yield from first
    after = following(page)
    if after:
        yield from graph.pages(f"/{{}}/{edge}", number, tried=_TRIED, params=params, after=after)


def _author(node: Mapping[str, Any]) -> str:
    author = node.get("from")
    return str(author.get("id") or "") if isinstance(author, Mapping) else ""
