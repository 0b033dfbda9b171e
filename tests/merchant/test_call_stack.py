"""Calls below a roomy function do not map memory again and again."""

import resource

from merchant.call_stack import with_room


def _leaf() -> None:
    pass


# A larger frame than that of what calls it: at some depth there is no room for it.
_leaf.__code__ = _leaf.__code__.replace(co_stacksize=100)


def _descend(depth: int) -> int:
    """Page faults of many calls made so deep in the stack."""
    if depth:
        return _descend(depth - 1)
    for _ in range(5):
        _leaf()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(1_000):
        _leaf()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def test_no_depth_of_calls_makes_each_further_call_ask_for_memory() -> None:
    assert max(with_room(_descend)(depth) for depth in range(200)) < 100


def test_a_roomy_function_keeps_its_name_arguments_and_errors() -> None:
    @with_room
    def divided(amount: int, *, by: int) -> float:
        """Says how many fit."""
        return amount / by

    assert (divided(6, by=3), divided.__name__, divided.__doc__) == (2, "divided", "Says how many fit.")
    try:
        divided(1, by=0)
    except ZeroDivisionError:
        return
    raise AssertionError("the error was lost")
