"""Progress bars of the commands, shown only while a person is watching."""

import contextlib
from collections.abc import Callable, Iterator

from tqdm import tqdm


@contextlib.contextmanager
def bar(unit: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on the error stream; the function that it gives is told how much is done of how much."""
    with tqdm(unit=f" {unit}", disable=None) as drawn:

        def show(done: int, total: int) -> None:
            drawn.total = total
            drawn.update(done - drawn.n)

        yield show
