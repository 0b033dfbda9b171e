"""`make test` and `make bench`: checks, tests and benchmarks on a database and a broker of their own."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from merchant.embedded import PROJECT, Trouble, environment, postgres, processes, redis

TEMPLATES = [str(file.relative_to(PROJECT)) for file in sorted((PROJECT / "templates").rglob("*.html"))]
LINT = {
    "ruff check": ["ruff", "check", "."],
    "ruff format": ["ruff", "format", "--check", "."],
    "templates": ["djade", "--check", *TEMPLATES],
    # What it remembers does not know of relations that another file has been given since.
    "types": ["sh", "-c", "mypy || { rm -rf .mypy_cache; mypy; }"],
    "import contracts": ["lint-imports"],
    "house rules": ["python", "-m", "tests.house"],
}
SET_UP = {
    "migrations": ["python", "manage.py", "makemigrations", "--check", "--dry-run"],
    "static files": ["python", "manage.py", "collectstatic", "--no-input", "--verbosity", "0"],
}


def lint(names: Sequence[str]) -> int:
    """Run the checks that need no database, all or those named. Raises Trouble for an unknown one."""
    if unknown := set(names) - LINT.keys():
        raise Trouble(f"There is no check {', '.join(sorted(unknown))}: there are {', '.join(LINT)}.")
    # The type checker loads the settings, which want addresses, though nobody calls there.
    nowhere = _variables(Path(os.devnull), "postgres://127.0.0.1/none", "redis://127.0.0.1/0")
    return _report(_failing({name: LINT[name] for name in names or LINT}, nowhere))


def tidy() -> int:
    """Bring Python and templates into shape; what is left is for a person."""
    commands = {
        "ruff check": ["ruff", "check", "--fix", "."],
        "ruff format": ["ruff", "format", "."],
        "templates": ["djade", *TEMPLATES],
    }
    return _report(_failing(commands, environment.clean()))


def test(arguments: Sequence[str]) -> int:
    """Run every check and every test; with arguments only pytest, with them."""
    failing = []
    with servers() as variables:
        failing += _failing(SET_UP if arguments else {**LINT, **SET_UP}, variables)
        cores = min(os.cpu_count() or 1, 4)
        if _watched(["pytest", "-n", str(cores), *arguments], variables) != 0:
            failing.append("pytest")
    return _report(failing)


def coverage(arguments: Sequence[str]) -> int:
    """Run the tests, all or as pytest's arguments say, and tell which lines and branches none of them ran."""
    (PROJECT / ".data" / "coverage").mkdir(parents=True, exist_ok=True)
    cores = min(os.cpu_count() or 1, 4)
    # The tests may fail under it, slow as it is: what they ran is told all the same.
    commands = [
        ["coverage", "erase"],
        ["coverage", "run", "-m", "pytest", "-n", str(cores), *arguments],
        ["coverage", "combine", "--quiet"],
        ["coverage", "report"],
    ]
    with servers() as variables:
        failing = _failing(SET_UP, variables)
        failing += [" ".join(each[:2]) for each in commands if _watched(each, variables) != 0]
    return _report(failing)


def bench(names: Sequence[str]) -> int:
    """Run all benchmarks, or those that are named, on a database that is as careful as a real one."""
    with servers(durable=True) as variables:
        failing = _failing(SET_UP, variables)
        if not failing and _watched(["python", "-m", "tests.benchmarks", *names], variables) != 0:
            failing.append("benchmarks")
    return _report(failing)


@contextlib.contextmanager
def servers(*, durable: bool = False) -> Iterator[dict[str, str]]:
    """Run a database and a broker in a folder that goes away with them; give the environment of tests."""
    folder = Path(tempfile.mkdtemp(prefix="dashboard-test-"))
    folder.chmod(0o711)  # the database may run as another account, which must come through
    try:
        with (
            postgres.server(folder / "postgres", durable=durable) as database,
            redis.server(folder / "redis") as broker,
        ):
            yield _variables(folder, database, broker)
    finally:
        shutil.rmtree((folder / "postgres").resolve(), ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)


def _variables(folder: Path, database: str, broker: str) -> dict[str, str]:
    fresh = environment.new_secrets()
    return {
        **environment.clean(),
        "DATABASE_URL": database,
        "REDIS_URL": broker,
        "SECRET_KEY": fresh["SECRET_KEY"],
        "ENCRYPTION_KEYS": fresh["ENCRYPTION_KEYS"],
        "EXPORT_STORAGE_URL": (folder / "exports").as_uri(),
        "STATIC_ROOT": str(folder / "static"),
    }


def _failing(checks: Mapping[str, Sequence[str]], variables: Mapping[str, str]) -> list[str]:
    """Run the checks one after the other and name those that fail; the output of the others is noise."""
    failing = []
    for name, command in checks.items():
        begin = time.monotonic()
        done = subprocess.run(
            command, cwd=PROJECT, env=variables, capture_output=True, text=True, check=False
        )
        passed = done.returncode == 0
        print(f"{name:<17} {'ok' if passed else 'FAILED'}  {time.monotonic() - begin:.1f} s", flush=True)
        if not passed:
            print(done.stdout + done.stderr, flush=True)
            failing.append(name)
    return failing


def _watched(command: Sequence[str], variables: Mapping[str, str]) -> int:
    """Run a command in the foreground; when we are stopped it gets the time to end what it has started."""
    process = subprocess.Popen(command, cwd=PROJECT, env=variables)
    try:
        return process.wait()
    except processes.Stopped as stopped:
        # Ctrl-C has reached it too; a second one would cut its clean-up short.
        if stopped.args != (signal.SIGINT,):
            process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        process.kill()
        process.wait()
        raise


def _report(failing: Sequence[str]) -> int:
    if failing:
        print(f"Failed: {', '.join(failing)}.", flush=True)
    return 1 if failing else 0
