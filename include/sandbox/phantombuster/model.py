"""What PhantomBuster holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

ALL = "1001"
"""Id of the list of all leads that each workspace of the sandbox has."""


@dataclass(frozen=True, slots=True)
class Edition:
    """A change of a lead by a run of an agent."""

    at: datetime
    agent: str


@dataclass(frozen=True, slots=True)
class Lead:
    """A person who was collected. ``slug`` is unique."""

    id: str
    slug: str
    first_name: str
    last_name: str
    company: str
    editions: tuple[Edition, ...]
    professional_emails: tuple[str, ...] = ()
    personal_emails: tuple[str, ...] = ()

    def shown(self) -> dict[str, Any]:
        """As the vendor sends it."""
        history = [
            {"type": "agent", "timestamp": int(one.at.timestamp() * 1000), "mainAgentId": one.agent}
            for one in self.editions
        ]
        return {
            "id": self.id,
            "linkedinProfileSlug": self.slug,
            "firstName": self.first_name,
            "lastName": self.last_name,
            "companyName": self.company,
            "professionalEmails": list(self.professional_emails),
            "personalEmails": list(self.personal_emails),
            "editionsHistory": history,
        }


@dataclass(frozen=True, slots=True)
class LeadList:
    """A filter with a name."""

    id: str
    name: str
    filter: dict[str, Any] = field(default_factory=dict)
    description: str = ""

    def shown(self) -> dict[str, Any]:
        """As the vendor sends it."""
        return {"id": self.id, "name": self.name, "filter": self.filter, "description": self.description}


@dataclass(frozen=True, slots=True)
class Run:
    """A run of an agent; ``rows`` are what it collected, None for one that kept no result object."""

    id: str
    agent: str
    ended_at: datetime
    rows: tuple[dict[str, str], ...] | None = ()
