"""An answer to a form, as it is kept and as the vendor shows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    """What one person answered.

    Args:
        form: id of the form.
        id: of the answer, 32 characters.
        landed_at: when the form was opened.
        submitted_at: when it was sent off; None if it never was.
        email: of the question for an address, "" if it was not answered.
        text: of the long question.
        hidden: what the link to the form sent along.
        file_url: of an uploaded file, "" without one.
    """

    form: str
    id: str
    landed_at: datetime
    submitted_at: datetime | None
    email: str = ""
    text: str = ""
    hidden: dict[str, str] = field(default_factory=dict)
    file_url: str = ""

    @property
    def at(self) -> datetime:
        """By what answers are ordered."""
        return self.submitted_at or self.landed_at

    @property
    def kind(self) -> str:
        """One of the vendor's types of responses."""
        if self.submitted_at:
            return "completed"
        return "partial" if self.email or self.text or self.file_url else "started"

    def shown(self) -> dict[str, Any]:
        """As the vendor shows it."""
        entries = [
            _entry("email", "email", "email", self.email),
            _entry("long_text", "text", "text", self.text),
            _entry("file_upload", "file_url", "file_url", self.file_url),
        ]
        return {
            "landing_id": self.id,
            "token": self.id,
            "response_id": self.id,
            "response_type": self.kind,
            "landed_at": _time(self.landed_at),
            "submitted_at": _time(self.submitted_at) if self.submitted_at else "0001-01-01T00:00:00Z",
            "metadata": {"user_agent": "Mozilla/5.0", "platform": "other", "referer": "", "network_id": self.id[:10]},
            "hidden": dict(self.hidden),
            "calculated": {"score": 0},
            "answers": [entry for entry in entries if entry[entry["type"]]],
            "variables": [{"key": "score", "type": "number", "number": 0}],
        }


def _entry(question: str, kind: str, member: str, value: str) -> dict[str, Any]:
    return {"field": {"id": f"q_{question}", "type": question, "ref": question}, "type": kind, member: value}


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
