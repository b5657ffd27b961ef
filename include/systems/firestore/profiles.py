"""Documents that tie a person's identifiers to each other: found by any one of them, read for all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from include.errors import Refused
from include.policy.persons import IdentifierKind
from include.subjects.identifiers import Identifier
from include.systems.erasing import Means
from include.systems.firestore import CARD, queries
from include.systems.firestore.fields import FieldPath, render
from include.systems.firestore.gateway import Gateway
from include.systems.firestore.messages import lookup
from include.systems.firestore.persons import is_document_id, position
from include.systems.firestore.place import Collection
from include.systems.places import forms, pieces, usable

SHARED = frozenset({IdentifierKind.WORKSPACE})
"""Kinds that many persons have in common: they are read, but nobody is found by them."""
_NAMES = 300
_TRIED = "look for the profiles of persons"


@dataclass(frozen=True, slots=True)
class Profiles:
    """The profiles of one collection.

    Args:
        gateway: the store.
        pool: runs several queries at a time.
        collection: where they are; None where this system ties nothing together.
        places: kinds of identifiers, each with its fields; an empty one is the document's own id.
    """

    gateway: Gateway
    pool: Executor
    collection: Collection | None
    places: Mapping[IdentifierKind, tuple[FieldPath, ...]]

    @classmethod
    def of(cls, means: Means, gateway: Gateway, pool: Executor) -> Profiles:
        """Those that ``means.identity`` describes; they are where the place is that knows a user id as its ``id``.

        Raises:
            Refused: there is no such place or more than one, or a form that cannot be asked for.
        """
        tried = "read where identities are tied together"
        if not means.identity:
            return cls(gateway, pool, None, {})
        own = (p for p in means.places if p.person.identifier is IdentifierKind.USER_ID and p.person.match == "id")
        collections = {Collection.at(place.location, tried) for place in own}
        if len(collections) != 1:
            raise Refused(CARD.key, tried, "Give exactly one holding whose documents have the user id as their 'id'.")
        try:
            places = {kind: tuple(map(position, matches)) for kind, matches in means.identity.items()}
        except ValueError:
            raise Refused(CARD.key, tried, "Write its places as 'id' or 'field:<name>'.") from None
        return cls(gateway, pool, collections.pop(), places)

    def with_any(self, identifiers: Sequence[Identifier]) -> list[tuple[Identifier, ...]]:
        """Every profile that has at least one of the identifiers, whether a field holds it alone or in a list.

        A workspace finds nobody: everyone in it has it. Addresses are looked for as given and in small letters.
        """
        if self.collection is None:
            return []
        wanted: dict[IdentifierKind, dict[str, None]] = {}
        for known in identifiers:
            if known.kind in self.places and known.kind not in SHARED:
                values = wanted.setdefault(known.kind, {})
                values.update((form, None) for form in forms(known.kind, known.value) if usable(form))
        found = {document.name: document for document in self._documents(wanted)}
        profiles = (self.own(found[name]) for name in sorted(found))
        return [held for held in profiles if any(known.value in wanted.get(known.kind, ()) for known in held)]

    def _documents(self, wanted: Mapping[IdentifierKind, Mapping[str, None]]) -> Iterator[Any]:
        asked: list[tuple[FieldPath, bool, list[str]]] = []
        for kind, values in wanted.items():
            for path in self.places[kind]:
                if path:
                    asked += [
                        (path, in_list, p) for p in pieces(values, queries.MAX_VALUES) for in_list in (False, True)
                    ]
                else:
                    asked += [((), False, piece) for piece in pieces(filter(is_document_id, values), _NAMES)]
        for documents in self.pool.map(lambda one: self._ask(*one), asked):
            yield from documents

    def _ask(self, path: FieldPath, listed: bool, values: list[str]) -> list[Any]:
        assert self.collection is not None  # noqa: S101 - ``with_any`` asks for nothing where there is none
        fields = [field for paths in self.places.values() for field in paths if field]
        if not path:
            names = [self.gateway.name(self.collection.path(value)) for value in values]
            return list(self.gateway.get(names, [*map(render, fields), queries.NAME], _TRIED).values())
        query = queries.project(queries.naming(self.collection, path, values, listed=listed), fields)
        parent = self.gateway.name(self.collection.parent or "")
        return list(self.gateway.query(parent, query, _TRIED, self.collection.index_of(path)))

    def own(self, document: Any) -> tuple[Identifier, ...]:
        """All that a profile holds, the user id first, each once."""
        kinds = sorted(self.places, key=lambda kind: kind is not IdentifierKind.USER_ID)
        held = (
            Identifier(kind, value) for kind in kinds for path in self.places[kind] for value in _texts(document, path)
        )
        return tuple(dict.fromkeys(held))


def _texts(document: Any, path: FieldPath) -> Iterable[str]:
    if not path:
        return [document.name.rsplit("/", 1)[-1]]
    value: Any = lookup(document, path)
    items = value.array_value.values if value is not None and value.HasField("array_value") else [value]
    return [item.string_value for item in items if item is not None and item.string_value]
