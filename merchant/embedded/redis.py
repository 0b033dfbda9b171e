"""A server of our own that speaks the Redis protocol: broker and cache, whole after a kill."""

import contextlib
import secrets
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import redis

from merchant.embedded import Trouble, ports, processes, programs

# appendonly: without it a kill loses queued tasks. noeviction: a full broker must say so, not forget.
CONFIG = """\
bind {host}
port {port}
requirepass {password}
dir {directory}
appendonly yes
save ""
maxmemory-policy noeviction
"""


@contextlib.contextmanager
def server(directory: Path) -> Iterator[str]:
    """Run a server on the data in the directory and give its address."""
    program = programs.redis()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    password = _password(directory / "password")
    process, url = _start(program, directory.resolve(), password)
    try:
        yield url
    finally:
        processes.stop(process, signal.SIGTERM, patience=10)


def _password(file: Path) -> str:
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(24))
    return file.read_text()


def _start(program: Path, directory: Path, password: str) -> tuple[subprocess.Popen[bytes], str]:
    remembered, log = directory / "port", directory / "redis.log"
    wanted = int(remembered.read_text()) if remembered.exists() else None
    if wanted:
        _stop_leftover(_url(password, wanted))
    for _ in range(5):  # somebody may take a free port before we do
        port = ports.free(wanted)
        process = processes.start([program, _config(directory, port, password)], log, cwd=directory)
        if _answers(process, _url(password, port)):
            remembered.write_text(str(port))
            return process, _url(password, port)
    raise Trouble(f"Redis does not start. The end of {log}:\n{processes.last_lines(log)}")


def _url(password: str, port: int) -> str:
    return f"redis://:{password}@{ports.HOST}:{port}/0"


def _config(directory: Path, port: int, password: str) -> Path:
    """Write the settings to a file: the password must not show in the list of processes."""
    file = directory / "redis.conf"
    file.touch(mode=0o600)
    file.write_text(CONFIG.format(host=ports.HOST, port=port, password=password, directory=f'"{directory}"'))
    return file


def _stop_leftover(url: str) -> None:
    """Stop a server that a killed run left behind; only ours knows the password."""
    client = redis.Redis.from_url(url, socket_timeout=1)
    if not _pings(client):
        return
    with contextlib.suppress(redis.RedisError):
        client.shutdown()
    deadline = time.monotonic() + 10
    while _pings(client) and time.monotonic() < deadline:
        time.sleep(0.05)


def _answers(process: subprocess.Popen[bytes], url: str) -> bool:
    """Wait until the server answers; False when it ended instead."""
    client = redis.Redis.from_url(url, socket_timeout=5)
    while process.poll() is None:
        if _pings(client):
            return True
        time.sleep(0.02)
    return False


def _pings(client: "redis.Redis") -> bool:
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
