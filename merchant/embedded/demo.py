"""`make run`: a whole installation with a PaySuper to try it on."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from urllib.parse import quote

import psycopg
import redis as redis_client

from merchant.embedded import PROJECT, Trouble, environment, ports, postgres, redis
from merchant.embedded.environment import DATA, OWNER
from merchant.embedded.supervisor import Supervisor, procfile

HIGHEST_PORT = 65535


def run() -> int:
    """Start everything, print where it is, and stay until stopped."""
    DATA.mkdir(exist_ok=True)
    DATA.chmod(0o711)  # secrets below are closed one by one; the database's account must come through
    with _alone():
        web, sandbox = _port("PORT", 8000), _port("SANDBOX_PORT", 8077)
        _serve(web, sandbox)
    return 0


def _serve(web: int, sandbox: int) -> None:
    with _database() as database, _broker() as broker:
        variables = _variables(web, sandbox, database, broker)
        with Supervisor(DATA / "log", PROJECT, variables) as supervisor:
            _start(supervisor, web, sandbox)
            password = variables["OWNER_PASSWORD"]
            print(f"Dashboard: http://{ports.HOST}:{web}/  e-mail: {OWNER}  password: {password}", flush=True)
            supervisor.watch()


def _start(supervisor: Supervisor, web: int, sandbox: int) -> None:
    commands = procfile(PROJECT / "Procfile")
    supervisor.start("sandbox", commands.pop("sandbox"))
    supervisor.wait_for(f"http://{ports.HOST}:{sandbox}/sandbox/")
    print("Preparing the database (the first time it also fetches the payments) …", flush=True)
    supervisor.start("set-up", "python -m merchant.embedded.filling")
    supervisor.finish("set-up")
    for name, command in commands.items():
        supervisor.start(name, command)
    supervisor.wait_for(f"http://{ports.HOST}:{web}/healthz")
    print(f"Running. Logs: {supervisor.logs.relative_to(PROJECT)}. Stop with Ctrl-C.", flush=True)


def _port(name: str, default: int) -> int:
    """Read a port from the environment and make sure that nobody has it."""
    text = os.environ.get(name) or str(default)
    if not (text.isdecimal() and 0 < int(text) <= HIGHEST_PORT):
        raise Trouble(f"{name}={text} is no port: give a number from 1 to {HIGHEST_PORT}.")
    port = int(text)
    if not ports.is_free(port):
        raise Trouble(
            f"Port {port} is in use or not allowed: stop the program that has it, "
            f"or choose another: make run {name}={port + 10}"
        )
    return port


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Hold the folder's lock: two runs on the same data would break each other."""
    with (DATA / "run.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise Trouble(
                f"The dashboard of this folder runs already (process {lock.read()}): "
                "use that one, or stop it with Ctrl-C first."
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


@contextlib.contextmanager
def _database() -> Iterator[str]:
    if url := os.environ.get("DATABASE_URL"):
        try:
            psycopg.connect(url, connect_timeout=10).close()
        except psycopg.Error as error:
            raise Trouble(
                f"DATABASE_URL is set, but no PostgreSQL lets us in there: {error}".strip()
            ) from error
        yield url
        return
    with postgres.server(DATA / "postgres") as url:
        yield url


@contextlib.contextmanager
def _broker() -> Iterator[str]:
    if url := os.environ.get("REDIS_URL"):
        try:
            redis_client.Redis.from_url(url, socket_connect_timeout=10).ping()
        except (redis_client.RedisError, ValueError) as error:
            raise Trouble(f"REDIS_URL is set, but no Redis lets us in there: {error}") from error
        yield url
        return
    with redis.server(DATA / "redis") as url:
        yield url


def _variables(web: int, sandbox: int, database: str, broker: str) -> dict[str, str]:
    """Return the environment of the processes; what the person has set wins."""
    hosts = ["127.0.0.1", "localhost", *filter(None, os.environ.get("ALLOWED_HOSTS", "").split(","))]
    outbox = DATA / "outbox"
    outbox.mkdir(mode=0o700, exist_ok=True)
    return {
        **environment.kept_secrets(DATA / "secrets.env"),
        "BASE_URL": f"http://{ports.HOST}:{web}",
        "PAYSUPER_API_URL": f"http://{ports.HOST}:{sandbox}",
        "ALLOW_PRIVATE_PAYSUPER": "true",
        "EMAIL_URL": f"filemail:///{quote(str(outbox))}",
        **environment.with_programs(),
        "ALLOWED_HOSTS": ",".join(hosts),
        "DATABASE_URL": database,
        "REDIS_URL": broker,
        "PORT": str(web),
        "SANDBOX_PORT": str(sandbox),
    }
