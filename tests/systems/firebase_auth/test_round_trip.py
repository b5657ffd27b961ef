"""One account made, found and deleted: in the sandbox, and in a real project where one is given."""

import json
import os
import uuid
from datetime import UTC, datetime

import pytest
import requests

from include.connection import Connection
from include.systems import firebase_auth
from include.systems.contract import ReadBack, Selection, Swept
from tests.google_twins import PROJECT, only_batch


def round_trip(system, post):
    """An account created in 1970 is the only one that is due; it goes."""
    local_id = f"privacycheck{uuid.uuid4().hex[:16]}"
    selection = Selection("live", {}, "localId", "createdAt", datetime(1971, 1, 1, tzinfo=UTC), 86_400)
    assert system.survey(selection, None).due == 0
    post("", {"localId": local_id})
    post(":update", {"localId": local_id, "createdAt": "86400000"})
    assert system.survey(selection, None).due == 1
    batch = only_batch(system, selection)
    assert system.expire(selection, batch) == Swept(1)
    assert system.expire(selection, batch) == Swept(0, absent=1)
    assert system.read_back(selection, None) == ReadBack(0, 0)


def test_the_round_trip_of_a_real_project_works_in_the_sandbox(twin, system):
    def post(verb, body):
        url = f"{twin.url}/v1/projects/{PROJECT}/accounts{verb}"
        headers = {"Authorization": "Bearer x", "Content-Type": "application/json"}
        assert requests.post(url, data=json.dumps(body), headers=headers, timeout=5).status_code == 200

    round_trip(system, post)


@pytest.mark.live
@pytest.mark.skipif(
    "AIRFLOW_CONN_FIREBASE_AUTH_LIVE" not in os.environ, reason="AIRFLOW_CONN_FIREBASE_AUTH_LIVE is not set"
)
def test_the_round_trip_works_on_a_real_project():
    system = firebase_auth.connect(Connection.from_env("firebase_auth_live"))

    def post(verb, body):
        system._calls._send("prepare the check", "POST", f"{system._calls._path('')}{verb}", json=body)

    round_trip(system, post)
    system.close()
