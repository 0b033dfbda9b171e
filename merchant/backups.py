"""Copies of the whole database by PostgreSQL's own programs, of a version that knows the server's."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from django.core.management.base import CommandError
from django.db import connection

# Debian and Ubuntu; Red Hat.
_PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin")


def program(name: str) -> Path:
    """pg_dump or pg_restore, not older than the server.

    Raises CommandError when there is none, and behind a pool of connections: what these programs set for
    their session would stay on a connection that the next client gets.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version_num')::int / 10000, pg_backend_pid()")
        server, process = cursor.fetchone()
    # A pool gives its clients numbers of its own, with which they cancel what it runs for them.
    if process != connection.connection.info.backend_pid:
        raise CommandError(
            "DATABASE_URL leads to a pool of connections: run this with the address of PostgreSQL itself."
        )
    usable = sorted((major, path) for path in _installed(name) if (major := _major(path)) >= server)
    if not usable:
        raise CommandError(
            f"No {name} of version {server} or newer is here, which the server wants: install the package "
            f"postgresql-client-{server}."
        )
    return usable[0][1]


def run(path: Path, options: Sequence[str | Path], output: Path | None = None) -> None:
    """Run one of the programs on our database. Raises CommandError with what it said."""
    # By the environment: options are shown to everybody in the list of processes.
    values = connection.settings_dict
    place = {
        "PGHOST": values["HOST"],
        "PGPORT": str(values["PORT"] or ""),
        "PGUSER": values["USER"],
        "PGPASSWORD": values["PASSWORD"],
        "PGDATABASE": values["NAME"],
        "PGSSLMODE": values.get("OPTIONS", {}).get("sslmode", ""),
    }
    environment = os.environ | {name: value for name, value in place.items() if value}
    done = subprocess.run([path, *options], env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        if output:
            output.unlink(missing_ok=True)
        raise CommandError(f"{path.name} failed: {done.stderr.strip()[-2000:]}")


def tables() -> list[str]:
    """The tables of our schema, by name."""
    with connection.cursor() as cursor:
        return sorted(connection.introspection.table_names(cursor))


def _installed(name: str) -> Iterator[Path]:
    if found := shutil.which(name):
        yield Path(found)
    for pattern in _PLACES:
        yield from (each / name for each in Path("/").glob(pattern.lstrip("/")) if (each / name).exists())


def _major(path: Path) -> int:
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    number = re.search(r"\) (\d+)", said)
    return int(number[1]) if number else 0
