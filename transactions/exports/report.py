"""What every writer gets: columns, heading, sums, rows of one moment. Knows nothing of transactions."""

import enum
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db.backends.base.base import BaseDatabaseWrapper

Progress = Callable[[int, int], None]
CHUNK = 2_000


class TooManyRows(Exception):
    """The format cannot hold as many rows; the message is for the user and names the ways out."""

    def __init__(self, message: str, rows: int) -> None:
        super().__init__(message)
        self.rows = rows


class Kind(enum.Enum):
    """What the cells of a column are, as they come out of the database."""

    TEXT = "text"  # str
    MONEY = "money"  # Decimal in major units
    INSTANT = "instant"  # naive datetime, whole seconds, in the zone that the title names


@dataclass(frozen=True)
class Column:
    """A column of a report; `currency` is the key of the column that names the currency of an amount: where
    the amount is, that column is too. `ours` marks texts that nobody else has a hand in.

    `width` is in characters. Columns with a `short` title and a `share` (millimetres) are the ones on paper.
    """

    key: str
    title: str
    width: int
    kind: Kind = Kind.TEXT
    currency: str = ""
    short: str = ""
    share: int = 0
    ours: bool = False


@dataclass(frozen=True)
class Layout:
    """Which columns by their keys and in which order, none meaning all, and the dialect of a CSV."""

    columns: tuple[str, ...] = ()
    delimiter: str = ","
    decimal: str = "."
    bom: bool = True


@dataclass(frozen=True)
class Heading:
    """What a report says about itself. `time_zone` is an IANA name: local times are given in it; `masked`
    hides who the customers are; `asked` is what was asked for, exactly, and goes into the control code.
    """

    merchant: str
    time_zone: str
    filter_in_words: str
    author: str
    masked: bool = False
    asked: str = ""


@dataclass(frozen=True)
class Sum:
    """How many rows of one currency and status there are and what they add up to, in major units."""

    currency: str
    status: str
    count: int
    amount: Decimal


@dataclass(frozen=True)
class Written:
    """A finished file: `as_of` is the instant of the snapshot in UTC, `size` is in bytes."""

    rows: int
    as_of: datetime
    sha256: str
    size: int
    control: str
    sums: tuple[Sum, ...]
    filter_in_words: str


@dataclass(frozen=True)
class Source:
    """An ordered select that yields `keys`, in this order, one row each."""

    keys: tuple[str, ...]
    sql: str
    params: tuple[Any, ...]

    def select(self, expressions: Iterable[str]) -> str:
        """SQL for expressions over the keys, in the order of the rows; takes the source's own `params`.

        PostgreSQL keeps the order of a sorted subquery as long as the outer query only computes: add no
        join, group or DISTINCT to it.
        """
        names = ", ".join(f'"{key}"' for key in self.keys)
        return f"SELECT {', '.join(expressions)} FROM ({self.sql}) AS rows({names})"  # noqa: S608

    def where(self, condition: str, *params: Any) -> "Source":
        """Those of the rows that fulfil a condition over the keys, in the same order."""
        rows = self.select(f'"{key}"' for key in self.keys)
        sql = f"{rows} WHERE {condition}"
        return Source(self.keys, sql, (*self.params, *params))


@dataclass(frozen=True)
class Report:
    """All that a file is made from. `connection` is inside of the snapshot's transaction; `control` is the
    code that stands in every file that can carry one.
    """

    columns: tuple[Column, ...]
    heading: Heading
    as_of: datetime
    sums: tuple[Sum, ...]
    source: Source
    connection: BaseDatabaseWrapper
    progress: Progress
    control: str = ""
    layout: Layout = Layout()

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return sum(each.count for each in self.sums)

    @property
    def as_of_in_words(self) -> str:
        """The instant of the snapshot in the report's zone and in UTC."""
        local = self.as_of.astimezone(ZoneInfo(self.heading.time_zone))
        return f"{local:%Y-%m-%d %H:%M:%S %Z} ({self.as_of:%Y-%m-%d %H:%M:%S} UTC)"

    def read(self, keys: Iterable[str], size: int = CHUNK) -> Iterator[Sequence[tuple[Any, ...]]]:
        """The rows with these columns, `size` at a time, never all of them in memory."""
        with self.connection.chunked_cursor() as cursor:
            cursor.execute(self.source.select(f'"{key}"' for key in keys), self.source.params)
            while rows := cursor.fetchmany(size):
                yield rows


def without_controls(text: str) -> str:
    """The text without the characters that XML forbids; tabs and line breaks stay."""
    return text if text.isprintable() else text.translate(_CONTROLS)


_CONTROLS = dict.fromkeys([*(set(range(32)) - {9, 10, 13}), 0xFFFE, 0xFFFF])
