"""Hotjar's API with its traps.

The vendor publishes no description; the contract is by hand, from its reference:
https://help.hotjar.com/hc/en-us/articles/36820005914001-Hotjar-API-Reference. A look-up of a person answers nothing and
e-mails the person a report, unless ``delete_all_hits`` is true; then recordings tied to the person go within 30 days,
and answers to surveys stay. Recordings end by themselves after 365 days.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from include.sandbox.hotjar.model import Recording, Response, Settings
from include.sandbox.rest import Ask, Refusal, Reply, Routes, Window, whole

SITE = "1401"
ORGANIZATION = "140"
SURVEYS = {"2001": "What is missing?", "2002": "Why do you leave?"}
"""Names by id."""
MAX_PAGE = 100
KEPT = timedelta(days=365)


class HotjarApi:
    """The operations on one organization with one site."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.settings = Settings()
        self._window = Window()
        self._tokens: dict[str, datetime] = {}
        self._routes = Routes(
            {
                "GET /v1/sites/{}/surveys": self._surveys,
                "GET /v1/sites/{}/surveys/{}/responses": self._responses,
                "POST /v1/organizations/{}/user-lookup": self._look_up,
            }
        )
        self.clear()

    def clear(self) -> None:
        """Forget all data."""
        self.responses: dict[str, Response] = {}
        self.recordings: dict[str, Recording] = {}
        self.reports: list[str] = []
        self._deletions: list[tuple[datetime, str, set[str]]] = []

    def settle(self) -> None:
        """Carry out what is due by now."""
        now = self._clock()
        for due, email, users in [one for one in self._deletions if one[0] <= now]:
            for recording in tuple(self.recordings.values()):
                if (email and recording.email.lower() == email) or (recording.user_id and recording.user_id in users):
                    del self.recordings[recording.id]
            self._deletions.remove((due, email, users))
        for recording in [one for one in self.recordings.values() if one.at <= now - KEPT]:
            del self.recordings[recording.id]

    def handle(self, ask: Ask) -> Reply:
        """Answer one call."""
        if not self._window.take(self.settings.calls_per_minute)[0]:
            raise _refused(429, "Too many requests")
        self.settle()
        if (ask.method, ask.path.rstrip("/")) == ("POST", "/v1/oauth/token"):
            return self._token(ask)
        ends = self._tokens.get(ask.bearer)
        if ends is None or ends <= self._clock():
            raise _refused(401, "The token is missing, unknown or has expired")
        operation = self._routes.find(ask)
        if operation is None:
            raise _refused(404, "Not found")
        return operation()

    def _token(self, ask: Ask) -> Reply:
        form = dict(ask.form)
        encoded = ask.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
        if not encoded or form.get("grant_type") != "client_credentials":
            raise _refused(400, "unsupported_grant_type")
        if not form.get("client_id") or not form.get("client_secret"):
            raise _refused(401, "invalid_client")
        token = uuid4().hex
        self._tokens[token] = self._clock() + timedelta(seconds=self.settings.token_seconds)
        body = {"access_token": token, "token_type": "Bearer", "expires_in": self.settings.token_seconds}
        return Reply(body=body)

    def _surveys(self, ask: Ask, site: str) -> Reply:
        self._need_export(site)
        entries = [{"id": number, "name": name, "type": "popover"} for number, name in SURVEYS.items()]
        return _page(ask, entries)

    def _responses(self, ask: Ask, site: str, survey: str) -> Reply:
        self._need_export(site)
        if survey not in SURVEYS:
            raise _refused(404, "Not found")
        held = sorted(
            (one for one in self.responses.values() if one.survey == survey), key=lambda one: (one.at, one.id)
        )
        return _page(ask, [one.shown() for one in held])

    def _look_up(self, ask: Ask, organization: str) -> Reply:
        body = ask.json if isinstance(ask.json, dict) else {}
        email, users = body.get("data_subject_email") or "", body.get("data_subject_site_id_to_user_id_map") or {}
        if organization != ORGANIZATION:
            raise _refused(404, "Not found")
        if not (email or users) or not isinstance(body.get("delete_all_hits", False), bool):
            raise _refused(400, "data_subject_email or data_subject_site_id_to_user_id_map is required")
        if body.get("delete_all_hits") is True:
            due = self._clock() + timedelta(seconds=self.settings.delete_seconds)
            self._deletions.append((due, str(email).lower(), {str(value) for value in users.values()}))
        else:
            self.reports.append(str(email))
        self.settle()
        return Reply(200, {})

    def _need_export(self, site: str) -> None:
        if not self.settings.survey_export:
            raise _refused(403, "The plan does not include the export of survey responses")
        if site != SITE:
            raise _refused(404, "Not found")


def error(status: int) -> tuple[dict[str, str], dict[str, Any]]:
    """The body of a planned fault."""
    return {}, {"error": "error", "message": f"status {status}"}


def _page(ask: Ask, entries: list[dict[str, Any]]) -> Reply:
    try:
        limit, start = whole(ask, "limit", MAX_PAGE), whole(ask, "cursor", 0)
    except ValueError:
        raise _refused(400, "limit or cursor is not valid") from None
    if not 1 <= limit <= MAX_PAGE:
        raise _refused(400, f"limit is at most {MAX_PAGE}")
    more = start + limit < len(entries)
    return Reply(body={"results": entries[start : start + limit], "next_cursor": str(start + limit) if more else None})


def _refused(status: int, message: str) -> Refusal:
    return Refusal(status, {"error": "error", "message": message})
