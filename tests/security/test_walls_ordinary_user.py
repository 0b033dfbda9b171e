"""The database user of an installation is no superuser: what it needs, and that the wall holds for it too."""

import os
import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from psycopg import sql

SEEN = """
from merchant import walls
from merchant.models import Merchant, Project
first, second = [Merchant.objects.create(paysuper_id=each * 24, name=each) for each in "ab"]
with walls.only(first.pk):
    print([each.name for each in Merchant.objects.all()])
    Project.objects.create(merchant=first, paysuper_id="c" * 24, name="mine")
    try:
        Project.objects.create(merchant=second, paysuper_id="d" * 24, name="theirs")
    except Exception as error:
        print(type(error.__cause__).__name__)
with walls.nobody(), walls.own_rows():
    print(Project.objects.count(), first.transactions.count())
print(Project.objects.count())
"""


@pytest.fixture
def ordinary(db: None) -> Iterator[tuple[psycopg.Connection, str, str]]:
    """An administrator, a login that owns an empty database and may nothing else, and its address."""
    place = connection.settings_dict
    name = f"{place['NAME']}_ordinary"
    server = {
        "host": place["HOST"],
        "port": place["PORT"],
        "user": place["USER"],
        "password": place["PASSWORD"],
    }
    statements = [
        "DROP DATABASE IF EXISTS {0}",
        "DROP ROLE IF EXISTS {0}",
        "CREATE ROLE {0} LOGIN PASSWORD 'ordinary'",
        "CREATE DATABASE {0} OWNER {0}",
    ]
    with psycopg.connect(dbname="postgres", autocommit=True, **server) as admin:
        for statement in statements:
            admin.execute(sql.SQL(statement).format(sql.Identifier(name)))
        yield admin, name, f"postgres://{name}:ordinary@{place['HOST']}:{place['PORT']}/{name}"
        for statement in statements[:2]:
            admin.execute(sql.SQL(statement).format(sql.Identifier(name)))


def manage(address: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", *arguments]
    variables = os.environ | {"DATABASE_URL": address, "LOG_LEVEL": "ERROR"}
    return subprocess.run(
        command, cwd=settings.BASE_DIR, env=variables, capture_output=True, text=True, check=False
    )


def test_an_ordinary_user_is_told_what_it_lacks_and_then_stands_behind_the_wall(
    ordinary: tuple[psycopg.Connection, str, str],
) -> None:
    admin, login, address = ordinary
    refused = manage(address, "migrate", "--verbosity", "0")
    assert refused.returncode == 1
    assert f"GRANT paysuper_member TO {login};" in refused.stderr
    assert "Traceback" not in refused.stderr
    admin.execute(sql.SQL("GRANT paysuper_member TO {}").format(sql.Identifier(login)))
    done = manage(address, "migrate", "--verbosity", "0")
    assert done.returncode == 0, done.stderr
    seen = manage(address, "shell", "--no-imports", "--command", SEEN)
    assert seen.stdout.split("\n") == ["['a']", "InsufficientPrivilege", "0 0", "1", ""], seen.stderr
