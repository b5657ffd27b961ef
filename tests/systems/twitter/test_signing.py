"""OAuth 1.0a against the examples that X and the standard publish."""

import json
from datetime import UTC, datetime
from urllib.parse import parse_qsl

import pytest
import requests

from include.systems.twitter.signing import OAuth1, Secrets, signature

X = Secrets(
    key="xvz1evFS4wEEPTGEFPHBog",
    key_secret="kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw",
    token="370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb",
    token_secret="LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE",
)
"""https://docs.x.com/resources/fundamentals/authentication/oauth-1-0a/creating-a-signature"""
NONCE, STAMP = "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg", 1318622958
STATUS = "Hello Ladies + Gentlemen, a signed OAuth request!"
SIGNED = "hCtSmYh+iHYCEqBWrE7C7hYmtUk="
URL = "https://api.twitter.com/1.1/statuses/update.json"


def header(method, url, **more):
    auth = OAuth1(X, lambda: datetime.fromtimestamp(STAMP, UTC), lambda: NONCE)
    request = requests.Request(method, url, auth=auth, **more).prepare()
    scheme, _, rest = request.headers["Authorization"].partition(" ")
    assert scheme == "OAuth"
    return dict(parse_qsl(rest.replace(", ", "&").replace('"', "")))


def test_the_example_of_x_has_its_signature():
    own = {
        "oauth_consumer_key": X.key,
        "oauth_nonce": NONCE,
        "oauth_signature_method": "HMAC-SHA1",
        "oauth_timestamp": str(STAMP),
        "oauth_token": X.token,
        "oauth_version": "1.0",
    }
    params = [("include_entities", "true"), ("status", STATUS), *own.items()]
    assert signature("post", URL, params, X) == SIGNED
    assert signature("POST", URL, reversed(params), X) == SIGNED


def test_a_whole_request_is_signed_with_its_query_and_its_form():
    sent = header("POST", f"{URL}?include_entities=true", data={"status": STATUS})
    assert sent == {
        "oauth_consumer_key": X.key,
        "oauth_nonce": NONCE,
        "oauth_signature": SIGNED,
        "oauth_signature_method": "HMAC-SHA1",
        "oauth_timestamp": str(STAMP),
        "oauth_token": X.token,
        "oauth_version": "1.0",
    }


def test_the_example_of_the_standard_has_its_signature():
    """RFC 5849 section 3.4.1.1, with the signature that verified erratum 2550 gives."""
    known = Secrets("9djdj82h48djs9d2", "j49sk3j29djd", "kkk9d7dh3k39sjv7", "dh893hdasih9")
    params = [
        ("b5", "=%3D"),
        ("a3", "a"),
        ("c@", ""),
        ("a2", "r b"),
        ("oauth_consumer_key", known.key),
        ("oauth_token", known.token),
        ("oauth_signature_method", "HMAC-SHA1"),
        ("oauth_timestamp", "137131201"),
        ("oauth_nonce", "7d8f3e4a"),
        ("c2", ""),
        ("a3", "2 q"),
    ]
    assert signature("POST", "http://example.com/request", params, known) == "r6/TJjbCOr97/+UU0NsvSne7s5g="


def test_a_body_of_json_is_not_signed():
    plain = header("POST", "https://ads-api.x.com/12/x")
    with_body = header(
        "POST", "https://ads-api.x.com/12/x", data=json.dumps([1]), headers={"Content-Type": "application/json"}
    )
    assert plain["oauth_signature"] == with_body["oauth_signature"]


@pytest.mark.parametrize("url", ["https://API.x.com:443/2/users/me", "https://api.x.com/2/users/me"])
def test_the_usual_port_and_the_case_of_the_host_count_for_nothing(url):
    assert header("GET", url)["oauth_signature"] == header("GET", "https://api.x.com/2/users/me")["oauth_signature"]


def test_a_port_of_its_own_and_another_method_or_query_count():
    forms = ["https://api.x.com/2/a", "https://api.x.com:8443/2/a", "https://api.x.com/2/a?b=", "https://api.x.com/2/A"]
    signed = {header("GET", url)["oauth_signature"] for url in forms} | {header("DELETE", forms[0])["oauth_signature"]}
    assert len(signed) == 5


def test_no_secret_is_ever_shown():
    assert X.key_secret not in repr(X)
    assert X.token not in repr(X)
