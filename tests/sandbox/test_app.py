"""The sandbox as a process and its admin API, reached as the product reaches it."""

import json
import os
import signal
import socket
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import redis
import requests
from elasticsearch import Elasticsearch
from google.cloud.firestore import Client

from include.connection import Connection
from include.errors import Unavailable
from include.sandbox.app import PROJECT, Sandbox, connections
from include.sandbox.estate import BUCKET, Estate
from include.sandbox.services import SERVICES
from include.systems import cloud_storage, firebase_auth
from include.systems.contract import Selection
from tests.google_twins import storage_client

ROOT = Path(__file__).resolve().parents[2]
NIGHT = datetime(2026, 11, 22, tzinfo=UTC)
PEOPLE = 60


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def admin(sandbox):
    def call(method, path, **content):
        answer = requests.request(method, f"{sandbox.endpoints['admin']}{path}", timeout=30, **content)
        return answer.status_code, answer.json()

    call("DELETE", "/faults")
    call("POST", "/seed", json={"people": PEOPLE, "workspaces": 4, "seed": 3, "as_of": "2026-11-22"})
    call("DELETE", "/journal")
    return call


@pytest.fixture
def estate(admin):
    return Estate(NIGHT, people=PEOPLE, workspaces=4, seed=3)


def count(records):
    return sum(1 for _ in records)


def test_storage_search_and_cache_answer_their_official_clients_with_the_estate(sandbox, estate):
    ends = sandbox.endpoints
    with storage_client(ends["storage"]) as storage:
        assert count(storage.list_blobs(BUCKET, versions=True)) == count(estate.objects())
    with Elasticsearch(ends["elasticsearch"]) as search:
        assert search.count(index="contacts")["count"] == count(estate.contacts())
    host, _, port = ends["redis"].partition(":")
    with redis.Redis(host, int(port)) as cache:
        assert cache.dbsize() == count(estate.cache())


def test_firestore_answers_its_official_client(sandbox, estate, monkeypatch):
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", sandbox.endpoints["firestore"])
    client = Client(project=PROJECT)
    found = {document.id: document.to_dict() for document in client.collection("users").stream()}
    assert found.keys() == {person.uid for person in estate.people}
    person = estate.people[0]
    assert (found[person.uid]["name"], found[person.uid]["created_at"]) == (person.name, person.created_at)
    client.close()


def test_connections_plug_the_product_in(sandbox, estate):
    environ = connections(sandbox.endpoints)
    stores = ["CLOUD_STORAGE", "ELASTICSEARCH", "FIREBASE_AUTH", "FIRESTORE", "REDIS"]
    services = ["GOOGLE_ANALYTICS", "LOGGLY", "MAILGUN", "SENDGRID", "TAWK_TO", "GOOGLE_SIGN_IN"]
    services += map(str.upper, SERVICES)
    assert sorted(environ) == sorted(f"AIRFLOW_CONN_{system}" for system in (*stores, *services))
    auth = firebase_auth.connect(Connection.from_env("firebase_auth", environ))
    accounts = Selection("r", {}, "localId", "createdAt", NIGHT, 1)
    assert auth.survey(accounts, None).due == PEOPLE
    storage = cloud_storage.connect(Connection.from_env("cloud_storage", environ))
    objects = Selection("r", {"bucket": BUCKET, "prefix": "users/{subject}/"}, "prefix", "timeCreated", NIGHT, 1)
    assert storage.survey(objects, None).due == sum(item.name.startswith("users/") for item in estate.objects())
    for system in (auth, storage):
        system.close()


def test_the_admin_api_counts_and_shows_what_is_there(admin, estate):
    assert admin("GET", "/inspect?service=firestore")[1]["counts"]["contacts"] == count(estate.contacts())
    assert admin("GET", "/inspect?service=elasticsearch&collection=contacts") == (
        200,
        {"count": count(estate.contacts())},
    )
    shown = admin("GET", "/inspect?service=identitytoolkit&collection=accounts&full=true")[1]
    assert {record["local_id"] for record in shown["records"]} == {person.uid for person in estate.people}
    assert admin("GET", "/inspect?service=redis")[1]["counts"]["profile"] == PEOPLE
    held = admin("GET", f"/inspect?service=storage&collection={BUCKET}&full=true")[1]["records"]
    assert sum(record["temporary_hold"] for record in held) == 2


def test_wiping_leaves_nothing(sandbox, admin):
    assert admin("POST", "/wipe")[0] == 200
    for service in sandbox.company.services:
        assert admin("GET", f"/inspect?service={service}") == (200, {"counts": {}})


