"""Google Tag Manager: configuration, no data of visitors. It is read to see whether that is so.

A person can be in a container only where somebody wrote an address or an id into a tag or a variable; such an entry is
changed by hand, because a container is published as a whole and nobody but its owner can say what it is for. The live
version is read and what is being worked on in each workspace. What the tags of a container pass on is judged by the
names of what they read and send: see :meth:`TagManager.check`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from include.connection import Connection
from include.errors import Inconsistent, Refused, Throttled
from include.policy.persons import IdentifierKind
from include.policy.register import Claim, ClaimKind
from include.subjects.identifiers import Subject
from include.systems.assuring import Access, Checked
from include.systems.erasing import Did, ErasingCard, ErasureProof, Found, Means, Receipt, Seen
from include.systems.http import Answer, Http
from include.systems.mentions import Mentions, shows_address
from include.systems.rates import shared

KEY = "tag_manager"
KINDS = (IdentifierKind.EMAIL, IdentifierKind.USER_ID)
SCOPE = "https://www.googleapis.com/auth/tagmanager.readonly"
CALLS_PER_SECOND = 0.25
WINDOW = 100.0
"""Seconds over which Google counts the calls."""
NAMED = 5
"""Entries that an instruction names."""

ERASING_CARD = ErasingCard(
    key=KEY,
    version="1",
    identifiers=frozenset(KINDS),
    proof=ErasureProof.BY_HAND,
    batch_size=1000,
    horizon=timedelta(0),
    horizon_note=(
        "A container holds configuration only. Versions that were replaced stay readable to its administrators until "
        "they are deleted there. Source: reference of the Tag Manager API."
    ),
    documentation=(
        "https://developers.google.com/tag-platform/tag-manager/api/v2",
        "https://developers.google.com/tag-platform/tag-manager/api/reference/rest/v2/accounts.containers.versions/live",
        "https://developers.google.com/tag-platform/tag-manager/api/v2/limits-quotas",
    ),
    instructions=(
        "In Tag Manager: open the entries, remove the address or the id, publish; then Versions, delete those that "
        "still have it. Attach the number of the published version here."
    ),
    scopes=(SCOPE,),
)

_CONTAINER = re.compile(r"accounts/(\d+)/containers/(\d+)", re.ASCII)
_NUMBER = re.compile(r"\d+", re.ASCII)
_QUOTA = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded", "dailyLimitExceeded"})
_PERSONAL = re.compile(
    r"e-?mail|(first|last|full|given|family|display|user|sur)[ ._-]?name|phone[ ._-]?(no|nr|number)", re.IGNORECASE
)
"""What is called so is a name, an address or a number of a person."""
_NAMES = frozenset({"name", "parameter", "field", "fieldName", "key"})
"""Members of a row of a tag that name what is sent."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A tag or a variable, in all forms in which it was read.

    Args:
        container: its path.
        kind: ``tags`` or ``variables``.
        number: the vendor's id of it.
        forms: live and in workspaces; whoever wrote an address into it is in here.
    """

    container: str
    kind: str
    number: str
    forms: list[Mapping[str, Any]] = field(default_factory=list, repr=False, compare=False)


class TagManager:
    """See :class:`include.systems.erasing.ErasingSystem`.

    Args:
        http: the client.
        containers: account and container of each.
    """

    card = ERASING_CARD

    def __init__(self, http: Http, containers: Sequence[tuple[str, str]]) -> None:
        self._http = http
        self._containers = containers

    def find(self, subjects: Sequence[Subject]) -> list[Found]:
        """Read all containers once for all persons."""
        return [Found(ref, _counts(entries), records=entries) for ref, entries in self._look(subjects).items()]

    def erase(self, found: Sequence[Found]) -> list[Receipt]:
        """Say what a person has to do; nothing is changed by a call."""
        return [_receipt(each.ref, each.records) for each in found]

    def verify(self, subjects: Sequence[Subject], receipts: Sequence[Receipt]) -> list[Seen]:
        """Read all containers again."""
        return [Seen(ref, remaining=len(entries)) for ref, entries in self._look(subjects).items()]

    def access(self) -> Access:
        """Read each container's own entry."""
        for account, container in self._containers:
            path = "/tagmanager/v2/accounts/{}/containers/{}"
            self._get(path, account, container, tried="read a container")
        return Access(shown=False, note="Google does not show a key's rights here; reading was tried.")

    def check(self, claim: Claim) -> Checked:
        """Count tags and variables that contradict a claim.

        That no data of visitors is kept: entries with an address written into them. That only internal ids are passed
        on: those too, variables that read what is called an e-mail address, a name or a telephone number, and tags
        that send such a variable or a field of such a name.
        """
        if claim.kind not in (ClaimKind.NO_IDENTIFIERS, ClaimKind.ONLY_IDENTIFIERS):
            return Checked(claim.id, asked=False, note="The configuration says nothing of it.")
        entries = list(self._entries())
        wrong = [entry for entry in entries if shows_address([_settings(form) for form in entry.forms])]
        if claim.kind is ClaimKind.ONLY_IDENTIFIERS:
            wrong += [entry for entry in _passing_on(entries) if entry not in wrong]
        note = "Tags and variables of the live version and of each workspace, by their settings."
        return Checked(claim.id, len(entries), len(wrong), note=note)

    def close(self) -> None:
        """Release the sockets."""
        self._http.close()

    def _look(self, subjects: Sequence[Subject]) -> dict[str, list[Entry]]:
        found: dict[str, list[Entry]] = {subject.ref: [] for subject in subjects}
        mentions = Mentions(subjects, KINDS)
        for entry in self._entries() if mentions else ():
            for ref in mentions.refs(entry.forms):
                found[ref].append(entry)
        return found

    def _entries(self) -> Iterator[Entry]:
        for account, container in self._containers:
            entries: dict[tuple[str, str], Entry] = {}
            for kind, number, form in self._forms(account, container):
                path = f"accounts/{account}/containers/{container}"
                entries.setdefault((kind, number), Entry(path, kind, number)).forms.append(form)
            yield from entries.values()

    def _forms(self, account: str, container: str) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        base = "/tagmanager/v2/accounts/{}/containers/{}"
        live = self._get(f"{base}/versions:live", account, container, tried="read the live version", also=(404,))
        body = live.json if live.status == 200 and isinstance(live.json, dict) else {}
        for word in ("tag", "variable"):
            yield from _numbered(word, body.get(word, ()))
        for workspace in self._listed(f"{base}/workspaces", "workspace", account, container):
            number = str(workspace["workspaceId"])
            for word in ("tag", "variable"):
                path = f"{base}/workspaces/{{}}/{word}s"
                yield from _numbered(word, self._listed(path, word, account, container, number))

    def _listed(self, path: str, word: str, *segments: str) -> Iterator[Mapping[str, Any]]:
        """All entries of a list, page by page."""
        tried, page, seen = f"list the {word}s", "", set[str]()
        while True:
            params = {"pageToken": page} if page else None
            body = self._get(path, *segments, tried=tried, params=params).json
            if not isinstance(body, dict):
                raise Inconsistent(KEY, tried, "It answered without a list; look at the API.")
            yield from body.get(word, ())
            page = str(body.get("nextPageToken") or "")
            if not page:
                return
            if page in seen:
                raise Inconsistent(KEY, tried, "The list does not advance; report it to the vendor.")
            seen.add(page)

    def _get(
        self, path: str, *segments: str, tried: str, params: Mapping[str, str | int] | None = None, also: Any = ()
    ) -> Answer:
        """One call. Google answers 403 both without the right and over the quota; the body tells which."""
        answer = self._http.call("GET", path, *segments, tried=tried, params=params, also=(403, *also))
        if answer.status == 403 and _reasons(answer.json) & _QUOTA:
            raise Throttled(KEY, tried, "Run it again later; the quota of the project is used up.", retry_after=WINDOW)
        if answer.status == 403:
            raise Refused(KEY, tried, "Give the connection's account the right to read it; it answered 403.")
        return answer


