"""From method and path to an endpoint."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import unquote

from include.sandbox.elasticsearch.call import Endpoint
from include.sandbox.elasticsearch.errors import EsError, illegal

_ALWAYS = frozenset({"pretty", "human", "error_trace"})
_FREE = frozenset({"id", "scroll_id"})
"""Variable segments that may begin with ``_``; names of indices, templates and policies may not."""


class Router:
    """The table of endpoints. A literal segment wins over a variable one; names never begin with ``_``."""

    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        self._by_length: dict[int, list[tuple[list[str], Endpoint]]] = {}
        for endpoint in endpoints:
            pattern = endpoint.path.strip("/").split("/")
            self._by_length.setdefault(len(pattern), []).append((pattern, endpoint))
        for patterns in self._by_length.values():
            patterns.sort(key=lambda item: [part.startswith("{") for part in item[0]])

    def find(self, method: str, raw_path: str, params: Iterable[str]) -> tuple[Endpoint, dict[str, str]]:
        """The endpoint and the decoded variable segments.

        Raises:
            EsError: 400 for an unknown path or parameter, 405 for a method that the path does not have.
        """
        segments = [unquote(part) for part in raw_path.strip("/").split("/")]
        other_methods: list[str] = []
        for pattern, endpoint in self._by_length.get(len(segments), ()):
            parts = _matched(pattern, segments)
            if parts is None:
                continue
            if method not in endpoint.methods.split():
                other_methods += endpoint.methods.split()
                continue
            unknown = sorted(set(params) - set(endpoint.params.split()) - _ALWAYS)
            if unknown:
                raise illegal(f"request [{endpoint.path}] contains unrecognized parameters: [{', '.join(unknown)}]")
            return endpoint, parts
        if other_methods:
            allowed = ", ".join(sorted(set(other_methods)))
            raise EsError(405, "method_not_allowed", f"Incorrect HTTP method [{method}], allowed: [{allowed}]")
        raise illegal(f"no handler found for this uri and method [{method}]")


def _matched(pattern: list[str], segments: list[str]) -> dict[str, str] | None:
    parts: dict[str, str] = {}
    for wanted, given in zip(pattern, segments, strict=True):
        if not wanted.startswith("{"):
            if wanted != given:
                return None
            continue
        name = wanted.strip("{}")
        if not given or (name not in _FREE and given.startswith("_") and given != "_all"):
            return None
        parts[name] = given
    return parts
