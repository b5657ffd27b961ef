"""An Elasticsearch to try the product on: the part of its API that the product and its tests speak, in memory.

    __init__ ── server ── routing ── handlers: documents, searching, byquery, indices, lifecycles, overview
                                        │           │
                                     cluster     search ── query, aggs ── index ── segment ── mapping, dates
                                        │
                                 tasks, contexts, settings, scripts ── painless ── java

It models what a client can trip over: near-real-time visibility, version conflicts, by-query tasks that run in the
background, media types that name another major version. Whatever it does not know it refuses with an error.
"""

from include.sandbox.elasticsearch.server import ElasticsearchSandbox

__all__ = ["ElasticsearchSandbox"]
