"""The list of all systems for people, made of the policy file and of what the modules say about themselves.

python -m include.systems.catalogue > docs/systems.md
"""

from __future__ import annotations

import ast
import inspect
import pkgutil
import re
from collections.abc import Iterator
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from types import ModuleType

from include.policy.loader import load
from include.policy.model import Policy
from include.policy.register import Erasure, System
from include.policy.rules import Enforcement
from include.systems import registry
from include.systems.erasing import ErasingCard

ROOT = Path(__file__).resolve().parents[2]
POLICY = ROOT / "include" / "policy" / "clique.yaml"
CONNECTIONS = ROOT / "docs" / "connections.md"

_HEAD = """\
# Systems

<!-- Made by: python -m include.systems.catalogue > docs/systems.md -->

Every system that the policy names: what is sent there, what can be proved, how long a deletion takes to be true, what a
person must do, which rights the connection needs and how it is made. It is made of the policy file and of what the
modules say about themselves; a test keeps it current.
"""

_ERASURE = {
    Erasure.DELETE: "deleted on request",
    Erasure.EXPIRE: "can't be deleted; ends by itself",
    Erasure.DERIVED: "follows its source",
    Erasure.NO_IDENTIFIER: "nothing to delete; looked at all the same",
    Erasure.MANUAL: "by hand",
}
_QUESTIONS = {
    "access": "whether the key works and suffices",
    "check": "whether the policy's claims hold",
    "retention": "the vendor's own retention settings",
    "people": "whether erased people are there again",
}
"""What a module can be asked every day (``include.systems.assuring``), by the function that answers."""


def catalogue(policy: Policy, connections: str) -> str:
    """The document.

    Args:
        policy: names the systems, in its order.
        connections: the text of ``docs/connections.md``, whose sections are linked to.
    """
    anchors = _anchors(connections)
    parts = [_HEAD, *_overview(policy)]
    for key, system in policy.systems.items():
        card = registry.erasing_card(key) if key in registry.ERASING else None
        parts += [
            "",
            f"## {system.name}",
            "",
            *(f"- {line}" for line in _lines(policy, system, card, anchors.get(key))),
        ]
    return "\n".join(parts) + "\n"


def _overview(policy: Policy) -> Iterator[str]:
    yield "| System | Sent there | A person's data | Proof | True | By hand |"
    yield "|---|---|---|---|---|---|"
    for key, system in policy.systems.items():
        card = registry.erasing_card(key) if key in registry.ERASING else None
        cells = (
            f"[{system.name}](#{_slug(system.name)})",
            ", ".join(system.identifiers) or "nothing that identifies",
            _ERASURE[system.erasure],
            card.proof.value if card else "no module",
            _length(card.horizon) if card else "unknown",
            "yes" if card and card.instructions else "no" if card else "all of it",
        )
        yield "| " + " | ".join(map(_cell, cells)) + " |"


def _lines(policy: Policy, system: System, card: ErasingCard | None, anchor: str | None) -> Iterator[str]:
    yield (
        f"**Key** `{system.key}`, operated by {system.operator} ({system.role.value.replace('_', ' ')}); "
        f"policy: {', '.join(system.policy)}."
    )
    yield f"**Sent there:** {', '.join(system.identifiers) or 'nothing that identifies a person'}."
    for claim in system.claims:
        yield f"**Claim** `{claim.id}`: {claim.says}"
    yield f"**A person's data:** {_ERASURE[system.erasure]}." + (f" {system.note}" if system.note else "")
    if card is None:
        yield "**Module:** none: each request names it as not looked into."
    else:
        yield from _of_card(card)
    yield from _periods(policy, system)
    where = f"[docs/connections.md](connections.md#{anchor})" if anchor else "not described yet"
    yield f"**Connection:** id `{system.key}`, how to make it: {where}."


def _of_card(card: ErasingCard) -> Iterator[str]:
    kinds = ", ".join(sorted(kind.value.replace("_", " ") for kind in card.identifiers)) or "nothing"
    yield f"**Known by:** {kinds}; at most {card.batch_size:,} people in a call."
    yield f"**Proof:** {card.proof.value}."
    yield f"**True:** {_length(card.horizon)}. {card.horizon_note}"
    if card.instructions:
        yield f"**By hand:** {card.instructions}"
    if card.contact is not None:
        address = card.contact.address
        link = f"<{address}>" if "://" in address else f"`{address}`"
        yield f"**The vendor takes requests at** {link} ([source]({card.contact.source})); the page has the message."
    yield f"**Rights of the key:** {', '.join(f'`{scope}`' for scope in card.scopes) or 'see its connection'}."
    if card.sunset is not None:
        yield f"**The vendor ends this API on** {card.sunset:%Y-%m-%d}."
    asked = _questions(card.key)
    yield f"**Looked at every day:** {'; '.join(asked) if asked else 'nothing that could be asked'}."
    yield f"**Connector** `{card.key}/{card.version}`, built to " + ", ".join(
        f"[{number}]({url})" for number, url in enumerate(card.documentation, 1)
    )


def _questions(key: str) -> list[str]:
    """What the classes behind a module answer."""
    made = list(_classes(import_module(registry.ERASING[key])))
    return [text for name, text in _QUESTIONS.items() if any(hasattr(one, name) for one in made)]


def _classes(module: ModuleType) -> Iterator[type]:
    """The classes that stand for a system: in a module, in its package, or in what it imports, if only when it is used.

    Clients are heavy, so that a module imports its own class inside a function.
    """
    below = [one.name for one in pkgutil.iter_modules(getattr(module, "__path__", ()), f"{module.__name__}.")]
    nodes = ast.walk(ast.parse(inspect.getsource(module)))
    named = [one.module for one in nodes if isinstance(one, ast.ImportFrom) and one.module]
    for name in dict.fromkeys((module.__name__, *below, *(one for one in named if one.startswith("include.systems.")))):
        for made in vars(import_module(name)).values():
            answers = all(callable(getattr(made, function, None)) for function in ("find", "erase", "verify"))
            if isinstance(made, type) and answers and not getattr(made, "_is_protocol", False):
                yield made


def _periods(policy: Policy, system: System) -> Iterator[str]:
    for rule in policy.rules_of(system.key):
        yield f"**Period** {rule.id}: {rule.name}, {rule.period}, enforced every night."
    for promise in policy.promises:
        if promise.system == system.key:
            by = "kept by the vendor" if promise.enforced is Enforcement.VENDOR else "not enforced by this release"
            yield f"**Period** {promise.id}: {promise.name}, {promise.period}, {by}. {promise.how}"


def _anchors(connections: str) -> dict[str, str]:
    """Anchor of the section that shows a connection of a system, by key."""
    found: dict[str, str] = {}
    for section in re.split(r"^## ", connections, flags=re.MULTILINE)[1:]:
        title = section.partition("\n")[0]
        for key in re.findall(r'"conn_type": "([a-z0-9_]+)"', section):
            found.setdefault(key, _slug(title))
    return found


def _slug(title: str) -> str:
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-")


def _length(horizon: timedelta) -> str:
    if not horizon:
        return "at once"
    hours = horizon / timedelta(hours=1)
    if hours == 24:
        return "within a day"
    return f"within {horizon.days} days" if hours % 24 == 0 or hours > 72 else f"within {hours:.0f} hours"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    print(catalogue(load(POLICY), CONNECTIONS.read_text(encoding="utf-8")), end="")  # noqa: T201 - it is a command
