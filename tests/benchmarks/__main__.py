"""`python -m tests.benchmarks [NAME ...]`: runs the benchmarks and writes docs/benchmarks.md."""

import importlib
import logging
import os
import sys
import time

import django

NAMES = (
    "first_fill", "unchanged", "webhook", "webhook_load", "list_page", "list_rate", "export_files",
    "export_memory",
)  # fmt: skip


def main(wanted: list[str]) -> int:
    """Run all benchmarks, or those that are named; 1 when a limit is missed."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "merchant.settings")
    django.setup()
    logging.disable(logging.INFO)
    from django.core.management import call_command

    from tests.benchmarks import report
    from tests.benchmarks.measure import SCALES

    scale, lines, began = os.environ.get("SCALE") or "small", [], time.monotonic()
    if scale not in SCALES:
        sys.exit(f"SCALE is one of {', '.join(SCALES)}.")
    call_command("migrate", verbosity=0)
    for name in wanted or NAMES:
        print(f"{name} …", file=sys.stderr, flush=True)
        for line in importlib.import_module(f"tests.benchmarks.{name}").measure(SCALES[scale]):
            print(report.row(line), flush=True)
            lines.append(line)
    text = report.document(lines, scale, time.monotonic() - began)
    print(text)
    if not wanted:
        report.FILE.write_text(text)
    return 0 if all(line.holds for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
