"""One call of the API as the handlers see it, and what they answer."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from include.sandbox.elasticsearch.cluster import Cluster, IndexOptions
from include.sandbox.elasticsearch.errors import EsError, illegal, unparsable


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and JSON (or, for ``_cat``, text) of an answer."""

    body: Any
    status: int = 200


@dataclass(frozen=True, slots=True)
class Call:
    """One call: the parts of its path, its parameters and its body.

    Args:
        partial: every second item of a bulk call must fail.
        opaque_id: the caller's ``X-Opaque-Id``, shown in the task list.
    """

    cluster: Cluster
    method: str
    parts: Mapping[str, str]
    params: Mapping[str, str]
    content: bytes
    partial: bool = False
    opaque_id: str | None = None

    def body(self, *known: str) -> dict[str, Any]:
        """The JSON object of the body, {} without one; with ``known`` its keys are checked.

        Raises:
            EsError: 400.
        """
        if not self.content.strip():
            return {}
        try:
            parsed = json.loads(self.content)
        except ValueError:
            raise EsError(400, "x_content_parse_exception", "unexpected character in the request body") from None
        if not isinstance(parsed, dict):
            raise unparsable("Expected [START_OBJECT] in the request body")
        for key in parsed.keys() - set(known) if known else ():
            raise unparsable(f"request does not support [{key}]")
        return parsed

    def lines(self) -> list[Any]:
        """The JSON values of a body of lines (``_bulk``, ``_msearch``).

        Raises:
            EsError: 400, the last line has no end or a line is not JSON.
        """
        if not self.content.endswith(b"\n"):
            raise illegal("The bulk request must be terminated by a newline [\\n]")
        try:
            return [json.loads(line) for line in self.content.split(b"\n") if line.strip()]
        except ValueError:
            raise EsError(400, "x_content_parse_exception", "Malformed content, found invalid JSON") from None

    def flag(self, name: str, default: bool = False) -> bool:
        """A boolean parameter; present without a value is true.

        Raises:
            EsError: 400.
        """
        value = self.params.get(name, str(default).lower())
        if value not in {"true", "false", ""}:
            raise illegal(f"Failed to parse value [{value}] as only [true] or [false] are allowed.")
        return value != "false"

    def whole(self, name: str, default: int) -> int:
        """A whole-number parameter.

        Raises:
            EsError: 400.
        """
        value = self.params.get(name, str(default))
        try:
            return int(value)
        except ValueError:
            raise illegal(f"Failed to parse int parameter [{name}] with value [{value}]") from None

    @property
    def refreshes(self) -> bool:
        """Whether ``refresh`` asks to make the change visible before the answer.

        Raises:
            EsError: 400.
        """
        value = self.params.get("refresh", "false")
        if value not in {"true", "false", "", "wait_for"}:
            raise illegal(f"Unknown value for refresh: [{value}].")
        return value != "false"

    @property
    def targets(self) -> IndexOptions:
        """How index names in the path are to be resolved."""
        wildcards = frozenset(self.params.get("expand_wildcards", "open").split(","))
        for value in wildcards - {"open", "closed", "hidden", "none", "all"}:
            raise illegal(f"No valid expand wildcard value [{value}]")
        return IndexOptions(self.flag("ignore_unavailable"), self.flag("allow_no_indices", default=True), wildcards)


Handler: TypeAlias = Callable[[Call], Answer | Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One operation of the API.

    Args:
        methods: HTTP methods, separated by blanks.
        path: with ``{part}`` for its variable segments.
        handler: what answers it.
        params: the query parameters it understands, separated by blanks; all others are refused.
    """

    methods: str
    path: str
    handler: Handler
    params: str = ""


TARGETS = "ignore_unavailable allow_no_indices expand_wildcards"
"""Parameters of operations that take several indices."""
WAITS = "master_timeout timeout wait_for_active_shards"
"""Parameters that mean nothing on one node that answers when it is done."""

ACKNOWLEDGED = Answer({"acknowledged": True})


def shards(count: int) -> dict[str, int]:
    """``_shards`` of an answer."""
    return {"total": count, "successful": count, "failed": 0}
