"""The services of the sandbox that stand in a row: a further one is its own package and a line here."""

from __future__ import annotations

from include.sandbox import hotjar, typeform, wix
from include.sandbox.service import Service

SERVICES: dict[str, Service] = {
    "hotjar": hotjar.SERVICE,
    "typeform": typeform.SERVICE,
    "wix": wix.SERVICE,
}
"""By the key of the system, which is the first part of its path too."""
