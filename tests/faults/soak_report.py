"""The figures of a soak as a page of the documentation."""

import argparse
import math
import os
import platform
import time
from collections import Counter
from collections.abc import Iterable, Mapping

from tests.faults.growth import Growth, Watch
from tests.faults.mixed_load import MixedLoad

_INTRODUCTION = """\
# Soak

Written by `make soak`; do not edit. Web server, workers, beat, database, broker and a sandbox of PaySuper
run as processes of their own, while people look at pages, refund and export, customers pay, and webhooks
come. In the deadly half they are killed at random and PaySuper misbehaves; in the calm half nobody is killed.
"""
_SHARES = (0.5, 0.95, 0.99)


def document(
    wanted: argparse.Namespace,
    load: MixedLoad,
    watch: Watch,
    killed: Counter[str],
    figures: Mapping[str, object],
    failure: str,
    resting: float,
) -> str:
    """The whole page."""
    verdict = f"**A proof failed: {failure}**" if failure else "**Every proof holds.**"
    return "\n".join(
        [
            _INTRODUCTION,
            verdict,
            "",
            "## This run",
            "",
            *_facts(wanted, load, killed, resting),
            "",
            "## Proofs",
            "",
            *(_listed(figures) if figures else ["None: see above."]),
            "",
            "## How long pages took, in milliseconds",
            "",
            *_pages(load),
            "",
            *_failures(load),
            "",
            "## Growth and work in the calm half",
            "",
            "Memory is that of all processes of a program, what they share divided, from a minute and a half",
            "after it was last started. Of a core: how much of one it kept busy.",
            "",
            *_growth(watch),
            "",
        ]
    )


def percentile(values: Iterable[float], share: float) -> float:
    """The value that so large a share does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def _facts(wanted: argparse.Namespace, load: MixedLoad, killed: Counter[str], resting: float) -> list[str]:
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    now = time.strftime("%Y-%m-%d %H:%M", time.gmtime())
    loads = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    asked = f"{wanted.people} people, {wanted.webhooks:g} webhooks a second wanted, seed {wanted.seed}"
    deaths = ", ".join(f"{name} {count}" for name, count in killed.most_common())
    return [
        f"- {now} UTC, {wanted.minutes:g} minutes, {asked}",
        f"- {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.machine()}",
        f"- Load at the end (1, 5 and 15 minutes, all that runs on the machine): {loads}",
        f"- {killed.total()} deaths: {deaths}",
        f"- {len(load.delivered):,} webhooks taken, {len(load.delivered) / wanted.minutes / 60:.1f} a second",
        f"- {load.waited:.0f} s in which no webhook was sent, since as many waited as may wait",
        f"- {len(load.refunding):,} orders refunded by people, {len(load.exports):,} exports asked for",
        f"- {resting:.0f} s from the end of the load until nothing was under way and all was proved",
        *[f"- Trouble of the load itself: {each}" for each in load.unforeseen[:5]],
    ]


def _listed(figures: Mapping[str, object]) -> list[str]:
    return [f"- {name}: {figure}" for name, figure in figures.items()]


def _pages(load: MixedLoad) -> list[str]:
    head = ["| page | calm: times | p50 | p95 | p99 | deadly: times | p50 | p95 | p99 |"]
    head.append("|---|--:|--:|--:|--:|--:|--:|--:|--:|")
    names = sorted({name for _, name in load.milliseconds})
    return head + [
        f"| `{name}` | {_cells(load, 'calm', name)} | {_cells(load, 'deadly', name)} |" for name in names
    ]


def _cells(load: MixedLoad, phase: str, name: str) -> str:
    values = load.milliseconds.get((phase, name), [])
    if not values:
        return "0 | – | – | –"
    return " | ".join([f"{len(values):,}", *(f"{percentile(values, share):.0f}" for share in _SHARES)])


def _failures(load: MixedLoad) -> list[str]:
    lines = []
    for phase in ("calm", "deadly"):
        found = {what: count for (when, what), count in load.failures.most_common() if when == phase}
        words = ", ".join(f"{count:,} × {what}" for what, count in found.items()) or "none"
        lines.append(f"Not answered well, {phase}: {words}.")
        lines.append("")
    return lines[:-1]


def _growth(watch: Watch) -> list[str]:
    head = ["| program | memory | after | open files | after | of a core | minutes |"]
    head.append("|---|--:|--:|--:|--:|--:|--:|")
    return head + [_grown(each) for each in watch.growth("calm")]


def _grown(each: Growth) -> str:
    before, after = (size / 2**20 for size in each.memory)
    files, files_after = each.files
    sizes = f"{before:.0f} MB | {after:.0f} MB | {files} | {files_after}"
    return f"| {each.program} | {sizes} | {each.share:.0%} | {each.minutes:.1f} |"
