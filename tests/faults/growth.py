"""How much memory, processor and how many open files the programs of an installation use as time goes by."""

import contextlib
import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg
import redis

from tests.faults.installation import Installation

_EVERY = 15.0
# What is fetched, compiled and cached at the beginning is no growth.
_WARM = 90.0
_TICKS = os.sysconf("SC_CLK_TCK")  # a second


@dataclass(frozen=True)
class Sample:
    """One look at one program: when, in seconds; its process, bytes, open files and seconds of work."""

    at: float
    phase: str
    program: str
    pid: int
    memory: int
    files: int
    worked: float


@dataclass(frozen=True)
class Growth:
    """A program from one look to a later one: bytes, open files, minutes, and how much of a core it took."""

    program: str
    memory: tuple[int, int]
    files: tuple[int, int]
    minutes: float
    share: float


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

    def growth(self, phase: str) -> list[Growth]:
        """Each program from the (warm) beginning to the end of a phase, since it was last started."""
        found = []
        for program in dict.fromkeys(each.program for each in self.samples):
            ours = [each for each in self.samples if each.program == program and each.phase == phase]
            ours = [each for each in ours if each.pid == ours[-1].pid]
            warm = [each for each in ours if each.at >= ours[0].at + _WARM] or ours
            if warm:
                found.append(_between(warm[0], warm[-1]))
        return found

    def _look(self) -> None:
        while not self.over.wait(_EVERY):
            for name, pid in self._leaders().items():
                memory, files, worked = used(pid)
                if memory:
                    at = time.monotonic() - self.began
                    self.samples.append(Sample(at, self.phase, name, pid, memory, files, worked))

    def _leaders(self) -> dict[str, int]:
        leaders = {name: program.pid for name, program in self.installation.programs.items()}
        with contextlib.suppress(psycopg.Error, redis.RedisError, OSError):  # killed just now
            leaders["database"] = self.installation.database_process()
            leaders["broker"] = self.installation.broker_process()
        return leaders


def _between(first: Sample, last: Sample) -> Growth:
    seconds = last.at - first.at
    share = (last.worked - first.worked) / seconds if seconds else 0.0
    files, memory = (first.files, last.files), (first.memory, last.memory)
    return Growth(last.program, memory, files, seconds / 60, share)


def used(leader: int) -> tuple[int, int, float]:
    """Bytes of memory, its shared parts divided, open files and seconds of work of a program.

    The group of its first process, and that one's children: PostgreSQL's have groups of their own.
    """
    memory = files = 0
    worked = 0.0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            stat = (process / "stat").read_text().rpartition(")")[2].split()
            if leader in (int(process.name), *map(int, stat[1:3])):
                memory += _proportional(process)
                files += len(list((process / "fd").iterdir()))
                # Of the process and of its children that have ended.
                worked += sum(map(int, stat[11:15])) / _TICKS
        except OSError:
            continue  # it has ended meanwhile
    return memory, files, worked


def _proportional(process: Path) -> int:
    for line in (process / "smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0
