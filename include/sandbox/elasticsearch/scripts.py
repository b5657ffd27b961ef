"""Update scripts: from a request's ``script`` to the changed source of a document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from include.sandbox.elasticsearch.errors import EsError, illegal
from include.sandbox.elasticsearch.painless import Script, compile_script

_OPERATIONS = frozenset({"index", "none", "noop", "delete"})


def read_script(given: Any) -> tuple[Script, dict[str, Any]]:
    """The function and the parameters of a ``script``.

    Raises:
        EsError: 400, it is malformed or in a language that is not known here.
    """
    script = {"source": given} if isinstance(given, str) else given
    if not isinstance(script, dict) or not isinstance(script.get("source"), str):
        raise illegal("must specify [source] for an inline script")
    for key in script.keys() - {"source", "lang", "params"}:
        raise illegal(f"[script] unknown field [{key}]")
    if script.get("lang", "painless") != "painless":
        raise illegal(f"script_lang not supported [{script['lang']}]")
    return compile_script(script["source"]), script.get("params", {})


def changed_source(
    script: Script, params: Mapping[str, Any], source: Mapping[str, Any], index: str, doc_id: str
) -> tuple[str, dict[str, Any]]:
    """Run a script on a copy of a document; returns the operation (index, none, delete) and the new source.

    Raises:
        EsError: 400, the script failed or asks for an operation that does not exist.
    """
    ctx: dict[str, Any] = {"_source": _copied(source), "_index": index, "_id": doc_id, "op": "index"}
    script(ctx, params)
    if ctx["op"] not in _OPERATIONS:
        raise EsError(400, "illegal_argument_exception", f"Operation type [{ctx['op']}] not allowed")
    return "none" if ctx["op"] == "noop" else ctx["op"], ctx["_source"]


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_copied(item) for item in value]
    return value
