"""Room on Python's call stack, taken once instead of again and again.

Python keeps the frames of its calls in chunks of 16 KB and gives a chunk back to the system when its last
frame returns. Where a loop happens to call just across the end of a chunk, every call maps and unmaps memory:
a page of the list took 17 ms instead of 12, depending on nothing but how deep the server had called it
(CPython issue 142183; versions from 2026 on keep one chunk back).
"""

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
# Of 8 bytes each. A chunk is the smallest doubling of 16 KB with room for the frame, here 1 MB: nearly half
# of it is left for whatever is called. Memory that no frame touches is never filled.
_SLOTS = 66_000


def with_room(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """The same function, below which all calls find their frames in one chunk, about 300 calls deep."""

    def roomy(*args: Parameters.args, **named: Parameters.kwargs) -> Result:
        return function(*args, **named)

    roomy.__code__ = roomy.__code__.replace(co_stacksize=_SLOTS)
    return functools.wraps(function)(roomy)
