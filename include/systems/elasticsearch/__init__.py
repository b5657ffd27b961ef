"""Elasticsearch: documents deleted or changed inside the cluster by background by-query tasks, proved by ``_count``.

system ── what the retention engine calls
erasing ── what the erasure engine calls
├── selecting    rule → query; which subjects are held
├── fields       is the mapping such that a query sees what it must see
├── tasks        start once, watch, settle what an earlier run left behind
├── anonymising  the Painless script
├── lifecycles   ILM and data stream lifecycle against the rule
└── client       connection, compatible media types, errors
"""

from include.systems.elasticsearch.client import connect_client
from include.systems.elasticsearch.erasing import ERASING_CARD, ElasticsearchErasing, connect_erasing
from include.systems.elasticsearch.system import CARD, ElasticsearchSystem, connect

__all__ = [
    "CARD",
    "ERASING_CARD",
    "ElasticsearchErasing",
    "ElasticsearchSystem",
    "connect",
    "connect_client",
    "connect_erasing",
]
