"""Every query against the vendor's GraphQL schema: each field, each argument, and the types of the variables.

NRQL has no description by machine: https://docs.newrelic.com/docs/nrql/nrql-syntax-clauses-functions/.
"""

import re

import pytest

from include.sandbox.new_relic import graphql
from include.systems.new_relic import nerdgraph
from tests.openapi import SPECS

SCHEMA = SPECS / "newrelic" / "nerdgraph-schema-2025-04-15.graphql"
VARIABLES = {"a": 1, "q": "SELECT 1"}
TYPES = {"a": "Int!", "q": "Nrql!"}


@pytest.fixture(scope="module")
def schema():
    if not SCHEMA.exists():
        pytest.skip("the schema of NerdGraph is absent: set PRIVACY_SPECS to the folder of the vendors' descriptions")
    return re.sub(r'"""(?s:.*?)"""', "", SCHEMA.read_text())


def fields(schema, kind):
    """Fields of a type: name, arguments with their types, and the type of the result without brackets."""
    (body,) = re.findall(rf"^type {kind}(?: implements [^{{]+)? {{$(.*?)^}}", schema, re.MULTILINE | re.DOTALL)
    found = {}
    for name, arguments, result in re.findall(r"(\w+)(?:\(([^)]*)\))?:\s*([\[\]!\w]+)", body):
        found[name] = dict(re.findall(r"(\w+):\s*([\[\]!\w]+)", arguments)), result.strip("[]!")
    return found


def problems(schema, kind, asked):
    known = fields(schema, kind)
    for one in asked:
        if one.name not in known:
            yield f"{kind} has no {one.name}"
            continue
        arguments, result = known[one.name]
        yield from (f"{one.name} takes no {name}" for name in one.arguments.keys() - arguments.keys())
        needed = {name for name, wanted in arguments.items() if wanted.endswith("!")}
        yield from (f"{one.name} needs {name}" for name in needed - one.arguments.keys())
        if one.below:
            yield from problems(schema, result, one.below)


@pytest.mark.parametrize("query", [nerdgraph.NRQL, nerdgraph.RETENTION, nerdgraph.ACCOUNT])
def test_a_query_is_one_of_the_schema(schema, query):
    (actor,) = graphql.parse(query, VARIABLES)
    assert list(problems(schema, "RootQueryType", [actor])) == []
    declared = dict(re.findall(r"\$(\w+):([\w!]+)", query))
    assert declared.items() <= TYPES.items()
    used = set(re.findall(r"\$(\w+)[,)]", query.partition("{")[2]))
    assert used == declared.keys()


def test_nothing_in_the_schema_deletes_an_event(schema):
    (body,) = re.findall(r"^type RootMutationType {$(.*?)^}", schema, re.MULTILINE | re.DOTALL)
    deleting = re.findall(r"^ {2}(\w*[Dd]elete\w*)", body, re.MULTILINE)
    assert deleting
    assert not [name for name in deleting if re.search(r"(?i)telemetry|nrdb|eventData|logData|personal", name)]
