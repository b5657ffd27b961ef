"""Mailing lists of the account and their members."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from include.sandbox.mailgun.errors import refused
from include.sandbox.mailgun.model import MailingList, Member, rfc2822
from include.sandbox.mailgun.paging import page_of
from include.sandbox.rest import Ask, Reply


class Lists:
    """The operations on ``lists``, which are kept by address."""

    def __init__(self, lists: dict[str, MailingList]) -> None:
        self._lists = lists

    @property
    def table(self) -> dict[str, Callable[..., Reply]]:
        """Routes."""
        return {
            "GET /v3/lists/pages": self._pages,
            "GET /v3/lists/{}": self._get,
            "DELETE /v3/lists/{}": self._delete,
            "GET /v3/lists/{}/members/pages": self._members,
            "GET /v3/lists/{}/members/{}": self._member,
            "DELETE /v3/lists/{}/members/{}": self._delete_member,
        }

    def _pages(self, ask: Ask) -> Reply:
        rows, paging = page_of(ask, self._lists)
        return Reply(body={"items": [_shown(row) for row in rows], "paging": paging})

    def _get(self, ask: Ask, address: str) -> Reply:
        return Reply(body={"list": _shown(self._list(address))})

    def _delete(self, ask: Ask, address: str) -> Reply:
        del self._lists[self._list(address).address]
        return Reply(body={"address": address, "message": "Mailing list has been removed"})

    def _members(self, ask: Ask, address: str) -> Reply:
        wanted = ask.query.get("subscribed")
        members = self._list(address).members
        chosen = {key: row for key, row in members.items() if wanted is None or row.subscribed == _true(wanted)}
        rows, paging = page_of(ask, chosen)
        return Reply(body={"items": [_member(row) for row in rows], "paging": paging})

    def _member(self, ask: Ask, address: str, member: str) -> Reply:
        found = self._list(address).members.get(member.lower())
        if found is None:
            raise _no_member(address, member)
        return Reply(body=_member(found))

    def _delete_member(self, ask: Ask, address: str, member: str) -> Reply:
        if self._list(address).members.pop(member.lower(), None) is None:
            raise _no_member(address, member)
        return Reply(body={"member": {"address": member}, "message": "Mailing list member has been deleted"})

    def _list(self, address: str) -> MailingList:
        found = self._lists.get(address.lower())
        if found is None:
            raise refused(404, f"Mailing list {address} not found")
        return found


def _no_member(address: str, member: str) -> Exception:
    return refused(404, f"Member {member} of mailing list {address} not found")


def _shown(row: MailingList) -> dict[str, Any]:
    return {
        "address": row.address,
        "name": row.name,
        "description": "",
        "access_level": "readonly",
        "reply_preference": "list",
        "created_at": rfc2822(row.created_at),
        "members_count": len(row.members),
    }


def _member(row: Member) -> dict[str, Any]:
    return {"address": row.address, "name": row.name, "subscribed": row.subscribed, "vars": row.vars}


def _true(text: str) -> bool:
    return text.lower() in ("true", "yes", "1")
