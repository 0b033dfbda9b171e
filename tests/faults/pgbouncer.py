"""PgBouncer in transaction mode before the tests' database."""

import contextlib
import shutil
import signal
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
from django.db import connection

from merchant.embedded import accounts, ports, processes
from tests.merchant.sandbox_receiver import eventually

PROGRAM = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
# Each transaction gets the server's connection that has rested longest, so that whatever is left on one is
# missed by the next statement, and found by the next client. Waiting for ever shows as an error.
_SETTINGS = """
[databases]
one = {place} dbname={name} pool_size=1
few = {place} dbname={name} pool_size=6
* = {place}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
server_round_robin = 1
max_client_conn = 200
query_wait_timeout = 20
"""


@dataclass(frozen=True)
class Pool:
    """`one` and `few` are names of the tests' database with so many connections; others go by their own."""

    port: int

    def address(self, name: str) -> str:
        return f"postgres://{connection.settings_dict['USER']}@127.0.0.1:{self.port}/{name}"

    def line(self, name: str) -> psycopg.Connection:
        return psycopg.connect(self.address(name), autocommit=True, prepare_threshold=None)


@contextlib.contextmanager
def running() -> Iterator[Pool]:
    there, folder = connection.settings_dict, Path(tempfile.mkdtemp())
    place = f"host={there['HOST']} port={there['PORT'] or 5432} user={there['USER']}"
    if there["PASSWORD"]:
        place += f" password={there['PASSWORD']}"
    pool, account = Pool(ports.free()), accounts.unprivileged(folder / "none")
    settings = folder / "pgbouncer.ini"
    settings.write_text(_SETTINGS.format(place=place, name=there["NAME"], port=pool.port))
    for each in (folder, settings):
        each.chmod(0o755)
    process = processes.start([PROGRAM, settings], folder / "log", account=account)
    try:
        eventually(lambda: _answers(pool))
        yield pool
    finally:
        processes.stop(process, signal.SIGTERM, 10)
        shutil.rmtree(folder)


def _answers(pool: Pool) -> bool:
    with contextlib.suppress(psycopg.OperationalError), contextlib.ExitStack() as lines:
        # All of them at once, so that all are there.
        for _ in range(6):
            lines.enter_context(pool.line("few")).execute("BEGIN")
        return True
    return False
