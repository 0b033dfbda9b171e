"""How much memory and how many open files the programs of an installation use as time goes by."""

import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from tests.faults.installation import Installation

_MEGABYTE = 1024 * 1024
_EVERY = 15.0
# What is fetched, compiled and cached at the beginning is no growth.
_WARM = 90.0


@dataclass(frozen=True)
class Sample:
    """One look at one program: seconds since the beginning, its process, bytes and open files."""

    at: float
    phase: str
    program: str
    pid: int
    memory: int
    files: int


class Watch:
    """Looks at all programs again and again, in a thread of its own."""

    def __init__(self, installation: Installation) -> None:
        self.installation, self.samples, self.phase = installation, [], ""
        self.began, self.over = time.monotonic(), threading.Event()
        self.samples: list[Sample] = []
        self.thread = threading.Thread(target=self._look)

    def begin(self) -> None:
        """From now on."""
        self.thread.start()

    def end(self) -> None:
        """No more."""
        self.over.set()
        self.thread.join()

    def growth(self, phase: str) -> list[tuple[str, float, float, int, int, float]]:
        """Program, megabytes and files at the (warm) beginning and the end of a phase; minutes between."""
        found = []
        for program in dict.fromkeys(each.program for each in self.samples):
            ours = [each for each in self.samples if each.program == program and each.phase == phase]
            ours = [each for each in ours if each.pid == ours[-1].pid]  # since it was last started
            warm = [each for each in ours if each.at >= ours[0].at + _WARM] or ours
            if warm:
                first, last = warm[0], warm[-1]
                minutes = (last.at - first.at) / 60
                sizes = (first.memory / _MEGABYTE, last.memory / _MEGABYTE, first.files, last.files)
                found.append((program, *sizes, minutes))
        return found

    def _look(self) -> None:
        while not self.over.wait(_EVERY):
            for name, program in list(self.installation.programs.items()):
                memory, files = used(program.pid)
                if memory:
                    at = time.monotonic() - self.began
                    self.samples.append(Sample(at, self.phase, name, program.pid, memory, files))


def used(leader: int) -> tuple[int, int]:
    """Bytes of memory, its shared parts divided, and open files of a process group, added up."""
    memory = files = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.getpgid(int(process.name)) == leader:
                memory += _proportional(process)
                files += len(list((process / "fd").iterdir()))
        except OSError:
            continue  # it has ended meanwhile
    return memory, files


def _proportional(process: Path) -> int:
    for line in (process / "smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0
