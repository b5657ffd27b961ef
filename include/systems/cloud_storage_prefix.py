"""The prefix of a location in Cloud Storage: which object names it covers, and whose they are."""

from __future__ import annotations

from dataclasses import dataclass

from include.errors import Refused

PLACEHOLDER = "{subject}"


@dataclass(frozen=True, slots=True)
class Prefix:
    """``users/{subject}/files/`` as head ``users/``, and tail ``/files/``; a fixed prefix has no tail.

    The subject is exactly one path segment: ``users/ab/`` and ``users/abc/`` never meet, and a ``/`` that is part of a
    name as ``%2F`` does not end it.
    """

    head: str
    tail: str

    @classmethod
    def parse(cls, text: str) -> Prefix:
        """Read a prefix.

        Raises:
            Refused: it is empty, has several placeholders, or one that is not a whole path segment behind a fixed part.
        """
        head, placeholder, tail = text.partition(PLACEHOLDER)
        whole = not placeholder or (head.endswith("/") and tail.startswith("/"))
        if not head.strip("/") or not whole or "{" in head + tail or "}" in head + tail:
            next_step = "Write the prefix like 'exports/' or 'users/{subject}/', with a fixed part in front."
            raise Refused("cloud_storage", "read the prefix of a location", next_step)
        return cls(head, tail)

    @property
    def has_subject(self) -> bool:
        """Whether a path segment names the subject."""
        return bool(self.tail)

    def of(self, subject: str) -> str:
        """Where the names of a subject's objects begin; the subject is one path segment."""
        return f"{self.head}{subject}{self.tail}"

    def matches(self, name: str) -> bool:
        """Whether the prefix covers an object of this name."""
        return self.subject(name) is not None if self.has_subject else name.startswith(self.head)

    def subject(self, name: str) -> str | None:
        """The path segment at the placeholder; None when the name does not match or there is no placeholder."""
        if not self.has_subject or not name.startswith(self.head):
            return None
        segment, _, rest = name[len(self.head) :].partition("/")
        return segment if segment and f"/{rest}".startswith(self.tail) and "/" in name[len(self.head) :] else None
