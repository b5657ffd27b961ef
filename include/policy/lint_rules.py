"""The part of the lint that judges rules: what they select, when, and what they leave."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import combinations, product
from typing import Protocol, TypeAlias

from include.policy.actions import Action
from include.policy.document import Trail
from include.policy.period import Period
from include.policy.rules import AnonymiseList, Holding, Rule, Schedule
from include.policy.structure import Draft, did_you_mean

Report: TypeAlias = Iterator[tuple[Trail, str]]
_OF_A_TIME = {"month", "year"}
_FIXED_DAY = datetime(2001, 1, 1, tzinfo=UTC)


class Capabilities(Protocol):
    """What the lint needs to know of a module; its card has it."""

    @property
    def actions(self) -> frozenset[Action]:
        """What it can do with a due record."""

    @property
    def location_keys(self) -> Mapping[str, str]:
        """Accepted keys of a location, each with its meaning, which starts with "required" where a key is."""

    @property
    def subject_forms(self) -> Mapping[str, str]:
        """Accepted forms of a subject, each with its meaning."""

    @property
    def trigger_fields(self) -> frozenset[str]:
        """Fields that can date an event; empty when any field of a record can."""


def errors(parts: Draft, cards: Mapping[str, Capabilities] | None, today: date | None) -> Report:
    """Everything that makes a rule, a promise or a holding unusable."""
    holdings = {entry.id: entry for entry in parts.holdings.values()}
    yield from _holdings(parts, cards)
    for path, promise in parts.promises.items():
        if promise.system not in parts.names["systems"]:
            yield (*path, "system"), _unknown("system", promise.system, parts.names["systems"])
        yield from _schedule(path, promise, today)
    for path, rule in parts.rules.items():
        yield from _schedule(path, rule, today)
        yield from _anonymise_list(path, rule)
        yield from _alongside(path, rule, parts)
        if rule.holding not in parts.names["holdings"]:
            yield (*path, "holding"), _unknown("holding", rule.holding, parts.names["holdings"])
        elif rule.holding in holdings:
            yield from _selection(path, rule, holdings[rule.holding], parts)
            yield from _ability(path, rule, holdings[rule.holding], cards)
    yield from _overlaps(parts, holdings)


def warnings(parts: Draft) -> Report:
    """Periods that nobody has confirmed, and holdings that no rule touches."""
    schedules: dict[Trail, Schedule] = {**parts.rules, **parts.promises}
    for path, entry in schedules.items():
        if entry.confirmed is None:
            message = f"{entry.id}: {entry.period} is a default, not in the policy, until somebody confirms it"
            yield (*path, "period"), message
    used = {rule.holding for rule in parts.rules.values()}
    for path, holding in parts.holdings.items():
        if holding.id not in used and "rules" not in parts.broken:
            yield path, f"no rule covers the holding '{holding.id}'"


def _holdings(parts: Draft, cards: Mapping[str, Capabilities] | None) -> Report:
    for path, holding in parts.holdings.items():
        if holding.system not in parts.names["systems"]:
            yield (*path, "system"), _unknown("system", holding.system, parts.names["systems"])
        elif not holding.id.startswith(f"{holding.system}."):
            yield path, f"a holding of '{holding.system}' is named '{holding.system}.<name>'"
        elif cards is not None and holding.system not in cards:
            yield (*path, "system"), f"no module of this installation handles '{holding.system}'; make it a promise"
        elif cards is not None:
            yield from _words_of_the_module(path, holding, cards[holding.system])


def _words_of_the_module(path: Trail, holding: Holding, card: Capabilities) -> Report:
    for key in holding.location:
        if key not in card.location_keys:
            yield (*path, "location", key), _unknown("location key", key, frozenset(card.location_keys))
    for key, meaning in card.location_keys.items():
        if meaning.startswith("required") and key not in holding.location:
            yield (*path, "location"), f"the location key '{key}' is missing: {meaning}"
    if holding.subject is not None and _form(holding.subject) not in {_form(form) for form in card.subject_forms}:
        yield (*path, "subject"), _unknown("form of a subject", holding.subject, frozenset(card.subject_forms))
    for name, field in holding.triggers.items():
        if card.trigger_fields and field not in card.trigger_fields:
            yield (*path, "triggers", name), _unknown(f"date in {holding.system}", field, card.trigger_fields)


def _schedule(path: Trail, entry: Schedule, today: date | None) -> Report:
    if entry.range:
        shortest, longest = entry.range.shortest, entry.range.longest
        if _length(shortest) > _length(longest):
            yield (*path, "range"), f"the shortest period, {shortest}, is longer than the longest, {longest}"
        elif not _length(shortest) <= _length(entry.period) <= _length(longest):
            message = f"{entry.period} is outside of what the source supports, {shortest} to {longest}"
            yield (*path, "period"), message
    if entry.confirmed and today and entry.confirmed.on > today:
        yield (*path, "confirmed", "on"), f"the confirmation is dated {entry.confirmed.on}, which has not come yet"


def _length(period: Period) -> timedelta:
    """Length by the calendar from a fixed day, so that 12 months are a year."""
    return _FIXED_DAY - period.cutoff(_FIXED_DAY)


def _selection(path: Trail, rule: Rule, holding: Holding, parts: Draft) -> Report:
    if rule.trigger not in holding.triggers:
        yield (*path, "trigger"), _unknown(f"trigger in '{holding.id}'", rule.trigger, frozenset(holding.triggers))
    known = frozenset({*holding.fields, *holding.triggers.values()})
    for field, value in rule.where.items():
        if field not in holding.fields:
            yield (*path, "where", field), _unknown(f"field in '{holding.id}'", field, frozenset(holding.fields))
        elif holding.fields[field] and value not in holding.fields[field]:
            values = frozenset(holding.fields[field])
            yield (*path, "where", field), _unknown(f"value of '{field}'", value, values)
    if rule.anonymise:
        for steps, field in _named(rule.anonymise):
            if field not in known:
                yield (*path, "anonymise", *steps), _unknown(f"field in '{holding.id}'", field, known)
        yield from _anonymised(path, rule.anonymise, rule, holding)
    for guarded in parts.protected.values():
        if guarded.system == holding.system and guarded.location.items() <= holding.location.items():
            yield (*path, "holding"), f"'{holding.id}' is protected: {guarded.reason}"


def _anonymise_list(path: Trail, rule: Rule) -> Report:
    if rule.action is Action.ANONYMISE and rule.anonymise is None:
        yield (*path, "action"), "the action 'anonymise' needs a list: 'anonymise' with 'remove' and 'generalise'"
    if rule.action is Action.DELETE and rule.anonymise is not None:
        yield (*path, "anonymise"), "a list of fields without the action 'anonymise'; say 'action: anonymise'"
    seen: set[str] = set()
    for steps, field in _named(rule.anonymise) if rule.anonymise else ():
        if field in seen:
            yield (*path, "anonymise", *steps), f"the field '{field}' is in the list twice"
        seen.add(field)
    for index, step in enumerate(rule.anonymise.generalise if rule.anonymise else ()):
        if (step.how in _OF_A_TIME) == bool(step.size):
            need = "takes no 'size'" if step.how in _OF_A_TIME else "needs a 'size' of at least 1"
            yield (*path, "anonymise", "generalise", index, "size"), f"'{step.how}' {need}"


def _anonymised(path: Trail, what: AnonymiseList, rule: Rule, holding: Holding) -> Report:
    trigger = holding.triggers.get(rule.trigger)
    steps = {step.field: (index, step) for index, step in enumerate(what.generalise)}
    if trigger and trigger not in what.remove and trigger not in steps:
        message = f"'{trigger}' dates the record and stays, so the record is due again every night; generalise it"
        yield (*path, "anonymise"), f"{message} to a month or a year, or remove it"
    if trigger in steps and steps[trigger][1].how not in _OF_A_TIME:
        message = f"'{trigger}' is a time; it can be generalised to 'month' or 'year'"
        yield (*path, "anonymise", "generalise", steps[trigger][0], "how"), message
    form, _, field = (holding.subject or "").partition(":")
    if form == "field" and field not in what.remove:
        yield (
            (*path, "anonymise", "remove"),
            f"'{field}' names the person; it must be among the fields that 'remove' lists",
        )
    if form and form != "field":
        message = f"the subject of '{holding.id}' is its '{form}', which no list can remove; use the action 'delete'"
        yield (*path, "action"), message


def _ability(path: Trail, rule: Rule, holding: Holding, cards: Mapping[str, Capabilities] | None) -> Report:
    card = (cards or {}).get(holding.system)
    if card is not None and rule.action not in card.actions:
        can = frozenset(str(action) for action in card.actions)
        yield (*path, "action"), _unknown(f"action of {holding.system}", str(rule.action), can)


def _alongside(path: Trail, rule: Rule, parts: Draft) -> Report:
    for index, other in enumerate(rule.alongside):
        if other == rule.id or other not in parts.names["rules"]:
            yield (*path, "alongside", index), _unknown("other rule", other, parts.names["rules"] - {rule.id})


def _overlaps(parts: Draft, holdings: Mapping[str, Holding]) -> Report:
    for one, (path, two) in _neighbours(parts, holdings):
        if one.id == two.id or not _agree(one.where, two.where):
            continue
        allowed = two.id in one.alongside or one.id in two.alongside
        both_delete = one.action is two.action is Action.DELETE
        if not (allowed and both_delete and one.trigger != two.trigger):
            message = f"'{two.id}' and '{one.id}' can select the same records; make their 'where' exclude each other"
            other = ", or name one 'alongside' the other if both delete and start from different triggers"
            yield (*path, "holding"), message + other


def _neighbours(parts: Draft, holdings: Mapping[str, Holding]) -> Iterator[tuple[Rule, tuple[Trail, Rule]]]:
    """Pairs of rules, the first of the file first, whose places can hold the same record.

    Two places with the same keys can only if they are equal; so a thousand rules are not compared each with each.
    """
    kinds: dict[tuple[str, frozenset[str]], dict[frozenset[tuple[str, str]], list[int]]] = {}
    rules = list(parts.rules.items())
    for number, (_, rule) in enumerate(rules):
        if holding := holdings.get(rule.holding):
            kind = kinds.setdefault((holding.system, frozenset(holding.location)), {})
            kind.setdefault(frozenset(holding.location.items()), []).append(number)
    pairs = [pair for kind in kinds.values() for numbers in kind.values() for pair in combinations(numbers, 2)]
    for ((system, _), one), ((other, _), two) in combinations(kinds.items(), 2):
        if system == other:
            near = (pair for pair in product(one, two) if _agree(dict(pair[0]), dict(pair[1])))
            pairs += [pair for here, there in near for pair in product(one[here], two[there])]
    for first, second in sorted((min(pair), max(pair)) for pair in pairs):
        yield rules[first][1], rules[second]


def _agree(one: Mapping[str, str], two: Mapping[str, str]) -> bool:
    """Whether the two have the same values wherever they have the same keys."""
    return all(one[key] == two[key] for key in one.keys() & two.keys())


def _named(what: AnonymiseList) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for index, field in enumerate(what.remove):
        yield ("remove", index), field
    for index, step in enumerate(what.generalise):
        yield ("generalise", index, "field"), step.field


def _form(subject: str) -> str:
    return subject.partition(":")[0]


def _unknown(kind: str, word: str, known: frozenset[str]) -> str:
    return f"there is no {kind} '{word}'{did_you_mean(word, known)}"
