"""Everybody whom documents name, streamed: pages in the order of names, with the fields that name somebody alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from include.subjects.identifiers import Identifier
from include.systems.assuring import Access
from include.systems.firestore import queries
from include.systems.firestore.fields import FieldPath
from include.systems.firestore.gateway import Gateway
from include.systems.firestore.persons import Way
from include.systems.firestore.place import Collection
from include.systems.firestore.profiles import SHARED, Profiles
from include.systems.places import goes

_PAGE = 2000
"""Documents of one query: far from the two minutes that it may take."""
_TRIED = "list everybody"


def everybody(gateway: Gateway, ways: Sequence[Way], profiles: Profiles) -> Iterator[Identifier]:
    """Whom the documents name that an erasure removes or changes, and all that profiles tie together.

    Raises:
        Unavailable: a call failed; the list is not complete.
        Refused: the right to read is missing.
    """
    if profiles.collection is not None:
        fields = [field for paths in profiles.places.values() for field in paths if field]
        for document in _documents(gateway, profiles.collection, fields):
            yield from (known for known in profiles.own(document) if known.kind not in SHARED)
    for way in ways:
        if any(goes(reading.place) for reading in way.readings):
            for document in _documents(gateway, way.collection, way.needed()):
                value = way.value(document)
                if value and any(goes(reading.place) for reading in way.speaking_of(document)):
                    yield Identifier(way.kind, value)


def access(gateway: Gateway, ways: Sequence[Way]) -> Access:
    """Count up to one document of each collection, which shows none.

    Raises:
        Refused: the right to read is missing.
        Unavailable: no answer.
    """
    for collection in dict.fromkeys(way.collection for way in ways):
        query = queries.everything(collection)
        query.limit.value = 1
        gateway.count(gateway.name(collection.parent or ""), query, "count a document")
    return Access(shown=False, note="It may read; that it may write shows with the first document that goes.")


def _documents(gateway: Gateway, collection: Collection, fields: Sequence[FieldPath]) -> Iterator[Any]:
    parent, behind = gateway.name(collection.parent or ""), None
    while True:
        query = queries.page(queries.project(queries.everything(collection), fields), _PAGE, behind)
        found = 0
        for document in gateway.query(parent, query, _TRIED):
            found, behind = found + 1, document.name
            yield document
        if found < _PAGE:
            return
