"""Templates: legacy, composable and component ones."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

from include.sandbox.elasticsearch.call import ACKNOWLEDGED, WAITS, Answer, Call, Endpoint
from include.sandbox.elasticsearch.errors import EsError, illegal, missing
from include.sandbox.elasticsearch.settings import flatten, nest

_INDEX_TEMPLATE = ("index_patterns", "template", "priority", "version", "composed_of", "data_stream", "_meta")


def _patterns(body: dict[str, Any]) -> list[str]:
    given = body.get("index_patterns")
    if not given:
        raise EsError(400, "action_request_validation_exception", "Validation Failed: 1: index patterns are missing;")
    return [given] if isinstance(given, str) else list(given)


def put_legacy_template(call: Call) -> Answer:
    """``PUT /_template/{name}``."""
    body = call.body("index_patterns", "settings", "mappings", "aliases", "order", "version")
    flatten(body.get("settings", {}))
    call.cluster.templates[call.parts["name"]] = {**body, "index_patterns": _patterns(body)}
    return ACKNOWLEDGED


def get_legacy_template(call: Call) -> Answer:
    """``GET|HEAD /_template/{name}``."""
    template = call.cluster.templates.get(call.parts["name"])
    if template is None:
        return Answer({}, 404)
    flat = flatten(template.get("settings", {}))
    settings = flat if call.flag("flat_settings") else nest(flat)
    shown = {"order": 0, "mappings": {}, "aliases": {}, **template, "settings": settings}
    return Answer({call.parts["name"]: shown})


def delete_legacy_template(call: Call) -> Answer:
    """``DELETE /_template/{name}``."""
    if call.cluster.templates.pop(call.parts["name"], None) is None:
        raise EsError(404, "index_template_missing_exception", f"index_template [{call.parts['name']}] missing")
    return ACKNOWLEDGED


def put_index_template(call: Call) -> Answer:
    """``PUT /_index_template/{name}``."""
    body = call.body(*_INDEX_TEMPLATE)
    template = body.get("template", {})
    for key in template.keys() - {"settings", "mappings", "aliases", "lifecycle"}:
        raise illegal(f"[template] unknown field [{key}]")
    flatten(template.get("settings", {}))
    for component in body.get("composed_of", []):
        if component not in call.cluster.component_templates:
            raise illegal(f"index template [{call.parts['name']}] invalid, missing component template [{component}]")
    call.cluster.index_templates[call.parts["name"]] = {**body, "index_patterns": _patterns(body)}
    return ACKNOWLEDGED


def get_index_template(call: Call) -> Answer:
    """``GET|HEAD /_index_template[/{name}]``."""
    pattern = call.parts.get("name", "*")
    found = {name: value for name, value in call.cluster.index_templates.items() if fnmatchcase(name, pattern)}
    if not found and "*" not in pattern:
        raise missing(f"index template matching [{pattern}] not found")
    shown = [{"name": name, "index_template": {"composed_of": [], **value}} for name, value in found.items()]
    return Answer({"index_templates": shown})


def delete_index_template(call: Call) -> Answer:
    """``DELETE /_index_template/{name}``."""
    name = call.parts["name"]
    if name not in call.cluster.index_templates:
        raise EsError(404, "index_template_missing_exception", f"index_template [{name}] missing")
    users = [stream.name for stream in call.cluster.streams.values() if stream.template == name]
    if users:
        raise illegal(f"unable to remove composable templates [{name}] as they are in use by a data streams {users}")
    del call.cluster.index_templates[name]
    return ACKNOWLEDGED


def put_component_template(call: Call) -> Answer:
    """``PUT /_component_template/{name}``."""
    body = call.body("template", "version", "_meta")
    flatten(body["template"].get("settings", {}))
    call.cluster.component_templates[call.parts["name"]] = body
    return ACKNOWLEDGED


def delete_component_template(call: Call) -> Answer:
    """``DELETE /_component_template/{name}``."""
    if call.cluster.component_templates.pop(call.parts["name"], None) is None:
        raise missing(f"component templates [{call.parts['name']}] missing")
    return ACKNOWLEDGED


ENDPOINTS = (
    Endpoint("PUT POST", "/_template/{name}", put_legacy_template, "master_timeout"),
    Endpoint("GET HEAD", "/_template/{name}", get_legacy_template, "flat_settings master_timeout"),
    Endpoint("DELETE", "/_template/{name}", delete_legacy_template, WAITS),
    Endpoint("PUT POST", "/_index_template/{name}", put_index_template, "master_timeout"),
    Endpoint("GET HEAD", "/_index_template/{name}", get_index_template, "master_timeout"),
    Endpoint("GET", "/_index_template", get_index_template, "master_timeout"),
    Endpoint("DELETE", "/_index_template/{name}", delete_index_template, WAITS),
    Endpoint("PUT POST", "/_component_template/{name}", put_component_template, WAITS),
    Endpoint("DELETE", "/_component_template/{name}", delete_component_template, WAITS),
)
