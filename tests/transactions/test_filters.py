"""Every filter finds what a plain reading of the same rows finds; nonsense is said and finds nothing."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from merchant.models import Merchant
from tests.transactions.filtering import NAIVE, found
from transactions.models import Transaction

# Whole ids: they set all other filters aside.
IDS = {"q=681207", "q=receipt13", "q=00000000-0000-0000-0000-000000000001"}


def expected(filled: list[Transaction], *queries: str) -> set[Any]:
    counting = [query for query in queries if query in IDS] or queries
    return {row.pk for row in filled if all(NAIVE[query](row) for query in counting)}


@pytest.mark.parametrize("query", NAIVE)
def test_a_filter_alone_finds_what_a_plain_reading_finds(
    lantern: Merchant, filled: list[Transaction], query: str
) -> None:
    wanted = expected(filled, query)
    assert 0 < len(wanted) < len(filled), "a filter that finds all or none proves nothing"
    assert found(lantern, query) == wanted


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(queries=st.lists(st.sampled_from(list(NAIVE)), min_size=2, max_size=3))
def test_filters_together_find_what_all_of_them_find(
    lantern: Merchant, filled: list[Transaction], queries: list[str]
) -> None:
    queries = _compatible(queries)
    assert found(lantern, "&".join(queries)) == expected(filled, *queries)


def _compatible(queries: list[str]) -> list[str]:
    """Those that do not say the same thing twice: a second word for it replaces or widens the first."""
    taken: set[str] = set()
    kept = []
    for query in queries:
        names = {part.split("=")[0] for part in query.split("&")}
        names = names | {"from", "to", "period"} if names & {"from", "to", "period"} else names
        names = names | {"amount_min", "amount_max"} if names & {"amount_min", "amount_max"} else names
        if not names & taken:
            kept.append(query)
        taken |= names
    return kept


def test_no_filter_finds_everything_of_this_merchant_only(
    lantern: Merchant, filled: list[Transaction], copper: Merchant
) -> None:
    assert found(lantern, "") == {row.pk for row in filled}
    assert found(copper, "") == set(copper.transactions.values_list("pk", flat=True))
    everything = found(lantern, "q=") & found(lantern, "status=&project=&from=&amount_min=&unknown=7")
    assert everything == {row.pk for row in filled}
