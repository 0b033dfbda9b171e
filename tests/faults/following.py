"""A PostgreSQL server and a streaming replica of it, for tests: the replica stops, waits, and comes back."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
from django.db import connection

from merchant import backups
from merchant.embedded import postgres, programs
from merchant.walls.statements import ROLE
from tests.merchant.sandbox_receiver import eventually

_PLACES = "SELECT pg_current_wal_insert_lsn()"
_ARRIVED = "SELECT pg_last_wal_replay_lsn() >= %s"


def has_programs() -> bool:
    """Whether the PostgreSQL that tests would start can be copied while it runs."""
    return (programs.postgres(None).bin / "pg_basebackup").exists()


class Follower:
    """The replica, and the server that it follows."""

    def __init__(self, folder: Path, primary: str) -> None:
        self.primary, self.folder = primary, folder / "replica"
        cluster = postgres._cluster(self.folder)
        cluster.run("pg_basebackup", "-d", primary, "-D", cluster.data, "-R", "-c", "fast", "--no-sync")
        shutil.copy(folder / "primary" / "password", cluster.home / "password")
        self.address = ""
        self.server = contextlib.ExitStack()

    def start(self) -> None:
        self.address = self.server.enter_context(postgres.server(self.folder, durable=False))

    def stop(self) -> None:
        self.server.close()

    @contextlib.contextmanager
    def hangs(self) -> Iterator[None]:
        """None of its processes runs, and all its lines stay open."""
        first = int((postgres._cluster(self.folder).data / "postmaster.pid").read_text().split()[0])
        os.kill(first, signal.SIGSTOP)  # it makes no more of them
        others = subprocess.run(["pgrep", "-P", str(first)], capture_output=True, text=True, check=True)
        all_ = [first, *map(int, others.stdout.split())]
        try:
            _tell(all_, signal.SIGSTOP)
            yield
        finally:
            _tell(all_, signal.SIGCONT)

    def waits(self) -> None:
        """From now on it receives and does not apply."""
        self.catches_up()
        self._say("SELECT pg_wal_replay_pause()")
        eventually(lambda: self._say("SELECT pg_get_wal_replay_pause_state()") == "paused")

    def goes_on(self) -> None:
        self._say("SELECT pg_wal_replay_resume()")
        self.catches_up()

    def catches_up(self) -> None:
        with psycopg.connect(self.primary, autocommit=True) as line:
            (place,) = line.execute(_PLACES).fetchone()
        eventually(lambda: self._say(_ARRIVED, place))

    def _say(self, sql: str, *values: object) -> object:
        with psycopg.connect(self.address, autocommit=True) as line:
            return line.execute(sql, values).fetchone()[0]


@contextlib.contextmanager
def pair() -> Iterator[Follower]:
    """A server with our tables and nothing in them, and its replica."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o711)
    try:
        with postgres.server(folder / "primary", durable=False) as primary:
            _like_ours(primary)
            follower = Follower(folder, primary)
            follower.start()
            try:
                yield follower
            finally:
                follower.stop()
    finally:
        shutil.rmtree(folder)


def _like_ours(address: str) -> None:
    """Our tables, as the tests' database has them after all migrations."""
    file = Path(tempfile.mkdtemp()) / "tables.dump"
    backups.run(backups.program("pg_dump"), ["--format=custom", "--schema-only", "--no-owner", "-f", file])
    with psycopg.connect(address, autocommit=True) as line:
        line.execute(f"CREATE ROLE {ROLE} NOLOGIN")
    restore = backups.program("pg_restore")
    connection.close()
    subprocess.run([restore, "--exit-on-error", "--no-owner", "-d", address, file], check=True)
    shutil.rmtree(file.parent)


def _tell(processes: list[int], what: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(ProcessLookupError):  # one that was just ending
            os.kill(process, what)
