"""Every call and every answer of the twin against the vendor's pages.

https://docs.zapier.com/powered-by-zapier/api-reference/experimental/get-zap-runs
https://docs.zapier.com/powered-by-zapier/api-reference/authentication
"""

from datetime import timedelta

import pytest

from include.policy.loader import load
from include.policy.persons import IdentifierKind
from include.sandbox import zapier
from include.systems.zapier import connect_erasing
from tests.retention.truth import POLICY_FILE
from tests.systems.conformance.means import NOW, Somebody, means_at
from tests.systems.watched import described, operation, shape, watched

TEXT, NUMBER = {"type": "string"}, {"type": "integer", "minimum": 0}
MAYBE = {"type": ["string", "null"]}
STATUS = {
    "enum": ["delayed", "scheduled", "pending", "error", "error_handled", "halted", "throttled", "held", "filtered",
             "skipped", "success"]
}  # fmt: skip
RUN = shape(
    ("id", "status", "steps", "zap_id", "zap_title"),
    id=TEXT,
    zap_id={"type": "integer"},
    start_time=MAYBE,
    end_time=MAYBE,
    status=STATUS,
    zap_title=MAYBE,
    steps={"type": ["array", "null"]},
    data_in={},
    data_out={},
)
RUNS = shape(
    ("links", "meta"),
    links=shape(("next", "prev"), next=MAYBE, prev=MAYBE),
    meta=shape(("count",), count=NUMBER, limit={"type": ["integer", "null"]}, offset=NUMBER),
    data={"type": "array", "items": RUN},
)
MOMENT = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$"}
QUERY = {
    "from_date": MOMENT,
    "to_date": MOMENT,
    "limit": NUMBER,
    "offset": NUMBER,
    "search": {**TEXT, "maxLength": 150},
}


def paths():
    listed = operation(answers={"200": RUNS})
    listed["parameters"] = [{"name": name, "in": "query", "schema": schema} for name, schema in QUERY.items()]
    token = operation(answers={"200": {"type": "object", "required": ["access_token", "expires_in"]}})
    form = shape(("grant_type", "refresh_token"), grant_type={"const": "refresh_token"}, refresh_token=TEXT)
    token["requestBody"] = {"required": True, "content": {"multipart/form-data": {"schema": form}}}
    return {"/v2/zap-runs": {"get": listed}, "/oauth/token/": {"post": token}}


@pytest.fixture
def twin(quick):
    with watched("zapier", zapier.SERVICE) as twin:
        for number in range(900):
            at = NOW - timedelta(minutes=50 * number)
            twin.twin.seed([zapier.Run(f"{number:032x}", "Leads", at, {"email": f"p{number}@x.example"}, {"ok": True})])
        yield twin


def test_every_call_and_every_answer_is_as_described(twin):
    subjects = [Somebody(n, {IdentifierKind.EMAIL: [f"p{n}@x.example"]}).subject() for n in range(3)]
    system = connect_erasing(twin.connection(), means_at(twin.clock))
    system.access()
    system.retention([promise for promise in load(POLICY_FILE).promises if promise.system == "zapier"])
    list(system.export(subjects))
    receipts = system.erase(system.find(subjects))
    system.verify(subjects, receipts)
    system.verify(subjects * 5, receipts)
    system.close()
    assert twin.check(described({"paths": paths()})) == {"GET /v2/zap-runs", "POST /oauth/token/"}
    assert {exchange.status for exchange in twin.exchanges} == {200}
    assert len(twin.held()) == 900