def connect_erasing(connection: Connection, means: Means) -> TagManager:
    """Build the client; no call is made.

    ``extra`` of the connection:

    - ``containers``: a list of ``accounts/<number>/containers/<number>``, as the address of a container in the UI has
      it. Required.
    - ``token`` or ``keyfile_dict``: credentials, see :mod:`include.systems.google`; else those of the machine.
    - ``calls_per_second``: of the project, shared by all tasks; 0.25 unless Google granted more.

    Raises:
        Refused: the connection lacks something; the message names it.
    """
    from include.systems.google_bearer import bearer

    listed = connection.extra.get("containers")
    matches = [_CONTAINER.fullmatch(str(path)) for path in listed] if isinstance(listed, list | tuple) else []
    containers = [(match[1], match[2]) for match in matches if match]
    if not containers or len(containers) < len(matches):
        wanted = "Give 'containers' in the connection's extra: a list of 'accounts/<number>/containers/<number>'."
        raise Refused(connection.id, "read its connection", wanted)
    auth = bearer(connection, SCOPE)
    pace = shared(connection, means.budgets, CALLS_PER_SECOND)
    return TagManager(Http(connection, "https://tagmanager.googleapis.com", auth=auth, pace=pace), containers)


def _numbered(word: str, forms: Any) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for form in forms:
        yield f"{word}s", str(form.get(f"{word}Id")), form


