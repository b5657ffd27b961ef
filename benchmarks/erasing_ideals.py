"""The fewest calls with which a wave can be carried out, by what each vendor documents of its batches.

n people; A, U, … distinct addresses, user ids, …; pages(x, p) = x / p rounded up, and one where that is nothing.
A look is needed three times (before the plan, before the deletion, after it); the first two are ``find``. What a module
asks beyond that (rights of a key, mappings of an index, settings of a bucket) counts against it.

elasticsearch     look: a search for each place of the policy (terms: 65,536 values, docs of index.max_terms_count).
                  erase: a task and one look at it for each place that holds anything.
redis             one pipeline, however many keys: not counted in calls.
cloud_storage     look: pages of 1,000 objects (objects.list), live ones and soft-deleted ones.
                  erase: 100 deletions to a batch request.
facebook          look: the list of audiences; a page of 100 posts with their first 100 comments; 50 conversations to a
                  batch. erase: 50 comments to a batch, 10,000 hashes to a removal from all audiences.
google_analytics  no look. erase: one identifier to a call, 500 a day and property.
firebase_performance  no look. erase: an installation to a call, no bulk deletion.
instagram         look: a page of 100 media with their first 50 comments; 50 conversations to a batch. erase: 50
                  comments to a batch.
google_sign_in    look: 100 ids of accounts and at the provider. erase: an update names one account.
google_workspace  look: a grant to a call. erase: a call for the mail watch of each grant, each channel, each grant.
linkedin_sign_in  look: as google_sign_in, and a token to a call. erase: an account, a token to a call, and a look at
                  each token, because no page says what the revocation does.
linkedin          look: the list of segments. erase: 1,000 hashes to a call for each segment (our own limit).
loggly            look: 1 call for the retention, and the phrases of everybody (A + U) in queries of 4,000 characters;
                  the vendor documents no limit, common servers take a request line of 8,000. No erasure.
microsoft_graph   look: a grant to a call, and a list for each that lives; a token and a list for the tenant.
                  erase: 20 subscriptions to a batch.
hotjar            look: a token; the list of surveys of a site, and 100 answers to a page of each survey.
                  erase: one address or user id to a deletion of hits, for each that the answers show.
tawk_to           look: lists in pages of 100, with and without the trash, then each chat that the list cut short, each
                  ticket and each contact by itself. No erasure.
twitter           look: the list of audiences, and pages of 100 direct messages (theirs alone). erase: 2,500 people to a
                  call for each audience, a message to a call.
sendgrid          for the account and each subuser. look: 100 addresses to a search of contacts; each list of
                  suppressions in pages of 500, the list of groups, and each group.
                  erase: 5,000 addresses to an erasure job, 100 contacts (a query of 4 KB) to a deletion and one look at
                  its job, 500 entries to a removal from one of four lists, an entry of a group by itself.
looker_studio     look: reports and data sources in pages of 1,000, with and without the trash. No erasure.
new_relic         look: 1 call for the retention, and the values of everybody in queries of 4,000 characters, once for
                  each of 7 attributes. No erasure.
phantombuster     look: the list of all leads in pages of 100, its filter, the list of agents, their runs in pages of
                  100, and the results of each run by themselves. erase: 100 leads to a deletion.
tag_manager       for the container. look: the live version, workspaces, and the tags and variables of each in pages.
                  No erasure.
mailgun           look: domains and mailing lists; pages of 1,000 of four lists of each domain, of 100 of the members of
                  each mailing list; the log of one address to a call. erase: no bulk deletion, an entry to a call.
autopilot         look: the list in pages of 100, or an address to a call where that is less. erase: one to a call.
onesignal         look: a user id or a push id to a call. erase: a deletion and one look at it for each user.
ortto             look: 100 addresses or user ids to a search, and the archive. erase: 100 people to an archiving, and
                  to a deletion.
zapier            look: the runs in pages of 100, or an address or user id to a search where that is less. No erasure.
firestore         look: 30 values to a query by a field (disjunctions of a query), documents by id in one call of 300,
                  and a query for what lies below each document that goes as a tree. erase: 500 writes to a batch.
firebase_auth     look: 100 ids (getAccounts). erase: 1,000 ids (deleteAccounts).
typeform          look: the list of forms, and the answers to each in pages of 1,000.
                  erase: 1,000 ids to a deletion by the vendor's limit, 200 by a request line of 8,000; a look after it.
wix               look: 100 addresses to a search of contacts and of members; submissions in pages of 100.
                  erase: a member and a submission to a call; contacts in jobs of 100, each with a search before it, a
                  look at the job, and a search after it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from include.erasure.desk import Desk
from include.policy.persons import IdentifierKind
from include.subjects.identifiers import Subject
from include.systems.addresses import addresses, same
from include.systems.erasing import Place

Calls = tuple[int, int, int]
"""Find (both times together), erase, verify."""

_SEARCHED = ("message", "error.message", "errorMessage", "request.uri", "pageUrl", "requestUrl", "enduser.id")
"""Attributes of New Relic's events that are searched."""
SUPPRESSION_LISTS = 5
BULK_LISTS = ("bounces", "blocks", "invalid_emails", "spam_reports")


