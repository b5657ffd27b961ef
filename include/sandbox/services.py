"""The services of the sandbox that stand in a row: a further one is its own package and a line here."""

from __future__ import annotations

from include.sandbox import google_workspace, linkedin_sign_in, microsoft_graph
from include.sandbox.service import Service

SERVICES: dict[str, Service] = {
    "google_workspace": google_workspace.SERVICE,
    "linkedin_sign_in": linkedin_sign_in.SERVICE,
    "microsoft_graph": microsoft_graph.SERVICE,
}
"""By the key of the system, which is the first part of its path too."""