def _reasons(body: Any) -> set[str]:
    error = body.get("error") if isinstance(body, dict) else None
    errors = error.get("errors") if isinstance(error, dict) else None
    return {str(each.get("reason")) for each in errors or () if isinstance(each, dict)}


def _settings(form: Mapping[str, Any]) -> Any:
    """What a tag or a variable does; not its name, its notes and its address in the UI."""
    return form.get("parameter")


def _passing_on(entries: Sequence[Entry]) -> Iterator[Entry]:
    """Variables that read what is personal by its name, and tags that send it."""
    readers = [
        entry
        for entry in entries
        if entry.kind == "variables" and any(_PERSONAL.search(text) for form in entry.forms for text in _values(form))
    ]
    yield from readers
    names = {f"{{{{{form.get('name')}}}}}" for entry in readers for form in entry.forms}
    for entry in entries:
        if entry.kind == "tags" and any(_sends(form, names) for form in entry.forms):
            yield entry


def _sends(tag: Mapping[str, Any], variables: set[str]) -> bool:
    if any(name in text for text in _values(tag) for name in variables):
        return True
    rows = (row for parameter in _parameters(_settings(tag)) for row in parameter.get("map", ()))
    return any(str(row.get("key")) in _NAMES and _PERSONAL.search(str(row.get("value"))) for row in rows)


def _values(form: Mapping[str, Any]) -> Iterator[str]:
    for parameter in _parameters(_settings(form)):
        yield str(parameter.get("value") or "")


def _parameters(parameters: Any) -> Iterator[Mapping[str, Any]]:
    """Parameters at any depth: one can be a list or a map of others."""
    for parameter in parameters or ():
        yield parameter
        yield from _parameters(parameter.get("list"))
        yield from _parameters(parameter.get("map"))


def _counts(entries: Sequence[Entry]) -> dict[str, int]:
    counts = {kind: sum(entry.kind == kind for entry in entries) for kind in ("tags", "variables")}
    return {kind: count for kind, count in counts.items() if count}


def _receipt(ref: str, entries: Sequence[Entry]) -> Receipt:
    if not entries:
        return Receipt(ref, Did.ABSENT)
    named = [f"{entry.container}/{entry.kind}/{entry.number}" for entry in entries if _NUMBER.fullmatch(entry.number)]
    total = f"{len(entries)} entr{'y' if len(entries) == 1 else 'ies'}"
    return Receipt(
        ref, Did.MANUAL, next_action=f"To change: {total} ({', '.join(named[:NAMED])}). {ERASING_CARD.instructions}"
    )
