"""The deployment, as far as it can be checked without an engine: structure, secrets, connections, pools, scripts."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.fernet import Fernet

from include.connection import Connection
from include.database import url_of
from include.ledger.connect import open_ledger
from include.ledger.note import Signer
from include.ledger.pseudonym import Pseudonymiser
from include.orchestration.pools import AGGREGATES_POOL, REQUESTS_POOL, pools
from include.orchestration.settings import Settings
from include.policy.loader import load
from include.subjects.connect import open_vault
from include.subjects.keys import Keyring
from include.systems import registry
from include.systems.google import base_url

ROOT = Path(__file__).parents[2]
SPECS = Path(os.environ.get("PRIVACY_SPECS") or ROOT / "specs")
VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)(?::([-?])([^}]*))?\}")
ONE_SHOT = {"airflow-init", "airflow-cli", "elasticsearch-certs", "elasticsearch-user"}
INTAKE = {"PRIVACY_LEDGER", "PRIVACY_PSEUDONYMS", "PRIVACY_VAULT", "PRIVACY_VAULT_KEY"}
OWNERS = {"PRIVACY_LEDGER_OWNER", "PRIVACY_VAULT_OWNER"}
TASKS = INTAKE | {"PRIVACY_LEDGER_SIGNER"}
GOVERNED = sorted({*pools(load(Settings.read().policy_file))} - {REQUESTS_POOL, AGGREGATES_POOL} | {*registry.ERASING})

Compose = dict[str, Any]


def settings(text: str) -> dict[str, str]:
    """Names and values of a .env file, in compose's own quoting."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    pairs = (line.partition("=") for line in lines)
    return {name: value.strip("'") for name, _, value in pairs}


def filled(value: Any, env: dict[str, str]) -> Any:
    """Interpolate as compose does; a missing required variable fails with its sentence."""
    if isinstance(value, dict):
        return {key: filled(item, env) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, env) for item in value]

    def replace(found: re.Match[str]) -> str:
        name, kind, text = found.groups()
        given = env.get(name, "")
        if given or kind is None:
            return given
        if kind == "?":
            pytest.fail(f"{name}: {text}")
        return str(text)

    return VARIABLE.sub(replace, value).replace("$$", "$") if isinstance(value, str) else value


@pytest.fixture(scope="module")
def raw() -> Compose:
    compose: Compose = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())
    return compose


@pytest.fixture(scope="module")
def env() -> dict[str, str]:
    made = subprocess.run([ROOT / "docker" / "make-env"], capture_output=True, text=True, check=True)
    return settings(made.stdout)


@pytest.fixture(scope="module")
def compose(raw: Compose, env: dict[str, str]) -> Compose:
    ready: Compose = filled(raw, env)
    return ready


@pytest.fixture(scope="module")
def worker(compose: Compose) -> dict[str, str]:
    environment: dict[str, str] = compose["services"]["airflow-worker"]["environment"]
    return environment


def test_compose_itself_reads_the_file(tmp_path: Path, env: dict[str, str]) -> None:
    command = _compose_command()
    if command is None:
        pytest.skip("neither 'docker compose' nor 'docker-compose' is on this machine")
    (tmp_path / ".env").write_text(_as_file(env))
    file = ["-f", str(ROOT / "docker-compose.yaml"), "--env-file", str(tmp_path / ".env")]
    subprocess.run([*command, *file, "config", "--quiet"], check=True)


def test_the_file_follows_the_compose_specification(raw: Compose) -> None:
    schema = SPECS / "compose" / "compose-spec.json"
    if not schema.exists():
        pytest.skip("the JSON schema of the compose specification is not among PRIVACY_SPECS")
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft201909Validator(json.loads(schema.read_text())).validate(raw)


