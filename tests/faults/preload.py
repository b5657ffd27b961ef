"""What every process of a trial needs, imported once by the server they are forked from."""

from __future__ import annotations

from importlib import import_module

for _name in (
    "elasticsearch",
    "google.auth.transport.requests",
    "google.cloud.storage.batch",
    "google.oauth2.credentials",
    "include.systems.autopilot.legacy",
    "include.systems.autopilot.ortto",
    "include.systems.cloud_storage",
    "include.systems.elasticsearch",
    "include.systems.firebase_auth",
    "include.systems.firestore.system",
    "include.systems.redis",
    "include.systems.firestore.erasing",
    "include.systems.google_analytics.deletions",
    "include.systems.google_bearer",
    "include.systems.google_sign_in",
    "include.systems.google_workspace",
    "include.systems.linkedin_sign_in",
    "include.systems.mailgun.ageing",
    "include.systems.hotjar.system",
    "include.systems.mailgun.system",
    "include.systems.microsoft_graph",
    "include.systems.onesignal.system",
    "include.systems.sendgrid.ageing",
    "include.systems.sendgrid.system",
    "include.systems.tawk_to",
    "include.systems.zapier.system",
    "include.systems.typeform.erasing",
    "include.systems.typeform.retention",
    "include.systems.wix.erasing",
    "include.systems.wix.retention",
    "redis",
    "tests.faults.erasing.runner",
    "tests.faults.runner",
):
    import_module(_name)
