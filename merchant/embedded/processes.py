"""Starting and stopping processes so that none outlives us."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType

from merchant.embedded.accounts import Account

PR_SET_PDEATHSIG = 1
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """Somebody asked us to stop: Ctrl-C, a kill, a closed terminal."""


def listen_for_stop() -> None:
    """Turn the first stop signal into Stopped and let the clean-up pass undisturbed by more of them."""

    def stop(number: int, _frame: FrameType | None) -> None:
        for each in STOP_SIGNALS:
            # Not SIG_IGN: the processes that we start would inherit that.
            signal.signal(each, lambda *_: None)
        raise Stopped(number)

    for each in STOP_SIGNALS:
        if each != signal.SIGHUP or signal.getsignal(each) != signal.SIG_IGN:  # ignored by nohup: on purpose
            signal.signal(each, stop)


def tied_to_parent(number: signal.Signals) -> Callable[[], None] | None:
    """Return what a new process runs first, so that it gets the signal when its parent is killed.

    Only Linux has this. Elsewhere a kill -9 of `make run` leaves its processes behind.
    """
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    return lambda: libc.prctl(PR_SET_PDEATHSIG, number)


def start(
    command: Sequence[str | Path],
    log: Path,
    *,
    account: Account | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stop_signal: signal.Signals = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own, so that Ctrl-C in the terminal reaches only us."""
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env=env,
            start_new_session=True,
            preexec_fn=tied_to_parent(stop_signal),  # noqa: PLW1509 - we run no threads
            **(account.as_popen() if account else {}),
        )


def stop(process: subprocess.Popen[bytes], number: signal.Signals, patience: float) -> None:
    """Ask the process to end and see to it."""
    if process.poll() is None:
        process.send_signal(number)
    end(process, patience)


def end(process: subprocess.Popen[bytes], patience: float) -> None:
    """Wait for the process, then kill it if it stays, and what its children left in its session."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(patience)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def command_of(pid: int) -> str:
    """Return the command line of a running process, empty when there is none."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        if sys.platform == "linux":
            return ""
    shown = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, check=False)
    return shown.stdout.decode(errors="replace")


def last_lines(log: Path, count: int = 12) -> str:
    """Return the end of a log, indented, for a message."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return "\n".join(f"    {line}" for line in lines[-count:])
