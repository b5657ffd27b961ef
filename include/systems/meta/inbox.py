"""Conversations of a page, at Messenger or Instagram: found by the other side's id, read, and never deleted by a call.

Source: https://developers.facebook.com/docs/messenger-platform/conversations. The description of a thread has no
deletion.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from include.systems.meta.graph import Graph, objects, relative

_TRIED = "look for conversations"


class Inbox:
    """The conversations of one page on one platform.

    Args:
        graph: calls with the page's token.
        system: key of the system.
        page: id of the page.
        platform: ``messenger`` or ``instagram``.
    """

    def __init__(self, graph: Graph, system: str, page: str, platform: str) -> None:
        self._graph = graph
        self._system = system
        self._page = page
        self._platform = platform

    def threads(self, people: Sequence[str]) -> dict[str, list[str]]:
        """Ids of the conversations of each of these people; the vendor's filter is compared with the participants."""
        steps = [
            (
                "GET",
                relative(
                    "{}/conversations", self._page, platform=self._platform, user_id=who, fields="id,participants"
                ),
            )
            for who in people
        ]
        found: dict[str, list[str]] = {}
        for who, part in zip(people, self._graph.batch(steps, _TRIED), strict=True):
            # Somebody who never wrote is unknown to the page, which some versions call an error.
            threads = [] if part.absent else objects(self._system, self._graph.accept(part, _TRIED), _TRIED)
            found[who] = [str(thread.get("id")) for thread in threads if who in participants(thread)]
        return found

    def everybody(self) -> Iterator[str]:
        """The ids of all who take part in a conversation."""
        params: dict[str, str | int] = {"platform": self._platform, "fields": "id,participants", "limit": 100}
        for thread in self._graph.pages("/{}/conversations", self._page, tried=_TRIED, params=params):
            yield from participants(thread)

    def messages(self, thread: str) -> Iterator[Mapping[str, Any]]:
        """The messages of a conversation."""
        params: dict[str, str | int] = {"fields": "id,created_time,from,to,message", "limit": 100}
        return self._graph.pages("/{}/messages", thread, tried="read a conversation", params=params)


def participants(thread: Mapping[str, Any]) -> set[str]:
    """Ids of those who take part."""
    listed = thread.get("participants")
    people = listed.get("data") if isinstance(listed, Mapping) else None
    return {str(one.get("id")) for one in people or () if isinstance(one, Mapping)}
