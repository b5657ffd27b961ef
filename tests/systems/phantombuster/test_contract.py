"""Every request and every answer of the twin against the vendor's OpenAPI description.

It leaves out what a list looks like: https://hub.phantombuster.com/docs/creating-and-updating-leads-lists-using-filters.
"""

from include.policy.persons import IdentifierKind
from include.sandbox.phantombuster import Edition, Lead, PhantomBusterSandbox, Run
from tests.openapi import Description
from tests.systems.twins import NOW, Recorded, Somebody, connected, twin, whole_way
from tests.vendor import Call

BASE = "/api/v2"
LIST = {
    "type": "object",
    "required": ["id", "name", "filter"],
    "properties": {
        "id": {"type": "string"},
        "name": {"type": "string"},
        "filter": {"type": "object"},
        "description": {"type": "string"},
        "tags": {"type": "array", "items": {"type": "string"}},
    },
    "additionalProperties": False,
}
OPERATIONS = {
    "GET /org-storage/lists/fetch",
    "GET /org-storage/lists/fetch-all",
    "POST /org-storage/leads/by-list/{listId}",
    "POST /org-storage/leads/delete-many",
    "GET /agents/fetch-all",
    "GET /containers/fetch-all",
    "GET /containers/fetch-result-object",
    "GET /orgs/fetch-resources",
}


def lists(document):
    """What the description leaves out, and the way in which it says that a value can be null."""
    for path, schema in (("fetch", LIST), ("fetch-all", {"type": "array", "items": LIST})):
        answer = document["paths"][f"/org-storage/lists/{path}"]["get"]["responses"]["200"]
        answer["content"] = {"application/json": {"schema": schema}}
    result = document["paths"]["/containers/fetch-result-object"]["get"]["responses"]["200"]
    result["content"]["application/json"]["schema"]["properties"]["resultObject"]["type"] = ["string", "null"]


def test_calls_and_answers_are_those_of_the_description():
    description = Description("phantombuster/swagger-api-v2.json", patch=lists)
    said = []

    class Watched(Recorded, PhantomBusterSandbox):
        pass

    Watched.said = said
    with twin("phantombuster", Watched) as server, connected(server, extra={"org_id": "12"}) as system:
        emails, editions = ("ann@x.example",), (Edition(NOW, "77"),)
        server.twin.seed(Lead(str(n), f"s{n}", "A", "B", "C", editions, emails if n % 2 else ()) for n in range(150))
        server.twin.seed(runs=[Run("r1", "77", NOW, ({"email": "ann@x.example"},)), Run("r2", "77", NOW, None)])
        person = Somebody(1, {IdentifierKind.EMAIL: ["ann@x.example"]})
        whole_way(system, person)
        list(system.export([person.subject()]))
    operations = set()
    for call, status, body in said:
        shown = Call(call.method, call.path.removeprefix(BASE), call.query, call.headers, call.body)
        operations.add(description.check_call(shown))
        description.check_answer(shown, status, body)
        assert call.headers["x-phantombuster-key"]
        assert call.headers["x-phantombuster-org"] == "12"
    assert operations == OPERATIONS