@dataclass(frozen=True, slots=True)
class Wave:
    """What the formulas need.

    Args:
        subjects: the people, with all that is known of them.
        found: what the looks before the plan counted, by system and kind of data.
        sizes: records of each service of the sandbox before the push, by collection.
        places: of the policy, by system.
    """

    subjects: Sequence[Subject]
    found: Mapping[str, Counter[str]]
    sizes: Mapping[str, Mapping[str, int]]
    places: Mapping[str, Sequence[Place]]

    @classmethod
    def of(
        cls,
        desk: Desk,
        subjects: Sequence[Subject],
        found: Mapping[str, Counter[str]],
        sizes: Mapping[str, Mapping[str, int]],
    ) -> Wave:
        """The wave at a desk."""
        places = {key: desk.means(key).places for key in desk.requests.systems}
        return cls(subjects, found, sizes, places)

    def distinct(self, *kinds: IdentifierKind) -> int:
        """Values of some kinds, each once."""
        return len({value for subject in self.subjects for kind in kinds for value in subject.values(kind)})

    @property
    def addresses(self) -> int:
        """Addresses, each once whatever its letters."""
        return len({address for subject in self.subjects for address in addresses(subject)})


def ideal(system: str, wave: Wave) -> Calls | None:
    """The fewest calls for a wave; None where a call is no measure."""
    formula = _FORMULAS.get(system)
    return formula(wave) if formula else None


