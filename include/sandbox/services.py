"""The services of the sandbox that stand in a row: a further one is its own package and a line here."""

from __future__ import annotations

from include.sandbox import (
    autopilot,
    facebook,
    firebase_performance,
    google_workspace,
    hotjar,
    instagram,
    linkedin,
    linkedin_sign_in,
    looker_studio,
    microsoft_graph,
    new_relic,
    onesignal,
    ortto,
    phantombuster,
    tag_manager,
    twitter,
    typeform,
    wix,
    zapier,
)
from include.sandbox.service import Service

SERVICES: dict[str, Service] = {
    "autopilot": autopilot.SERVICE,
    "facebook": facebook.SERVICE,
    "firebase_performance": firebase_performance.SERVICE,
    "google_workspace": google_workspace.SERVICE,
    "hotjar": hotjar.SERVICE,
    "instagram": instagram.SERVICE,
    "linkedin": linkedin.SERVICE,
    "linkedin_sign_in": linkedin_sign_in.SERVICE,
    "looker_studio": looker_studio.SERVICE,
    "microsoft_graph": microsoft_graph.SERVICE,
    "new_relic": new_relic.SERVICE,
    "onesignal": onesignal.SERVICE,
    "ortto": ortto.SERVICE,
    "phantombuster": phantombuster.SERVICE,
    "tag_manager": tag_manager.SERVICE,
    "twitter": twitter.SERVICE,
    "typeform": typeform.SERVICE,
    "wix": wix.SERVICE,
    "zapier": zapier.SERVICE,
}
"""By the key of the system, which is the first part of its path too."""
