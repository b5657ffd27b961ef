"""What a document looks like after anonymisation: one atomic update, conditional on the version that was selected."""

from __future__ import annotations

from typing import Any

from include.policy.actions import Anonymisation, Generalise
from include.systems.firestore.fields import render
from include.systems.firestore.messages import Value, Write, lookup, moment, put
from include.systems.firestore.place import gone, targets


def update(document: Any, anonymisation: Anonymisation) -> Any:
    """The write that removes and generalises the declared fields, and touches no other."""
    write = Write()
    write.update.name = document.name
    write.current_document.update_time.CopyFrom(document.update_time)
    write.update_mask.field_paths.extend(render(path) for path in gone(anonymisation))
    for rule, (source, target) in zip(anonymisation.generalise, targets(anonymisation), strict=True):
        value = lookup(document, source)
        less = None if value is None else generalise(value, rule)
        if less is not None:
            put(write.update, target, less)
            write.update_mask.field_paths.append(render(target))
    return write


def generalise(value: Any, rule: Generalise) -> Any | None:
    """A value that says less, or None if the value has no such form: it is then only removed."""
    kind = value.WhichOneof("value_type")
    if rule.how in {"month", "year"} and kind == "timestamp_value":
        at = moment(value.timestamp_value)
        return Value(string_value=f"{at.year:04}-{at.month:02}" if rule.how == "month" else f"{at.year:04}")
    if rule.how == "band" and kind == "integer_value":
        return Value(integer_value=value.integer_value // rule.size * rule.size)
    if rule.how == "prefix" and kind == "string_value":
        return Value(string_value=value.string_value[: rule.size])
    return None
