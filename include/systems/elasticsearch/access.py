"""What the key of a cluster may do, as its security says; a cluster without security lets everybody do everything.

https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-security-has-privileges
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from include.systems.assuring import Access
from include.systems.elasticsearch.client import speaking

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

_CLUSTER = ("monitor",)
_INDEX = ("read", "write", "maintenance", "view_index_metadata", "monitor")
_TOO_MUCH = ("all", "manage_security"), ("all", "delete_index")
"""Of the cluster, and of an index: far more than any module needs, asked for to be told that the key lacks it."""
_OPEN = "security is off: whoever reaches the cluster may do everything"
_NO_SECURITY = frozenset({400, 404, 405})


def access(client: Elasticsearch, indexes: Sequence[str]) -> Access:
    """Ask for the rights on the cluster and on some indices.

    Raises:
        Refused: the key is not accepted.
        Unavailable: no answer.
    """
    from elasticsearch import ApiError

    tried = "read the rights of its key"
    with speaking(tried):
        try:
            answer = client.security.has_privileges(
                cluster=[*_CLUSTER, *_TOO_MUCH[0]],
                index=[{"names": list(indexes), "privileges": [*_INDEX, *_TOO_MUCH[1]]}],
            )
        except ApiError as error:
            if error.status_code not in _NO_SECURITY:
                raise
            client.info()
            return Access(excess=(_OPEN,), note="It answers.")
    granted = {f"cluster {name}": has for name, has in answer["cluster"].items()}
    for index, rights in answer["index"].items():
        granted |= {f"{index} {name}": has for name, has in rights.items()}
    return _read(granted)


def _read(granted: dict[str, Any]) -> Access:
    needed = {name for name in granted if not _is_too_much(name)}
    missing = tuple(sorted(name for name in needed if not granted[name]))
    excess = tuple(sorted(name for name in granted.keys() - needed if granted[name]))
    return Access(missing, excess, note="Rights as its security shows them.")


def _is_too_much(name: str) -> bool:
    where, _, right = name.rpartition(" ")
    return right in _TOO_MUCH[where != "cluster"]
