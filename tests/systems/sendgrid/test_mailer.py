"""The answer to a person goes out through SendGrid once, and what became of it can be learned afterwards."""

from __future__ import annotations

import socket
from datetime import timedelta

import pytest

from include.connection import Connection
from include.errors import Refused, Unavailable
from include.systems import registry
from include.systems.mailing import Sending
from include.systems.sendgrid.mailer import SendGridMailer
from tests.systems.people import NOW, letter, means
from tests.systems.sendgrid.conftest import Service
from tests.vendor import Reply

LATER = NOW + timedelta(minutes=6)


def test_a_message_carries_its_key_and_is_not_tracked(service: Service) -> None:
    assert service.mailer().send(letter()) is Sending.SENT
    [sent] = service.calls
    body = sent.json
    assert body["personalizations"] == [
        {"to": [{"email": "ann@example.com"}], "custom_args": {"key": "req_aaaaaaaaaaaaaaaa"}}
    ]
    assert body["content"] == [{"type": "text/plain", "value": "It is done.\nBest regards"}]
    assert not any(each["enable"] for each in body["tracking_settings"].values())
    assert "categories" not in body
    assert "req_" not in body["subject"] + body["content"][0]["value"]


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (202, Sending.SENT),
        (400, Sending.NOT_SENT),
        (401, Sending.NOT_SENT),
        (403, Sending.NOT_SENT),
        (408, Sending.UNKNOWN),
        (413, Sending.NOT_SENT),
        (429, Sending.NOT_SENT),
        (500, Sending.UNKNOWN),
        (502, Sending.UNKNOWN),
        (503, Sending.NOT_SENT),
        (504, Sending.UNKNOWN),
        (200, Sending.UNKNOWN),
    ],
)
def test_each_answer_is_taken_for_what_it_says_and_never_asked_for_twice(
    service: Service, status: int, outcome: Sending
) -> None:
    service.twin.faults[("POST", "mail/send")] = [Reply(status, b"<html>" if status > 299 else None)]
    assert service.mailer().send(letter()) is outcome
    assert len(service.calls) == 1


def test_without_a_connection_it_was_not_sent(quick: list[float]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    connection = Connection("sendgrid", host=f"http://127.0.0.1:{port}", password="k")
    assert SendGridMailer(connection, means()).send(letter()) is Sending.NOT_SENT


def test_a_lost_answer_is_unknown_and_the_log_tells(service: Service) -> None:
    twin, mailer = service.twin, service.mailer()
    answer = twin.answer

    def lose(call):  # type: ignore[no-untyped-def]
        answer(call)
        return Reply(504)

    twin.answer = lose  # type: ignore[method-assign]
    assert mailer.send(letter()) is Sending.UNKNOWN
    twin.answer = answer  # type: ignore[method-assign]
    assert mailer.was_sent(letter(), NOW) is True


@pytest.mark.parametrize(("feed", "log"), [(True, True), (True, False), (False, True)])
def test_either_log_is_enough(service: Service, feed: bool, log: bool) -> None:
    service.twin.activity_feed, service.twin.log = feed, log
    mailer = service.mailer()
    assert mailer.was_sent(letter(), NOW) is None
    service.clock.now = LATER
    assert mailer.was_sent(letter(), NOW) is False
    mailer.send(letter())
    assert mailer.was_sent(letter(), NOW) is True
    assert mailer.was_sent(letter(key="req_other"), NOW) is False
    assert mailer.was_sent(letter(to="joann@example.com"), NOW) is False


def test_without_any_log_nothing_can_be_told(service: Service) -> None:
    service.twin.activity_feed = service.twin.log = False
    service.clock.now = LATER
    assert service.mailer().was_sent(letter(), NOW) is None


def test_a_message_that_shows_no_details_yet_may_be_ours(service: Service) -> None:
    service.twin.activity_feed = False
    service.clock.now = LATER
    mailer = service.mailer()
    mailer.send(letter())
    service.twin.faults[("GET", "/v3/logs/")] = [Reply(404, {"errors": []})]
    assert mailer.was_sent(letter(), NOW) is None


def test_the_delay_of_the_log_is_the_connections(service: Service) -> None:
    assert service.mailer(activity_delay_seconds=0).was_sent(letter(), NOW) is False
    with pytest.raises(Refused):
        service.mailer(activity_delay_seconds="soon")


def test_an_address_with_a_quote_or_capitals_is_matched_by_us(service: Service) -> None:
    service.twin.activity_feed = False
    service.clock.now = LATER
    mailer = service.mailer()
    for address in ("o'neil@example.com", "Ann@Example.com"):
        assert mailer.was_sent(letter(to=address), NOW) is False
        mailer.send(letter(to=address))
        assert mailer.was_sent(letter(to=address), NOW) is True


def test_a_log_that_fails_is_not_a_no(service: Service) -> None:
    service.twin.faults[("POST", "/v3/logs")] = [Reply(500)] * 9
    mailer = SendGridMailer(service.connection(), means(service.clock))
    with pytest.raises(Unavailable):
        mailer.was_sent(letter(), NOW)


@pytest.mark.parametrize(
    "mail",
    [
        letter(to="*"),
        letter(to=""),
        letter(to="a@example.com,b@example.com"),
        letter(key=""),
        letter(key='x" OR to_email != "'),
        letter(subject="a\nBcc: b@example.com"),
    ],
)
def test_a_message_that_is_none_is_refused_unsent(service: Service, mail) -> None:  # type: ignore[no-untyped-def]
    mailer = service.mailer()
    with pytest.raises(Refused):
        mailer.send(mail)
    with pytest.raises(Refused):
        mailer.was_sent(mail, NOW)
    assert service.calls == []


def test_the_registry_connects_it(service: Service) -> None:
    mailer = registry.connect_mailer(service.connection(), means())
    assert mailer.send(letter()) is Sending.SENT
    mailer.close()
