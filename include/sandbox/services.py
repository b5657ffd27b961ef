"""The services of the sandbox that stand in a row: a further one is its own package and a line here."""

from __future__ import annotations

from include.sandbox import firebase_performance, looker_studio, new_relic, phantombuster, tag_manager, typeform, wix
from include.sandbox.service import Service

SERVICES: dict[str, Service] = {
    "firebase_performance": firebase_performance.SERVICE,
    "looker_studio": looker_studio.SERVICE,
    "new_relic": new_relic.SERVICE,
    "phantombuster": phantombuster.SERVICE,
    "tag_manager": tag_manager.SERVICE,
    "typeform": typeform.SERVICE,
    "wix": wix.SERVICE,
}
"""By the key of the system, which is the first part of its path too."""
