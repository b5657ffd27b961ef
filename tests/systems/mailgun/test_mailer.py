"""The answer to a person goes out through Mailgun once, and what became of it can be learned afterwards."""

from __future__ import annotations

import socket
from datetime import timedelta

import pytest

from include.connection import Connection
from include.errors import Refused, Unavailable
from include.systems import registry
from include.systems.mailgun.mailer import MailgunMailer
from include.systems.mailing import Mail, Sending
from tests.openapi import fields
from tests.systems.mailgun.conftest import Service
from tests.systems.people import NOW, letter, means
from tests.vendor import Reply

LATER = NOW + timedelta(minutes=6)


def test_a_message_carries_its_key_and_is_not_tracked(service: Service) -> None:
    assert service.mailer().send(letter()) is Sending.SENT
    assert dict(fields(service.calls[0])) == {
        "from": "hello@clique.example",
        "to": "ann@example.com",
        "subject": "Your request",
        "text": "It is done.\nBest regards",
        "h:Message-Id": "<req_aaaaaaaaaaaaaaaa@mg.example.com>",
        "v:key": "req_aaaaaaaaaaaaaaaa",
        "o:tracking": "no",
        "o:tracking-clicks": "no",
        "o:tracking-opens": "no",
    }


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, Sending.SENT),
        (400, Sending.NOT_SENT),
        (401, Sending.NOT_SENT),
        (408, Sending.UNKNOWN),
        (429, Sending.NOT_SENT),
        (500, Sending.UNKNOWN),
        (502, Sending.UNKNOWN),
        (503, Sending.NOT_SENT),
        (504, Sending.UNKNOWN),
    ],
)
def test_each_answer_is_taken_for_what_it_says_and_never_asked_for_twice(
    service: Service, status: int, outcome: Sending
) -> None:
    service.twin.faults[("POST", "messages")] = [Reply(status, {} if status == 200 else b"Forbidden")]
    assert service.mailer().send(letter()) is outcome
    assert len(service.calls) == 1


def test_without_a_connection_it_was_not_sent(quick: list[float]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    extra = {"sending_domain": "mg.example.com"}
    connection = Connection("mailgun", host=f"http://127.0.0.1:{port}", password="k", extra=extra)
    assert MailgunMailer(connection, means()).send(letter()) is Sending.NOT_SENT


@pytest.mark.parametrize("log", [True, False])
def test_the_log_tells_what_was_sent(service: Service, log: bool) -> None:
    service.twin.log = log
    mailer = service.mailer()
    assert mailer.was_sent(letter(), NOW) is None
    service.clock.now = LATER
    assert mailer.was_sent(letter(), NOW) is False
    mailer.send(letter())
    assert mailer.was_sent(letter(), NOW) is True
    assert mailer.was_sent(letter(key="req_other"), NOW) is False
    assert mailer.was_sent(letter(to="joann@example.com"), NOW) is False


@pytest.mark.parametrize("lost", ["user-variables", "message"])
def test_variable_or_message_id_is_enough(service: Service, lost: str) -> None:
    mailer = service.mailer()
    mailer.send(letter())
    del service.twin.events[0][lost]
    assert mailer.was_sent(letter(), NOW) is True


def test_a_log_that_fails_is_not_a_no(service: Service) -> None:
    service.twin.faults[("POST", "logs")] = [Reply(500)] * 9
    with pytest.raises(Unavailable):
        service.mailer().was_sent(letter(), NOW)


@pytest.mark.parametrize(
    "mail", [letter(to="*"), letter(to="a@b.cd,e@f.gh"), letter(key="a@b>\nBcc: x"), letter(subject="a\r\nBcc: b@c.de")]
)
def test_a_message_that_is_none_is_refused_unsent(service: Service, mail: Mail) -> None:
    with pytest.raises(Refused):
        service.mailer().send(mail)
    assert service.calls == []


@pytest.mark.parametrize("extra", [{"sending_domain": "a/b"}, {"sending_domain": ""}, {"activity_delay_seconds": -1}])
def test_a_connection_that_lacks_something_is_refused(service: Service, extra: dict[str, object]) -> None:
    with pytest.raises(Refused):
        service.mailer(**extra)


def test_the_registry_connects_it(service: Service) -> None:
    mailer = registry.connect_mailer(service.connection(activity_delay_seconds=0), means())
    assert mailer.was_sent(letter(), NOW) is False
    mailer.close()
