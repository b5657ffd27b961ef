"""The case of each system. A new system adds a class: without one the suite fails."""

from tests.systems.conformance.case import Case
from tests.systems.conformance.cases_forms import Hotjar, Typeform, Wix
from tests.systems.conformance.cases_messages import Autopilot, OneSignal, Ortto, Zapier
from tests.systems.conformance.cases_observing import (
    FirebasePerformance,
    LookerStudio,
    NewRelic,
    PhantomBuster,
    TagManager,
)
from tests.systems.conformance.cases_services import GoogleAnalytics, Loggly, Mailgun, SendGrid, TawkTo
from tests.systems.conformance.cases_signin import GoogleSignIn, GoogleWorkspace, LinkedInSignIn, MicrosoftGraph
from tests.systems.conformance.cases_social import Facebook, Instagram, LinkedIn, Twitter
from tests.systems.conformance.cases_stores import CloudStorage, Elasticsearch, FirebaseAuth, Firestore, Redis

_ALL = (
    Autopilot,
    CloudStorage,
    Elasticsearch,
    Facebook,
    FirebaseAuth,
    FirebasePerformance,
    Firestore,
    GoogleAnalytics,
    GoogleSignIn,
    GoogleWorkspace,
    Hotjar,
    Instagram,
    LinkedIn,
    LinkedInSignIn,
    Loggly,
    LookerStudio,
    Mailgun,
    MicrosoftGraph,
    NewRelic,
    OneSignal,
    Ortto,
    PhantomBuster,
    Redis,
    SendGrid,
    TagManager,
    TawkTo,
    Twitter,
    Typeform,
    Wix,
    Zapier,
)
CASES: dict[str, type[Case]] = {case.key: case for case in _ALL}
