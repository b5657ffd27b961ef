"""The sandbox against Google's own emulator: the same requests must have the same answers.

Set ``FIRESTORE_EMULATOR_JAR`` to the jar of the Cloud Firestore emulator to run this.
"""

import itertools
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator

import pytest
import requests
from google.api_core.exceptions import Aborted, GoogleAPICallError
from google.cloud.firestore_v1.services.firestore import FirestoreClient
from hypothesis import HealthCheck, given, settings

from include.sandbox.firestore.values import from_python
from tests.sandbox.firestore_cases import ANSWERED, REFUSED, Case
from tests.sandbox.firestore_kit import (
    DATABASE,
    DOCUMENTS,
    ROOT,
    STREAMS,
    Running,
    message_of,
    queries,
    running,
    stub_for,
)

EXAMPLES = int(os.environ.get("FIRESTORE_DIFFERENTIAL_EXAMPLES", "300"))
JAR = os.environ.get("FIRESTORE_EMULATOR_JAR", "")
MAIN = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"
OPTIONS = ["-Xmx1g", "-Duser.language=en", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", JAR, MAIN]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not os.path.exists(JAR), reason="FIRESTORE_EMULATOR_JAR names no emulator"),
    pytest.mark.skipif(shutil.which("java") is None, reason="java is not installed"),
]
SERIAL = itertools.count()


@pytest.fixture(scope="module")
def emulator() -> Iterator[FirestoreClient]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["java", *OPTIONS, "--host=127.0.0.1", f"--port={port}"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(f"http://127.0.0.1:{port}/", process)
        stub = stub_for(f"127.0.0.1:{port}")
        yield stub
        stub.transport.close()
    finally:
        process.kill()
        process.wait()


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        assert process.poll() is None, "the emulator ended"
        try:
            if requests.get(url, timeout=1).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.1)
    raise AssertionError("the emulator did not start")


@pytest.fixture(scope="module")
def own() -> Iterator[Running]:
    with running() as found:
        yield found


def _fill(stub: FirestoreClient, database: str, documents) -> None:
    writes = [
        {
            "update": {
                "name": f"{database}/documents/c/{name}",
                "fields": {field: from_python(value) for field, value in fields.items()},
            }
        }
        for name, fields in documents.items()
    ]
    if writes:
        stub.commit(request={"database": database, "writes": writes}, retry=None)


def _found(stub: FirestoreClient, database: str, query) -> list[str] | str:
    root = f"{database}/documents"
    request = {"parent": root, "structured_query": message_of(query, root)}
    try:
        answers = list(stub.run_query(request=request, retry=None))
    except GoogleAPICallError as error:
        return error.grpc_status_code.name
    return [a.document.name.removeprefix(f"{root}/c/") for a in answers if a.document.name]


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(documents=DOCUMENTS, query=queries())
def test_random_queries_have_the_same_answers(own, emulator, documents, query):
    database = f"projects/demo{next(SERIAL)}/databases/(default)"
    _fill(emulator, database, documents)
    own.sandbox.reset()
    own.sandbox.seed((f"c/{name}", fields) for name, fields in documents.items())
    assert _found(own.stub, DATABASE, query) == _found(emulator, database, query)


@pytest.mark.parametrize("case", REFUSED + ANSWERED, ids=lambda case: case.name)
def test_the_emulator_answers_with_the_same_status(emulator, case: Case):
    emulator.commit(request={"database": DATABASE, "writes": [{"update": {"name": f"{ROOT}/c/d"}}]}, retry=None)
    for _ in range(3):
        try:
            answer = getattr(emulator, case.rpc)(request=case.request, retry=None)
            if case.rpc in STREAMS:
                list(answer)
            status = "OK"
        except Aborted:
            continue
        except GoogleAPICallError as error:
            status = error.grpc_status_code.name
        break
    assert status == (case.emulator or case.status)
