"""All checks of one system in one night, each with its entry in the ledger, whatever the others came to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from include.assurance import access, returned
from include.assurance.access import Looked, failed
from include.assurance.evidence import (
    Night,
    State,
    access_entry,
    claim_entry,
    drift_entry,
    returned_entry,
)
from include.connection import Connection
from include.erasure.desk import Desk
from include.errors import PrivacyError
from include.ledger.entry import Entry
from include.policy.model import Promise
from include.policy.register import Claim
from include.policy.rules import Enforcement
from include.retention.selection import select
from include.systems import registry
from include.systems.assuring import Checked, ChecksClaims, ListsPeople, ShowsRetention
from include.systems.contract import Expiry
from include.systems.erasing import ErasingSystem

NO_CONNECTION = "There is no connection for it: nothing was looked at."
NO_MODULE = "No module of this installation reaches it."


def assure(desk: Desk, night: Night, key: str, connection: Connection | None) -> list[State]:
    """Check one system and write down what each check came to.

    Args:
        desk: the means.
        night: the round.
        key: of the system.
        connection: of it; None where there is none.

    Returns:
        what the checks came to.

    Raises:
        Inconsistent: vault or ledger contradict themselves.
        Unavailable: vault or ledger did not answer.
    """
    states: list[State] = []
    for entry in _entries(desk, night, key, connection):
        desk.ledger.append([entry])
        states.append(State(str(entry.body["state"])))
    return states


def _entries(desk: Desk, night: Night, key: str, connection: Connection | None) -> Iterator[Entry]:
    sunset = registry.erasing_card(key).sunset if key in registry.ERASING else None
    if connection is None or key not in registry.ERASING:
        state = State.NOT_CONNECTED if connection is None else State.CANNOT_ASK
        yield from _nothing(desk, night, key, state, Looked(state, _why(key, connection), sunset=sunset))
        return
    try:
        system = registry.connect_erasing(connection, desk.means(key))
    except PrivacyError as error:
        state = failed(error)
        yield from _nothing(desk, night, key, state, Looked(state, str(error), sunset=sunset))
        return
    with closing(system):
        seen = access.look(system, night.at)
        yield access_entry(night, key, seen.state, access=seen.access, sunset=seen.sunset, note=seen.note)
        for claim in desk.policy.systems[key].claims:
            yield _claim(night, key, claim, system)
        if _has_periods(desk, key):
            yield _drift(desk, night, key, system, connection)
        yield _returned(desk, night, key, system)


def _nothing(desk: Desk, night: Night, key: str, state: State, seen: Looked) -> Iterator[Entry]:
    """The same entries where nothing could be asked."""
    yield access_entry(night, key, state, access=None, sunset=seen.sunset, note=seen.note)
    for claim in desk.policy.systems[key].claims:
        yield claim_entry(night, key, claim, state, Checked(claim.id, asked=False, note=seen.note))
    if _has_periods(desk, key):
        yield drift_entry(night, key, state, [], seen.note)
    yield returned_entry(night, key, state, note=seen.note)


def _why(key: str, connection: Connection | None) -> str:
    return NO_MODULE if key not in registry.ERASING else NO_CONNECTION if connection is None else ""


def _claim(night: Night, key: str, claim: Claim, system: ErasingSystem) -> Entry:
    if not isinstance(system, ChecksClaims):
        nothing = Checked(claim.id, asked=False, note="Its module has no look that could contradict it.")
        return claim_entry(night, key, claim, State.CANNOT_ASK, nothing)
    try:
        found = system.check(claim)
    except PrivacyError as error:
        return claim_entry(night, key, claim, failed(error), Checked(claim.id, asked=False, note=str(error)))
    held = State.VIOLATED if found.violations else State.IN_ORDER
    return claim_entry(night, key, claim, held if found.asked else State.CANNOT_ASK, found)


def _promises(desk: Desk, key: str) -> list[Promise]:
    """Periods that the vendor is trusted with."""
    return [one for one in desk.policy.promises if one.system == key and one.enforced is Enforcement.VENDOR]


def _has_periods(desk: Desk, key: str) -> bool:
    return bool(_promises(desk, key) or desk.policy.rules_of(key))


def _drift(desk: Desk, night: Night, key: str, system: ErasingSystem, connection: Connection) -> Entry:
    try:
        settings = _settings(desk, night, key, system, connection)
    except PrivacyError as error:
        return drift_entry(night, key, failed(error), [], str(error))
    if settings is None:
        return drift_entry(night, key, State.CANNOT_ASK, [], "The vendor shows no setting of it to this module.")
    agrees = all(one.agrees for one in settings)
    return drift_entry(night, key, State.IN_ORDER if agrees else State.SEE_TO, settings)


def _settings(desk: Desk, night: Night, key: str, system: ErasingSystem, connection: Connection) -> list[Expiry] | None:
    """What vendor and store show; None where neither shows anything."""
    rules = desk.policy.rules_of(key) if key in registry.MODULES else ()
    if not rules and not isinstance(system, ShowsRetention):
        return None
    found = system.retention(_promises(desk, key)) if isinstance(system, ShowsRetention) else []
    if rules:
        with closing(registry.connect(connection)) as store:
            for rule in rules:
                found = [*found, *store.expiry(select(desk.policy, rule, rule.period.cutoff(night.at)))]
    return found


def _returned(desk: Desk, night: Night, key: str, system: ErasingSystem) -> Entry:
    if not isinstance(system, ListsPeople):
        return returned_entry(night, key, State.CANNOT_ASK, note="It can't list everybody in it.")
    try:
        back = returned.look(desk, night, key, system)
    except PrivacyError as error:
        return returned_entry(night, key, failed(error), note=str(error))
    state = State.SEE_TO if back.people else State.IN_ORDER
    return returned_entry(night, key, state, looked=back.looked, people=back.people, opened=back.opened)
