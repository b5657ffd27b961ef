"""Which leads a list has: a search over all fields, conditions on a field, and both joined by ``and`` and ``or``.

Comparisons ignore case, and ``contains`` finds parts of words: the asker has to compare exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class BadFilter(Exception):
    """The filter is not understood."""


def passes(lead: Mapping[str, Any], condition: Any) -> bool:
    """Whether a lead, as it is shown, meets a filter.

    Raises:
        BadFilter: it is none.
    """
    if condition == {}:
        return True
    if not isinstance(condition, dict) or len(condition) != 1:
        raise BadFilter
    ((word, inner),) = condition.items()
    if word == "__global_search__" and isinstance(inner, str):
        return any(inner.lower() in text.lower() for text in _texts(lead))
    if word in ("and", "or") and isinstance(inner, list):
        met = [passes(lead, one) for one in inner]
        return all(met) if word == "and" else any(met)
    if word == "filter" and isinstance(inner, dict):
        return all(_meets(lead.get(name), rule) for name, rule in inner.items())
    raise BadFilter


def _meets(value: Any, rule: Any) -> bool:
    if not isinstance(rule, dict) or rule.get("operator") not in ("equals", "contains"):
        raise BadFilter
    wanted = str(rule.get("valueToCompare", "")).lower()
    texts = [text.lower() for text in _texts(value)]
    return wanted in texts if rule["operator"] == "equals" else any(wanted in text for text in texts)


def _texts(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [text for inner in value.values() for text in _texts(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in _texts(inner)]
    return [] if value is None else [str(value)]
