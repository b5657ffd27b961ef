"""The part of the lint that judges requests of persons: who is found by what, what stays and why, in which order."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from include.policy.document import Trail
from include.policy.persons import Disposal, Person, Requests
from include.policy.rules import Holding
from include.policy.structure import Draft, did_you_mean

_STATED = {Disposal.UNLINK, Disposal.KEEP, Disposal.ROUTE}


def errors(parts: Draft) -> Iterator[tuple[Trail, str]]:
    """Everything that makes the section 'requests' or the 'persons' of a holding unusable."""
    for path, holding in parts.holdings.items():
        for index, person in enumerate(holding.persons):
            yield from _person((*path, "persons", index), person, holding)
        yield from _overlaps(path, holding)
    if parts.requests is None:
        return
    yield from _stages(parts, parts.requests)
    yield from _identity(parts, parts.requests)
    yield from _answer(parts, parts.requests)
    for system in parts.requests.keep_suppressions:
        if system not in parts.requests.systems:
            yield ("requests", "keep_suppressions", system), f"'{system}' is in no stage, so nothing survives there"


def _person(path: Trail, person: Person, holding: Holding) -> Iterator[tuple[Trail, str]]:
    effects = {person.erasure, person.account_deletion}
    if effects & _STATED and person.ground is None:
        yield path, "say on which 'ground' records stay: 'unlink', 'keep' and 'route' leave them"
    if (Disposal.UNLINK in effects) != bool(person.unlink):
        yield path, "'unlink' as an effect and a list 'unlink' of fields go together"
    form, _, field = person.match.partition(":")
    if Disposal.UNLINK in effects and form == "field" and field not in person.unlink:
        yield (*path, "unlink"), f"'{field}' names the person; it must be among the fields that 'unlink' lists"
    for name, values in person.where.items():
        known = holding.fields.get(name)
        if known is None:
            hint = did_you_mean(name, list(holding.fields))
            yield (*path, "where", name), f"there is no field '{name}' in '{holding.id}'{hint}"
            continue
        for index, value in enumerate(values):
            if known and value not in known:
                message = f"there is no value '{value}' of '{name}'{did_you_mean(value, list(known))}"
                yield (*path, "where", name, index), message


def _overlaps(path: Trail, holding: Holding) -> Iterator[tuple[Trail, str]]:
    for (_, one), (index, two) in combinations(enumerate(holding.persons), 2):
        if (one.identifier, one.match) != (two.identifier, two.match):
            continue
        if all(set(one.where[name]) & set(two.where[name]) for name in one.where.keys() & two.where.keys()):
            message = "this entry and one before it can be about the same record; make their 'where' exclude each other"
            yield (*path, "persons", index), message


def _stages(parts: Draft, requests: Requests) -> Iterator[tuple[Trail, str]]:
    seen: set[str] = set()
    for number, stage in enumerate(requests.stages):
        for index, system in enumerate(stage.systems):
            path: Trail = ("requests", "stages", number, "systems", index)
            if system not in parts.names["systems"]:
                yield path, f"there is no system '{system}'{did_you_mean(system, parts.names['systems'])}"
            elif system in seen:
                yield path, f"'{system}' is in two stages"
            seen.add(system)
    for trail, holding in parts.holdings.items():
        if holding.persons and holding.system not in seen:
            yield (*trail, "persons"), f"records of persons in '{holding.system}', which is in no stage of 'requests'"


def _identity(parts: Draft, requests: Requests) -> Iterator[tuple[Trail, str]]:
    last = set(requests.stages[-1].systems)
    holdings = {holding.id: holding.system for holding in parts.holdings.values()}
    for index, source in enumerate(requests.identity):
        path: Trail = ("requests", "identity", index, "holding")
        if source.holding not in parts.names["holdings"]:
            known = did_you_mean(source.holding, parts.names["holdings"])
            yield path, f"there is no holding '{source.holding}'{known}"
        elif source.holding in holdings and holdings[source.holding] not in last:
            message = "what ties identifiers together goes last; put it into the last stage"
            yield path, f"'{holdings[source.holding]}' is not in the last stage: {message}"


def _answer(parts: Draft, requests: Requests) -> Iterator[tuple[Trail, str]]:
    names = [stage.name for stage in requests.stages]
    if requests.answer.before not in names:
        known = did_you_mean(requests.answer.before, names)
        yield ("requests", "answer", "before"), f"there is no stage '{requests.answer.before}'{known}"
        return
    earlier = {s for stage in requests.stages[: names.index(requests.answer.before)] for s in stage.systems}
    for index, sender in enumerate(requests.answer.senders):
        path: Trail = ("requests", "answer", "senders", index)
        if sender not in parts.names["systems"]:
            yield path, f"there is no system '{sender}'{did_you_mean(sender, parts.names['systems'])}"
        elif sender in earlier:
            yield path, f"'{sender}' forgets the address in a stage before the answer is sent"
