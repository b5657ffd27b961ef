"""The case of each system. A new system adds a class: without one the suite fails."""

from tests.systems.conformance.case import Case
from tests.systems.conformance.cases_forms import Hotjar, Typeform, Wix
from tests.systems.conformance.cases_services import GoogleAnalytics, Loggly, Mailgun, SendGrid, TawkTo
from tests.systems.conformance.cases_stores import CloudStorage, Elasticsearch, FirebaseAuth, Firestore, Redis

_ALL = (
    CloudStorage,
    Elasticsearch,
    FirebaseAuth,
    Firestore,
    GoogleAnalytics,
    Hotjar,
    Loggly,
    Mailgun,
    Redis,
    SendGrid,
    TawkTo,
    Typeform,
    Wix,
)
CASES: dict[str, type[Case]] = {case.key: case for case in _ALL}
