"""The update script that anonymises a document: one constant source, everything else in its parameters.

The cluster compiles it once. It reaches fields of objects (``profile.email``), also where a document writes the path as
one key; fields inside arrays of objects it does not reach, and the read-back reports such documents as remaining. A
value of another type than the rule expects is removed with nothing in its place.
"""

from __future__ import annotations

from typing import Any

from include.policy.actions import Anonymisation, Generalise

_SIZES = {"month": 7, "year": 4}

SOURCE = """
for (def path : params.paths) {
  def node = ctx._source;
  for (def step : path.parents) {
    node = node instanceof Map ? node.get(step) : null;
  }
  def value = ctx._source.remove(path.name);
  if (node instanceof Map && value == null) {
    value = node.remove(path.leaf);
  }
  if (!(node instanceof Map)) {
    node = ctx._source;
  }
  if (path.how == 'band' && value instanceof Number) {
    long size = path.size;
    long number = value.longValue();
    long rest = number % size;
    if (rest < 0) {
      rest += size;
    }
    node.put(path.target, number - rest);
  }
  if (path.how == 'prefix' && value instanceof String) {
    int length = value.codePointCount(0, value.length());
    node.put(path.target, value.substring(0, value.offsetByCodePoints(0, Math.min(path.size, length))));
  }
  if (path.how == 'moment' && value != null) {
    String text = '';
    try {
      if (value instanceof Number) {
        text = Instant.ofEpochMilli(value.longValue()).toString();
      }
      if (value instanceof String) {
        int time = value.indexOf('T');
        boolean zoned = time > 0 && (value.indexOf('+', time) > 0 || value.indexOf('-', time) > 0);
        text = zoned ? ZonedDateTime.parse(value).toInstant().toString() : value;
      }
    } catch (Exception e) {
      text = '';
    }
    if (text.length() >= path.size && (text.length() == 4 || text.indexOf('-') == 4)) {
      node.put(path.target, text.substring(0, path.size));
    }
  }
}
"""


def script(anonymisation: Anonymisation) -> dict[str, Any]:
    """The ``script`` of an ``_update_by_query``."""
    paths = [_path(name, "remove") for name in anonymisation.remove]
    paths += [_generalised(rule) for rule in anonymisation.generalise]
    return {"lang": "painless", "source": SOURCE, "params": {"paths": paths}}


def _path(name: str, how: str) -> dict[str, Any]:
    *parents, leaf = name.split(".")
    return {"name": name, "parents": parents, "leaf": leaf, "how": how, "size": 0, "target": ""}


def _generalised(rule: Generalise) -> dict[str, Any]:
    how = "moment" if rule.how in _SIZES else rule.how
    target = rule.target.split(".")[-1]
    return {**_path(rule.field, how), "size": _SIZES.get(rule.how, rule.size), "target": target}
