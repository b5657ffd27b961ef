"""What the people of the invented company left in mail, logs and support chat, the same for the same estate.

Beside each of the shares below there are strangers: people outside of the company whose addresses hold an address of a
user or look like one. A look that is not exact meets them. Nothing of them may go with a user.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from include.sandbox import loggly, mailgun, sendgrid, tawk_to
from include.sandbox.draw import DAY, YEAR, ago, identifier, ip
from include.sandbox.estate import Estate
from include.sandbox.identities import as_typed, look_alike
from include.sandbox.mailgun.model import Domain
from include.sandbox.sendgrid.model import Account

LISTS = ("product@news.clique.test", "events@news.clique.test")
"""Mailing lists at Mailgun."""
_SUBJECTS = ("Your week at Clique", "A reminder", "Someone answered you", "New sign-in", "Your export is ready")
_SENDER = "hello@clique.test"
_STRANGERS = 0.02
_ERRORS = ("cannot read the calendar", "import took too long", "session was renewed", "page was slow")
_QUESTIONS = ("How do I export?", "I cannot sign in.", "Do you have an app?", "Can I have an invoice?")


def strangers(estate: Estate) -> list[tuple[str, str]]:
    """Names and addresses of people that are no users."""
    rng = estate.rng("strangers")
    known = {person.email for person in estate.people}
    known |= {email for one in estate.identities.values() for email in one.past_emails}
    drawn = [(person.name, look_alike(rng, person.email)) for person in estate.people if rng.random() < _STRANGERS]
    return [(name, address) for name, address in drawn if address not in known]


def fill_sendgrid(estate: Estate, service: sendgrid.SendGridSandbox) -> None:
    """Contacts of 70 % of the users, activity of 60 %, every suppression list; a part of it at the subuser."""
    rng = estate.rng("sendgrid")
    for name, addresses, share in _addressees(estate, rng):
        account = service.account(sendgrid.SUBUSER if rng.random() < 0.05 else "")
        if rng.random() < 0.70 * share and not any(map(account.contact_of, addresses)):
            made = ago(estate.as_of, rng, DAY, 3 * YEAR)
            first, _, last = name.partition(" ")
            contact = sendgrid.Contact(_uuid(rng), addresses[0], list(addresses[1:]), first, last, made)
            account.add_contact(contact)
        for address in addresses if rng.random() < 0.60 * share else ():
            for _ in range(rng.choice((1, 2, 2, 3))):
                account.add_message(_message(rng, address, ago(estate.as_of, rng, timedelta(), 30 * DAY)))
        _suppress(rng, estate.as_of, account, addresses)
    for kind, address, made in _left_long_ago(
        estate, "sendgrid", ("bounces", "blocks", "invalid_emails", "spam_reports")
    ):
        entry = sendgrid.Suppressed(address, int(made.timestamp()), "550 no such mailbox", "5.1.1")
        service.account().suppressions[kind][address] = entry


def fill_mailgun(estate: Estate, service: mailgun.MailgunSandbox) -> None:
    """Events of 25 % of the users, members of two lists, a few suppressions."""
    rng = estate.rng("mailgun")
    domains = [service.domain(name) for name in mailgun.DOMAINS]
    for address in LISTS:
        service.lists[address] = mailgun.MailingList(address, address.partition("@")[0].title(), estate.as_of - YEAR)
    for name, addresses, share in _addressees(estate, rng):
        domain, address = rng.choice(domains), addresses[-1] if rng.random() < 0.3 else addresses[0]
        for table, chance in (("bounces", 0.02), ("unsubscribes", 0.02), ("complaints", 0.01), ("whitelists", 0.005)):
            if rng.random() < chance:
                made = ago(estate.as_of, rng, DAY, YEAR)
                domain.add(table, mailgun.Entry(address, made, "550", "No such mailbox"))
        for mailing in service.lists.values():
            if rng.random() < 0.10 * share:
                mailing.members[address.lower()] = mailgun.Member(as_typed(rng, address), name, rng.random() < 0.9)
        if rng.random() < 0.25 * share:
            _mail(rng, estate.as_of, rng.choice(domains), as_typed(rng, address))
    for table, address, made in _left_long_ago(estate, "mailgun", ("bounces", "complaints")):
        domains[0].add(table, mailgun.Entry(address, made, "550", "No such mailbox"))


def fill_loggly(estate: Estate, service: loggly.LogglySandbox) -> None:
    """Events of the apps of 60 % of the users, the last 30 days; a third of their messages show an address."""
    rng = estate.rng("loggly")
    service.seed(_log_events(estate, rng))


def fill_tawk_to(estate: Estate, service: tawk_to.TawkToSandbox) -> None:
    """Chats without a name of 10 % of the users; 4 % left their address: in a chat, in a ticket, as a contact."""
    rng = estate.rng("tawk.to")
    for name, addresses, share in _addressees(estate, rng):
        address, chance, at = as_typed(rng, addresses[0]), rng.random(), ago(estate.as_of, rng, timedelta(), YEAR)
        question, person = rng.choice(_QUESTIONS), identifier(rng, 24)
        said = (("v", question), ("a", "What is your address?"), ("v", f"It is {address}, thank you"))
        if chance < 0.01 * share:
            number, left = rng.randrange(10**6), (("v", f"{question} {name}"),)
            ticket = tawk_to.Ticket(identifier(rng), number, at, name, address, person, question, left)
            service.seed(tickets=[ticket], contacts=[tawk_to.Contact(person, name, address)])
        elif chance < 0.02 * share:
            chat = tawk_to.Chat(identifier(rng), at, person, (("v", question),))
            service.seed([chat], contacts=[tawk_to.Contact(person, name, address)])
        elif chance < 0.04 * share:
            service.seed([tawk_to.Chat(identifier(rng), at, "", said, deleted=rng.random() < 0.1)])
        elif chance < 0.14 * share:
            service.seed([tawk_to.Chat(identifier(rng), at, "", (("v", question),))])


def _left_long_ago(estate: Estate, service: str, lists: Sequence[str]) -> Iterator[tuple[str, str, datetime]]:
    """Entries of lists of addresses that nobody has any more: on each as many from three to six years ago as later."""
    rng = estate.rng(f"{service} long ago")
    for name in lists:
        count = 3 + len(estate.people) // 40
        for number in range(2 * count + 1):
            years = (3.1 * YEAR, 6 * YEAR) if number < count else (DAY, 2.9 * YEAR)
            yield name, f"{identifier(rng, 8).lower()}@gone{number}.example", ago(estate.as_of, rng, *years)


def _addressees(estate: Estate, rng: Random) -> Iterator[tuple[str, tuple[str, ...], float]]:
    """Name, addresses, and how likely each trace is beside that of a user: users, strangers, some prospects."""
    for person in estate.people:
        yield person.name, (person.email, *estate.identities[person.uid].past_emails), 1.0
    for name, address in strangers(estate):
        yield name, (address,), 1.4
    for contact in estate.contacts():
        if rng.random() < 0.05:
            yield contact.name, (contact.email,), 0.8


def _suppress(rng: Random, as_of: datetime, account: Account, addresses: tuple[str, ...]) -> None:
    made = int(ago(as_of, rng, DAY, 2 * YEAR).timestamp())
    for kind, chance in (("bounces", 0.02), ("blocks", 0.015), ("invalid_emails", 0.01), ("spam_reports", 0.01)):
        if rng.random() < chance:
            entry = sendgrid.Suppressed(addresses[0], made, "550 no such mailbox", "5.1.1", ip(rng))
            account.suppressions[kind][addresses[0]] = entry
    for address in addresses[1:]:
        if rng.random() < 0.3:
            account.suppressions["bounces"][address] = sendgrid.Suppressed(address, made, "550 gone", "5.1.1")
    if rng.random() < 0.05:
        account.suppressions["unsubscribes"][addresses[0]] = sendgrid.Suppressed(addresses[0], made)
    if rng.random() < 0.03:
        account.groups[rng.choice(tuple(sendgrid.GROUPS))][addresses[0]] = made


def _message(rng: Random, address: str, at: datetime) -> sendgrid.Message:
    status = "delivered" if rng.random() < 0.95 else "not_delivered"
    return sendgrid.Message(
        identifier(rng, 22), _SENDER, address, rng.choice(_SUBJECTS), status, at, rng.choice((0, 0, 1, 2))
    )


def _mail(rng: Random, as_of: datetime, domain: Domain, address: str) -> None:
    for _ in range(rng.choice((1, 1, 2))):
        at, message = ago(as_of, rng, timedelta(), 30 * DAY), f"{identifier(rng, 16)}@{domain.name}"
        subject = rng.choice(_SUBJECTS)
        for kind, earlier in (("accepted", 2), ("delivered", 0)):
            moment = at - timedelta(seconds=earlier)
            domain.add_event(mailgun.Event(identifier(rng, 22), kind, moment, address, _SENDER, subject, message))


def _log_events(estate: Estate, rng: Random) -> Iterator[loggly.Event]:
    for person in estate.people:
        for _ in range(rng.choice((1, 2, 3, 4)) if rng.random() < 0.60 else 0):
            whom = f" for {as_typed(rng, person.email)}" if rng.random() < 0.33 else ""
            content = {"uid": person.uid, "level": "warning", "message": f"{rng.choice(_ERRORS)}{whom}"}
            yield loggly.Event(_uuid(rng), ago(estate.as_of, rng, timedelta(), 30 * DAY), content, ip(rng))
    for _, address in strangers(estate):
        content = {"uid": identifier(rng, 28), "level": "warning", "message": f"{rng.choice(_ERRORS)} for {address}"}
        yield loggly.Event(_uuid(rng), ago(estate.as_of, rng, timedelta(), 30 * DAY), content, ip(rng))


def _uuid(rng: Random) -> str:
    return str(UUID(int=rng.getrandbits(128), version=4))
