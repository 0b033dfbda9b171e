"""`python -m tests.benchmarks.filling`: fills the mirror of Lantern Works in a process of its own.

Prints as JSON how long it took, how many orders it read and how much memory it held at most.
"""

import json
import logging
import re
import resource
import time
from pathlib import Path

import django


def main() -> None:
    """Fill, and say what it cost."""
    django.setup()
    logging.disable(logging.INFO)
    from merchant.models import Merchant
    from tests.conftest import LANTERN
    from transactions import sync

    merchant = Merchant.objects.get(paysuper_id=LANTERN)
    start = time.perf_counter()
    report = sync.sync(merchant, full=True)
    seconds = time.perf_counter() - start
    print(json.dumps({"seconds": seconds, "orders": report.read, "megabytes": most_memory()}))


def most_memory() -> float:
    """The most that this process ever held, in megabytes."""
    status = Path("/proc/self/status")
    if status.exists():
        # Not getrusage there: its figure begins with what the process that started us held.
        return int(re.search(r"VmHWM:\s+(\d+)", status.read_text())[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2


if __name__ == "__main__":
    main()
