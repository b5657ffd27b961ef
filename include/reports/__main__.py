"""Print the JSON Schema of a report: ``python -m include.reports > include/reports/schema/retention-report-1.json``."""

from __future__ import annotations

import json

from include.reports.render import json_schema

print(json.dumps(json_schema(), indent=2, sort_keys=True))
