"""Every request and every answer of the twin against Google's discovery document of Tag Manager (v2)."""

from include.policy.persons import IdentifierKind
from include.sandbox.tag_manager import Item, TagManagerSandbox
from tests.discovery import discovery, watched
from tests.systems.twins import Somebody, connected, twin, whole_way


def test_calls_and_answers_are_those_of_the_discovery_document():
    seen, problems = [], []
    document = discovery("tagmanager.v2")

    class Watched(TagManagerSandbox):
        def handle(self, call):
            return watched(super().handle, document, seen, problems)(call)

    with twin("tag_manager", Watched) as server, connected(server) as system:
        rows = [{"parameter": "user_id", "parameterValue": "{{User ID}}"}]
        server.twin.seed(Item("variable", str(n), f"V{n}", "c", {"value": f"a{n}@x.example"}) for n in range(60))
        server.twin.seed([Item("tag", "1", "T", "gaawe", {"eventSettingsTable": rows})])
        whole_way(system, Somebody(1, {IdentifierKind.EMAIL: ["a1@x.example"]}))
        server.twin.settings.published = False
        whole_way(system, Somebody(1, {IdentifierKind.EMAIL: ["a1@x.example"]}))
    assert problems == []
    assert set(seen) == {
        "tagmanager.accounts.containers.get",
        "tagmanager.accounts.containers.versions.live",
        "tagmanager.accounts.containers.workspaces.list",
        "tagmanager.accounts.containers.workspaces.tags.list",
        "tagmanager.accounts.containers.workspaces.variables.list",
    }
