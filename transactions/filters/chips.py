"""What is set, in words, each with a way to remove it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Chip:
    """One filter that is set: what it says, and the query of the same list without it."""

    label: str
    text: str
    query_without: str
