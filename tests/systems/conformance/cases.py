"""The case of each system. A new system adds a line: without one the suite fails."""

from tests.systems.conformance.case import Case
from tests.systems.conformance.case_google_analytics import GoogleAnalyticsCase
from tests.systems.conformance.case_loggly import LogglyCase
from tests.systems.conformance.case_tawk_to import TawkToCase

CASES: dict[str, type[Case]] = {case.key: case for case in (GoogleAnalyticsCase, LogglyCase, TawkToCase)}
