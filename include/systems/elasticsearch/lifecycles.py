"""The cluster's own expiry of a location against the rule: ILM policies and data stream lifecycles.

Both delete whole indices by the age of the index, not documents by their trigger, and know nothing of legal holds.
https://www.elastic.co/docs/manage-data/lifecycle
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from include.errors import Refused
from include.policy.actions import Action
from include.systems.contract import Expiry, Selection
from include.systems.elasticsearch.client import SYSTEM, speaking
from include.systems.elasticsearch.selecting import index_of

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

_SECONDS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_DAY = 86_400
_TOLERANCE = 0.02
_SETTING = "lifecycle of {}"


def lifecycles(client: Elasticsearch, selection: Selection) -> list[Expiry]:
    """Every lifecycle that governs the location; one entry that says "none" when there is none."""
    found = [
        _expiry(f"data_retention of data stream {stream['name']}", str(lifecycle["data_retention"]), selection)
        for stream in _streams(client, selection)
        if (lifecycle := stream.get("lifecycle", {})).get("enabled", True) and "data_retention" in lifecycle
    ]
    for policy in sorted(_policies(client, selection)):
        age = _delete_age(_policy(client, policy))
        found.append(_expiry(f"delete phase of ILM policy {policy}", age or "none", selection))
    return found or [_expiry(_SETTING.format(index_of(selection)), "none", selection)]


def set_lifecycle(client: Elasticsearch, selection: Selection) -> Expiry:
    """Make the cluster delete whole indices of a data stream, or of an ILM policy of their own, after the period.

    Raises:
        Refused: a plain index, whose documents are of mixed ages; a rule that is not about whole indices; or a policy
            that other indices use too.
    """
    _check_whole_indices(selection)
    streams, policies = _streams(client, selection), _policies(client, selection)
    if policies:
        return _set_policies(client, selection, policies)
    if not streams:
        step = "It is a plain index with documents of mixed ages: leave it to the nightly sweep, or use a data stream."
        raise Refused(SYSTEM, "set an expiry", step)
    if selection.trigger_field != "@timestamp":
        raise Refused(SYSTEM, "set an expiry", "A data stream ages by @timestamp: the rule has another trigger.")
    for stream in streams:
        with speaking("set the data stream's lifecycle"):
            client.indices.put_data_lifecycle(name=stream["name"], data_retention=_days(selection))
    return lifecycles(client, selection)[0]


def _check_whole_indices(selection: Selection) -> None:
    if selection.action is not Action.DELETE or selection.where:
        step = "A lifecycle deletes whole indices: it fits a rule that deletes every document of the location."
        raise Refused(SYSTEM, "set an expiry", step)


def _set_policies(client: Elasticsearch, selection: Selection, policies: set[str]) -> Expiry:
    own = set(_indices(client, selection))
    for name in sorted(policies):
        stored = _policy(client, name)
        if set(stored.get("in_use_by", {}).get("indices", [])) - own:
            step = f"The ILM policy {name} governs other indices too: give these their own."
            raise Refused(SYSTEM, "set an expiry", step)
        phases = {**stored["policy"]["phases"], "delete": {"min_age": _days(selection), "actions": {"delete": {}}}}
        with speaking("set the ILM policy"):
            client.ilm.put_lifecycle(name=name, policy={**stored["policy"], "phases": phases})
    return next(entry for entry in lifecycles(client, selection) if entry.setting.startswith("delete phase"))


def _streams(client: Elasticsearch, selection: Selection) -> list[dict[str, Any]]:
    with speaking("read the data streams"):
        answer = client.options(ignore_status=404).indices.get_data_stream(name=index_of(selection))
    return list(answer.body.get("data_streams", []))


def _indices(client: Elasticsearch, selection: Selection) -> dict[str, dict[str, Any]]:
    with speaking("read the index settings"):
        answer = client.indices.get_settings(
            index=index_of(selection), flat_settings=True, expand_wildcards="open,closed,hidden", allow_no_indices=False
        )
    return {name: dict(index["settings"]) for name, index in answer.body.items()}


def _policies(client: Elasticsearch, selection: Selection) -> set[str]:
    names = (settings.get("index.lifecycle.name") for settings in _indices(client, selection).values())
    return {str(name) for name in names if name}


def _policy(client: Elasticsearch, name: str) -> dict[str, Any]:
    with speaking("read the ILM policy"):
        return dict(client.ilm.get_lifecycle(name=name).body[name])


def _delete_age(stored: dict[str, Any]) -> str | None:
    """``min_age`` of the delete phase; it counts from the rollover of an index, else from its creation."""
    phase = stored["policy"]["phases"].get("delete")
    return str(phase.get("min_age", "0d")) if phase is not None else None


def _days(selection: Selection) -> str:
    return f"{-(-selection.period_seconds // _DAY)}d"


def _expiry(setting: str, configured: str, selection: Selection) -> Expiry:
    wanted = _days(selection)
    if configured == "none":
        note = "The cluster deletes nothing here by itself; the nightly sweep does."
        return Expiry(setting, configured, wanted, agrees=True, note=note)
    match = re.fullmatch(r"(\d+)([dhms])", configured)
    seconds = int(match[1]) * _SECONDS[match[2]] if match else 0
    off = seconds - selection.period_seconds
    agrees = abs(off) <= max(_DAY, _TOLERANCE * selection.period_seconds)
    if agrees:
        note = "Whole indices go by their own age and whatever the legal holds; the sweep covers the rest."
    elif off < 0:
        note = "The cluster deletes earlier than the policy says: raise the setting, or correct the policy."
    else:
        note = "The cluster keeps indices longer than the policy says; until they agree the sweep alone is in time."
    return Expiry(setting, configured, wanted, agrees, note)
