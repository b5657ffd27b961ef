"""Imported once by the server from which the processes of the kill trials are forked."""

# ruff: noqa: F401 - each for what it loads

import include.analytics.internal
import include.analytics.making
import include.analytics.outputs.folder
import include.systems.elasticsearch.client
import include.systems.firestore.gateway
import tests.analytics.kit
import tests.analytics.nightly
