"""What a profile at Meta holds: content, texts of people below it, conversations, and audiences of an ad account."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

PAGE = "100200300400500"
INSTAGRAM = "17841400000000001"
AD_ACCOUNT = "7001002003"
SYSTEM_TOKEN = "EAAsystem"  # noqa: S105 - a sandbox has no secrets
PAGE_TOKEN = "EAApage"  # noqa: S105 - likewise


@dataclass(slots=True)
class Settings:
    """Of the service; can be changed while it runs.

    Args:
        audience_hours: after which a removal from the audiences has come true.
        calls_per_hour: each part of a batch counts as one.
        scopes: rights of the token.
        expires_at: when it ends, in epoch seconds; 0 for never.
        undeletable: ids of texts that the page may not delete.
    """

    audience_hours: float = 24.0
    calls_per_hour: int = 200_000
    scopes: tuple[str, ...] = ()
    expires_at: int = 0
    undeletable: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Text:
    """A post, a medium, a comment or an answer; ``parent`` is "" for content, ``author`` is "" for the company."""

    id: str
    author: str
    name: str
    text: str
    at: datetime
    parent: str = ""


@dataclass(frozen=True, slots=True)
class Thread:
    """A conversation; ``messages`` are pairs of "is from the company" and text."""

    id: str
    person: str
    name: str
    at: datetime
    messages: tuple[tuple[bool, str], ...]


@dataclass(slots=True)
class Audience:
    """An audience of the ad account; ``members`` are pairs of schema and hash."""

    id: str
    name: str
    subtype: str = "CUSTOM"
    members: set[tuple[str, str]] = field(default_factory=set)


class Held:
    """Everything, in the order in which it came."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self.texts: dict[str, Text] = {}
        self._children: dict[str, dict[str, None]] = {}
        self.threads: dict[str, Thread] = {}
        self.audiences: dict[str, Audience] = {}
        self._removals: list[tuple[datetime, str, frozenset[str]]] = []

    def add(self, *texts: Text) -> None:
        """Take in texts, what stands above before what stands below it."""
        for text in texts:
            self.texts[text.id] = text
            self._children.setdefault(text.parent, {})[text.id] = None

    def below(self, number: str) -> list[Text]:
        """What stands directly below a text, or the content itself for ""."""
        return [self.texts[child] for child in self._children.get(number, ())]

    def under(self, number: str) -> Iterator[Text]:
        """Everything below a text, at any depth."""
        for text in self.below(number):
            yield text
            yield from self.under(text.id)

    def delete(self, number: str) -> None:
        """Delete a text with all that stands below it."""
        for text in [*self.under(number), self.texts[number]]:
            del self._children[text.parent][text.id]
            del self.texts[text.id]

    def remove_later(self, due: datetime, schema: str, hashes: frozenset[str]) -> None:
        """Take people out of all audiences at an instant."""
        self._removals.append((due, schema, hashes))

    def settle(self, now: datetime) -> None:
        """Let come true what is due."""
        for _, schema, hashes in [one for one in self._removals if one[0] <= now]:
            gone = {(schema, one) for one in hashes}
            for audience in self.audiences.values():
                audience.members -= gone
        self._removals = [one for one in self._removals if one[0] > now]

    def records(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Everything that is about people, as collection and record."""
        for text in tuple(self.texts.values()):
            if text.author:
                yield "comments" if text.parent else "posts", asdict(text)
        for thread in tuple(self.threads.values()):
            yield "conversations", asdict(thread)
        for audience in tuple(self.audiences.values()):
            for schema, value in sorted(audience.members):
                yield "audience_members", {"audience": audience.id, "schema": schema, "hash": value}


def hours(number: float) -> timedelta:
    """So many hours."""
    return timedelta(hours=number)
