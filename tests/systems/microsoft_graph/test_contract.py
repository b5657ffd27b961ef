"""What is sent, and what the twin answers, against Microsoft's own metadata; tokens and batches against their pages.

https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-auth-code-flow (refresh the access token) and
https://learn.microsoft.com/en-us/graph/json-batching have no machine-readable description.
"""

import json
import re
from xml.etree import ElementTree

import pytest

from include.policy.persons import IdentifierKind
from tests.openapi import SPECS
from tests.systems.conformance.means import Somebody

FOLDER = SPECS / "microsoft-graph"
ANN = Somebody(1, {IdentifierKind.OAUTH_TOKEN: ["microsoft:M.ann"], IdentifierKind.EXTERNAL_ID: ["microsoft:00aa-ann"]})
NOT_LISTED = {"/me", "/servicePrincipals(appId='clique-app')"}
"""Paths that the extract of Microsoft's client leaves out; their pages: user-get and serviceprincipal-get."""


def need(name):
    if not (FOLDER / name).exists():
        pytest.skip(f"microsoft-graph/{name} is absent: set PRIVACY_SPECS to the folder of the vendors' descriptions")
    return FOLDER / name


@pytest.fixture(scope="module")
def paths():
    return json.loads(need("paths-from-msgraph-sdk-1.65.0.json").read_text())["paths"]


@pytest.fixture(scope="module")
def properties():
    """Names of the properties of a type."""
    tree = ElementTree.parse(need("cleanMetadata-v1.0.xml"))  # noqa: S314 - the vendor's own file
    space = "{http://docs.oasis-open.org/odata/ns/edm}"
    types = {each.get("Name"): each for each in tree.iter(f"{space}EntityType")}
    return lambda name: {each.get("Name") for each in types[name].iter(f"{space}Property")} | {"id"}


@pytest.fixture
def exchanges(graph, tenant):
    graph.twin.allow("M.ann", "00aa-ann", consent="consent-ann")
    graph.twin.subscribe("s1", "00aa-ann")
    subjects = [ANN.subject()]
    with graph.system(tenant_grants=True, **tenant) as system:
        system.access()
        list(system.export(subjects))
        system.verify(subjects, system.erase(system.find(subjects)))
    assert graph.left() == set()
    return graph.wire.exchanges


def described(paths, method, path):
    """The description of an operation, literal paths first."""
    for template in sorted(paths, key=lambda each: each.count("{")):
        pattern = "[^/]+".join(map(re.escape, re.split(r"\{[^}]+\}", template)))
        if re.fullmatch(pattern, path) and method in paths[template]["methods"]:
            return paths[template]
    raise AssertionError(f"Graph has no {method} {path}")


def test_graph_knows_every_operation_and_parameter(exchanges, paths):
    calls = [(each.method, each.path.removeprefix("/v1.0"), set(each.query)) for each in exchanges]
    inner = [(part["method"], part["url"], set()) for each in exchanges if "batch" in each.path
             for part in each.sent["requests"]]  # fmt: skip
    listed = [call for call in (*calls, *inner) if "oauth2/v2.0" not in call[1] and "batch" not in call[1]]
    listed = [call for call in listed if call[1] not in NOT_LISTED]
    assert {(method, path.split("/")[1]) for method, path, _ in listed} == {
        ("GET", "subscriptions"),
        ("DELETE", "subscriptions"),
        ("GET", "oauth2PermissionGrants"),
        ("DELETE", "oauth2PermissionGrants"),
    }
    for method, path, query in listed:
        found = described(paths, method, path)
        assert query <= set(found["query"]), path


@pytest.mark.parametrize(
    ("path", "name"),
    [("/v1.0/subscriptions", "subscription"), ("/v1.0/oauth2PermissionGrants", "oAuth2PermissionGrant")],
)
def test_what_is_listed_has_the_members_of_its_type(exchanges, properties, path, name):
    rows = [row for each in exchanges if each.path == path for row in each.got["value"]]
    assert rows
    for row in rows:
        assert row.keys() <= properties(name)


def test_a_list_of_subscriptions_is_asked_without_any_parameter(exchanges):
    assert all(not each.query for each in exchanges if each.path == "/v1.0/subscriptions")


def test_a_batch_is_twenty_numbered_deletions_at_most(exchanges):
    batches = [each for each in exchanges if each.path == "/v1.0/$batch"]
    assert batches
    for each in batches:
        parts = each.sent["requests"]
        assert 0 < len(parts) <= 20
        assert len({part["id"] for part in parts}) == len(parts)
        assert all(part.keys() == {"id", "method", "url"} and part["method"] == "DELETE" for part in parts)
        assert all(re.fullmatch(r"/(subscriptions|oauth2PermissionGrants)/[\w-]+", part["url"]) for part in parts)
        assert {part["id"] for part in each.got["responses"]} == {part["id"] for part in parts}


def test_tokens_are_asked_for_with_forms(exchanges):
    asked = [each for each in exchanges if each.path.endswith("/oauth2/v2.0/token")]
    kinds = {"refresh_token": {"refresh_token"}, "client_credentials": {"scope"}}
    assert {each.sent["grant_type"] for each in asked} == set(kinds)
    for each in asked:
        assert each.headers["content-type"] == "application/x-www-form-urlencoded"
        assert set(each.sent) == {"client_id", "client_secret", "grant_type"} | kinds[each.sent["grant_type"]]


def test_nothing_ends_the_sessions_of_other_applications(exchanges):
    assert not [each for each in exchanges if "revokeSignInSessions" in each.path]
