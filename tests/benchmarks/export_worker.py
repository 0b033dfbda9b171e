"""`python -m tests.benchmarks.export_worker MERCHANT FORMAT ROWS`: makes one file as a worker does, alone.

Prints as JSON how many rows it wrote, how many megabytes it held before, how many at most, and how many the
largest of the processes that it started.
"""

import json
import logging
import resource
import sys
import tempfile
from pathlib import Path

import django

from tests.benchmarks.filling import most_memory


def main(merchant: str, kind: str, rows: str) -> None:
    """Write the newest rows, and say what it cost."""
    django.setup()
    logging.disable(logging.INFO)
    from merchant.celery import app
    from merchant.models import Merchant
    from tests.benchmarks.export_rows import HEADING, LAYOUT, newest
    from transactions import exports

    app.loader.import_default_modules()  # all that a worker holds
    before = most_memory()
    found = newest(Merchant.objects.get(pk=merchant), int(rows))
    with tempfile.TemporaryDirectory() as folder:
        written = exports.write(kind, found, Path(folder, f"a.{kind}"), HEADING, layout=LAYOUT)
    started = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    figures = {"rows": written.rows, "before": before, "most": most_memory(), "started": started}
    print(json.dumps(figures))


if __name__ == "__main__":
    main(*sys.argv[1:])
