"""An Elasticsearch to try the product on: the part of its API that the product and its tests speak, in memory.

    server ── routing ── call ── cluster ── index ── segment ── mapping ── dates
      ├── documents, byquery ── scripts ── painless ── expressions ── java
      ├── searching ── search ── query ── leaves
      │                  └── sorting, aggs
      └── indices, aliases, templates, lifecycles, overview    beside the cluster: tasks, contexts, settings

It models what a client can trip over: near-real-time visibility, version conflicts, by-query tasks that run in the
background, media types that name another major version. Whatever it does not know it refuses with an error.
"""

from include.sandbox.elasticsearch.server import ElasticsearchSandbox

__all__ = ["ElasticsearchSandbox"]
