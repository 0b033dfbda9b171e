"""The first step of `make run` and `make test`: .venv with the packages, and what the system must have.

Runs with the system's Python and nothing else, as a file and not as a part of the package.
Old Pythons read this file too, to say so in a sentence.
"""

from __future__ import annotations

import ctypes
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

OLDEST = (3, 11)
NEWER = ("python3.14", "python3.13", "python3.12", "python3.11")
PROJECT = Path(__file__).resolve().parents[2]
VENV = PROJECT / ".venv"
UNFINISHED = "unfinished"
REQUIREMENTS = {
    "run": ("requirements.txt", "requirements-demo.txt"),
    "test": ("requirements.txt", "requirements-demo.txt", "requirements-test.txt"),
}
PIP = ("-m", "pip", "install", "--disable-pip-version-check", "--retries", "3")
APT = ("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300")
OFFLINE = (
    "Retrying (",
    "NewConnectionError",
    "ConnectionError",
    "name resolution",
    "ProxyError",
    "timed out",
)
DEBIAN_FONTS = Path("/usr/share/fonts")


class Trouble(Exception):
    """A sentence for the person at the terminal."""


class Need(NamedTuple):
    """Something of the system: the Debian package that brings it and how to see that it is there."""

    package: str
    is_here: Callable[[], bool]
    optional: bool = False


def _library(*names: str) -> Callable[[], bool]:
    """Look for a shared library as the PDF writer will: by loading it."""

    def is_here() -> bool:
        for name in names:
            try:
                ctypes.CDLL(name)
            except OSError:
                continue
            return True
        return False

    return is_here


def _program(*names: str) -> Callable[[], bool]:
    return lambda: any(map(shutil.which, names))


def _font(path: str) -> Callable[[], bool]:
    return (DEBIAN_FONTS / path).exists


PDF = (
    Need(
        "libpango-1.0-0",
        _library("libpango-1.0.so.0", "libpango-1.0.dylib", "/opt/homebrew/lib/libpango-1.0.dylib"),
    ),
    Need(
        "libpangoft2-1.0-0",
        _library("libpangoft2-1.0.so.0", "libpangoft2-1.0.dylib", "/opt/homebrew/lib/libpangoft2-1.0.dylib"),
    ),
    Need("libharfbuzz-subset0", _library("libharfbuzz-subset.so.0"), optional=True),
    Need("fonts-dejavu-core", _font("truetype/dejavu/DejaVuSans.ttf"), optional=True),
    # Names in Arabic, Hebrew, Chinese and all other scripts. Where these fonts are missing, a PDF says so.
    Need("fonts-noto-core", _font("truetype/noto/NotoSans-Regular.ttf"), optional=True),
    Need("fonts-noto-cjk", _font("opentype/noto/NotoSansCJK-Regular.ttc"), optional=True),
    Need("fonts-noto-color-emoji", _font("truetype/noto/NotoColorEmoji.ttf"), optional=True),
)
NEEDS = {
    "run": PDF,
    "test": (
        *PDF,
        Need("chromium", _program("chromium", "chromium-browser", "google-chrome")),
        Need("poppler-utils", _program("pdftotext")),
    ),
}


def prepare(purpose: str) -> None:
    """Make everything that the purpose (run or test) needs; what is there already costs nothing."""
    _check_python()
    with _lock():
        _system(purpose)
        _packages(purpose)


def _check_python() -> None:
    """Go on with a newer Python when there is one beside an old `python3`."""
    if sys.version_info[:2] >= OLDEST:
        return
    for name in NEWER:
        newer = shutil.which(name)
        if newer:
            os.execv(newer, [newer, "-I", *sys.argv])  # noqa: S606 - no shell wanted
    raise Trouble(
        f"This needs Python 3.11 or newer, but python3 is {sys.version_info[0]}.{sys.version_info[1]}: "
        "install a newer one, or name it: make run PYTHON=/path/to/python3.11"
    )


