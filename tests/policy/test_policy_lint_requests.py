"""The lint finds each mistake in what a policy says about requests of persons, at its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.policy.document import parse
from include.policy.errors import Finding, Severity
from include.policy.lint import lint

CLIQUE = (Path(__file__).parents[2] / "include" / "policy" / "clique.yaml").read_text()

MAILERS = """    - name: mailers
      systems:
        - sendgrid
        - mailgun
"""
ROOTS = """    - name: identity_roots
      systems:
        - firestore
        - firebase_auth
"""
MISTAKES = [
    (
        "a stage with an unknown system",
        "        - sendgrid\n",
        "        - sendgird\n",
        "did you mean 'sendgrid'?",
    ),
    ("a system in two stages", "        - mailgun\n", "        - mailgun\n        - redis\n", "is in two stages"),
    (
        "an identity root that goes too early",
        MAILERS + ROOTS,
        ROOTS + MAILERS,
        "what ties identifiers together goes last",
    ),
    ("an unknown stage", "    before: mailers\n", "    before: mailer\n", "there is no stage 'mailer'"),
    (
        "a sender that forgets the address before",
        "    before: mailers\n    senders: [sendgrid, mailgun]",
        "    before: mailers\n    senders: [redis, mailgun]",
        "'redis' forgets the address in a stage before the answer is sent",
    ),
    (
        "an unknown identity source",
        "- holding: firestore.users\n",
        "- holding: firestore.user\n",
        "no holding 'firestore.user'",
    ),
    (
        "suppressions of a system in no stage",
        "    sendgrid: [global",
        "    pigeon_post: [global",
        "so nothing survives there",
    ),
    (
        "records that stay without a ground",
        "        ground: Public activity from before the deletion of an account stays stored and public (§6.2).\n",
        "",
        "say on which 'ground' records stay",
    ),
    (
        "an effect without its list",
        "        unlink: [author, author_name]\n",
        "",
        "'unlink' as an effect and a list 'unlink' of fields go together",
    ),
    (
        "a list that leaves the name",
        "unlink: [author, author_name]",
        "unlink: [author_name]",
        "'author' names the person",
    ),
    (
        "systems of persons in no stage",
        "        - redis\n",
        "",
        "which is in no stage of 'requests'",
    ),
]


def errors(text: str) -> list[Finding]:
    return [finding for finding in lint(parse(text)) if finding.severity is Severity.ERROR]


@pytest.mark.parametrize(("old", "new", "sentence"), [m[1:] for m in MISTAKES], ids=[m[0] for m in MISTAKES])
def test_a_mistake_is_found(old: str, new: str, sentence: str) -> None:
    assert CLIQUE.count(old) == 1, old
    found = errors(CLIQUE.replace(old, new))
    assert any(sentence in finding.message for finding in found), [finding.message for finding in found]


def test_values_and_overlaps_of_a_where_are_checked() -> None:
    spoilt = CLIQUE.replace("where: {source: [customer_prospect]}", "where: {source: [customer_prospects]}", 1)
    assert any("did you mean 'customer_prospect'" in finding.message for finding in errors(spoilt))
    spoilt = CLIQUE.replace("where: {source: [customer_prospect]}", "where: {source: [event]}", 1)
    assert any("make their 'where' exclude each other" in finding.message for finding in errors(spoilt))


def test_a_policy_without_requests_is_sound() -> None:
    text = CLIQUE[: CLIQUE.index("requests:\n  stages:")]
    assert errors(text) == []
