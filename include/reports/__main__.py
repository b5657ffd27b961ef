"""Print the JSON Schema of a report: ``python -m include.reports [retention|request|assurance]``.

The printed forms are kept under ``include/reports/schema``.
"""

from __future__ import annotations

import json
import sys

from include.reports import assurance, render, requests

SCHEMAS = {"retention": render.json_schema, "request": requests.json_schema, "assurance": assurance.json_schema}

print(json.dumps(SCHEMAS[sys.argv[1] if len(sys.argv) > 1 else "retention"](), indent=2, sort_keys=True))