def test_every_service_proves_its_health_or_ends(compose: Compose) -> None:
    for name, service in compose["services"].items():
        if name in ONE_SHOT:
            assert service["restart"] == "no", name
            assert "healthcheck" not in service, name
        else:
            assert service["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}, name
            assert service["restart"] == "unless-stopped", name


def test_whoever_waits_waits_for_health_or_for_the_end(compose: Compose) -> None:
    services = compose["services"]
    for name, service in services.items():
        for other, how in service.get("depends_on", {}).items():
            expected = "service_completed_successfully" if other in ONE_SHOT else "service_healthy"
            assert how["condition"] in {expected, "service_started"}, f"{name} → {other}"
            assert other in services, name


def test_logs_rotate_everywhere(compose: Compose) -> None:
    for name, service in compose["services"].items():
        assert service["logging"]["options"]["max-size"], name
        assert service["logging"]["options"]["max-file"], name


def test_images_are_pinned_to_a_release(compose: Compose) -> None:
    bases = re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    images = [service["image"] for service in compose["services"].values()]
    for image in [*bases, *images]:
        tag = image.rpartition(":")[2]
        assert re.search(r"\d+\.\d+\.\d+|\d+\.\d+-", tag), f"{image} may change under us"


def test_the_image_is_the_release_that_the_lock_file_pins() -> None:
    lock = _pins("requirements-deploy.lock")
    assert f"slim-{lock['apache-airflow']}-python3.11" in (ROOT / "Dockerfile").read_text()


def test_the_image_runs_the_versions_that_were_tested() -> None:
    tested, deployed = _pins("requirements.lock"), _pins("requirements-deploy.lock")
    assert {name: deployed.get(name) for name in tested} == tested
    assert "apache-airflow-providers-celery" in deployed
    assert "apache-airflow-providers-fab" in deployed


def test_no_service_of_airflow_runs_as_root(compose: Compose) -> None:
    for name, service in compose["services"].items():
        if name.startswith(("airflow-", "sandbox")):
            assert service["user"] == "50000:0", name
    assert (ROOT / "Dockerfile").read_text().rstrip().endswith("USER 50000:0")


def test_every_variable_is_in_the_example_or_has_a_default(raw: Compose) -> None:
    example = settings((ROOT / ".env.example").read_text())
    used = VARIABLE.findall(yaml.safe_dump(raw, width=10**6))
    for name, kind, _ in used:
        assert name in example or kind == "-", f"{name} is not in .env.example"
    unused = example.keys() - {name for name, _, _ in used} - {"COMPOSE_PROFILES"}
    assert unused == set()


STORES = {"FIRESTORE", "CLOUD_STORAGE", "FIREBASE_AUTH", "ELASTICSEARCH", "REDIS"}
"""The company's own software: nothing works without them."""


def test_no_secret_has_a_default_and_a_missing_one_says_what_to_do(raw: Compose) -> None:
    text = yaml.safe_dump(raw, width=10**6)
    secret = re.compile(r"(PASSWORD|SECRET|KEY|CONN_\w+)$")
    example = settings((ROOT / ".env.example").read_text())
    for name in {name for name, _, _ in VARIABLE.findall(text) if secret.search(name)}:
        uses = [(kind, said) for found, kind, said in VARIABLE.findall(text) if found == name]
        assert not any(kind == "-" and said for kind, said in uses), f"{name} has a default"
        # Those of optional profiles, and services: one without a connection is "not connected", and shown so.
        service = name.startswith("AIRFLOW_CONN_") and name.removeprefix("AIRFLOW_CONN_") not in STORES
        if not service and name not in {"ELASTIC_PASSWORD", "ELASTICSEARCH_PASSWORD", "REDIS_PASSWORD"}:
            assert any(kind == "?" and len(said) > 10 for kind, said in uses), f"{name} may be forgotten"
        assert example[name] == "" or name.startswith("AIRFLOW_CONN_"), f"{name} has a value in .env.example"


def test_each_set_of_secrets_is_new_and_of_the_right_form(env: dict[str, str]) -> None:
    again = settings(subprocess.run([ROOT / "docker" / "make-env"], capture_output=True, text=True, check=True).stdout)
    fresh = [name for name in env if env[name] != again[name]]
    assert len(fresh) == 19
    assert len({env[name] for name in fresh}) == len(fresh)
    assert all(env.values()), "nothing is left empty"
    Fernet(env["FERNET_KEY"])


def test_only_who_takes_requests_in_and_who_runs_tasks_reaches_personal_data(compose: Compose) -> None:
    tasks = TASKS | {*map(str.upper, GOVERNED)}
    allowed = {
        "airflow-init": OWNERS,
        "airflow-apiserver": INTAKE,
        "airflow-worker": tasks,
        "airflow-cli": tasks,
    }
    for name, service in compose["services"].items():
        held = {key for key in service.get("environment", {}) if key.startswith("AIRFLOW_CONN_")}
        assert held == {f"AIRFLOW_CONN_{key}" for key in allowed.get(name, set())}, name


def test_every_connection_names_a_system_of_the_policy_that_has_a_module(worker: dict[str, str]) -> None:
    named = {name.removeprefix("AIRFLOW_CONN_") for name in worker if name.startswith("AIRFLOW_CONN_")} - TASKS
    assert sorted(name.lower() for name in named) == GOVERNED
    assert set(GOVERNED) <= registry.MODULES.keys() | registry.ERASING.keys()


def test_the_modules_accept_their_connections(worker: dict[str, str]) -> None:
    for key in ("firestore", "cloud_storage", "firebase_auth"):
        registry.connect(Connection.from_env(key, worker)).close()
    assert base_url(Connection.from_env("cloud_storage", worker), "").startswith("http://127.0.0.1:9000/")
    for key in ("elasticsearch", "redis"):
        assert Connection.from_env(key, worker).password


def test_the_ledger_accepts_its_connections(compose: Compose, worker: dict[str, str]) -> None:
    writer = url_of(Connection.from_env("privacy_ledger", worker))
    owner = url_of(Connection.from_env("privacy_ledger_owner", compose["services"]["airflow-init"]["environment"]))
    assert (writer.username, writer.database) == ("privacy_ledger_writer", "privacy_ledger")
    assert (owner.username, owner.database) == ("privacy_ledger_owner", writer.database)
    assert writer.password != owner.password
    Pseudonymiser.from_connection(Connection.from_env("privacy_pseudonyms", worker))
    signer = Signer.from_connection(Connection.from_env("privacy_ledger_signer", worker))
    assert signer.verifier.name == "privacy.example.com/ledger"


def test_the_vault_accepts_its_connections(compose: Compose, worker: dict[str, str]) -> None:
    writer = url_of(Connection.from_env("privacy_vault", worker))
    owner = url_of(Connection.from_env("privacy_vault_owner", compose["services"]["airflow-init"]["environment"]))
    assert (writer.username, writer.database) == ("privacy_vault_writer", "privacy_vault")
    assert (owner.username, owner.database) == ("privacy_vault_owner", writer.database)
    assert writer.password != owner.password
    Keyring.from_connection(Connection.from_env("privacy_vault_key", worker))


def test_the_vaults_former_keys_come_from_one_variable(raw: Compose) -> None:
    made = [
        subprocess.run([ROOT / "docker" / "make-env"], capture_output=True, text=True, check=True) for _ in range(2)
    ]
    old, new = (settings(one.stdout) for one in made)
    both = filled(raw, {**new, "VAULT_PREVIOUS_KEYS": f'"{old["VAULT_KEY"]}"'})
    before, after = (
        Keyring.from_connection(
            Connection.from_env("privacy_vault_key", one["services"]["airflow-worker"]["environment"])
        )
        for one in (filled(raw, old), both)
    )
    assert after.unwrap(b"here", before.wrap(b"here", b"secret")) == b"secret"
    assert after.current != before.current


def test_hosts_of_connections_and_urls_are_services(compose: Compose, worker: dict[str, str]) -> None:
    text = json.dumps(worker)
    hosts = set(re.findall(r"@([\w-]+)[:/]", text)) | set(re.findall(r"https?://([a-z][\w-]+):\d+", text))
    hosts |= {Connection.from_env(key.lower(), worker).host or "" for key in ("firestore", "redis", "privacy_ledger")}
    assert hosts - {"localhost"} <= set(compose["services"])


def test_the_broker_is_not_the_redis_that_the_policy_deletes_from(worker: dict[str, str]) -> None:
    governed = Connection.from_env("redis", worker)
    assert f"@{governed.host}:" not in worker["AIRFLOW__CELERY__BROKER_URL"]


def test_production_is_what_one_gets_and_results_are_guarded(worker: dict[str, str]) -> None:
    assert worker["PRIVACY_MODE"] == "production"
    assert worker["AIRFLOW__CORE__XCOM_BACKEND"] == "include.orchestration.xcom.GuardedXCom"
    assert worker["AIRFLOW__CORE__LOAD_EXAMPLES"] == "false"
    assert worker["AIRFLOW__LOGGING__TASK_LOGS_TO_STDOUT"] == "false"


def test_only_the_ui_is_published_and_only_on_loopback(compose: Compose) -> None:
    ports = {name: service["ports"] for name, service in compose["services"].items() if "ports" in service}
    assert ports == {"airflow-apiserver": ["127.0.0.1:8080:8080"]}


def test_mounted_scripts_and_copied_folders_exist(compose: Compose) -> None:
    for service in compose["services"].values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert (ROOT / source).exists() if source.startswith(".") else source in compose["volumes"], volume
    allowed = (ROOT / ".dockerignore").read_text()
    for source in re.findall(r"^COPY (?:--\S+ )*(\S+) ", (ROOT / "Dockerfile").read_text(), re.MULTILINE):
        assert (ROOT / source).exists(), source
        assert f"!{source}\n" in allowed, source


@pytest.mark.parametrize("script", sorted((ROOT / "docker").iterdir()), ids=lambda path: path.name)
def test_scripts_parse_and_may_be_run(script: Path) -> None:
    shell = script.read_text().splitlines()[0].rpartition("/")[2].split()[-1]
    subprocess.run([shell, "-n", script], check=True)
    assert os.access(script, os.X_OK)


@pytest.fixture
def server(env: dict[str, str]) -> Iterator[Connection]:
    """A server on which docker/databases.sh has run, and the writer's connection to it."""
    from include.local.postgres import EmbeddedPostgres, _programs

    # Not below pytest's folder: another session that starts closes that one to the server's account.
    with tempfile.TemporaryDirectory(prefix="pg") as directory, EmbeddedPostgres(Path(directory)) as started:
        socket = str(url_host(started.url("postgres")))
        path = f"{_programs()}{os.pathsep}{os.environ['PATH']}"
        subprocess.run(
            [ROOT / "docker" / "databases.sh"], env={**os.environ, **env, "PATH": path, "PGHOST": socket}, check=True
        )
        yield Connection("privacy_ledger", host=socket, login="privacy_ledger_writer", schema="privacy_ledger")


def url_host(url: str) -> object:
    from sqlalchemy.engine import make_url

    return make_url(url).query["host"]


def test_the_databases_are_closed_to_each_others_roles_and_can_be_made(
    server: Connection, worker: dict[str, str]
) -> None:
    from dataclasses import replace
    from datetime import UTC, datetime

    import psycopg2

    from include.ledger.database import migrate
    from include.subjects import database as vault_database

    migrate(url_of(replace(server, login="privacy_ledger_owner")))
    ledger = open_ledger(server, lambda: datetime.now(tz=UTC))
    assert ledger.size() == 0
    ledger.engine.dispose()
    vault_database.migrate(url_of(replace(server, login="privacy_vault_owner", schema="privacy_vault")))
    writer = replace(server, login="privacy_vault_writer", schema="privacy_vault")
    vault = open_vault(writer, Connection.from_env("privacy_vault_key", worker), lambda: datetime.now(tz=UTC))
    assert vault.requests() == []
    vault.engine.dispose()
    for user, database in (
        ("privacy_ledger_writer", "airflow"),
        ("privacy_vault_writer", "airflow"),
        ("airflow", "privacy_ledger"),
        ("airflow", "privacy_vault"),
        ("privacy_ledger_writer", "privacy_vault"),
        ("privacy_vault_writer", "privacy_ledger"),
    ):
        with pytest.raises(psycopg2.OperationalError, match="permission denied"):
            psycopg2.connect(host=server.host, user=user, dbname=database)


def _compose_command() -> list[str] | None:
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]):
            answer = subprocess.run([*command, "version"], capture_output=True, check=False)
            if answer.returncode == 0:
                return command
    return None


def _as_file(env: dict[str, str]) -> str:
    return "".join(f"{name}='{value}'\n" for name, value in env.items())


def _pins(name: str) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)(?:\[[^]]*\])?==([^\s;]+)", (ROOT / name).read_text(), re.MULTILINE))
