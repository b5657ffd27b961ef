"""Tasks: what runs, its progress, and how it is cancelled or slowed down."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

NODE = "sandbox0000000000node0"


@dataclass(slots=True, eq=False)
class Progress:
    """Counters of a by-query task, in the words of its status."""

    total: int = 0
    updated: int = 0
    deleted: int = 0
    batches: int = 0
    version_conflicts: int = 0
    noops: int = 0
    throttled_millis: int = 0
    failures: list[dict[str, Any]] = field(default_factory=list)

    def add(self, other: Progress) -> None:
        """Add the counters of a slice."""
        for name in ("total", "updated", "deleted", "batches", "version_conflicts", "noops", "throttled_millis"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.failures += other.failures


@dataclass(slots=True, eq=False)
class Task:
    """One task. ``requests_per_second`` below zero is no limit."""

    number: int
    action: str
    description: str
    headers: dict[str, str]
    started: float
    requests_per_second: float = -1.0
    parent: Task | None = None
    cancelled: bool = False
    progress: Progress = field(default_factory=Progress)
    slices: list[Task] = field(default_factory=list)
    running: asyncio.Task[Any] | None = field(default=None, repr=False)

    @property
    def id(self) -> str:
        """``node:number``."""
        return f"{NODE}:{self.number}"

    def total_progress(self) -> Progress:
        """The counters with those of the slices."""
        whole = Progress()
        for part in (self, *self.slices):
            whole.add(part.progress)
        return whole

    def cancel(self) -> None:
        """Ask it and its slices to stop at the next batch."""
        for task in (self, *self.slices):
            task.cancelled = True

    def throttle(self, requests_per_second: float) -> None:
        """Set the speed from now on; slices share it."""
        self.requests_per_second = requests_per_second
        for part in self.slices:
            part.requests_per_second = requests_per_second / len(self.slices)

    def status(self) -> dict[str, Any]:
        """The status object of a by-query task."""
        progress = self.total_progress()
        counts = {"total": progress.total}
        if self.action.endswith("update/byquery"):
            counts["updated"] = progress.updated
        return {
            **counts,
            "deleted": progress.deleted,
            "batches": progress.batches,
            "version_conflicts": progress.version_conflicts,
            "noops": progress.noops,
            "retries": {"bulk": 0, "search": 0},
            "throttled_millis": progress.throttled_millis,
            "requests_per_second": float(self.requests_per_second),
            "throttled_until_millis": 0,
        }

    def as_json(self, now: float, *, detailed: bool = True) -> dict[str, Any]:
        """As the task API shows it."""
        shown: dict[str, Any] = {
            "node": NODE,
            "id": self.number,
            "type": "transport",
            "action": self.action,
            "start_time_in_millis": int(self.started * 1000),
            "running_time_in_nanos": int((now - self.started) * 1e9),
            "cancellable": True,
            "cancelled": self.cancelled,
            "headers": self.headers,
        }
        if detailed:
            shown |= {"status": self.status(), "description": self.description}
        return shown if self.parent is None else {**shown, "parent_task_id": self.parent.id}


class Tasks:
    """The running tasks."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last = 0
        self._running: dict[str, Task] = {}

    def start(self, action: str, description: str, opaque_id: str | None = None, parent: Task | None = None) -> Task:
        """Register a task."""
        self._last += 1
        headers = {"X-Opaque-Id": opaque_id} if opaque_id else dict(parent.headers) if parent else {}
        task = Task(self._last, action, description, headers, self._clock(), parent=parent)
        self._running[task.id] = task
        if parent:
            parent.slices.append(task)
        return task

    def finish(self, task: Task) -> None:
        """Take a task and its slices off the list."""
        for done in (task, *task.slices):
            self._running.pop(done.id, None)

    def get(self, task_id: str) -> Task | None:
        """A running task."""
        return self._running.get(task_id)

    def matching(self, actions: str | None, parent_id: str | None = None) -> list[Task]:
        """The running tasks whose action matches one of some patterns."""
        patterns = actions.split(",") if actions else ["*"]
        return [
            task
            for task in self._running.values()
            if any(fnmatchcase(task.action, pattern) for pattern in patterns)
            and (parent_id is None or (task.parent is not None and task.parent.id == parent_id))
        ]

    def cancel_all(self) -> None:
        """Ask every task to stop."""
        for task in self._running.values():
            task.cancel()
