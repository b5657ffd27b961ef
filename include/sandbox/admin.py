"""The sandbox's own API: seed, look, wipe, plan faults, read the journal, set the clock. Its errors are sentences.

POST   /seed      {"people": 2000, "workspaces": 40, "seed": 7, "as_of": "2026-11-22"}
GET    /inspect   ?service=firestore[&collection=users][&full=true]
POST   /wipe
POST   /by-hand   {"service": "tawk_to", "collection": "chats", "id": "..."}: delete it as a person in the dashboard
GET    /settings  ?service=sendgrid                                  POST   /settings  {"service": ..., <name>: <value>}
POST   /faults    the members of include.sandbox.faults.Fault        DELETE /faults
GET    /journal                                                      DELETE /journal
GET    /journal/counts  calls by service
GET    /clock                                                        POST   /clock  {"now": "2026-11-29T00:00:00Z"}
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict, fields
from datetime import UTC, date, datetime, time
from typing import Any, Literal, TypeAlias, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from include.sandbox.company import Company
from include.sandbox.estate import Estate
from include.sandbox.faults import Fault

Model = TypeVar("Model", bound=BaseModel)
Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]


class SeedRequest(BaseModel):
    """Body of ``POST /seed``."""

    model_config = ConfigDict(extra="forbid")

    people: int = Field(2000, ge=0, le=200_000)
    workspaces: int = Field(40, ge=1, le=10_000)
    seed: int = 7
    as_of: date = date(2026, 11, 22)

    def estate(self) -> Estate:
        """The estate asked for."""
        night = datetime.combine(self.as_of, time(), UTC)
        return Estate(night, people=self.people, workspaces=self.workspaces, seed=self.seed)


class ByHandRequest(BaseModel):
    """Body of ``POST /by-hand``: one record that a person deletes."""

    model_config = ConfigDict(extra="forbid")

    service: Literal["tawk_to", "hotjar", "wix"]
    collection: str
    id: str


class ClockRequest(BaseModel):
    """Body of ``POST /clock``."""

    model_config = ConfigDict(extra="forbid")

    now: AwareDatetime


class _Mistake(Exception):
    """What is wrong with a request, as a sentence."""


def admin_app(company: Company) -> Starlette:
    """The ASGI application for one company."""
    admin = _Admin(company)
    table: list[tuple[str, str, Endpoint]] = [
        ("/seed", "POST", admin.seed),
        ("/inspect", "GET", admin.inspect),
        ("/wipe", "POST", admin.wipe),
        ("/by-hand", "POST", admin.remove_by_hand),
        ("/settings", "GET", admin.settings),
        ("/settings", "POST", admin.set_settings),
        ("/faults", "POST", admin.add_fault),
        ("/faults", "DELETE", admin.clear_faults),
        ("/journal", "GET", admin.journal),
        ("/journal", "DELETE", admin.clear_journal),
        ("/journal/counts", "GET", admin.journal_counts),
        ("/clock", "GET", admin.clock),
        ("/clock", "POST", admin.set_clock),
    ]
    routes = [Route(path, endpoint, methods=[method]) for path, method, endpoint in table]
    return Starlette(routes=routes, exception_handlers={_Mistake: _answer_mistake})


class _Admin:
    """The endpoints. They block the loop on purpose: no other call may see half a seed."""

    def __init__(self, company: Company) -> None:
        self._company = company

    async def seed(self, request: Request) -> Response:
        self._company.seed((await _body(request, SeedRequest)).estate())
        return _json({service: self._company.counts(service) for service in self._company.services})

    async def inspect(self, request: Request) -> Response:
        service = self._service(request.query_params.get("service", ""))
        unknown = request.query_params.keys() - {"service", "collection", "full"}
        if unknown:
            raise _Mistake(f"The parameter {min(unknown)} is not known.")
        collection = request.query_params.get("collection")
        if collection is None:
            return _json({"counts": self._company.counts(service)})
        records = self._company.records(service, collection)
        full = request.query_params.get("full") == "true"
        return _json({"count": len(records), **({"records": records} if full else {})})

    async def wipe(self, request: Request) -> Response:
        self._company.wipe()
        return _json({})

    async def remove_by_hand(self, request: Request) -> Response:
        chosen = await _body(request, ByHandRequest)
        try:
            twin: Any = self._company.twins.get(chosen.service, self._company.tawk_to)
            twin.remove(chosen.collection, chosen.id)
        except KeyError:
            raise _Mistake("There is no such record.") from None
        return _json({})

    async def settings(self, request: Request) -> Response:
        return _json(asdict(self._settings(request.query_params.get("service", ""))))

    async def set_settings(self, request: Request) -> Response:
        given = await _object(request)
        settings = self._settings(given.pop("service", ""))
        if unknown := given.keys() - asdict(settings).keys():
            raise _Mistake(f"The setting {min(unknown)} is not known.")
        try:
            changed = TypeAdapter(type(settings)).validate_python({**asdict(settings), **given})
        except ValidationError as error:
            raise _mistake(error) from None
        for name, value in asdict(changed).items():
            setattr(settings, name, value)
        return _json(asdict(settings))

    def _settings(self, service: str) -> Any:
        if service not in self._company.settings:
            raise _Mistake(f"The service must be one of {', '.join(self._company.settings)}.")
        return self._company.settings[service]

    async def add_fault(self, request: Request) -> Response:
        fault = await _fault(request)
        self._service(fault.service)
        self._company.faults.add(fault)
        return _json(asdict(fault))

    async def clear_faults(self, request: Request) -> Response:
        self._company.faults.clear()
        return _json({})

    async def journal(self, request: Request) -> Response:
        return _json({"calls": self._company.journal.as_json()})

    async def journal_counts(self, request: Request) -> Response:
        return _json({"counts": self._company.journal.counts()})

    async def clear_journal(self, request: Request) -> Response:
        self._company.journal.clear()
        return _json({})

    async def clock(self, request: Request) -> Response:
        return _json({"now": self._company.clock()})

    async def set_clock(self, request: Request) -> Response:
        self._company.clock.set((await _body(request, ClockRequest)).now.astimezone(UTC))
        return await self.clock(request)

    def _service(self, name: str) -> str:
        if name not in self._company.services:
            raise _Mistake(f"The service must be one of {', '.join(self._company.services)}.")
        return name


async def _answer_mistake(request: Request, mistake: Exception) -> Response:
    return _json({"error": str(mistake)}, 400)


def _json(value: Any, status: int = 200) -> Response:
    return Response(json.dumps(value, default=_text, ensure_ascii=False), status, media_type="application/json")


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


async def _object(request: Request) -> dict[str, Any]:
    try:
        value = json.loads(await request.body() or b"{}")
    except ValueError:
        raise _Mistake("The body must be JSON.") from None
    if not isinstance(value, dict):
        raise _Mistake("The body must be a JSON object.")
    return value


async def _body(request: Request, model: type[Model]) -> Model:
    value = await _object(request)
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise _mistake(error) from None


async def _fault(request: Request) -> Fault:
    value = await _object(request)
    unknown = value.keys() - {field.name for field in fields(Fault)}
    if unknown:
        raise _Mistake(f"The member {min(unknown)} is not known.")
    try:
        return TypeAdapter(Fault).validate_python(value)
    except ValidationError as error:
        raise _mistake(error) from None


def _mistake(error: ValidationError) -> _Mistake:
    first = error.errors(include_input=False, include_url=False)[0]
    name = ".".join(str(part) for part in first["loc"]) or "body"
    return _Mistake(f"The member {name} is wrong: {first['msg'][0].lower()}{first['msg'][1:]}.")
