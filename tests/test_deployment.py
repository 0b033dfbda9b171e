"""Procfile, compose file, image and systemd units run the same programs, and the documents tell the truth."""

import json
import re
import subprocess
import sys
from typing import Any

import pytest
import yaml
from django.conf import settings

from merchant.embedded import environment as embedded
from merchant.embedded.supervisor import procfile
from merchant.management.commands import environment

ROOT = settings.BASE_DIR
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
PROGRAMS = procfile(ROOT / "Procfile")
OURS = [name for name in PROGRAMS if name != "sandbox"]


def queues(command: str) -> list[str]:
    found = re.findall(r"--queues (\S+)", command)
    return [queue for each in found for queue in each.split(",")]


def test_compose_runs_the_programs_of_the_procfile() -> None:
    ours = {
        name for name, service in COMPOSE["services"].items() if service.get("image") == "paysuper-dashboard"
    }
    assert ours == {*OURS, "set-up"}
    for name in OURS:
        command = " ".join(COMPOSE["services"][name].get("command", []))
        assert queues(command) == queues(PROGRAMS[name]), name
        assert ("nice -n 10 celery" in command) == ("nice -n 10 celery" in PROGRAMS[name]), name
    served = [queue for name in OURS for queue in queues(PROGRAMS[name])]
    assert sorted(served) == sorted(settings.QUEUES)


def test_everything_of_ours_runs_without_rights_on_a_file_system_that_it_cannot_write() -> None:
    for name in (*OURS, "set-up"):
        service = COMPOSE["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in service["security_opt"]
    steps = (ROOT / "Dockerfile").read_text()
    assert re.search(r"^USER (?!0|root)", steps, re.MULTILINE)
    assert steps.count("\nFROM ") + steps.startswith("FROM ") == 2, "what builds is not what runs"


def test_compose_passes_on_variables_that_the_settings_know() -> None:
    for name in OURS:
        assert COMPOSE["services"][name]["environment"].keys() - {"TMPDIR"} <= environment.read().keys()
        # What is left out is for development, or of the image.
        left_out = environment.read().keys() - COMPOSE["services"][name]["environment"].keys()
        assert left_out == {"DEBUG", "ALLOW_PRIVATE_SERVERS", "STATIC_ROOT"}, name
    public = re.findall(
        r"^ +([A-Z_]+(?:PASSWORD|KEYS?)): (?!\$)", (ROOT / "compose.yaml").read_text(), re.MULTILINE
    )
    assert public == [], "a secret with a value of its own"


def test_what_env_does_not_name_has_its_default_in_compose() -> None:
    passed_on = COMPOSE["x-program"]["environment"].items()
    given = {name: VARIABLE.sub(filled_in, value) for name, value in passed_on}
    assert "" in given.values()
    needed = {name: given[name] for name in ("DATABASE_URL", "REDIS_URL", *NEEDED)}
    assert settings_of(given | {"EXPORT_STORAGE_URL": ""}) == settings_of(needed)
    replica = "postgres://reader@elsewhere/copy"
    assert "elsewhere" in settings_of(given | {"REPLICA_URL": replica})["DATABASES"]


VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*)|:\?[^}]*)\}")
NEEDED = {
    "SECRET_KEY": "one-two-three-four-five-six-seven-eight-nine-ten",
    "ENCRYPTION_KEYS": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
}
TOLD = """
import json
from merchant import settings
told = {name: repr(value) for name, value in vars(settings).items() if name.isupper() and name[0] != "_"}
print(json.dumps(told | {"LOGGING": settings.LOGGING["root"]["level"]}))
"""


def filled_in(variable: re.Match[str]) -> str:
    """As compose does it where .env has nothing but NEEDED and the password."""
    name, default = variable.groups()
    return NEEDED.get(name, "of-the-database" if default is None else default)


def settings_of(variables: dict[str, str]) -> dict[str, str]:
    run = subprocess.run(
        [sys.executable, "-c", TOLD], cwd=ROOT, env=variables, capture_output=True, text=True, check=True
    )
    return json.loads(run.stdout)


def test_units_of_systemd_serve_every_queue_and_start_together() -> None:
    folder = ROOT / "docs" / "systemd"
    target = (folder / "dashboard.target").read_text()
    instances = re.findall(r"dashboard-worker@(\w+)\.service", target)
    beside = (folder / "dashboard-worker@mail.service.d" / "queues.conf").read_text()
    assert sorted([*instances, "celery"]) == sorted(settings.QUEUES)
    assert "QUEUES=mail,celery" in beside
    for name in ("web", "worker@", "beat"):
        unit = (folder / f"dashboard-{name}.service").read_text()
        assert "User=dashboard" in unit
        assert "ProtectSystem=strict" in unit


@pytest.mark.parametrize("queue", settings.QUEUES)
def test_what_takes_long_gives_way_to_what_somebody_waits_for(queue: str) -> None:
    gives_way = queue in ("sync", "exports")
    [program] = [program for program in PROGRAMS.values() if queue in queues(program)]
    assert ("nice -n 10 celery" in program) is gives_way
    beside = ROOT / "docs" / "systemd" / f"dashboard-worker@{queue}.service.d" / "nice.conf"
    assert (beside.exists() and "\nNice=10\n" in beside.read_text()) is gives_way


def test_the_table_of_variables_is_that_of_the_settings() -> None:
    assert environment.MEANINGS.keys() == environment.read().keys(), "say what it means in MEANINGS"
    assert environment.PAGE.read_text() == environment.page(), "run manage.py environment --write"


def test_the_tests_see_none_of_the_variables_of_the_person() -> None:
    assert environment.read().keys() | {"DJANGO_SETTINGS_MODULE"} == embedded.OF_THE_PRODUCT


@pytest.mark.parametrize("name", OURS)
def test_every_worker_gives_back_what_it_has_not_finished(name: str) -> None:
    if "worker" in PROGRAMS[name].split():
        assert "REMAP_SIGTERM=SIGQUIT" in PROGRAMS[name]
    assert "REMAP_SIGTERM=SIGQUIT" in (ROOT / "Dockerfile").read_text()
