"""A whole installation in processes of its own, each of which can be killed: for the worst of days."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import redis as redis_client
from psycopg.rows import dict_row

from merchant.embedded import PROJECT, environment, ports, postgres, processes, redis
from merchant.embedded.supervisor import procfile
from merchant.paysuper.sandbox import catalogue
from tests import log_leaks
from tests.conftest import PASSWORD
from tests.fulfillment.desk import Desk
from tests.merchant.sandbox_client import OWNER

SUPPORT = "support@lantern.example"
_HARBOUR = catalogue.MERCHANTS[0].projects[0]
_RETRY_SECONDS = 0.5
_WORKERS = 8
WORKERS = ("worker", "inbox", "syncer", "exporter", "mailer")


class Installation:
    """PaySuper's sandbox, database, broker and the programs of the Procfile. Use `running()` to get one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.commands = procfile(PROJECT / "Procfile")
        del self.commands["sandbox"]  # ours has wishes of its own
        self.servers = {name: contextlib.ExitStack() for name in ("database", "broker")}
        self.programs: dict[str, subprocess.Popen[bytes]] = {}
        self.database_url = self.broker_url = ""
        self.web, self.sandbox = ports.free(), ports.free()
        self.desk = Desk(
            httpx2.Client(
                base_url=f"http://{ports.HOST}:{self.sandbox}",
                headers={"Authorization": f"Bearer {OWNER}"},
                timeout=30,
            )
        )

    def begin(self) -> None:
        """Start everything and connect the first merchant."""
        self.start_database()
        self.start_broker()
        self.variables = {
            **environment.clean(),
            **environment.new_secrets(),
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.broker_url,
            "BASE_URL": self.address,
            "PORT": str(self.web),
            "ALLOWED_HOSTS": ports.HOST,
            "STATIC_ROOT": str(self.folder / "static"),
            "EXPORT_STORAGE_URL": (self.folder / "exports").as_uri(),
            "EMAIL_URL": "dummymail://",
        }
        hooks = f"--webhook-url {self.address}/webhooks/paysuper/{{project_id}}/"
        paysuper = f"python manage.py sandbox --port {self.sandbox} --orders 300 --refund-delay 0.2"
        self._run("sandbox", f"{paysuper} {hooks} --webhook-retry-interval {_RETRY_SECONDS}")
        self._answers(f"http://{ports.HOST}:{self.sandbox}/sandbox/")
        self._connect()
        for name in self.commands:
            self.start(name)
        self._answers(f"{self.address}/healthz")

    @property
    def address(self) -> str:
        """Where the web server listens."""
        return f"http://{ports.HOST}:{self.web}"

    def start_database(self) -> None:
        """Start PostgreSQL, at the same address as before."""
        # Forgetful would be unfair: what was committed must be there after a kill.
        self.database_url = self.servers["database"].enter_context(postgres.server(self.folder / "postgres"))

    def start_broker(self) -> None:
        """Start the broker, at the same address as before."""
        self.broker_url = self.servers["broker"].enter_context(redis.server(self.folder / "redis"))

    def database_process(self) -> int:
        """The parent of all processes of PostgreSQL."""
        [row] = self.rows("SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'")
        return int(Path(f"/proc/{row['pid']}/stat").read_text().rsplit(")", 1)[1].split()[1])

    def broker_process(self) -> int:
        """The one process of the broker."""
        with redis_client.Redis.from_url(self.broker_url) as line:
            return int(line.info("server")["process_id"])

    def kill_database(self) -> None:
        """PostgreSQL dies with all that it was doing, and comes back."""
        os.kill(
            self.database_process(), signal.SIGQUIT
        )  # "immediate": no last words, recovery at the next start
        self.servers["database"].close()
        self.start_database()

    def kill_broker(self, *, flushed: bool) -> None:
        """The broker dies and comes back, `flushed` with nothing of what it knew."""
        with redis_client.Redis.from_url(self.broker_url) as line:
            if flushed:
                line.flushall()
        os.kill(self.broker_process(), signal.SIGKILL)
        self.servers["broker"].close()
        self.start_broker()

    def start(self, name: str) -> None:
        """Start one of the Procfile's programs."""
        command = self.commands[name].replace(".data/", f"{self.folder}/")
        if name == "worker":  # many at once where money moves
            command = command.replace("--concurrency 2", f"--concurrency {_WORKERS}")
        self._run(name, command)

    def kill(self, name: str) -> None:
        """A program dies with its children, and comes back."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.programs[name].pid, signal.SIGKILL)
        self.programs[name].wait(10)
        self.start(name)

    def revive(self) -> None:
        """Start again what has ended by itself, as whatever runs an installation does.

        A worker can end when its broker dies: kombu trips over messages of a connection that is gone.
        """
        for name in self.commands:
            if self.programs[name].poll() is not None:
                self.start(name)

    def manage(self, *words: str) -> tuple[int, str]:
        """A management command: its exit code and what it said."""
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=PROJECT, env=self.variables, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    def rows(self, statement: str, *values: object) -> list[dict[str, Any]]:
        """What the database answers."""
        with psycopg.connect(self.database_url, autocommit=True, row_factory=dict_row) as line:
            cursor = line.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def signed_in(self, email: str = SUPPORT) -> httpx2.Client:
        """Somebody's browser."""
        browser = httpx2.Client(base_url=self.address, timeout=30)
        browser.get("/accounts/login/")
        form = {"login": email, "password": PASSWORD, "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
        answer = browser.post("/accounts/login/", data=form)
        assert answer.status_code == 302, answer.text
        return browser

    def end(self) -> None:
        """Stop what runs."""
        self.desk.api.close()
        for program in self.programs.values():
            processes.stop(program, signal.SIGKILL, 10)
        for server in self.servers.values():
            server.close()

    def _connect(self) -> None:
        merchant, password = catalogue.MERCHANTS[0].id, ["--password", PASSWORD]
        connection = ["--merchant-id", merchant, "--name", "Lantern Works", "--api-token", OWNER]
        for words in (
            ["migrate", "--verbosity", "0"],
            ["collectstatic", "--no-input", "--verbosity", "0"],
            ["connect_merchant", *connection, "--api-url", f"http://{ports.HOST}:{self.sandbox}",
             "--owner-email", "owner@lantern.example", "--owner-password", PASSWORD],
            ["connect_project", "--merchant-id", merchant, "--project-id", _HARBOUR.id,
             "--name", "Harbour", "--secret-key", _HARBOUR.secret],
            ["add_member", "--merchant-id", merchant, "--email", SUPPORT, *password, "--role", "support"],
            ["sync_transactions", "--merchant-id", merchant, "--full"],
        ):  # fmt: skip
            code, said = self.manage(*words)
            assert code == 0, said

    def _run(self, name: str, command: str) -> None:
        shell = ["/bin/sh", "-c", f"exec {command}"]
        log = self.folder / f"{name}.log"
        self.programs[name] = processes.start(shell, log, cwd=PROJECT, env=self.variables)

    def _answers(self, url: str, patience: float = 90) -> None:
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx2.HTTPError):
                httpx2.get(url)
                return
            time.sleep(0.1)
        raise AssertionError(f"nothing answers at {url}")


@contextlib.contextmanager
def running() -> Iterator[Installation]:
    """An installation for as long as it is needed."""
    folder = Path(tempfile.mkdtemp(prefix="dashboard-fault-"))
    folder.chmod(0o711)  # the database may run as another account, which must come through
    installation = Installation(folder)
    try:
        installation.begin()
        yield installation
    finally:
        installation.end()
        log_leaks.read(folder)
        shutil.rmtree((folder / "postgres").resolve(), ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)
