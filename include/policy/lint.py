"""Lint: what a type can't see. Every mistake of a document at once, each at its line.

The capabilities of the modules are handed in, because the rooms above this one know them and this one must not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from datetime import date
from typing import TypeAlias

from include.policy import lint_requests, lint_rules
from include.policy.document import Document, Trail
from include.policy.errors import Finding, Severity
from include.policy.register import Claim, ClaimKind, Erasure
from include.policy.structure import Draft, did_you_mean, draft

Report: TypeAlias = Iterator[tuple[Trail, str]]


def lint(
    document: Document, cards: Mapping[str, lint_rules.Capabilities] | None = None, today: date | None = None
) -> list[Finding]:
    """All mistakes and warnings of a document, in the order of the file.

    Args:
        document: as read by :mod:`include.policy.document`.
        cards: what each module can do, by key of the system; without them nothing is said about it.
        today: the day against which confirmations are judged; without it they are not.
    """
    parts = draft(document)
    errors = [*_register(parts), *lint_rules.errors(parts, cards, today), *lint_requests.errors(parts)]
    warnings = [*_warnings(parts), *lint_rules.warnings(parts)]
    found = {*document.findings, *parts.findings}
    for severity, findings in ((Severity.ERROR, errors), (Severity.WARNING, warnings)):
        for path, message in findings:
            if any(path[:length] in parts.stand_ins for length in range(len(path) + 1)):
                continue
            place = document.place(path)
            found.add(Finding(place.line, place.column, severity, message))
    return sorted(found)


def _register(parts: Draft) -> Report:
    yield from _duplicates(parts)
    yield from _references(parts)
    yield from _recipients(parts)
    yield from _claims(parts)
    for path, entry in parts.protected.items():
        if entry.system not in parts.names["systems"]:
            yield (*path, "system"), _unknown("system", entry.system, parts.names["systems"])


def _duplicates(parts: Draft) -> Report:
    groups: tuple[Mapping[Trail, object], ...] = (
        {**parts.sections, **parts.activities},
        {**parts.rules, **parts.promises},
    )
    for entries in groups:
        first: dict[str, Trail] = {}
        for path, entry in entries.items():
            name = str(getattr(entry, "id", ""))
            if name in first:
                yield (*path, "id"), f"the id '{name}' is used twice; the other is in '{first[name][0]}'"
            first.setdefault(name, path)
    claims = Counter(claim.id for system in parts.systems.values() for claim in system.claims)
    for path, claim in _all_claims(parts):
        if claims[claim.id] > 1:
            yield (*path, "id"), f"the id '{claim.id}' is used by {claims[claim.id]} claims"


def _references(parts: Draft) -> Report:
    known = parts.names["sections"] | parts.names["activities"]
    for path, activity in parts.activities.items():
        if activity.section not in parts.names["sections"]:
            yield (*path, "section"), _unknown("section", activity.section, parts.names["sections"])
    cited: list[tuple[Trail, tuple[str, ...]]] = [
        *(((*path, "policy"), entry.policy) for path, entry in parts.systems.items()),
        *(((*path, "policy"), entry.policy) for path, entry in parts.rules.items()),
        *(((*path, "policy"), entry.policy) for path, entry in parts.promises.items()),
        *(((*path, "policy"), claim.policy) for path, claim in _all_claims(parts)),
    ]
    for path, references in cited:
        for index, reference in enumerate(references):
            if reference not in known:
                yield (*path, index), _unknown("section or row", reference, known)


def _recipients(parts: Draft) -> Report:
    systems = parts.names["systems"]
    sound = {system.key: system for system in parts.systems.values()}
    mentioned = {holding.system for holding in parts.holdings.values()}
    mentioned |= {promise.system for promise in parts.promises.values()}
    for path, activity in parts.activities.items():
        for index, recipient in enumerate(activity.recipients):
            mentioned.add(recipient.system)
            if recipient.system not in systems:
                message = _unknown("system", recipient.system, systems)
                yield (*path, "recipients", index, "system"), f"{message} (a recipient needs a disposition there)"
            elif recipient.system in sound and activity.id not in sound[recipient.system].policy:
                message = f"row {activity.id} names '{recipient.system}', whose 'policy' does not cite {activity.id}"
                yield (*path, "recipients", index, "system"), message
    for path, system in parts.systems.items():
        if system.key not in mentioned and not parts.broken & {"activities", "holdings", "promises"}:
            yield path, f"no activity, holding or promise mentions the system '{system.key}'; add it there or remove it"


def _claims(parts: Draft) -> Report:
    needed = {Erasure.DERIVED: ClaimKind.DERIVED_FROM, Erasure.NO_IDENTIFIER: ClaimKind.NO_IDENTIFIERS}
    for path, system in parts.systems.items():
        kind = needed.get(system.erasure)
        if kind and kind not in {claim.kind for claim in system.claims}:
            message = f"erasure '{system.erasure}' rests on a claim of the kind '{kind}'; '{system.key}' makes none"
            yield (*path, "erasure"), message
        if system.erasure is Erasure.NO_IDENTIFIER and system.identifiers:
            yield (*path, "identifiers"), "erasure 'no_identifier' and a list of identifiers contradict each other"
    for path, claim in _all_claims(parts):
        if claim.kind is ClaimKind.DERIVED_FROM and claim.source is None:
            yield path, f"the claim '{claim.id}' must name its 'source', the system it is derived from"
        if claim.source is not None and claim.source not in parts.names["systems"]:
            yield (*path, "source"), _unknown("system", claim.source, parts.names["systems"])
        if claim.kind is ClaimKind.ONLY_IDENTIFIERS and not claim.identifiers:
            yield path, f"the claim '{claim.id}' must list the 'identifiers' that may be sent"


def _warnings(parts: Draft) -> Report:
    cited = _cited(parts)
    for path, section in parts.sections.items():
        if section.gap:
            yield path, f"section {section.id} of the published text has a gap: {section.gap}"
        elif not section.note and section.id not in cited and not parts.broken:
            yield path, f"nothing in this file says how section {section.id} is kept; cite it or add a 'note'"


def _cited(parts: Draft) -> Collection[str]:
    cited = {activity.section for activity in parts.activities.values()}
    cited |= {reference for system in parts.systems.values() for reference in system.policy}
    cited |= {reference for rule in parts.rules.values() for reference in rule.policy}
    cited |= {reference for promise in parts.promises.values() for reference in promise.policy}
    return cited


def _all_claims(parts: Draft) -> Iterator[tuple[Trail, Claim]]:
    for path, system in parts.systems.items():
        for index, claim in enumerate(system.claims):
            yield (*path, "claims", index), claim


def _unknown(kind: str, word: str, known: frozenset[str]) -> str:
    return f"there is no {kind} '{word}'{did_you_mean(word, known)}"
