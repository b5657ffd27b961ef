"""Reads and runs Elastic's YAML tests (elastic/elasticsearch-clients-tests) with the official client."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from elasticsearch import ApiError, Elasticsearch


@dataclass(frozen=True)
class YamlTest:
    name: str
    steps: list[dict[str, Any]]
    setup: list[dict[str, Any]] = field(default_factory=list)
    teardown: list[dict[str, Any]] = field(default_factory=list)


def load(folder: Path) -> list[YamlTest]:
    """All tests that apply to a self-managed cluster (``requires: stack``)."""
    found = []
    for path in sorted(folder.rglob("*.yml")):
        sections: dict[str, Any] = {}
        for document in yaml.safe_load_all(path.read_text()):
            sections |= document or {}
        if not sections.pop("requires", {}).get("stack"):
            continue
        setup, teardown = sections.pop("setup", []), sections.pop("teardown", [])
        where = path.relative_to(folder).as_posix()
        found += [YamlTest(f"{where}::{name}", steps, setup, teardown) for name, steps in sections.items()]
    return found


class Runner:
    """Runs the steps of one test; what a step saved under a name stands for ``$name`` in later ones."""

    def __init__(self, client: Elasticsearch) -> None:
        self.client = client
        self.saved: dict[str, Any] = {}
        self.last: Any = None

    def run(self, test: YamlTest) -> None:
        try:
            for step in [*test.setup, *test.steps]:
                self.step(step)
        finally:
            for step in test.teardown:
                self.step(step)

    def step(self, step: dict[str, Any]) -> None:
        ((kind, content),) = step.items()
        if kind == "do":
            self.do(dict(content))
        elif kind == "set":
            ((path, name),) = content.items()
            self.saved[name] = self.value(path)
        else:
            self.check(kind, content)

    def do(self, content: dict[str, Any]) -> None:
        catch = content.pop("catch", None)
        ((api, arguments),) = content.items()
        arguments = self.filled(arguments)
        catch = arguments.pop("catch", catch)
        ignored = arguments.pop("ignore", [])
        client: Any = self.client.options(ignore_status=ignored) if ignored else self.client
        for name in api.split("."):
            client = getattr(client, name)
        if api.startswith("ilm.") and "policy" in arguments:
            arguments["name"] = arguments.pop("policy")
        if isinstance(arguments.get("body"), str):
            arguments["body"] = json.loads(arguments["body"])
        failure = ""
        try:
            self.last = client(**{{"from": "from_"}.get(key, key): value for key, value in arguments.items()})
        except ApiError as error:
            failure = str(error)
        assert bool(failure) == bool(catch), f"{api} answered {failure or self.last}"
        assert not catch or catch in {"missing", "bad_request", "conflict"} or catch.strip("/") in failure
        self.last = getattr(self.last, "body", self.last)

    def check(self, kind: str, content: Any) -> None:
        if kind in {"is_true", "is_false", "exists"}:
            value = self.value(content)
            seen = value not in (None, "", 0, False, "false") if kind != "exists" else value is not None
            assert seen == (kind != "is_false"), f"{content} is {value!r}"
            return
        ((path, expected),) = content.items()
        value, expected = self.value(path), self.filled(expected)
        match kind:
            case "match" if isinstance(expected, str) and expected.startswith("/"):
                assert re.search(expected.strip("/ \n"), str(value), re.VERBOSE)
            case "match":
                assert value == expected, f"{path} is {value!r}"
            case "length":
                assert len(value) == expected, f"{path} is {value!r}"
            case "gt":
                assert value > expected
            case "gte":
                assert value >= expected
            case _:
                raise AssertionError(f"an unknown check {kind}")

    def value(self, path: str) -> Any:
        value = self.last
        for part in re.split(r"(?<!\\)\.", path) if path else []:
            key = self.filled(part.replace("\\.", "."))
            if isinstance(value, list):
                value = value[int(key)] if int(key) < len(value) else None
            else:
                value = value.get(key) if isinstance(value, dict) else None
        return value

    def filled(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self.filled(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.filled(item) for item in value]
        if isinstance(value, str) and value.startswith("$"):
            return self.saved[value.strip("${}")]
        return value
