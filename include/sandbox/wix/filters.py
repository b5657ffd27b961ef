"""Wix's query language as far as the collections of the sandbox need it: conditions on fields, sort, pages.

https://dev.wix.com/docs/api-reference/articles/work-with-wix-apis/data-retrieval/about-the-wix-api-query-language
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from include.sandbox.rest import Refusal

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "$eq": lambda value, wanted: value == wanted,
    "$in": lambda value, wanted: value in wanted,
    "$lt": lambda value, wanted: value < wanted,
    "$lte": lambda value, wanted: value <= wanted,
    "$gt": lambda value, wanted: value > wanted,
    "$gte": lambda value, wanted: value >= wanted,
}
_OF_A_TIME = {"$eq", "$lt", "$lte", "$gt", "$gte"}
_OF_A_WORD = {"$eq", "$in"}
CONTACTS = {"id": _OF_A_WORD, "createdDate": _OF_A_TIME, "lastActivity.activityDate": _OF_A_TIME}
CONTACTS |= {"info.emails.email": _OF_A_WORD, "primaryInfo.email": _OF_A_WORD}
"""Fields of contacts, each with its operators."""
MEMBERS = {"id": _OF_A_WORD, "loginEmail": _OF_A_WORD}
"""The same of members."""
SUBMISSIONS = {"id": _OF_A_WORD, "formId": _OF_A_WORD, "contactId": _OF_A_WORD}
SUBMISSIONS |= {"createdDate": _OF_A_TIME, "namespace": {"$eq"}}
"""The same of submissions."""


def matches(shown: Mapping[str, Any], wanted: Any, known: Mapping[str, set[str]]) -> bool:
    """Whether a record as it is shown meets a filter; an empty one is met by all.

    Raises:
        Refusal: a field or an operator is not known.
    """
    if not isinstance(wanted, dict):
        raise refused(400, "filter must be an object")
    return all(_meets(shown, name, condition, known) for name, condition in wanted.items())


def ordered(records: list[Any], sort: Any, known: Mapping[str, set[str]]) -> list[Any]:
    """Records as they are shown, in the order that is asked for.

    Raises:
        Refusal: a field is not known.
    """
    for one in reversed(sort or []):
        name = one.get("fieldName")
        if name not in known:
            raise refused(400, f"cannot sort by {name}")
        records.sort(key=lambda record: (_values(record, name) or [""])[0], reverse=one.get("order") == "DESC")
    return records


def refused(status: int, message: str, code: str = "INVALID_ARGUMENT") -> Refusal:
    """An error of the vendor."""
    return Refusal(
        status, {"message": message, "details": {"applicationError": {"code": code, "description": message}}}
    )


def _meets(shown: Mapping[str, Any], name: str, condition: Any, known: Mapping[str, set[str]]) -> bool:
    tests = condition if isinstance(condition, dict) else {"$eq": condition}
    if name not in known or not tests or tests.keys() - known[name]:
        raise refused(400, f"cannot filter by {name}")
    values = _values(shown, name)
    return all(any(_COMPARE[operator](value, wanted) for value in values) for operator, wanted in tests.items())


def _values(shown: Mapping[str, Any], name: str) -> list[Any]:
    if name == "info.emails.email":
        return [item["email"] for item in shown["info"]["emails"]["items"]]
    value: Any = shown
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return [] if value is None else [value]