def test_a_planned_fault_is_played_and_noted(sandbox, admin):
    fault = {"service": "storage", "kind": "status", "operation": "GET /storage", "status": 418}
    assert admin("POST", "/faults", json=fault)[0] == 200
    url = f"{sandbox.endpoints['storage']}/storage/v1/b/{BUCKET}"
    assert [requests.get(url, timeout=5).status_code for _ in range(2)] == [418, 200]
    noted = {"service": "storage", "operation": f"GET /storage/v1/b/{BUCKET}"}
    assert admin("GET", "/journal")[1] == {"calls": [{**noted, "status": 418}, {**noted, "status": 200}]}
    admin("POST", "/faults", json=fault)
    admin("DELETE", "/faults")
    assert requests.get(url, timeout=5).status_code == 200
    assert admin("GET", "/journal/counts")[1] == {"counts": {"storage": 3}}
    admin("DELETE", "/journal")
    assert admin("GET", "/journal")[1] == {"calls": []}
    assert admin("GET", "/journal/counts")[1] == {"counts": {}}


def test_time_can_be_moved_past_the_soft_delete(sandbox, admin):
    with storage_client(sandbox.endpoints["storage"]) as client:
        blob = next(iter(client.list_blobs(BUCKET, prefix="exports/")))
        client.bucket(BUCKET).delete_blob(blob.name, generation=blob.generation)
        assert count(client.list_blobs(BUCKET, soft_deleted=True)) == 1
        assert admin("POST", "/clock", json={"now": "2026-11-30T00:00:00Z"})[0] == 200
        assert count(client.list_blobs(BUCKET, soft_deleted=True)) == 0
    assert admin("GET", "/clock")[1]["now"].startswith("2026-11-30T00:00:")


@pytest.mark.parametrize(
    ("method", "path", "body", "sentence"),
    [
        ("POST", "/seed", {"people": -1}, "The member people is wrong: "),
        ("POST", "/seed", {"humans": 3}, "The member humans is wrong: "),
        ("POST", "/seed", {"as_of": "soon"}, "The member as_of is wrong: "),
        ("POST", "/seed", [], "The body must be a JSON object."),
        ("GET", "/inspect", None, "The service must be one of firestore, "),
        ("GET", "/inspect?service=redis&what=1", None, "The parameter what is not known."),
        ("POST", "/faults", {"service": "redis2", "kind": "drop"}, "The service must be one of firestore, "),
        ("POST", "/faults", {"service": "storage", "kind": "explode"}, "The member kind is wrong: "),
        ("POST", "/faults", {"service": "storage", "kind": "drop", "x": 1}, "The member x is not known."),
        ("GET", "/settings?service=redis", None, "The service must be one of sendgrid, "),
        ("POST", "/settings", {"service": "loggly", "speed": 1}, "The setting speed is not known."),
        ("POST", "/settings", {"service": "loggly", "retention_days": "x"}, "The member retention_days is wrong: "),
        ("POST", "/by-hand", {"service": "redis", "collection": "x", "id": "y"}, "The member service is wrong: "),
        ("POST", "/by-hand", {"service": "tawk_to", "collection": "x", "id": "y"}, "There is no such record."),
        ("POST", "/clock", {"now": "2026-11-30T00:00:00"}, "The member now is wrong: "),
    ],
)
def test_a_mistake_is_answered_by_a_sentence(admin, method, path, body, sentence):
    status, answer = admin(method, path, json=body)
    assert status == 400
    assert answer["error"].startswith(sentence)
    assert answer["error"].endswith(".")


def test_a_taken_port_is_told_and_leaves_nothing_running():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(Unavailable, match="Choose another port"), Sandbox(taken.getsockname()[1]):
            pass


def start(*arguments, **more):
    command = [sys.executable, "-m", "include.sandbox", *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, **more)


def refuses(endpoint):
    host, _, port = endpoint.removeprefix("http://").split("/")[0].partition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) != 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_process_announces_itself_and_ends_with_everything_on_a_signal(number):
    with start("--people", "5", "--workspaces", "1", "--as-of", "2026-01-31") as process:
        ends = json.loads(process.stdout.readline())
        assert set(ends) >= {"firestore", "elasticsearch", "storage", "identitytoolkit", "redis", "admin"}
        counts = requests.get(f"{ends['admin']}/inspect?service=firestore", timeout=5).json()["counts"]
        assert counts["users"] == 5
        process.send_signal(number)
        assert process.wait(15) == 0
        assert process.stdout.read() == ""
    assert all(refuses(endpoint) for endpoint in ends.values())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent ended")
def test_the_process_ends_with_its_parent():
    command = [sys.executable, "-c", PARENT]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as parent:
        ends = json.loads(parent.stdout.readline())
        os.kill(parent.pid, signal.SIGKILL)
        parent.stdout.read()
    assert all(refuses(endpoint) for endpoint in ends.values())


PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-m", "include.sandbox", "--empty"])
child.wait()
"""
