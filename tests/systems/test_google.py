"""What the connectors for Google's APIs share."""

import subprocess
import sys
from pathlib import Path

import pytest
import requests
from google.auth.exceptions import RefreshError, TransportError

from include.connection import Connection
from include.errors import PrivacyError, Refused, Throttled, Unavailable
from include.systems.google import base_url, failure, no_answer

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("host", "port", "url"),
    [
        (None, None, "https://storage.googleapis.com"),
        (None, 443, "https://storage.googleapis.com"),
        ("http://127.0.0.1:8000/storage/", None, "http://127.0.0.1:8000/storage"),
        ("proxy.example.com", None, "https://proxy.example.com"),
        ("http://127.0.0.1", 8000, "http://127.0.0.1:8000"),
    ],
)
def test_the_host_overrides_the_address(host, port, url):
    assert base_url(Connection("x", host=host, port=port), "https://storage.googleapis.com") == url


@pytest.mark.parametrize(
    ("status", "retry_after", "error", "seconds"),
    [
        (429, None, Throttled, None),
        (429, "9", Throttled, 9.0),
        (429, "Sun, 22 Nov 2026 00:00:00 GMT", Throttled, None),
        (503, "9", Throttled, 9.0),
        (503, None, Unavailable, None),
        (500, None, Unavailable, None),
        (408, None, Unavailable, None),
        (401, None, Refused, None),
        (403, None, Refused, None),
        (404, None, Refused, None),
        (302, None, Refused, None),
    ],
)
def test_a_status_is_an_error_by_what_to_do_about_it(status, retry_after, error, seconds):
    found = failure("x", "list", status, retry_after)
    assert type(found) is error
    assert str(status) in str(found)
    assert getattr(found, "retry_after", None) == seconds


@pytest.mark.parametrize(
    ("raised", "error"),
    [
        (requests.ConnectionError("http://host/secret"), Unavailable),
        (requests.ReadTimeout("http://host/secret"), Unavailable),
        (TransportError("http://host/secret"), Unavailable),
        (RefreshError("secret", retryable=True), Unavailable),
        (RefreshError("secret"), Refused),
    ],
)
def test_a_broken_connection_tells_no_address(raised, error):
    with pytest.raises(PrivacyError) as caught, no_answer("x", "list"):
        raise raised
    assert type(caught.value) is error
    assert "secret" not in str(caught.value)


def test_heavy_clients_are_imported_when_a_connection_is_used():
    """The scheduler imports the modules every few seconds; the clients take a second to import."""
    code = (
        "import sys; from include.systems import cloud_storage, firebase_auth;"
        "from include.connection import Connection as C;"
        "cloud_storage.connect(C('a', extra={'project': 'p'})); firebase_auth.connect(C('b', extra={'project': 'p'}));"
        "heavy = {'google.cloud.storage', 'google.auth', 'requests'} & set(sys.modules);"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
