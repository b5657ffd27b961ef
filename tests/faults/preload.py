"""What every process of a trial needs, imported once by the server they are forked from."""

from __future__ import annotations

import elasticsearch
import google.auth.transport.requests
import google.cloud.storage.batch
import google.oauth2.credentials
import redis

import include.systems.cloud_storage
import include.systems.elasticsearch
import include.systems.firebase_auth
import include.systems.firestore
import include.systems.redis
import tests.faults.runner

LOADED = (elasticsearch, google, redis, include, tests)
