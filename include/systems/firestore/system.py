"""Retention in Firestore, behind the contract of a system."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import requests

from include.connection import Connection
from include.errors import Inconsistent, Refused
from include.policy.actions import Action, Anonymisation
from include.systems.contract import Batch, Card, Expiry, OnHold, ReadBack, Selection, Survey, Swept
from include.systems.firestore import CARD, anonymise, queries
from include.systems.firestore.access import credentials_of, session_of
from include.systems.firestore.cascade import Fate, Kept, conditional_delete, delete_trees, kept_below
from include.systems.firestore.fields import FieldPath, render
from include.systems.firestore.gateway import Gateway
from include.systems.firestore.messages import carries, lookup, moment
from include.systems.firestore.place import Place, gone, targets, understand
from include.systems.firestore.subjects import Keep, is_held
from include.systems.firestore.ttl import Ttl
from include.systems.firestore.writing import PARALLEL, write


class FirestoreSystem:
    """A Firestore database as a retention system.

    Args:
        gateway: the store.
        ttl: its expiry settings, None where it has none (an emulator).
    """

    card: Card = CARD

    def __init__(self, gateway: Gateway, ttl: Ttl | None) -> None:
        self._gateway = gateway
        self._ttl = ttl
        self._pool = ThreadPoolExecutor(PARALLEL, thread_name_prefix="firestore")

    @classmethod
    def connect(cls, connection: Connection) -> FirestoreSystem:
        """See :func:`include.systems.firestore.connect`."""
        credentials = credentials_of(connection)
        gateway = Gateway(connection, credentials)
        if credentials is None:
            plain = Ttl(connection, requests.Session()) if connection.extra.get("rest_endpoint") else None
            return cls(gateway, plain)
        return cls(gateway, Ttl(connection, session_of(credentials)))

    def close(self) -> None:
        """Release sockets and channels."""
        self._pool.shutdown()
        self._gateway.close()
        if self._ttl:
            self._ttl.close()

    def survey(self, selection: Selection, on_hold: OnHold | None) -> Survey:
        """Count by aggregation; ``total`` is the whole location, whatever ``where`` says."""
        place = understand(selection)
        total = self._count(place, queries.everything(place), "count the documents of a location")
        due = self._count(place, queries.due(place, selection.cutoff), "count due documents")
        return Survey(
            total=total,
            due=due,
            held=self._held(selection, place, on_hold),
            oldest=self._extreme(selection, place, descending=False) if due else None,
            newest=self._extreme(selection, place, descending=True) if due else None,
        )

    def batches(self, selection: Selection, on_hold: OnHold | None) -> Iterator[Batch]:
        """Yield due documents, oldest first; those on hold are passed by."""
        place = understand(selection)
        extra = [source for source, _ in targets(selection.anonymisation)] if selection.anonymisation else []
        for page in self._pages(selection, place, extra):
            free = [document for document in page if not is_held(document, place, on_hold)]
            kept = self._kept(selection, place, on_hold, free)
            documents = [document for document in free if document.name not in kept]
            if documents:
                oldest, newest = (_trigger_time(documents[at], place) for at in (0, -1))
                yield Batch(len(documents), oldest, newest, documents)

    def expire(self, selection: Selection, batch: Batch) -> Swept:
        """Delete or anonymise the documents of a batch that did not change since it was listed.

        Raises:
            Unavailable: a call or single writes failed; any part may be done.
            Refused: the store does not allow it.
            Inconsistent: an anonymised document still carries a field that the store said was removed.
        """
        place = understand(selection)
        documents: list[Any] = batch.records
        if selection.action is Action.ANONYMISE and selection.anonymisation:
            return self._anonymise(documents, selection.anonymisation)
        if place.cascade:
            fates = delete_trees(self._gateway, documents, self._pool)
            unsure = [document.name for document, fate in zip(documents, fates, strict=True) if fate is Fate.UNSURE]
            return self._judge(len(documents) - len(unsure), unsure)
        acknowledged, unsure = write(self._gateway, self._pool, map(conditional_delete, documents), "delete documents")
        return self._judge(len(acknowledged), unsure)

    def read_back(self, selection: Selection, on_hold: OnHold | None) -> ReadBack:
        """Count again by aggregation; recount the held ones by looking at each."""
        place = understand(selection)
        held = self._held(selection, place, on_hold)
        due = self._count(place, queries.due(place, selection.cutoff), "count what is still due")
        blocked = self._shielded(selection, place) if due > held else 0
        residual = self._residual(place, selection.anonymisation) if selection.anonymisation else 0
        return ReadBack(max(due - held - blocked, 0), held, blocked=blocked, residual_fields=residual)

    def expiry(self, selection: Selection) -> list[Expiry]:
        """The time to live of the trigger field; nothing where the store has no such setting."""
        return [self._ttl.expiry(selection, understand(selection))] if self._ttl else []

    def set_expiry(self, selection: Selection) -> Expiry:
        """Set the time to live of the trigger field to the rule's period.

        Raises:
            Refused: the rule cannot be said as a time to live, or there is no such setting here.
        """
        if not self._ttl:
            raise Refused(
                CARD.key, "set the time to live", "Add 'rest_endpoint' to the connection: an emulator has none."
            )
        return self._ttl.set(selection, understand(selection))

    # --- reading

    def _parent(self, place: Place) -> str:
        return self._gateway.name(place.parent or "")

    def _count(self, place: Place, query: Any, tried: str) -> int:
        return self._gateway.count(self._parent(place), query, tried, place.index)

    def _extreme(self, selection: Selection, place: Place, *, descending: bool) -> datetime | None:
        query = queries.first(queries.due(place, selection.cutoff), place.trigger, descending=descending)
        found = list(
            self._gateway.query(self._parent(place), query, "find the oldest or newest due document", place.index)
        )
        return _trigger_time(found[0], place) if found else None

    def _held(self, selection: Selection, place: Place, on_hold: OnHold | None) -> int:
        if on_hold is None or (place.subject is None and not place.cascade):
            return 0
        return sum(self._held_in(selection, place, on_hold, page) for page in self._pages(selection, place, []))

    def _held_in(self, selection: Selection, place: Place, on_hold: OnHold, page: list[Any]) -> int:
        free = [document for document in page if not is_held(document, place, on_hold)]
        below = self._kept(selection, place, on_hold, free).values()
        return len(page) - len(free) + sum(kept is Kept.HELD for kept in below)

    def _shielded(self, selection: Selection, place: Place) -> int:
        """Due documents that stay because of what the policy protects below them."""
        pages = self._pages(selection, place, [])
        found = (self._kept(selection, place, None, page).values() for page in pages)
        return sum(kept is Kept.PROTECTED for page in found for kept in page)

    def _kept(
        self, selection: Selection, place: Place, on_hold: OnHold | None, documents: list[Any]
    ) -> dict[str, Kept]:
        """Names of the roots among ``documents`` whose tree must stay, with the reason."""
        protected = (location["group"] for location in selection.protected if "group" in location)
        keep = Keep(on_hold, frozenset(protected))
        if not place.cascade or not keep:
            return {}
        names = [document.name for document in documents]
        reasons = self._pool.map(lambda name: kept_below(self._gateway, name, keep), names)
        return {name: reason for name, reason in zip(names, reasons, strict=True) if reason is not None}

    def _pages(self, selection: Selection, place: Place, extra: Iterable[FieldPath]) -> Iterator[list[Any]]:
        """Due documents with the fields needed, page by page, each page behind the last document of the one before."""
        subject = [place.subject.field] if place.subject and place.subject.field else []
        query = queries.project(queries.due(place, selection.cutoff), [place.trigger, *subject, *extra])
        queries.in_order(query, place.trigger).limit.value = CARD.batch_size
        while True:
            page = list(self._gateway.query(self._parent(place), query, "list due documents", place.index))
            if page:
                yield page
            if len(page) < CARD.batch_size:
                return
            queries.after(query, page[-1], place.trigger)

    # --- writing

    def _judge(self, done: int, unsure: list[str]) -> Swept:
        """Tell documents that are gone from those that changed."""
        present = (
            self._gateway.get(unsure, [queries.NAME], "look at documents that were not as listed") if unsure else {}
        )
        return Swept(gone=done, absent=len(unsure) - len(present), changed=len(present))

    def _anonymise(self, documents: list[Any], anonymisation: Anonymisation) -> Swept:
        tried = "anonymise documents"
        writes = (anonymise.update(document, anonymisation) for document in documents)
        acknowledged, unsure = write(self._gateway, self._pool, writes, tried)
        removed = gone(anonymisation)
        rewritten = 0
        for name, document in self._gateway.get(acknowledged, map(render, removed), tried).items():
            if carries(document, removed):
                if document.update_time == acknowledged[name]:
                    raise Inconsistent(
                        CARD.key, tried, "A removed field is still there; keep the logs and ask the vendor."
                    )
                rewritten += 1
        swept = self._judge(len(acknowledged) - rewritten, unsure)
        return Swept(gone=swept.gone, absent=swept.absent, changed=swept.changed + rewritten)

    def _residual(self, place: Place, anonymisation: Anonymisation) -> int:
        """Documents that bear the generalised trigger, so were anonymised, and still carry a declared field."""
        marker = next((target for source, target in targets(anonymisation) if source == place.trigger), None)
        if marker is None:
            return 0
        removed = gone(anonymisation)
        found = 0
        for position, path in enumerate(removed):
            query = queries.project(queries.in_order(queries.everything(place), marker, path), removed)
            index = f"an index of '{place.group}' with {render(marker)}, {render(path)} ascending"
            documents = self._gateway.query(self._parent(place), query, "look for residual fields", index)
            found += sum(not carries(document, removed[:position]) for document in documents)
        return found


def _trigger_time(document: Any, place: Place) -> datetime:
    value: Any = lookup(document, place.trigger)
    return moment(value.timestamp_value)