def pages(number: int, size: int) -> int:
    """Calls for a list that is read to its end."""
    return max(1, -(-number // size))


def _elasticsearch(wave: Wave) -> Calls:
    places = wave.places["elasticsearch"]
    busy = {place.holding for place in places if wave.found["elasticsearch"][place.holding]}
    return 2 * len(places), 2 * sum(place.holding in busy for place in places), len(places)


def _cloud_storage(wave: Wave) -> Calls:
    goes, held = wave.found["cloud_storage"].total(), sum(wave.sizes["storage"].values())
    return 2 * (pages(held, 1000) + 1), pages(goes, 100), pages(held - goes, 1000) + pages(goes, 1000)


def _google_analytics(wave: Wave) -> Calls:
    return 0, min(500, wave.found["google_analytics"].total()), 0


def _loggly(wave: Wave) -> Calls:
    kinds = IdentifierKind.EMAIL, IdentifierKind.USER_ID
    phrases = {value for subject in wave.subjects for kind in kinds for value in subject.values(kind)}
    look = 1 + pages(sum(len(quote(f'"{phrase}" OR ')) for phrase in phrases), 4000)
    return 2 * look, 0, look


def _sign_in(wave: Wave, system: str, provider: str) -> Calls:
    raw_ids = [v for s in wave.subjects for v in s.values(IdentifierKind.FEDERATED_ID) if v.startswith(f"{provider}:")]
    look = pages(wave.distinct(IdentifierKind.USER_ID) + len({*raw_ids}), 100)
    return 2 * look, wave.found[system]["links"], look


def _google_workspace(wave: Wave) -> Calls:
    look, found = _tokens(wave, "google"), wave.found["google_workspace"]
    return 2 * look, 2 * found["grants"] + found["channels"], look


def _linkedin_sign_in(wave: Wave) -> Calls:
    tokens, (find, erase, verify) = _tokens(wave, "linkedin"), _sign_in(wave, "linkedin_sign_in", "oidc.linkedin")
    return find + 2 * tokens, erase + 2 * wave.found["linkedin_sign_in"]["tokens"], verify + tokens


def _microsoft_graph(wave: Wave) -> Calls:
    found, tenant = wave.found["microsoft_graph"], 2
    look = _tokens(wave, "microsoft") + found["grants"] + tenant
    return 2 * look, pages(found["subscriptions"], 20), look


def _tokens(wave: Wave, provider: str) -> int:
    tokens = {value for subject in wave.subjects for value in subject.values(IdentifierKind.OAUTH_TOKEN)}
    return sum(token.startswith(f"{provider}:") for token in tokens)


def _tawk_to(wave: Wave) -> Calls:
    sizes = wave.sizes["tawk_to"]
    lists = sum(pages(sizes[kind], 100) + 1 for kind in ("chats", "tickets"))
    look = lists + sizes["tickets"] + sizes["contacts"]
    return 2 * look, 0, look


def _firebase_performance(wave: Wave) -> Calls:
    return 0, wave.distinct(IdentifierKind.INSTALLATION_ID), 0


def _looker_studio(wave: Wave) -> Calls:
    look = 2 * sum(pages(wave.sizes["looker_studio"][kind], 1000) for kind in ("reports", "data_sources"))
    return 2 * look, 0, look


def _new_relic(wave: Wave) -> Calls:
    values = {v for s in wave.subjects for v in s.values(IdentifierKind.EMAIL, IdentifierKind.USER_ID)}
    conditions = sum(len(f" OR lower(`{name}`) LIKE '%{value}%'") for name in _SEARCHED for value in values)
    look = 1 + pages(conditions, 4000)
    return 2 * look, 0, look


def _phantombuster(wave: Wave) -> Calls:
    found, sizes = wave.found["phantombuster"], wave.sizes["phantombuster"]
    runs = sizes["results"]
    look = 1 + pages(sizes["leads"], 100) + 1 + min(runs, 2) + runs
    return 2 * look, pages(found["leads"], 100), look


def _tag_manager(wave: Wave) -> Calls:
    sizes = wave.sizes["tag_manager"]
    look = 2 + sum(pages(sizes[kind], 50) for kind in ("tags", "variables"))
    return 2 * look, 0, look


def _facebook(wave: Wave) -> Calls:
    found, accounts = wave.found["facebook"], _accounts(wave, "facebook")
    look = 2 + pages(accounts, 50)
    numbers = wave.distinct(IdentifierKind.PHONE)
    hashes = pages(wave.addresses, 10_000) + (pages(numbers, 10_000) if numbers else 0)
    return 2 * look, pages(found["comments"], 50) + hashes, look


def _instagram(wave: Wave) -> Calls:
    look = 1 + pages(_accounts(wave, "instagram"), 50)
    return 2 * look, pages(wave.found["instagram"]["comments"], 50), look


def _linkedin(wave: Wave) -> Calls:
    segments = 2
    return 2, segments * pages(wave.addresses, 1000), 1


def _twitter(wave: Wave) -> Calls:
    found, audiences = wave.found["twitter"], 1
    look = 1 + pages(found["messages"], 100)
    return 2 * look, audiences * pages(len(wave.subjects), 2500) + found["messages"], look


def _accounts(wave: Wave, service: str) -> int:
    """People's accounts at a social network."""
    known = {value for subject in wave.subjects for value in subject.values(IdentifierKind.EXTERNAL_ID)}
    return sum(value.startswith(f"{service}:") for value in known)


def _hotjar(wave: Wave) -> Calls:
    surveys, answers = 2, wave.sizes["hotjar"]["responses"]
    look = 1 + surveys * pages(answers // surveys, 100)
    return 2 * look + 1, wave.found["hotjar"].total(), look


def _typeform(wave: Wave) -> Calls:
    forms, answers = 3, wave.sizes["typeform"]["answers"]
    look = 1 + forms * pages(answers // forms, 1000)
    deletions = forms * pages(wave.found["typeform"].total() // forms, 200)
    return 2 * look, 2 * deletions, look


def _wix(wave: Wave) -> Calls:
    found, searches = wave.found["wix"], pages(wave.addresses, 100)
    look = 2 * searches + pages(wave.sizes["wix"]["submissions"], 100)
    return 2 * look, found["members"] + found["submissions"] + 4 * pages(found["contacts"], 100), look


def _sendgrid(wave: Wave) -> Calls:
    found, accounts, groups = wave.found["sendgrid"], 2, 2
    lists = SUPPRESSION_LISTS + 1 + groups
    look = accounts * (pages(wave.addresses, 100) + lists)
    erase = accounts * pages(wave.addresses, 5000) + 2 * pages(found["contacts"], 100)
    return 2 * look, erase + sum(found[name] > 0 for name in BULK_LISTS) + found["group_unsubscribes"], look


def _mailgun(wave: Wave) -> Calls:
    found, domains, mailing_lists = wave.found["mailgun"], 2, 2
    spellings = {
        form
        for subject in wave.subjects
        for value in subject.values(IdentifierKind.EMAIL)
        for form in (value, same(value))
    }
    members = mailing_lists - 1 + pages(wave.sizes["mailgun"]["members"], 100)
    look = 2 + 4 * domains + members + len(spellings)
    return 2 * look, found.total() - found["events"], look


def _autopilot(wave: Wave) -> Calls:
    look = min(pages(wave.sizes["autopilot"]["contacts"], 100), 1 + wave.addresses)
    return 2 * look, wave.found["autopilot"].total(), look


def _onesignal(wave: Wave) -> Calls:
    look = wave.distinct(IdentifierKind.USER_ID, IdentifierKind.PUSH_ID)
    return 2 * look, 2 * wave.found["onesignal"].total(), look


def _ortto(wave: Wave) -> Calls:
    look = pages(wave.addresses + wave.distinct(IdentifierKind.USER_ID), 100) + 1
    return 2 * look, 2 * pages(wave.found["ortto"].total(), 100), look


def _zapier(wave: Wave) -> Calls:
    words = wave.addresses + wave.distinct(IdentifierKind.USER_ID)
    look = min(pages(wave.sizes["zapier"]["runs"], 100), words)
    return 2 * look, 0, look


def _firestore(wave: Wave) -> Calls:
    ways = {(str(place.location), place.person.identifier, place.person.match) for place in wave.places["firestore"]}
    queries = sum(pages(wave.distinct(kind), 300 if match == "id" else 30) for _, kind, match in ways)
    look = queries + len(wave.subjects)
    return 2 * look, pages(wave.found["firestore"].total(), 500), look


def _firebase_auth(wave: Wave) -> Calls:
    ids = wave.distinct(IdentifierKind.USER_ID)
    return 2 * pages(ids, 100), pages(ids, 1000), pages(ids, 100)


_FORMULAS: dict[str, Callable[[Wave], Calls]] = {
    "elasticsearch": _elasticsearch,
    "cloud_storage": _cloud_storage,
    "facebook": _facebook,
    "google_analytics": _google_analytics,
    "firebase_performance": _firebase_performance,
    "looker_studio": _looker_studio,
    "new_relic": _new_relic,
    "phantombuster": _phantombuster,
    "tag_manager": _tag_manager,
    "instagram": _instagram,
    "linkedin": _linkedin,
    "google_sign_in": lambda wave: _sign_in(wave, "google_sign_in", "google.com"),
    "google_workspace": _google_workspace,
    "linkedin_sign_in": _linkedin_sign_in,
    "loggly": _loggly,
    "microsoft_graph": _microsoft_graph,
    "hotjar": _hotjar,
    "tawk_to": _tawk_to,
    "typeform": _typeform,
    "wix": _wix,
    "sendgrid": _sendgrid,
    "mailgun": _mailgun,
    "autopilot": _autopilot,
    "onesignal": _onesignal,
    "ortto": _ortto,
    "zapier": _zapier,
    "firestore": _firestore,
    "firebase_auth": _firebase_auth,
    "twitter": _twitter,
}
