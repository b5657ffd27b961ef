"""One index: what was written, and what a search sees since the last refresh."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from include.sandbox.elasticsearch.dates import duration
from include.sandbox.elasticsearch.errors import EsError, conflict, illegal
from include.sandbox.elasticsearch.mapping import IndexMapping
from include.sandbox.elasticsearch.segment import Doc, Segment
from include.sandbox.elasticsearch.settings import DEFAULTS, Settings

_SMALL = 10_000
_SMALL_SEGMENTS = 8


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What a search sees of one segment: ``alive`` is the mask of documents not deleted at that moment."""

    index: Index
    segment: Segment
    alive: int


@dataclass(frozen=True, slots=True)
class Condition:
    """What a write demands of the document as it is: sequence number, or that there is none."""

    seq_no: int | None = None
    primary_term: int | None = None
    absent: bool = False


ANYTHING = Condition()


class Index:
    """Documents by id, near-real-time segments, mapping and settings."""

    def __init__(self, name: str, settings: Settings, mapping: IndexMapping, clock: Callable[[], float]) -> None:
        self.name = name
        self.uuid = uuid.uuid4().hex[:22]
        self.settings = DEFAULTS | settings
        self.mapping = mapping
        self.aliases: dict[str, dict[str, Any]] = {}
        self.closed = False
        self.created = clock()
        self.deleted_docs = 0
        self.flushes = 0
        self._clock = clock
        self._seq = count()
        self._live: dict[str, Doc] = {}
        self._tombstones: dict[str, int] = {}
        self._fresh: dict[str, Doc] = {}
        self._dead: dict[Segment, list[int]] = {}
        self._views: list[View] = []
        self._refreshed = time.monotonic()

    def visible_docs(self) -> int:
        """How many documents a search sees."""
        return sum(view.alive.bit_count() for view in self.views())

    def get(self, doc_id: str) -> Doc | None:
        """The newest version of a document, refreshed or not."""
        return self._live.get(doc_id)

    def docs(self) -> Iterator[Doc]:
        """All documents as they are now, refreshed or not."""
        return iter(list(self._live.values()))

    def __len__(self) -> int:
        return len(self._live)

    @property
    def max_seq_no(self) -> int:
        """The highest sequence number given so far, -1 for none."""
        return max((doc.seq_no for doc in self._live.values()), default=-1)

    def put(self, doc_id: str, source: Mapping[str, Any], condition: Condition = ANYTHING) -> Doc:
        """Write a document.

        Raises:
            EsError: 403 blocked, 409 the condition does not hold, 400 the document does not fit the mapping.
        """
        self.check_writable()
        before = self._live.get(doc_id)
        self._check(doc_id, before, condition)
        self.mapping.take(source)
        version = before.version + 1 if before else self._tombstones.pop(doc_id, 0) + 1
        doc = Doc(doc_id, source, version, next(self._seq))
        if before:
            self._bury(before)
        self._live[doc_id] = self._fresh[doc_id] = doc
        return doc

    def delete(self, doc_id: str, condition: Condition = ANYTHING) -> tuple[Doc | None, int, int]:
        """Delete a document; returns what was there, the version of the deletion and its sequence number.

        Raises:
            EsError: 403 blocked, 409 the condition does not hold.
        """
        self.check_writable()
        before = self._live.get(doc_id)
        self._check(doc_id, before, condition)
        version = before.version + 1 if before else self._tombstones.get(doc_id, 0) + 1
        if before:
            del self._live[doc_id]
            self._bury(before)
        self._tombstones[doc_id] = version
        return before, version, next(self._seq)

    def check_writable(self) -> None:
        """Refuse a write to a blocked or closed index.

        Raises:
            EsError: 403 or 400.
        """
        if self.closed:
            raise EsError(400, "index_closed_exception", "closed", index=self.name)
        for setting, number, words in (
            ("index.blocks.write", 8, "index write (api)"),
            ("index.blocks.read_only", 5, "index read-only (api)"),
            ("index.blocks.read_only_allow_delete", 12, "disk usage exceeded flood-stage watermark"),
        ):
            if self.settings.get(setting) == "true":
                reason = f"index [{self.name}] blocked by: [FORBIDDEN/{number}/{words}];"
                raise EsError(403, "cluster_block_exception", reason)

    def refresh(self) -> None:
        """Make everything written so far visible to searches."""
        self._refreshed = time.monotonic()
        if not self._fresh and not self._dead:
            return
        views = []
        for view in self._views:
            gone = self._dead.get(view.segment)
            alive = view.alive & ~view.segment.mask(gone) if gone else view.alive
            self.deleted_docs += len(gone or ())
            if alive:
                views.append(View(self, view.segment, alive))
            else:
                self.deleted_docs -= len(view.segment.docs)
        if self._fresh:
            segment = Segment(list(self._fresh.values()))
            views.append(View(self, segment, segment.full))
        self._fresh, self._dead = {}, {}
        self._views = self._merged(views)

    def views(self) -> list[View]:
        """What a search sees now; the timed refresh happens here when it is due."""
        interval = self.settings.get("index.refresh_interval", "1s")
        if interval != "-1" and (time.monotonic() - self._refreshed) * 1000 >= duration(interval):
            self.refresh()
        return self._views

    def force_merge(self, *, only_deletes: bool) -> None:
        """Rewrite the segments without deleted documents: all of them, or those with more than the allowed share."""
        allowed = float(self.settings.get("index.merge.policy.expunge_deletes_allowed", "10"))
        self.refresh()
        chosen = [v for v in self._views if not only_deletes or _deleted_percent(v) > allowed]
        self._views = [v for v in self._views if v not in chosen] + self._rewritten(chosen)

    def _merged(self, views: list[View]) -> list[View]:
        small = [view for view in views if len(view.segment.docs) < _SMALL]
        if len(small) <= _SMALL_SEGMENTS:
            return views
        return [view for view in views if view not in small] + self._rewritten(small)

    def _rewritten(self, views: list[View]) -> list[View]:
        docs = [view.segment.docs[ordinal] for view in views for ordinal in view.segment.ordinals(view.alive)]
        self.deleted_docs -= sum(len(view.segment.docs) for view in views) - len(docs)
        if not docs:
            return []
        segment = Segment([_copy(doc) for doc in docs])
        for doc in segment.docs:
            if self._live.get(doc.id) is not None and self._live[doc.id].seq_no == doc.seq_no:
                self._live[doc.id] = doc
        return [View(self, segment, segment.full)]

    def _bury(self, doc: Doc) -> None:
        if doc.segment is None:
            self._fresh.pop(doc.id, None)
        else:
            self._dead.setdefault(doc.segment, []).append(doc.ordinal)

    def _check(self, doc_id: str, before: Doc | None, condition: Condition) -> None:
        if condition.absent and before:
            reason = f"[{doc_id}]: version conflict, document already exists (current version [{before.version}])"
            raise EsError(409, "version_conflict_engine_exception", reason, index=self.name)
        if condition.seq_no is None:
            return
        if condition.primary_term is None:
            raise illegal("if_seq_no is set, but primary term is [0]")
        if before is None:
            raise conflict(self.name, doc_id, condition.seq_no, "but no document was found")
        if before.seq_no != condition.seq_no or condition.primary_term != 1:
            raise conflict(self.name, doc_id, condition.seq_no, f"current document has seqNo [{before.seq_no}]")


def _deleted_percent(view: View) -> float:
    return 100 * (1 - view.alive.bit_count() / len(view.segment.docs))


def _copy(doc: Doc) -> Doc:
    """For another segment: searches that began before still read the old one."""
    return Doc(doc.id, doc.source, doc.version, doc.seq_no)
