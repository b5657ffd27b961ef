"""JSON Schema of a policy file, for editors; ``policy.schema.json`` is its printed form."""

from __future__ import annotations

import json

from include.policy.model import Policy


def text() -> str:
    """The schema (draft 2020-12) of the file as it is written, not as it is after defaults."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Policy.model_json_schema()}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
