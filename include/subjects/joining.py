"""When a new request is the same as one that is open."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from include.policy.persons import RequestType


class OpenRequests:
    """Open requests by the fingerprints of their persons. Requests are added oldest first."""

    def __init__(self) -> None:
        self._holders: dict[bytes, dict[str, RequestType]] = {}

    def add(self, ref: str, request: RequestType, fingerprints: Sequence[bytes]) -> None:
        """Take a request in, with some or all of its fingerprints."""
        for value in fingerprints:
            self._holders.setdefault(value, {})[ref] = request

    def covering(
        self, fingerprints: Sequence[bytes], request: RequestType, may_join: Callable[[str], bool]
    ) -> str | None:
        """The oldest request that has all of these fingerprints and does at least what is asked, if there is one.

        One that shares only some of them may be somebody else's: that is for a person to say.

        Args:
            fingerprints: of the new one.
            request: what is asked.
            may_join: whether a request still can be joined.
        """
        if not fingerprints:
            return None
        first, *others = (self._holders.get(value, {}) for value in fingerprints)
        for ref, covered in first.items():
            covers = covered in {request, RequestType.ERASURE} and all(ref in holder for holder in others)
            if covers and may_join(ref):
                return ref
        return None
