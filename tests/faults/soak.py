"""A long mixed load on real processes that die again and again, then the proofs and a report of figures.

The first half is deadly: workers, web, broker, database and beat are killed at random, and PaySuper
misbehaves. In the second half nobody is killed, so that the growth of memory and open files can be seen.
The report is written to docs/soak.md. Ends with 1 when a proof fails.
"""

import argparse
import os
import random
import sys
import time
from collections import Counter
from pathlib import Path

import django

from merchant.embedded import PROJECT, environment, processes

REPORT = PROJECT / "docs" / "soak.md"


def main(wanted: argparse.Namespace) -> int:
    """Run for so long and write the report."""
    nowhere = {"DATABASE_URL": "postgres://127.0.0.1/none", "REDIS_URL": "redis://127.0.0.1:1/0"}
    for name, value in {**environment.new_secrets(), **nowhere}.items():
        os.environ.setdefault(name, value)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "merchant.settings")
    django.setup()
    processes.listen_for_stop()
    from tests.faults.installation import running

    with running() as installation:
        return _soak(installation, wanted)


def _soak(installation, wanted: argparse.Namespace) -> int:
    from tests.faults import soak_report
    from tests.faults.growth import Watch
    from tests.faults.mixed_load import MixedLoad
    from tests.faults.worst_day import come_to_rest, misbehave

    rows = installation.rows("SELECT uuid FROM transactions_transaction WHERE type = 'order' LIMIT 500")
    load = MixedLoad(
        installation, webhooks=wanted.webhooks, people=wanted.people, orders=[each["uuid"] for each in rows]
    )
    watch, half, killed = Watch(installation), 30 * wanted.minutes, Counter()
    _phase(load, watch, "deadly")
    load.begin()
    watch.begin()
    try:
        misbehave(installation)
        killed = _kill(installation, random.Random(wanted.seed), time.monotonic() + half, wanted.pause)
        _phase(load, watch, "calm")
        installation.desk.api.delete("/sandbox/faults")
        installation.desk.api.delete("/sandbox/webhooks/faults")
        _wait(installation, time.monotonic() + half)
    finally:
        _phase(load, watch, "ending")
        load.end()
        watch.end()
    began = time.monotonic()
    figures, failure = _proofs(installation, load, come_to_rest)
    report = soak_report.document(wanted, load, watch, killed, figures, failure, time.monotonic() - began)
    Path(wanted.report).write_text(report)
    print(report)
    return 1 if failure else 0


def _phase(load, watch, name: str) -> None:
    load.phase = watch.phase = name


def _kill(installation, chance: random.Random, until: float, pause: float) -> Counter[str]:
    """One after the other dies and comes back; how often who did."""
    from tests.faults.worst_day import deaths

    ways, killed = deaths(installation), Counter()
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(left, chance.uniform(0.5, 1.5) * pause))
        installation.revive()
        name = chance.choice([name for name in ways if not killed[name]] or list(ways))
        ways[name]()
        killed[name] += 1
        print(f"{left:5.0f} s left; died: {name}", file=sys.stderr, flush=True)
    return killed


def _wait(installation, until: float) -> None:
    """Nobody is killed; what ended by itself is started again, as in an installation."""
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(left, 2))
        installation.revive()


def _proofs(installation, load, come_to_rest) -> tuple[dict[str, object], str]:
    from tests.faults import proofs

    try:
        come_to_rest(installation, patience=1800, crowded=True)
        figures = proofs.all_holds(installation, load.refunding)
        figures |= proofs.every_delivery_was_kept(installation, load.delivered)
        figures |= proofs.every_export_ended(installation)
        figures |= proofs.the_audit_is_whole(installation)
    except AssertionError as failure:
        return {}, str(failure)[:500] or "an assertion failed"
    return figures, ""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--webhooks", type=float, default=50, help="a second")
    parser.add_argument("--people", type=int, default=3, help="who look at pages")
    parser.add_argument("--pause", type=float, default=12, help="seconds from one death to the next")
    parser.add_argument("--seed", type=int, default=1, help="of the order in which they die")
    parser.add_argument("--report", default=REPORT)
    sys.exit(main(parser.parse_args()))
