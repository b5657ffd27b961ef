"""What Hotjar holds, and how its interface shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(slots=True)
class Settings:
    """Of the service; can be changed while it runs.

    Args:
        survey_export: whether the plan lets surveys be read.
        calls_per_minute: of the organization.
        token_seconds: how long a token lasts.
        delete_seconds: until a deletion of hits is carried out; the vendor takes up to 30 days.
    """

    survey_export: bool = True
    calls_per_minute: int = 60_000
    token_seconds: int = 3600
    delete_seconds: int = 3600


@dataclass(frozen=True, slots=True)
class Response:
    """Answers to a survey; ``user_id`` is what the site sent along, "" for nothing."""

    id: str
    survey: str
    at: datetime
    text: str
    email: str = ""
    user_id: str = ""

    def shown(self) -> dict[str, Any]:
        """As the vendor shows it."""
        said = [("q1", self.text), ("q2", self.email)]
        return {
            "id": self.id,
            "answers": [{"question_id": question, "answer": answer} for question, answer in said if answer],
            "comment": None,
            "tags": [],
            "created_time": self.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "is_complete": True,
            **({"user_attributes": {"user_id": self.user_id}} if self.user_id else {}),
        }


@dataclass(frozen=True, slots=True)
class Recording:
    """A recorded visit; tied to a person by an address or a user id if the person or the site gave one."""

    id: str
    at: datetime
    email: str = ""
    user_id: str = ""
