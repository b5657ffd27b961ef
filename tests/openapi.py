"""Check requests and answers against a vendor's OpenAPI description: paths, parameters, bodies, nothing unknown."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import HTTP
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jsonschema
import pytest

from tests.vendor import Call

SPECS = Path(os.environ.get("PRIVACY_SPECS") or Path(__file__).resolve().parents[1] / "specs")
_METHODS = ("get", "put", "post", "delete", "patch")
_OPEN = ("additionalProperties", "patternProperties", "allOf", "anyOf", "oneOf")

Document = dict[str, Any]


class Description:
    """One or more OpenAPI documents of a vendor, as one.

    Args:
        files: below the folder of the vendors' descriptions, such as ``"mailgun/mailgun-openapi.json"``.
        patch: corrects a document where the vendor is known to contradict itself.
    """

    def __init__(self, *files: str, patch: Callable[[Document], None] = lambda document: None) -> None:
        self.documents = [_read(name) for name in files]
        for document in self.documents:
            patch(document)

    @cached_property
    def operations(self) -> list[Operation]:
        """Those with the fewest places come first: a literal path wins over a template."""
        found = [each for document in self.documents for each in _operations(document)]
        return sorted(found, key=lambda operation: operation.path.count("{"))

    def operation(self, call: Call) -> Operation:
        for operation in self.operations:
            if operation.method == call.method and operation.pattern.fullmatch(call.path):
                return operation
        raise AssertionError(f"the vendor describes no {call.method} on a path of this form")

    def check_call(self, call: Call) -> str:
        """The operation's method and path.

        Raises:
            AssertionError: the vendor describes no such request.
        """
        operation = self.operation(call)
        operation.check_query(call.query)
        operation.check_body(call)
        return operation.name

    def check_answer(self, call: Call, status: int, body: Any) -> None:
        """Raise when an answer to the call is not one that the vendor describes; ``body`` is decoded JSON or None."""
        self.operation(call).check_answer(status, body)


class Operation:
    """One method on one path."""

    def __init__(self, document: Document, path: str, method: str, described: Document, shared: list[Any]) -> None:
        self.document = document
        self.path = path
        self.method = method.upper()
        self.described = described
        self.name = f"{self.method} {path}"
        self.pattern = re.compile(re.sub(r"\\\{[^/]+?\\\}", "[^/]+", re.escape(path)))
        self.parameters = [_resolve(document, each) for each in [*described.get("parameters", []), *shared]]

    def check_query(self, query: list[tuple[str, str]]) -> None:
        known = {each["name"]: each for each in self.parameters if each["in"] == "query"}
        for name, value in query:
            assert name in known, f"{self.name} has no parameter {name}"
            self._check(_typed(value, _resolve(self.document, known[name]["schema"])), known[name]["schema"], name)
        names = {name for name, _ in query}
        for name, parameter in known.items():
            assert name in names or not parameter.get("required"), f"{self.name} lacks the parameter {name}"

    def check_body(self, call: Call) -> None:
        content = _resolve(self.document, self.described.get("requestBody", {})).get("content", {})
        if not call.body:
            body = _resolve(self.document, self.described.get("requestBody", {}))
            assert not body.get("required"), f"{self.name} lacks its body"
            return
        kind = call.headers.get("content-type", "").split(";")[0]
        assert kind in content, f"{self.name} takes no body of type {kind or 'none'}"
        schema = content[kind]["schema"]
        value = json.loads(call.body) if kind == "application/json" else self._form(call, schema)
        self._check(value, schema, "body")
        self._check_known(value, schema, "body")

    def check_answer(self, status: int, body: Any) -> None:
        answers = self.described["responses"]
        described = answers.get(str(status)) or answers.get(f"{status // 100}XX") or answers.get("default")
        assert described is not None, f"{self.name} never answers {status}"
        content = _resolve(self.document, described).get("content", {})
        if body is not None:
            assert "application/json" in content, f"{self.name} has no body in its answer {status}"
            self._check(body, content["application/json"].get("schema", {}), f"answer {status}")

    def _form(self, call: Call, schema: Document) -> dict[str, Any]:
        """A form's fields in the types of the schema, as far as text can be of one."""
        known = _resolve(self.document, schema).get("properties", {})
        value: dict[str, Any] = {}
        for name, text in fields(call):
            if known.get(name, {}).get("type") == "array":
                value.setdefault(name, []).append(text)
            else:
                assert name not in value, f"{self.name} has the field {name} twice"
                value[name] = text
        return value

    def _check(self, value: Any, schema: Document, where: str) -> None:
        whole = {**schema, "components": self.document.get("components", {})}
        for error in jsonschema.Draft202012Validator(whole).iter_errors(value):
            raise AssertionError(f"{self.name}: {where} breaks '{error.validator}' at {list(error.schema_path)}")

    def _check_known(self, value: Any, schema: Document, where: str) -> None:
        """JSON Schema lets unknown members pass; a vendor ignores them, which for a filter would be a disaster."""
        schema = _resolve(self.document, schema)
        if isinstance(value, list):
            for entry in value:
                self._check_known(entry, schema.get("items", {}), f"{where}[]")
        elif isinstance(value, dict) and "properties" in schema and not any(word in schema for word in _OPEN):
            for name, entry in value.items():
                assert name in schema["properties"], f"{self.name}: {where} has no member {name}"
                self._check_known(entry, schema["properties"][name], f"{where}.{name}")


def fields(call: Call) -> list[tuple[str, str]]:
    """Names and values of a ``multipart/form-data`` body, in their order."""
    head = f"Content-Type: {call.headers['content-type']}\r\n\r\n".encode()
    message = BytesParser(EmailMessage, policy=HTTP).parsebytes(head + call.body)
    return [
        (str(part.get_param("name", header="content-disposition")), bytes(part.get_payload(decode=True)).decode())
        for part in message.iter_parts()
    ]


def _read(name: str) -> Document:
    place = SPECS / name
    if not place.exists():
        pytest.skip(f"{name} is absent: set PRIVACY_SPECS to the folder of the vendors' API descriptions")
    document: Document = json.loads(place.read_text())
    return document


def _operations(document: Document) -> Iterator[Operation]:
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                yield Operation(document, path, method, item[method], item.get("parameters", []))


def _resolve(document: Document, value: Mapping[str, Any]) -> Document:
    found = dict(value)
    while "$ref" in found:
        target: Any = document
        for step in found["$ref"].removeprefix("#/").split("/"):
            target = target[unquote(step).replace("~1", "/").replace("~0", "~")]
        found = dict(target)
    return found


def _typed(text: str, schema: Document) -> Any:
    """A parameter's text as the value that its schema speaks of; text that is none stays text and breaks the schema."""
    kind = schema.get("type")
    try:
        return json.loads(text) if kind in ("integer", "number", "boolean") else text
    except ValueError:
        return text
