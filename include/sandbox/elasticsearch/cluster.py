"""The state of the cluster: indices, aliases, data streams, templates and how names become indices."""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

from include.sandbox.elasticsearch.contexts import Contexts
from include.sandbox.elasticsearch.errors import EsError, illegal, no_index, unparsable
from include.sandbox.elasticsearch.index import Index
from include.sandbox.elasticsearch.mapping import IndexMapping
from include.sandbox.elasticsearch.settings import Settings, flatten
from include.sandbox.elasticsearch.tasks import Tasks

TASKS_INDEX = ".tasks"

_BAD_NAME = re.compile(r"[\\/*?\"<>| ,#:]|^[-_+]|^\.{1,2}$|[A-Z]")


@dataclass(frozen=True, slots=True)
class IndexOptions:
    """How an index expression is resolved."""

    ignore_unavailable: bool = False
    allow_no_indices: bool = True
    wildcards: frozenset[str] = frozenset({"open"})


STRICT = IndexOptions()


@dataclass(slots=True)
class Stream:
    """A data stream: a name for a row of backing indices, of which the last one is written to."""

    name: str
    template: str
    indices: list[str] = field(default_factory=list)
    lifecycle: dict[str, Any] | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    mappings: dict[str, Any] = field(default_factory=dict)


class Cluster:
    """Everything the server knows. ``lock`` is held while a handler or a chunk of a task runs.

    Args:
        major: the cluster's major version.
        clock: seconds since 1970.
    """

    def __init__(self, major: int, clock: Callable[[], float]) -> None:
        self.major = major
        self.clock = clock
        self.lock = threading.RLock()
        self.uuid = uuid.uuid4().hex[:22]
        self.tasks = Tasks(clock)
        self.clear()

    def clear(self) -> None:
        """Forget everything; running tasks end."""
        self.tasks.cancel_all()
        self.indices: dict[str, Index] = {}
        self.streams: dict[str, Stream] = {}
        self.templates: dict[str, dict[str, Any]] = {}
        self.index_templates: dict[str, dict[str, Any]] = {}
        self.component_templates: dict[str, dict[str, Any]] = {}
        self.policies: dict[str, dict[str, Any]] = {}
        self.ilm_running = True
        self.contexts = Contexts()
        self.tasks = Tasks(self.clock)

    @property
    def now(self) -> datetime:
        """The time that ``now`` means in queries."""
        return datetime.fromtimestamp(self.clock(), UTC)

    def resolve(self, expression: str, options: IndexOptions = STRICT) -> list[Index]:
        """The indices that names, aliases, data streams and patterns mean, in order and once each.

        Raises:
            EsError: 404 for a name that is not there, 400 for a closed index.
        """
        found: dict[str, Index] = {}
        for part in expression.split(",") if expression else ["_all"]:
            if part.startswith("-"):
                for name in self._named_like(part[1:], options):
                    found.pop(name, None)
                continue
            if part == "_all" or "*" in part:
                names = self._named_like("*" if part == "_all" else part, options)
            else:
                names = self._exactly(part, options)
            found |= {name: self.indices[name] for name in names}
        if not found and not options.allow_no_indices:
            raise no_index(expression)
        return list(found.values())

    def _exactly(self, name: str, options: IndexOptions) -> list[str]:
        names = self.names_of(name)
        if not names and not options.ignore_unavailable:
            raise no_index(name)
        closed = [found for found in names if self.indices[found].closed]
        if closed and not options.ignore_unavailable and not options.wildcards & {"closed", "all"}:
            raise EsError(400, "index_closed_exception", "closed", index=closed[0])
        return [found for found in names if found not in closed or options.wildcards & {"closed", "all"}]

    def _named_like(self, pattern: str, options: IndexOptions) -> list[str]:
        if "none" in options.wildcards:
            return []
        every = "all" in options.wildcards
        hidden = every or "hidden" in options.wildcards or pattern.startswith(".")
        names = []
        for name in [*self.indices, *self.streams, *self.alias_names()]:
            if fnmatchcase(name, pattern) and (hidden or not name.startswith(".")):
                names += self.names_of(name)
        states = {False: "open", True: "closed"}
        return [name for name in names if every or states[self.indices[name].closed] in options.wildcards]

    def names_of(self, name: str) -> list[str]:
        """The indices behind a name: itself, those of a data stream or those of an alias."""
        if name in self.indices:
            return [name]
        if name in self.streams:
            return list(self.streams[name].indices)
        return [index.name for index in self.indices.values() if name in index.aliases]

    def alias_names(self) -> set[str]:
        """All aliases."""
        return {alias for index in self.indices.values() for alias in index.aliases}

    def one(self, name: str) -> Index:
        """The one index that a document is read from or deleted in.

        Raises:
            EsError: 404 for a name that is not there, 400 for one that means several indices.
        """
        names = self.names_of(name)
        if not names:
            raise no_index(name)
        if name in self.streams:
            return self.indices[names[-1]]
        if len(names) > 1:
            writers = [found for found in names if self.indices[found].aliases[name].get("is_write_index")]
            if len(writers) != 1:
                raise illegal(
                    f"alias [{name}] has more than one index associated with it, can't execute a single index op"
                )
            return self.indices[writers[0]]
        return self.indices[names[0]]

    def writable(self, name: str, *, create: bool) -> Index:
        """The index that a document goes to; it is created when it is not there.

        Raises:
            EsError: 400, a data stream takes new documents only, or the name is not allowed.
        """
        if name in self.streams or (name not in self.indices and self._stream_template(name)):
            if not create:
                raise illegal("only write ops with an op_type of create are allowed in data streams")
            if name not in self.streams:
                self.create_stream(name)
        elif not self.names_of(name):
            self.create(name, {})
        return self.one(name)

    def create(self, name: str, body: Mapping[str, Any], *, system: bool = False) -> Index:
        """Create an index; templates that match its name are applied first.

        Raises:
            EsError: 400, it is there already, or the name or body is not allowed.
        """
        if name in self.indices:
            raise EsError(
                400, "resource_already_exists_exception", f"index [{name}/{self.uuid}] already exists", index=name
            )
        if not system and (_BAD_NAME.search(name) or len(name.encode()) > 255):
            raise EsError(400, "invalid_index_name_exception", f"Invalid index name [{name}]", index=name)
        for key in body.keys() - {"settings", "mappings", "aliases"}:
            raise unparsable(f"unknown key [{key}] for create index")
        mapping, settings = IndexMapping(), Settings()
        aliases: dict[str, dict[str, Any]] = {}
        for layer in (*self._template_layers(name), body):
            settings |= flatten(layer.get("settings", {}))
            mapping.merge(layer.get("mappings", {}))
            aliases |= layer.get("aliases", {})
        index = Index(name, settings, mapping, self.clock)
        index.aliases = aliases
        self.indices[name] = index
        return index

    def _template_layers(self, name: str) -> Iterable[Mapping[str, Any]]:
        template = self.template_for(self._stream_of_backing(name) or name)
        if template is None:
            matching = [t for t in self.templates.values() if _matches(name, t["index_patterns"])]
            yield from sorted(matching, key=lambda t: int(t.get("order", 0)))
            return
        for component in template.get("composed_of", []):
            yield self.component_templates[component]["template"]
        yield {key: value for key, value in template.get("template", {}).items() if key in _INDEX_PARTS}

    def template_for(self, name: str) -> dict[str, Any] | None:
        """The composable template with the highest priority for a name."""
        matching = [t for t in self.index_templates.values() if _matches(name, t["index_patterns"])]
        return max(matching, key=lambda t: int(t.get("priority", 0)), default=None)

    def _stream_template(self, name: str) -> str | None:
        template = self.template_for(name)
        if template is None or "data_stream" not in template:
            return None
        return next(key for key, value in self.index_templates.items() if value is template)

    def _stream_of_backing(self, name: str) -> str | None:
        match = re.fullmatch(r"\.ds-(.+)-\d{4}\.\d\d\.\d\d-\d{6}", name)
        return match[1] if match else None

    def create_stream(self, name: str) -> Stream:
        """Create a data stream from its template.

        Raises:
            EsError: 400, it exists or no template with a ``data_stream`` matches.
        """
        if name in self.streams or name in self.indices:
            raise EsError(400, "resource_already_exists_exception", f"data_stream [{name}] already exists")
        template = self._stream_template(name)
        if template is None:
            raise illegal(f"no matching index template found for data stream [{name}]")
        lifecycle = self.index_templates[template].get("template", {}).get("lifecycle")
        self.streams[name] = Stream(name, template, lifecycle={"enabled": True, **lifecycle} if lifecycle else None)
        self.add_backing(self.streams[name])
        return self.streams[name]

    def add_backing(self, stream: Stream) -> Index:
        """Roll a data stream over to a new backing index."""
        name = f".ds-{stream.name}-{self.now:%Y.%m.%d}-{len(stream.indices) + 1:06d}"
        index = self.create(name, {"settings": stream.settings, "mappings": stream.mappings}, system=True)
        index.mapping.merge({"properties": {"@timestamp": {"type": "date"}}})
        index.settings["index.hidden"] = "true"
        stream.indices.append(name)
        return index

    def delete(self, index: Index) -> None:
        """Delete an index.

        Raises:
            EsError: 400, it is the write index of a data stream.
        """
        for stream in self.streams.values():
            if index.name == stream.indices[-1]:
                raise illegal(
                    f"index [{index.name}] is the write index for data stream [{stream.name}] and cannot be deleted"
                )
            if index.name in stream.indices:
                stream.indices.remove(index.name)
        del self.indices[index.name]

    def task_index(self) -> Index:
        """The system index with the results of finished background tasks."""
        if TASKS_INDEX not in self.indices:
            self.create(TASKS_INDEX, {"mappings": {"dynamic": False}}, system=True)
        return self.indices[TASKS_INDEX]


_INDEX_PARTS = frozenset({"settings", "mappings", "aliases"})


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
