"""The worst of days again and again, then a report of figures: `python -m tests.faults.soak --help`.

Each round is a deadly day and a calm one. In the calm one nobody is killed, so that the growth of memory
and open files can be seen. Ends with 1 when a proof fails.
"""

import argparse
import os
import sys
import time
from collections import Counter
from pathlib import Path

import django

from merchant.embedded import environment, processes

_WATCHED = ("web", "worker")
_DAY = {"orders": 50, "clicks": 200}
_MEGABYTE = 1024 * 1024


def main(minutes: float, seconds: float) -> int:
    """Run for so long, each day for so many seconds, and print what was counted."""
    nowhere = {"DATABASE_URL": "postgres://127.0.0.1/none", "REDIS_URL": "redis://127.0.0.1:1/0"}
    for name, value in {**environment.new_secrets(), **nowhere}.items():
        os.environ.setdefault(name, value)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "merchant.settings")
    django.setup()
    processes.listen_for_stop()
    from tests.faults.installation import running

    with running() as installation:
        return _soak(installation, time.monotonic() + 60 * minutes, seconds)


def _soak(installation, until: float, seconds: float) -> int:
    from tests.faults import proofs
    from tests.faults.worst_day import come_to_rest, worst_day

    orders, killed, rounds = [], Counter(), 0
    growth: list[str] = []
    while rounds == 0 or time.monotonic() < until:
        rounds += 1
        for deadly in (True, False):
            before = {name: used(installation.programs[name].pid) for name in _WATCHED}
            day = worst_day(installation, **_DAY, seconds=seconds, seed=2 * rounds + deadly, deadly=deadly)
            orders += day.orders
            killed.update(day.killed)
            come_to_rest(installation, patience=600)
            if not deadly:
                growth += [
                    f"round {rounds}: {name} {grown(before[name], used(installation.programs[name].pid))}"
                    for name in _WATCHED
                ]
        print(f"round {rounds}: {len(orders)} orders, {killed.total()} deaths", file=sys.stderr, flush=True)
    try:
        figures = proofs.all_holds(installation, orders)
    except AssertionError as failure:
        figures = {"A PROOF FAILED": failure}
    for name, figure in {"rounds": rounds, "deaths": dict(killed), "orders": len(orders), **figures}.items():
        print(f"{name:<22} {figure}")
    print(*growth, sep="\n")
    return 1 if "A PROOF FAILED" in figures else 0


def used(leader: int) -> tuple[int, int]:
    """Bytes of memory and open files of a process group, added up."""
    memory = files = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.getpgid(int(process.name)) == leader:
                memory += int((process / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
                files += len(list((process / "fd").iterdir()))
        except OSError:
            continue  # it has ended meanwhile
    return memory, files


def grown(before: tuple[int, int], after: tuple[int, int]) -> str:
    """In words."""
    memory = f"{before[0] / _MEGABYTE:.0f} → {after[0] / _MEGABYTE:.0f} MB"
    return f"memory {memory}, open files {before[1]} → {after[1]}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seconds", type=float, default=60, help="of each day")
    wanted = parser.parse_args()
    sys.exit(main(wanted.minutes, wanted.seconds))
