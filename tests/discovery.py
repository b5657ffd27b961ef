"""Check requests and answers against Google's discovery documents: every parameter, member and type."""

import json
import os
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from include.sandbox.google import Answer, Call

SPECS = Path(os.environ.get("PRIVACY_SPECS") or Path(__file__).resolve().parents[1] / "specs")
_JSON = {"string": str, "boolean": bool, "array": list, "object": dict, "number": (int, float), "integer": int}


def place(name: str) -> Path:
    """Where one API's discovery document is looked for."""
    return SPECS / "google" / f"{name}.json"


class Discovery:
    """One API's discovery document."""

    def __init__(self, name: str) -> None:
        if not place(name).exists():
            pytest.skip(
                f"google/{name}.json is absent: set PRIVACY_SPECS to the folder of the vendors' API descriptions"
            )
        self.document: dict[str, Any] = json.loads(place(name).read_text())
        self.methods = list(_methods(self.document))

    def method(self, call: Call) -> dict[str, Any]:
        """The method that the address means; media uploads are methods with an address of their own."""
        for method in self.methods:
            if method["httpMethod"] != call.method:
                continue
            for path in _paths(self.document, method):
                if re.fullmatch(path, call.path):
                    return method
        raise AssertionError(f"no method {call.method} {call.path} in the discovery document")

    def check_call(self, call: Call, *, body: bool = True) -> dict[str, Any]:
        method = self.method(call)
        known = {**self.document["parameters"], **method.get("parameters", {})}
        for name, value in call.query.items():
            assert name in known, f"{method['id']} has no parameter {name}"
            _check_parameter(name, value, known[name])
        if body and call.body:
            assert "request" in method, f"{method['id']} has no body"
            self.check(json.loads(call.body), method["request"], f"{method['id']} request")
        return method

    def check_answer(self, call: Call, answer: Answer) -> None:
        method = self.method(call)
        if answer.status >= 400:
            body = json.loads(answer.content)
            assert body["error"]["code"] == answer.status
            assert body["error"]["message"]
        elif answer.content and answer.content_type.startswith("application/json"):
            assert "response" in method, f"{method['id']} answers nothing"
            self.check(json.loads(answer.content), method["response"], f"{method['id']} response")

    def check(self, value: Any, schema: Mapping[str, Any], where: str) -> None:
        """Raise when the value has a member that the schema does not, or one of another type."""
        if "$ref" in schema:
            schema = self.document["schemas"][schema["$ref"]]
        kind = schema.get("type", "any")
        if kind == "any" or value is None:
            return
        assert isinstance(value, _JSON[kind]), f"{where} is not {kind}"
        assert kind not in ("integer", "number") or not isinstance(value, bool), f"{where} is not {kind}"
        if kind == "string":
            _check_text(value, schema, where)
        elif kind == "array":
            for entry in value:
                self.check(entry, schema["items"], f"{where}[]")
        elif kind == "object":
            self._check_members(value, schema, where)

    def _check_members(self, value: Mapping[str, Any], schema: Mapping[str, Any], where: str) -> None:
        known = schema.get("properties", {})
        for name, entry in value.items():
            below = known.get(name) or schema.get("additionalProperties")
            assert below is not None, f"{where} has no member {name}"
            self.check(entry, below, f"{where}.{name}")


@cache
def discovery(name: str) -> Discovery:
    return Discovery(name)


def _methods(resource: Mapping[str, Any]) -> Any:
    yield from resource.get("methods", {}).values()
    for below in resource.get("resources", {}).values():
        yield from _methods(below)


def _paths(document: Mapping[str, Any], method: Mapping[str, Any]) -> list[str]:
    service = document["servicePath"]
    paths = [f"/{service}{method.get('flatPath', method['path'])}"]
    paths += [protocol["path"] for protocol in method.get("mediaUpload", {}).get("protocols", {}).values()]
    if method.get("supportsMediaDownload"):
        paths.append(f"/download/{service}{method['path']}")
    return [re.sub(r"\\{\w+\\}", "[^/:]+", re.escape(path)) for path in paths]


def _check_parameter(name: str, value: str, schema: Mapping[str, Any]) -> None:
    kind = schema["type"]
    if kind == "boolean":
        assert value.lower() in ("true", "false"), f"parameter {name} is not boolean"
    elif kind == "integer" or schema.get("format") == "int64":
        assert value.isdigit(), f"parameter {name} is not a number"
        assert int(value) <= int(schema.get("maximum", value)), f"parameter {name} is too large"
    else:
        _check_text(value, schema, f"parameter {name}")


def _check_text(value: str, schema: Mapping[str, Any], where: str) -> None:
    assert value in schema.get("enum", [value]), f"{where} is not one of the enumeration"
    pattern = {
        "int64": r"-?\d+",
        "uint64": r"\d+",
        "date-time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)",
        "date": r"\d{4}-\d\d-\d\d",
    }.get(schema.get("format", ""))
    assert pattern is None or re.fullmatch(pattern, value), f"{where} is not {schema.get('format')}"


def watched(handle: Any, document: Discovery, seen: list[str], problems: list[str]) -> Any:
    """Wrap a service's handler so that every call and answer is checked.

    ``seen`` gets the ids of the methods, ``problems`` what the discovery document does not know: raised here, it would
    be an answer that clients try again for minutes.
    """

    def checked(call: Call) -> Answer:
        answer: Answer = handle(call)
        if call.path.startswith("/batch/") or "upload_id" in call.query:
            return answer
        json_body = call.headers.get("content-type", "").startswith("application/json") and "upload" not in call.path
        try:
            seen.append(document.check_call(call, body=json_body and answer.status < 400)["id"])
            document.check_answer(call, answer)
        except AssertionError as problem:
            problems.append(str(problem))
        return answer

    return checked
