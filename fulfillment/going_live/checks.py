"""A point of the list."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """A point: `state` is green, red (something is wrong) or todo; `link` leads to where it is done."""

    title: str
    state: str
    text: str
    link: str = ""
    label: str = ""


GREEN, RED, TODO = "green", "red", "todo"
_NAMED = 3


def names(things: Iterable[object]) -> str:
    """The first names in words, and how many more there are."""
    found = [str(each) for each in things]
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return ", ".join(found[:_NAMED]) + more
