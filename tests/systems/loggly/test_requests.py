"""Every request against what the vendor's pages say; there is no machine-readable description.

https://documentation.solarwinds.com/en/success_center/loggly/content/admin/paginating-event-retrieval-api.htm
https://documentation.solarwinds.com/en/success_center/loggly/content/admin/api-account-info.htm
https://documentation.solarwinds.com/en/success_center/loggly/content/admin/token-based-api-authentication.htm
"""

import re

import pytest

from include.policy.persons import IdentifierKind
from include.systems.loggly import connect_erasing
from tests.loopback import serve
from tests.systems.conformance.means import NOW, Clock, Somebody, means_at
from tests.systems.loggly.vendor import LogglyVendor, connection

FIRST = {
    "q": r'"(?:[^"\\]|\\.)+"( OR "(?:[^"\\]|\\.)+")*',
    "from": r"-\d+[smhdw]|now|\d{4}-\d\d-\d\dT[\d:.]+Z",
    "until": r"-\d+[smhdw]|now|\d{4}-\d\d-\d\dT[\d:.]+Z",
    "order": "asc|desc",
    "size": r"[5-9]\d|[1-9]\d\d|1000",
}
"""Parameters of the first page; of the next pages there is ``next`` alone, which may not be altered or added to."""


@pytest.fixture(scope="module")
def vendor():
    vendor = LogglyVendor()
    vendor.page = 50
    for _ in range(120):
        vendor.log("u-ann", NOW)
    with serve(vendor.app) as url:
        system = connect_erasing(connection(url), means_at(Clock()))
        subjects = [Somebody(1, {IdentifierKind.USER_ID: ["u-ann", 'a"\\b']}).subject()]
        system.verify(subjects, system.erase(system.find(subjects)))
        system.close()
    return vendor


def test_only_the_two_reading_operations_are_called(vendor):
    operations = {str(call["operation"]) for call in vendor.journal.as_json()}
    assert operations == {"GET /apiv2/customer", "GET /apiv2/events/iterate"}


def test_every_parameter_is_one_that_the_page_names(vendor):
    for asked in vendor.asked:
        if "next" in asked:
            assert set(asked) == {"next"}
        else:
            assert set(asked) == set(FIRST)
            for name, value in asked.items():
                assert re.fullmatch(FIRST[name], value), name


def test_every_call_has_the_token_as_bearer(vendor):
    assert set(vendor.headers) == {"bearer api-token"}
