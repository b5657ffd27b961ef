"""The sandbox's Elasticsearch against the tests that Elastic runs with its own clients and real clusters."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

from include.sandbox.elasticsearch import ElasticsearchSandbox
from include.sandbox.faults import Faults, Journal
from tests.loopback import serve
from tests.sandbox.yaml_tests import Runner, YamlTest, load

SPECS = Path(os.environ.get("PRIVACY_SPECS") or Path(__file__).resolve().parents[2] / "specs")
FOLDER = SPECS / "elasticsearch" / "client-tests"

NEVER_USED = {
    "indices/clone.yml": "copies of an index",
    "indices/shrink.yml": "copies of an index",
    "indices/split.yml": "copies of an index",
    "indices/downsample.yml": "time series",
    "indices/disk_usage.yml": "statistics of the disk",
    "indices/field_usage.yml": "statistics of fields",
    "indices/recovery.yml": "shards between nodes",
    "indices/segments.yml": "segments on the disk",
    "indices/shard_stores.yml": "shards between nodes",
    "indices/resolve_cluster.yml": "remote clusters",
    "indices/simulate_index_template.yml": "trial of templates",
    "indices/simulate_template.yml": "trial of templates",
    "indices/data_stream_mappings.yml": "overrides of a data stream's template",
    "indices/data_stream_settings.yml": "overrides of a data stream's template",
    "indices/data_streams_options.yml": "the failure store of a data stream",
    "indices/migrate_modify_data_stream.yml": "aliases turned into data streams",
}
"""What the product has no use for: file and subject. The sandbox must refuse it, not ignore it."""

TESTS = load(FOLDER) if FOLDER.is_dir() else []

pytestmark = [
    pytest.mark.skipif(not TESTS, reason="Elastic's client tests are not at PRIVACY_SPECS/elasticsearch/client-tests"),
    pytest.mark.filterwarnings("ignore::elasticsearch.exceptions.ElasticsearchWarning"),
    pytest.mark.filterwarnings("ignore::elasticsearch.exceptions.GeneralAvailabilityWarning"),
    pytest.mark.filterwarnings("ignore:Received .scroll.:DeprecationWarning"),
]


@pytest.fixture(scope="module")
def server():
    sandbox = ElasticsearchSandbox(Faults(), Journal())
    with serve(sandbox.app) as url:
        yield sandbox, url


def is_offered(test: YamlTest) -> bool:
    return test.name.partition("::")[0] not in NEVER_USED


@pytest.mark.parametrize("test", [test for test in TESTS if is_offered(test)], ids=lambda test: test.name)
def test_elastic_client_test(server, test: YamlTest):
    sandbox, url = server
    sandbox.reset()
    with Elasticsearch(url) as client:
        Runner(client).run(test)


@pytest.mark.parametrize("test", [test for test in TESTS if not is_offered(test)], ids=lambda test: test.name)
def test_what_is_not_offered_is_refused(server, test: YamlTest):
    sandbox, url = server
    sandbox.reset()
    with Elasticsearch(url) as client, pytest.raises(AssertionError, match=r"no handler found|unknown (field|setting)"):
        Runner(client).run(replace(test, teardown=[]))


def test_nearly_all_of_them_are_offered():
    assert sum(map(is_offered, TESTS)) >= 43
