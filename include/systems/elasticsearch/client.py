"""The official client, built from a connection, and its errors in the product's words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from include.connection import Connection
from include.errors import PrivacyError, Refused, Throttled, Unavailable
from include.systems.http_session import quiet

if TYPE_CHECKING:
    from elasticsearch import ApiError, Elasticsearch

SYSTEM = "elasticsearch"

_PORTS = {"http": 9200, "https": 443}
_REQUEST_TIMEOUT = 60.0
_RETRY = "The engine tries again."


def client_options(connection: Connection) -> dict[str, Any]:
    """Arguments of the client's constructor, checked without importing it.

    ``extra`` may hold ``cloud_id``, ``api_key``, ``ca_certs`` (a path), ``verify`` (false only on loopback),
    ``request_timeout`` (seconds) and ``compatible_with`` (the cluster's major version when it is below the client's).

    Raises:
        Refused: there is no host, or an option has the wrong form.
    """
    extra = connection.extra
    options: dict[str, Any] = {"request_timeout": _number(extra, "request_timeout", _REQUEST_TIMEOUT)}
    options |= {"max_retries": 0, "retry_on_timeout": False}
    if "cloud_id" in extra:
        options["cloud_id"] = connection.text("cloud_id")
    else:
        options["hosts"] = [_base_url(connection)]
    if "api_key" in extra:
        options["api_key"] = connection.text("api_key")
    elif connection.login and connection.password:
        options["basic_auth"] = (connection.login, connection.password)
    if "ca_certs" in extra:
        options["ca_certs"] = connection.text("ca_certs")
    if extra.get("verify") is False:
        if urlsplit(options.get("hosts", [""])[0]).hostname not in {"127.0.0.1", "localhost", "::1"}:
            raise Refused(SYSTEM, "accept 'verify': false", "Give 'ca_certs' instead; only loopback goes unverified.")
        options |= {"verify_certs": False, "ssl_show_warn": False}
    return options


def connect_client(connection: Connection) -> Elasticsearch:
    """The official client. It never repeats a call by itself: a repeated start would be a second deletion task.

    Raises:
        Refused: see :func:`client_options`.
    """
    from elasticsearch import Elasticsearch

    options = client_options(connection)
    major = connection.extra.get("compatible_with")
    return Elasticsearch(**options, **({"node_class": _compatible_node(int(str(major)))} if major else {}))


def _compatible_node(major: int) -> Any:
    """A node that names another major version in the media types.

    Client 9 sends ``compatible-with=9`` whatever the headers of a call say, and a cluster of version 8 refuses that.
    """
    from elastic_transport import HttpHeaders, Urllib3HttpNode
    from elastic_transport.client_utils import DEFAULT

    class CompatibleNode(Urllib3HttpNode):
        def perform_request(
            self, method: str, target: str, body: Any = None, headers: Any = None, request_timeout: Any = DEFAULT
        ) -> Any:
            changed = HttpHeaders(headers or {})
            for name in ("accept", "content-type"):
                if name in changed:
                    changed[name] = re.sub(r"compatible-with=\d+", f"compatible-with={major}", changed[name])
            return super().perform_request(method, target, body, changed, request_timeout)

    return CompatibleNode


def _number(extra: Mapping[str, object], key: str, default: float) -> float:
    value = extra.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise Refused(SYSTEM, f"read '{key}' of its connection", f"'{key}' is a number of seconds above zero.")
    return float(value)


def _base_url(connection: Connection) -> str:
    host = connection.host
    if not host:
        raise Refused(SYSTEM, "find its host", "Give the connection a host or, in its extra, a 'cloud_id'.")
    parts = urlsplit(host if "://" in host else f"{connection.schema or 'https'}://{host}")
    if parts.scheme not in _PORTS or not parts.hostname:
        raise Refused(SYSTEM, "read its host", "The host is a name or a URL that begins with https:// or http://.")
    port = parts.port or connection.port or _PORTS[parts.scheme]
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{name}:{port}{parts.path.rstrip('/')}"


@contextmanager
def speaking(tried: str) -> Iterator[None]:
    """Turn the client's errors into the product's.

    Args:
        tried: what is being done, as in "count documents".

    Raises:
        Unavailable: no answer, or the cluster could not do it now.
        Throttled: it asked to slow down.
        Refused: the request, the rights or a block stand in the way.
    """
    from elastic_transport import TlsError, TransportError
    from elasticsearch import ApiError, UnsupportedProductError

    try:
        # The client's log of requests holds whole bodies: silent by default, and here whatever a deployment sets.
        with quiet():
            yield
    except TlsError:
        raise Refused(SYSTEM, tried, "The certificate was not accepted: give 'ca_certs' in the connection.") from None
    except UnsupportedProductError:
        raise Refused(SYSTEM, tried, "The host does not answer as Elasticsearch: check the connection.") from None
    except TransportError:
        raise Unavailable(SYSTEM, tried, f"No complete answer came. {_RETRY}") from None
    except ApiError as error:
        raise _translated(error, tried) from None


def _translated(error: ApiError, tried: str) -> PrivacyError:
    status = error.status_code
    if status == 429:
        seconds = str(error.meta.headers.get("retry-after") or "")
        after = float(seconds) if seconds.isdecimal() else None
        return Throttled(SYSTEM, tried, f"It asked to slow down (429). {_RETRY}", retry_after=after)
    if status >= 500 or status in {408, 409}:
        return Unavailable(SYSTEM, tried, f"It answered {status}. {_RETRY}")
    return refusal(status, str(error.message), tried)


def refusal(status: int, kind: str, tried: str) -> Refused:
    """The refusal for an error that a retry can't change, by Elasticsearch's own name of it."""
    steps = {
        "media_type_header_exception": "Set the cluster's major version as 'compatible_with' in the extra.",
        "cluster_block_exception": "The index is blocked for writes: remove index.blocks.* or delete it as a whole.",
        "index_closed_exception": "The index is closed: open or delete it; what is in it cannot be seen.",
        "index_not_found_exception": "The index, alias or data stream is not there: correct the location.",
        "strict_dynamic_mapping_exception": "The mapping is strict: add the generalised fields to it.",
        "script_exception": "A document has a value that the anonymisation cannot read: correct it.",
    }
    by_status = {
        401: "The credentials were not accepted: renew the API key.",
        403: "The API key lacks a right: read, delete, maintenance, view_index_metadata; monitor on the cluster.",
        404: "What was asked for is not there: correct the location.",
    }
    step = steps.get(kind) or by_status.get(status) or f"It answered {status}: correct the rule."
    return Refused(SYSTEM, tried, step)