@contextmanager
def _lock() -> Iterator[None]:
    """Let a second make wait until the first has set up."""
    with (PROJECT / ".venv.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


# Packages of Python -------------------------------------------------------------------------------


def _packages(purpose: str) -> None:
    stamp, state = VENV / f"prepared-{purpose}", _state(purpose)
    if _read(stamp) == state and (VENV / "bin" / "python").exists():
        return
    if UNFINISHED in map(_read, VENV.glob("prepared-*")) or not _has_pip():
        _make_venv()
    stamp.write_text(UNFINISHED)
    print("Installing Python packages into .venv (about a minute the first time) …", flush=True)
    _pip(REQUIREMENTS[purpose][-1])
    stamp.write_text(state)


def _state(purpose: str) -> str:
    """Tell what was installed and where: programs in .venv name their place and do not survive a move."""
    texts = [(PROJECT / name).read_text() for name in REQUIREMENTS[purpose]]
    return hashlib.sha256("\0".join([str(PROJECT), *texts]).encode()).hexdigest()


def _read(file: Path) -> str:
    return file.read_text() if file.exists() else ""


def _has_pip() -> bool:
    try:
        return _run([str(VENV / "bin" / "python"), "-m", "pip", "--version"]).returncode == 0
    except OSError:
        return False


def _make_venv() -> None:
    if _run([sys.executable, "-m", "ensurepip", "--version"]).returncode != 0:
        _install([f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"])
    print("Making .venv …", flush=True)
    done = _run([sys.executable, "-m", "venv", "--clear", str(VENV)])
    if done.returncode != 0:
        raise Trouble(f"Python could not make {VENV}: {_last_line(done)}")


def _pip(requirements: str) -> None:
    done = _run([str(VENV / "bin" / "python"), *PIP, "-r", str(PROJECT / requirements)])
    if done.returncode == 0:
        return
    if any(sign in done.stdout + done.stderr for sign in OFFLINE):
        raise Trouble(
            "The Python packages could not be fetched: "
            "connect to the internet (or to your package index) and try again."
        )
    raise Trouble(f"The Python packages of {requirements} could not be installed: {_last_line(done)}")


# Packages of the system ---------------------------------------------------------------------------


def _system(purpose: str) -> None:
    """Install what is missing; optional things alone are a reason only for tests, never for a complaint."""
    missing = [need for need in NEEDS[purpose] if not need.is_here()]
    required = [need.package for need in missing if not need.optional]
    if required or (missing and purpose == "test" and _as_root() is not None):
        _install([need.package for need in missing], required)


def _install(packages: list[str], required: list[str] | None = None) -> None:
    """Install Debian packages, or say which to install."""
    prefix = _as_root()
    required = packages if required is None else required
    wanted = f"Install the system packages {' '.join(required)} and try again."
    if prefix is None:
        raise Trouble(wanted)
    print(f"Installing {' '.join(packages)} …", flush=True)
    apt = [*prefix, *APT]
    install = [*apt, "install", "-y", "--no-install-recommends"]
    if _run([*install, *packages]).returncode == 0:
        return
    _run([*apt, "update"])
    done = _run([*install, *packages])
    if done.returncode != 0 and required:
        raise Trouble(f"apt-get could not install them ({_last_line(done)}). {wanted}")


def _as_root() -> list[str] | None:
    """Return what to write before apt-get, None when we may not use it."""
    if not shutil.which("apt-get"):
        return None
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and _run(["sudo", "-n", "true"]).returncode == 0:
        return ["sudo", "-n"]
    return None


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
    errors = [line for line in lines if line.startswith(("ERROR", "E: "))]
    return [f"exit code {done.returncode}", *lines[-1:], *errors][-1][:300]


if __name__ == "__main__":
    try:
        prepare(sys.argv[1])
    except Trouble as trouble:
        sys.exit(str(trouble))
    except PermissionError as error:
        sys.exit(
            f"No permission to write {error.filename}: "
            "use a folder of your own, or the account that owns this one."
        )
    except KeyboardInterrupt:
        sys.exit(130)
