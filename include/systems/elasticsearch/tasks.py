"""By-query tasks: started exactly once, watched until they end, and settled when an earlier run lost sight of one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from include.connection import Connection
from include.errors import Refused, Throttled, Unavailable
from include.systems.elasticsearch.client import SYSTEM, refusal, speaking
from include.systems.elasticsearch.selecting import TARGETS

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

_ACTIONS = "indices:data/write/delete/byquery,indices:data/write/update/byquery"
_TASK_PATIENCE = 900.0
_FIRST_PAUSE = 0.01
_LONGEST_PAUSE = 5.0
_LOST_ANSWERS = 5
_CANCEL_PATIENCE = 60.0
_AGAIN = "The engine tries again and settles the task first."


def task_options(connection: Connection) -> dict[str, Any]:
    """How every by-query task is started: in the background, past conflicts, as fast as the connection allows."""
    return {
        "conflicts": "proceed",
        "refresh": True,
        "wait_for_completion": False,
        "requests_per_second": float(str(connection.extra.get("requests_per_second", -1))),
        **TARGETS,
    }


def task_patience(connection: Connection) -> float:
    """The seconds that one task may take."""
    return float(str(connection.extra.get("task_timeout", _TASK_PATIENCE)))


class Tasks:
    """The by-query tasks of one location, recognised by their ``X-Opaque-Id``.

    Args:
        client: the client, which must not repeat calls by itself.
        mark: the ``X-Opaque-Id`` under which tasks are started.
        patience: seconds to wait for one task before it is cancelled.
        sleep: waits for a number of seconds.
    """

    def __init__(self, client: Elasticsearch, mark: str, patience: float, sleep: Callable[[float], None]) -> None:
        self._client = client.options(opaque_id=mark)
        self._mark = mark
        self._patience = patience
        self._sleep = sleep

    def run(self, start: Callable[[Elasticsearch], Any]) -> dict[str, Any]:
        """Start a task and wait for its end; returns the counters of its response.

        Args:
            start: calls ``delete_by_query`` or ``update_by_query`` of the client it is given, without waiting for it.

        Raises:
            Unavailable: it did not start, did not end in time, or failed in part; any part of it may be done.
            Refused: the store does not allow it.
        """
        with speaking("start the task"):
            task_id = str(start(self._client)["task"])
        finished = self._watched(task_id)
        self._forget(task_id)
        if "error" in finished:
            raise refusal(400, str(finished["error"].get("type")), "run the task")
        return _checked(finished["response"])

    def settle(self) -> None:
        """Wait for tasks that an earlier run started and lost sight of; cancel those that do not end.

        Raises:
            Unavailable: one of them is still running after it was cancelled.
        """
        if self._all_end(self._patience):
            return
        for task_id in self._running():
            self._cancel(task_id)
        if not self._all_end(_CANCEL_PATIENCE):
            raise Unavailable(SYSTEM, "settle an earlier task", f"It is still running. {_AGAIN}")

    def _all_end(self, patience: float) -> bool:
        for pause in _pauses(patience):
            if not self._running():
                return True
            self._sleep(pause)
        return not self._running()

    def _watched(self, task_id: str) -> dict[str, Any]:
        lost = 0
        for pause in _pauses(self._patience):
            try:
                task = self._get(task_id)
                lost = 0
            except Unavailable:
                lost += 1
                if lost == _LOST_ANSWERS:
                    raise
            else:
                if task["completed"]:
                    return task
            self._sleep(pause)
        self._cancel(task_id)
        raise Unavailable(SYSTEM, "wait for the task", f"It did not end in time and was cancelled. {_AGAIN}")

    def _running(self) -> list[str]:
        with speaking("list running tasks"):
            answer = self._client.perform_request(
                "GET", "/_tasks", params={"actions": _ACTIONS, "detailed": "true"}, headers=_JSON
            )
        return [
            task_id
            for node in answer.body["nodes"].values()
            for task_id, task in node["tasks"].items()
            if task["headers"].get("X-Opaque-Id") == self._mark and "parent_task_id" not in task
        ]

    def _get(self, task_id: str) -> dict[str, Any]:
        with speaking("look at the task"):
            return dict(self._client.perform_request("GET", f"/_tasks/{quote(task_id, safe='')}", headers=_JSON).body)

    def _cancel(self, task_id: str) -> None:
        with speaking("cancel the task"):
            path = f"/_tasks/{quote(task_id, safe='')}/_cancel"
            self._client.options(ignore_status=404).perform_request("POST", path, headers=_JSON)

    def _forget(self, task_id: str) -> None:
        """Delete the stored result. Rights on the system index are rare, and a leftover holds counts only."""
        try:
            with speaking("delete the task's result"):
                path = f"/.tasks/_doc/{quote(task_id, safe='')}"
                self._client.options(ignore_status=(403, 404)).perform_request("DELETE", path, headers=_JSON)
        except (Refused, Unavailable):
            return


_JSON = {"accept": "application/json"}


def _pauses(patience: float) -> Iterator[float]:
    """Growing pauses that add up to the patience."""
    pause, waited = _FIRST_PAUSE, 0.0
    while waited < patience:
        yield pause
        waited += pause
        pause = min(pause * 1.5, _LONGEST_PAUSE)


def _checked(response: dict[str, Any]) -> dict[str, Any]:
    """The counters of a task that did all it was asked to do, conflicts apart."""
    tried = "finish the task"
    for failure in response["failures"]:
        status, kind = int(failure.get("status", 500)), str(failure.get("cause", {}).get("type"))
        if status == 429:
            raise Throttled(SYSTEM, tried, f"Its queue was full for a part of the documents. {_AGAIN}")
        if status < 500 and status != 409:
            raise refusal(status, kind, tried)
        raise Unavailable(SYSTEM, tried, f"It failed for a part of the documents. {_AGAIN}")
    if response["timed_out"] or "canceled" in response:
        raise Unavailable(SYSTEM, tried, f"It was ended before it was done. {_AGAIN}")
    done = sum(int(response.get(key, 0)) for key in ("deleted", "updated", "noops", "version_conflicts"))
    if done != response["total"]:
        raise Unavailable(SYSTEM, tried, f"It accounts for {done} of {response['total']} documents. {_AGAIN}")
    return response
