"""A bucket of the sandbox: rules for it, objects in it, and a sweep of it."""

from datetime import timedelta

from include.sandbox.storage import SeedObject
from include.systems.contract import Swept
from tests.google_twins import ago, selection_of

BUCKET = "files"
WEEK = timedelta(days=7)


def rule(prefix="users/{subject}/", trigger="customTime", days=30, **more):
    subject = "prefix" if "{subject}" in prefix else None
    given = {"subject": subject, "location": {"bucket": BUCKET, "prefix": prefix}, **more}
    return selection_of(trigger, days, **given)


def put(twin, *names, days=40, **more):
    twin.sandbox.seed(BUCKET, (SeedObject(name, ago(days=days), custom_time=ago(days=days), **more) for name in names))


def names(twin, **which):
    return [version.name for version in twin.sandbox.objects(BUCKET, **{"versions": True, **which})]


def sweep(system, selection, on_hold=None):
    swept = [system.expire(selection, batch) for batch in system.batches(selection, on_hold)]
    return Swept(
        gone=sum(s.gone for s in swept),
        absent=sum(s.absent for s in swept),
        changed=sum(s.changed for s in swept),
        blocked=sum(s.blocked for s in swept),
        until=max((s.until for s in swept if s.until), default=None),
    )
