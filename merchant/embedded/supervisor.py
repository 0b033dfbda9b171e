"""The processes of the Procfile: started, watched and stopped together."""

import contextlib
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from merchant.embedded import Trouble, processes

STDOUT = 1


def procfile(file: Path) -> dict[str, str]:
    """Return the commands of a Procfile by name."""
    lines = (
        line.partition(":") for line in file.read_text().splitlines() if line and not line.startswith("#")
    )
    return {name.strip(): command.strip() for name, _, command in lines}


class Supervisor:
    """Runs commands until one of them ends or we are stopped; each writes a log of its own."""

    # A warm shutdown lets a task finish; longer than this is not worth the wait, tasks may run again.
    PATIENCE = 10.0

    def __init__(self, logs: Path, directory: Path, variables: Mapping[str, str]) -> None:
        self.logs = logs
        self.directory = directory
        self.variables = variables
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        self.logs.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, name: str, command: str) -> None:
        """Start a command of the shell. The log of the last run stays beside the new one."""
        log = self._log(name)
        if log.exists():
            log.replace(log.with_suffix(".log.1"))
        # exec: the process we signal is then the command itself and not a shell around it.
        shell = ["/bin/sh", "-c", f"exec {command}"]
        self.running[name] = processes.start(shell, log, cwd=self.directory, env=self.variables)

    def finish(self, name: str, patience: float = 600) -> None:
        """Wait for a command that ends by itself."""
        process = self.running[name]
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)
        if process.poll() != 0:
            raise self._trouble(name)
        del self.running[name]

    def wait_for(self, url: str, patience: float = 60) -> None:
        """Wait until something answers at the address, whatever it says."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            self.check()
            try:
                with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - our own address
                    return
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.1)
        raise Trouble(f"Nothing answers at {url} after {patience:.0f} s: look into {self.logs}.")

    def watch(self) -> None:
        """Stay until a process ends, which is trouble: none should."""
        in_terminal = os.isatty(STDOUT)
        while True:
            self.check()
            # Where make leads the session (a terminal window opened for it), it keeps the hang-up to itself.
            if in_terminal and not os.isatty(STDOUT):
                raise processes.Stopped(signal.SIGHUP)
            time.sleep(0.5)

    def check(self) -> None:
        """Raise when a process has ended."""
        for name, process in self.running.items():
            if process.poll() is not None:
                raise self._trouble(name)

    def stop(self) -> None:
        """Ask all to end, then kill what stays, with its children."""
        for process in self.running.values():
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + self.PATIENCE
        for process in self.running.values():
            processes.end(process, max(0.1, deadline - time.monotonic()))
        self.running.clear()

    def _log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def _trouble(self, name: str) -> Trouble:
        code = self.running[name].poll()
        how = "did not end in time" if code is None else f"ended with exit code {code}"
        log = self._log(name)
        return Trouble(
            f"The process {name} {how}, so everything was stopped. "
            f"The end of {log}:\n{processes.last_lines(log)}"
        )
