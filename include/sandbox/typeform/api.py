"""Typeform's API as far as answers need it, with its traps.

There is no description by the vendor; the contract is by hand:
https://www.typeform.com/developers/responses/reference/retrieve-responses/ and the pages on the deletion of responses
and on forms. Answers come newest first; a page continues ``before`` an answer, which must exist, and takes no ``sort``
with it. Only completed answers are shown unless ``response_type`` names others. A deletion without ids is refused,
unknown ids are ignored, and it is carried out a little later.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from include.sandbox.rest import Ask, Refusal, Reply, Routes, Window, whole
from include.sandbox.typeform.model import Answer

FORMS = {"aB3dEmo1": "Ask for a demonstration", "cD4feedb": "How do you like it?", "eF5event": "Come to our event"}
"""Titles by id."""
MAX_PAGE = 1000
MAX_FORMS = 200
MAX_DELETED = 1000
_TYPES = {"started", "partial", "completed"}
_KNOWN = {
    *("page_size", "since", "until", "after", "before", "included_response_ids", "excluded_response_ids"),
    *("response_type", "sort", "query", "fields", "answered_fields"),
}
_WORDS = {401: "AUTHENTICATION_FAILED", 403: "FORBIDDEN", 404: "NOT_FOUND", 429: "TOO_MANY_REQUESTS"}


@dataclass(slots=True)
class Settings:
    """Of the service; can be changed while it runs.

    Args:
        scopes: of the token.
        calls_per_second: of the account; the vendor allows 2.
        shown_after_deletion: how many more pages of a form show what was deleted.
    """

    scopes: tuple[str, ...] = ("accounts:read", "forms:read", "responses:read", "responses:write")
    calls_per_second: int = 1000
    shown_after_deletion: int = 1


@dataclass(slots=True)
class _Going:
    """A registered deletion in a form."""

    ids: set[str] = field(default_factory=set)
    pages: int = 0


class TypeformApi:
    """Answers by form."""

    def __init__(self) -> None:
        self.settings = Settings()
        self._window = Window(1.0)
        self._routes = Routes(
            {
                "GET /me": self._me,
                "GET /forms": self._forms,
                "GET /forms/{}/responses": self._responses,
                "DELETE /forms/{}/responses": self._delete,
            }
        )
        self.clear()

    def clear(self) -> None:
        """Forget all answers."""
        self.answers: dict[str, dict[str, Answer]] = {form: {} for form in FORMS}
        self._going = {form: _Going() for form in FORMS}

    def handle(self, ask: Ask) -> Reply:
        """Answer one call."""
        if not self._window.take(self.settings.calls_per_second)[0]:
            raise _refused(429, "Too many requests")
        if not ask.bearer:
            raise _refused(401, "Authentication credentials not found on the Request Headers")
        operation = self._routes.find(ask)
        if operation is None:
            raise _refused(404, "There is no such resource")
        return operation()

    def _me(self, ask: Ask) -> Reply:
        self._need("accounts:read")
        return Reply(body={"alias": "Clique", "email": "hello@clique.test", "language": "en"})

    def _forms(self, ask: Ask) -> Reply:
        self._need("forms:read")
        number, size = _number(ask, "page", 1), _number(ask, "page_size", 10)
        if number < 1 or not 1 <= size <= MAX_FORMS:
            raise _refused(400, "page or page_size is not valid", "INVALID_PARAMETER")
        shown = list(FORMS.items())[(number - 1) * size : number * size]
        items = [{"id": form, "title": title, "settings": {"is_public": True}} for form, title in shown]
        return Reply(body={"total_items": len(FORMS), "page_count": -(-len(FORMS) // size), "items": items})

    def _responses(self, ask: Ask, form: str) -> Reply:
        self._need("responses:read")
        held = self._held(form)
        self._carry_out(form)
        size = _number(ask, "page_size", 25)
        if not 1 <= size <= MAX_PAGE or ask.query.keys() - _KNOWN:
            raise _refused(400, "a parameter is not valid", "INVALID_PARAMETER")
        found = sorted(_matching(held.values(), ask), key=lambda answer: (answer.at, answer.id), reverse=True)
        shown = [answer.shown() for answer in _before(found, held, ask)[:size]]
        return Reply(body={"total_items": len(found), "page_count": -(-len(found) // size), "items": shown})

    def _delete(self, ask: Ask, form: str) -> Reply:
        self._need("responses:write")
        held = self._held(form)
        ids = _ids(ask, "included_response_ids") or _ids(ask, "included_tokens")
        if not 1 <= len(ids) <= MAX_DELETED:
            raise _refused(400, "included_response_ids must name 1 to 1000 responses", "INVALID_PARAMETER")
        self._going[form] = _Going(self._going[form].ids | (ids & held.keys()), self.settings.shown_after_deletion)
        if not self.settings.shown_after_deletion:
            self._carry_out(form)
        return Reply(200, {})

    def _carry_out(self, form: str) -> None:
        """Each page that is shown brings a registered deletion nearer."""
        going = self._going[form]
        if going.pages:
            going.pages -= 1
            return
        for number in going.ids:
            self.answers[form].pop(number, None)
        going.ids.clear()

    def _held(self, form: str) -> dict[str, Answer]:
        if form not in self.answers:
            raise _refused(404, "There is no such form", "FORM_NOT_FOUND")
        return self.answers[form]

    def _need(self, scope: str) -> None:
        if scope not in self.settings.scopes:
            raise _refused(403, f"The token lacks the scope {scope}")


def error(status: int) -> tuple[dict[str, str], dict[str, Any]]:
    """The body of a planned fault."""
    return {}, {"code": _WORDS.get(status, "INTERNAL_ERROR"), "description": "It did not work"}


def _matching(answers: Iterable[Answer], ask: Ask) -> list[Answer]:
    kinds = set(ask.query.get("response_type", "completed").split(","))
    if kinds - _TYPES:
        raise _refused(400, "response_type is not valid", "INVALID_PARAMETER")
    wanted, words = _ids(ask, "included_response_ids"), ask.query.get("query", "").lower()
    return [
        answer
        for answer in answers
        if answer.kind in kinds and (not wanted or answer.id in wanted) and _has(answer, words)
    ]


def _has(answer: Answer, words: str) -> bool:
    """A search looks at parts of words too."""
    return any(words in text.lower() for text in (answer.email, answer.text, *answer.hidden.values()))


def _before(found: list[Answer], held: Collection[str], ask: Ask) -> list[Answer]:
    number = ask.query.get("before")
    if number is None:
        return found
    if "sort" in ask.query or number not in held:
        raise _refused(400, "before must name a response and be without sort", "INVALID_PARAMETER")
    place = next((index for index, answer in enumerate(found) if answer.id == number), len(found))
    return found[place + 1 :]


def _ids(ask: Ask, name: str) -> set[str]:
    return {number for number in ask.query.get(name, "").split(",") if number}


def _number(ask: Ask, name: str, default: int) -> int:
    try:
        return whole(ask, name, default)
    except ValueError:
        raise _refused(400, f"{name} must be a whole number", "INVALID_PARAMETER") from None


def _refused(status: int, description: str, code: str = "") -> Refusal:
    return Refusal(status, {"code": code or _WORDS.get(status, "INTERNAL_ERROR"), "description": description})
