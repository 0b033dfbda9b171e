"""The two forms of the order list's date filters (contract §5.2, §18)."""

import datetime as dt

# The generations of the interface, newest first.
GENERATIONS = ("2021", "2019")
# What each generation says to the other's form.
WRONG_FORM_CODES = frozenset({"ma000111", "ma000023"})


def filter_date(moment: dt.datetime, generation: str) -> str:
    """The instant as a filter value, to the second below."""
    if generation == "2019":
        return str(int(moment.timestamp()))
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S")


def other(generation: str) -> str:
    """The generation with the other form."""
    return "2021" if generation == "2019" else "2019"
