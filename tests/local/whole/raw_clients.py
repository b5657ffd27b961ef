"""What the stores of a running sandbox hold, listed by the vendors' own clients and nothing of the product."""

from __future__ import annotations

import os
from collections.abc import Mapping

import elasticsearch
import redis
import requests
from elasticsearch.helpers import scan
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore, storage

from include.sandbox.company import PROJECT
from include.sandbox.estate import BUCKET

GROUPS = ("users", "files", "workspaces", "contacts", "interactions", "events", "posts")


def firestore_paths(endpoints: Mapping[str, str]) -> dict[str, dict[str, object]]:
    """Every document by its path."""
    os.environ["FIRESTORE_EMULATOR_HOST"] = endpoints["firestore"]
    try:
        client = firestore.Client(project=PROJECT)
    finally:
        del os.environ["FIRESTORE_EMULATOR_HOST"]
    found = {}
    for group in GROUPS:
        for snapshot in client.collection_group(group).stream():
            found[snapshot.reference.path] = snapshot.to_dict()
    client.close()
    return found


def index_documents(endpoints: Mapping[str, str], index: str) -> dict[str, dict[str, object]]:
    """Every document of an index by its id."""
    with elasticsearch.Elasticsearch(endpoints["elasticsearch"]) as client:
        return {hit["_id"]: hit["_source"] for hit in scan(client, index=index)}


def object_names(endpoints: Mapping[str, str]) -> list[str]:
    """Names of the objects of the bucket, one for each version."""
    options = {"api_endpoint": endpoints["storage"]}
    client = storage.Client(project=PROJECT, credentials=AnonymousCredentials(), client_options=options)
    return sorted(blob.name for blob in client.list_blobs(BUCKET, versions=True))


def account_ids(endpoints: Mapping[str, str]) -> set[str]:
    """Ids of all sign-in accounts."""
    place = f"{endpoints['identitytoolkit']}/v1/projects/{PROJECT}/accounts:batchGet"
    found: set[str] = set()
    token: str | None = ""
    while token is not None:
        more = {"nextPageToken": token} if token else {}
        page = requests.get(
            place, {"maxResults": "1000", **more}, headers={"Authorization": "Bearer x"}, timeout=30
        ).json()
        found |= {user["localId"] for user in page.get("users", ())}
        token = page.get("nextPageToken")
    return found


def cache_keys(endpoints: Mapping[str, str]) -> set[str]:
    """All keys of the cache."""
    host, _, port = endpoints["redis"].rpartition(":")
    with redis.Redis(host, int(port)) as client:
        return {key.decode() for key in client.scan_iter(count=1000)}
