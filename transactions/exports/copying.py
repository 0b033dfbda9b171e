"""Rows as they come out of a COPY, many at a time."""

import io
from collections.abc import Iterator
from itertools import islice

Rows = Iterator[bytes | bytearray | memoryview]


def taken(rows: Rows, most: int) -> tuple[bytes, int]:
    """Up to so many of the next rows, joined, and how many they are.

    Each is copied as it comes: to keep them until they are joined takes three times as long, since each is
    memory of its own.
    """
    joined = io.BytesIO()
    number = len(list(map(joined.write, islice(rows, most))))
    return joined.getvalue(), number
