"""Every request against what the vendor's pages say; there is no machine-readable description.

https://help.tawk.to/article/rest-api (all calls are POST with a JSON body; basic authentication with the key as user)
https://docs.tawk.to/ (methods and their arguments, v1.1.0)
"""

from base64 import b64encode
from datetime import datetime

import pytest

from include.policy.persons import IdentifierKind
from include.systems.tawk_to import connect_erasing
from tests.loopback import serve
from tests.systems.conformance.means import Clock, Somebody, means_at
from tests.systems.tawk_to.vendor import PROPERTY, TawkToVendor, connection

LIST = {
    "size": lambda value: type(value) is int and value > 0,
    "startDate": lambda value: datetime.fromisoformat(value).tzinfo is not None,
    "dateType": lambda value: value in ("cso", "cuo"),
    "sort": lambda value: value in ("co-new-old", "co-old-new"),
    "deleted": lambda value: type(value) is bool,
}
METHODS = {
    "chat.list": LIST,
    "ticket.list": LIST,
    "chat.get": {"chatId": lambda value: type(value) is str},
    "ticket.get": {"ticketId": lambda value: type(value) is str},
    "contact.person.get": {"personId": lambda value: type(value) is str, "fields": lambda value: type(value) is list},
}
"""The methods that read, each with its arguments beside ``propertyId``. None of the API's methods deletes these."""


@pytest.fixture(scope="module")
def vendor():
    vendor = TawkToVendor()
    vendor.whole = False
    vendor.chat("c1", "ann@x.example", contact="p1")
    vendor.ticket("t1", "ann@x.example")
    vendor.contacts = {"p1": {"id": "p1"}}
    with serve(vendor.app) as url:
        system = connect_erasing(connection(url), means_at(Clock()))
        subjects = [Somebody(1, {IdentifierKind.EMAIL: ["ann@x.example"]}).subject()]
        system.verify(subjects, system.erase(system.find(subjects)))
        system.close()
    return vendor


def test_every_method_of_reading_is_used_and_no_other(vendor):
    assert {method for method, _ in vendor.asked} == set(METHODS)
    assert {str(call["operation"]) for call in vendor.journal.as_json()} == {f"POST /v1/{name}" for name in METHODS}


def test_every_argument_is_one_that_the_page_names(vendor):
    for method, body in vendor.asked:
        assert body.pop("propertyId") == PROPERTY
        assert set(body) == set(METHODS[method])
        for name, fits in METHODS[method].items():
            assert fits(body[name]), (method, name)


def test_the_key_is_the_user_of_basic_authentication(vendor):
    assert set(vendor.headers) == {"Basic " + b64encode(b"api-key:").decode()}
