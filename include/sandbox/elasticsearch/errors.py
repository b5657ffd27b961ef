"""Errors as Elasticsearch words them: ``{"error": {"type", "reason", "root_cause"}, "status"}``."""

from __future__ import annotations

from typing import Any


class EsError(Exception):
    """An error answer.

    Args:
        status: HTTP status.
        kind: Elasticsearch's name of the exception, e.g. ``index_not_found_exception``.
        reason: its sentence.
        more: further keys of the error object.
    """

    def __init__(self, status: int, kind: str, reason: str, **more: Any) -> None:
        super().__init__(status, kind, reason)
        self.status = status
        self.cause: dict[str, Any] = {"type": kind, "reason": reason, **more}

    def body(self) -> dict[str, Any]:
        """The JSON body of the answer."""
        return {"error": {"root_cause": [self.cause], **self.cause}, "status": self.status}


def illegal(reason: str) -> EsError:
    """400 for a bad argument."""
    return EsError(400, "illegal_argument_exception", reason)


def unparsable(reason: str) -> EsError:
    """400 for a request body that is not understood."""
    return EsError(400, "parsing_exception", reason, line=1, col=1)


def no_index(name: str) -> EsError:
    """404 for an index, alias or data stream that is not there."""
    more = {"resource.type": "index_or_alias", "resource.id": name, "index": name, "index_uuid": "_na_"}
    return EsError(404, "index_not_found_exception", f"no such index [{name}]", **more)


def missing(reason: str) -> EsError:
    """404 for a task, policy or template that is not there."""
    return EsError(404, "resource_not_found_exception", reason)


def conflict(index: str, doc_id: str, required: int, current: str) -> EsError:
    """409 for a write against another version than the one named."""
    reason = f"[{doc_id}]: version conflict, required seqNo [{required}], {current}"
    return EsError(409, "version_conflict_engine_exception", reason, index=index)


def rejected() -> dict[str, Any]:
    """The cause in an item that a full write queue refused (status 429)."""
    return {"type": "es_rejected_execution_exception", "reason": "rejected execution: queue capacity reached"}
