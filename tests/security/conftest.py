"""The same people and things as in the table of addresses; and what a fuzz has been answered."""

from collections import Counter
from typing import Any

from tests.security.places import browsers, neighbours, places
from tests.test_access import exports_folder, order, people, things

__all__ = ["browsers", "exports_folder", "neighbours", "order", "people", "places", "things"]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """How many requests of a fuzz were answered how, over all processes."""
    answers: Counter[str] = Counter()
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        answers.update(dict(getattr(report, "user_properties", ())).get("fuzz", {}))
    if total := sum(answers.values()):
        terminalreporter.section(f"{total:,} requests of the fuzz")
        for method in sorted({each.partition(" ")[0] for each in answers}):
            told = [
                f"{each.partition(' ')[2]}: {count:,}"
                for each, count in sorted(answers.items())
                if each.partition(" ")[0] == method
            ]
            terminalreporter.line(f"{method:8}{', '.join(told)}")
