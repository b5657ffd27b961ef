"""JSON Schema of a policy file, for editors; ``policy.schema.json`` is its printed form."""

from __future__ import annotations

from typing import Any

from include.policy.model import Policy


def schema() -> dict[str, Any]:
    """The schema (draft 2020-12) of the file as it is written, not as it is after defaults."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Policy.model_json_schema()}
