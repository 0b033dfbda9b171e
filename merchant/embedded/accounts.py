"""The account PostgreSQL runs as, and a place that this account can reach.

PostgreSQL refuses to run as root. When root starts us, it runs as an unprivileged account, which
often cannot pass a closed folder above the project (for example a home with mode 0700). We never
open such a folder: the data then lies below STATE and the project holds a link to it.
"""

import os
import pwd
import secrets
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from merchant.embedded import Trouble

STATE = Path("/var/lib/paysuper-dashboard")
NAMES = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """A user of the system."""

    uid: int
    gid: int

    def as_popen(self) -> dict[str, Any]:
        """Return the arguments that make subprocess run as this account."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def may(self, right: str, path: Path) -> bool:
        """Ask the system itself (r, w or x), since modes alone do not tell of ACLs and mounts."""
        command = ["/bin/sh", "-c", f'test -{right} "$1"', "sh", str(path)]
        return subprocess.run(command, cwd="/", check=False, **self.as_popen()).returncode == 0


def unprivileged(directory: Path) -> Account | None:
    """Return the account to run PostgreSQL as, None for the account we have.

    Data that is there already stays with its owner.
    """
    if os.geteuid() != 0:
        return None
    if directory.exists() and (owner := directory.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    for name in NAMES:
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(found.pw_uid, found.pw_gid)
    raise Trouble(
        f"PostgreSQL cannot run as root and there is no account {' or '.join(NAMES)}: "
        "add one, or run as an ordinary user."
    )


def home(directory: Path, account: Account | None) -> Path:
    """Make the directory for the account and return where it really is."""
    real = directory.resolve()
    real.mkdir(mode=0o700, parents=True, exist_ok=True)
    if account is None:
        return real
    _give(real, account)
    if account.may("w", real):
        return real
    if any(real.iterdir()):
        raise Trouble(
            f"The database's account cannot reach {real} any more: a folder above it was closed. "
            "Open it again or move the project."
        )
    return _elsewhere(directory, account)


def _elsewhere(directory: Path, account: Account) -> Path:
    """Make a reachable directory below STATE and leave a link to it."""
    place = STATE / _token(directory.parent / "instance") / directory.name
    place.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
    place.mkdir(mode=0o700, exist_ok=True)
    _give(place, account)
    directory.rmdir()
    directory.symlink_to(place)
    return place


def _token(file: Path) -> str:
    """Return the name that keeps the data of several projects apart."""
    if not file.exists():
        file.write_text(secrets.token_hex(8))
    return file.read_text().strip()


def _give(directory: Path, account: Account) -> None:
    if directory.stat().st_uid != account.uid:
        os.chown(directory, account.uid, account.gid)
