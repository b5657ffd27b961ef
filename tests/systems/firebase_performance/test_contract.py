"""Every request against what Google's pages and SDKs say; only the project has a machine-readable description.

https://firebase.google.com/docs/projects/manage-installations
https://firebase.google.com/docs/reference/admin/python/firebase_admin.instance_id
"""

import re

from include.policy.persons import IdentifierKind
from include.sandbox.firebase_performance import FirebaseInstallations, Installation
from tests.discovery import discovery, watched
from tests.systems.twins import NOW, Somebody, connected, twin, whole_way

FID = "c" * 22
DELETION = re.compile(r"/v1/project/[a-z][a-z0-9-]{4,28}[a-z0-9]/instanceId/[A-Za-z0-9_-]{11,22}")
STATUSES = {200, 400, 401, 403, 404, 409, 429, 500, 503}


def test_deletions_are_those_of_the_sdks_and_the_project_that_of_the_description():
    calls, seen, problems = [], [], []
    document = discovery("firebase.v1beta1")

    class Watched(FirebaseInstallations):
        def handle(self, call):
            calls.append((call, answer := super().handle(call)))
            return answer if call.method == "DELETE" else watched(lambda _: answer, document, seen, problems)(call)

    with twin("firebase_performance", Watched) as server, connected(server) as system:
        server.twin.seed([Installation(FID, "WEB", NOW, 1)])
        person = Somebody(1, {IdentifierKind.INSTALLATION_ID: [FID, "d" * 22]})
        whole_way(system, person)
        whole_way(system, person)
    assert problems == []
    assert set(seen) == {"firebase.projects.get"}
    deletions = [(call, answer) for call, answer in calls if call.method == "DELETE"]
    assert {answer.status for _, answer in deletions} == {200, 404, 409} <= STATUSES
    for call, _ in deletions:
        assert DELETION.fullmatch(call.path)
        assert (call.query, call.body) == ({}, b"")
        assert call.headers["authorization"] == "Bearer sandbox"
