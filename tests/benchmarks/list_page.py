"""The list page in a large table, beside the same page of a small merchant, and its last page."""

from collections.abc import Iterator
from statistics import median

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from merchant import setup
from merchant.models import Merchant
from tests.benchmarks import large_table
from tests.benchmarks.measure import Line, Sizes, timed

# Each alone, with the project that a merchant has filled in.
_SINGLE = [
    "status=processed", "status=chargeback", "status=rejected&status=canceled", "project={project}",
    "product=owl", "product=lighthouse", "product=Checkout", "method=BANKCARD", "method=NETELLER",
    "country=DE", "currency=EUR", "currency=BHD&currency=KRW", "amount_min=100", "amount_max=1",
    "fulfilment=unfulfilled", "fulfilment=fulfilled", "type=order", "type=refund", "mode=live", "mode=test",
    "period=last_7_days", "period=last_month", "period=this_year", "sort=amount", "sort=-amount",
]  # fmt: skip
_THREE = ["status=processed&method=BANKCARD&currency=EUR", "status=rejected&country=JP&amount_min=50"]
_EMAIL = ["q=player649", "q=17player6%40", "q=example.com", "q=17player6%40example.com"]
_ALONE, _TOGETHER, _SEARCHED, _QUERIES = 15, 30, 60, 6
_DEEPEST, _SMALLER = 1.5, 1.3
_TRIES = 15


def measure(sizes: Sizes) -> Iterator[Line]:
    """Each kind of page by the slowest of its kind; then the same page elsewhere."""
    owners = large_table.many(sizes.table)
    large, small = (reader(owner) for owner in owners)
    singles = [each.format(project=owners[0].projects.get().paysuper_id) for each in _SINGLE]
    kinds = {
        "no filter": ([""], _ALONE),
        f"one of {len(singles)} filters": (singles, _ALONE),
        "three filters": (_THREE, _TOGETHER),
        "part of an e-mail": (_EMAIL, _SEARCHED),
    }
    for name, (queries, limit) in kinds.items():
        slowest, figures = _slowest(large, queries, sizes.rounds)
        what = f"List page, one merchant with {sizes.table:,} of {2 * sizes.table:,} rows, {name}"
        yield Line(what, f"slowest: {slowest or 'as it is'}", "–", figures, limit, at_least=False, unit=" ms")
    yield _ratio("The last page", large, "cursor=last", large, "", "the first", sizes.rounds, _DEEPEST)
    for name, query in (("no filter", ""), ("one filter", "country=DE"), ("three filters", _THREE[0])):
        what, than = f"List page of {sizes.table:,} rows, {name}", f"{large_table.SMALL:,} rows"
        yield _ratio(what, large, query, small, query, than, sizes.rounds, _SMALLER)
    most = [float(_queries(large, each)) for queries, _ in kinds.values() for each in queries]
    shown = f"{min(most):.0f} to {max(most):.0f}"
    yield Line("Queries of any of these pages", shown, "–", [max(most)], _QUERIES, at_least=False, unit="")


def reader(owner: Merchant, **flags: bool) -> Client:
    """Somebody who may do everything, so that the rows have their buttons, signed in."""
    person = setup.add_member(owner, f"bench-{owner.pk}@example.com", "correct-horse-battery", "owner")
    for name, value in flags.items():
        setattr(person.user, name, value)
    person.user.save()
    browser = Client(SERVER_NAME="127.0.0.1")
    browser.force_login(person.user)
    return browser


def _slowest(browser: Client, queries: list[str], rounds: int) -> tuple[str, list[float]]:
    """The query whose page takes longest, and its milliseconds by round."""
    times = {query: [_page_time(browser, query) * 1000 for _ in range(rounds)] for query in queries}
    slowest = max(times, key=lambda query: median(times[query]))
    return slowest, times[slowest]


def _ratio(
    what: str, one: Client, query: str, other: Client, second: str, than: str, rounds: int, limit: float
) -> Line:
    pairs = [(_page_time(one, query), _page_time(other, second)) for _ in range(rounds)]
    ours, peer = (f"{median(side) * 1000:.1f} ms" for side in zip(*pairs, strict=True))
    return Line(
        what, ours, f"{peer}: {than}", [much / little for much, little in pairs], limit, at_least=False
    )


def _page_time(browser: Client, query: str) -> float:
    """The median of some calls: what the server needs, without a network."""
    _get(browser, query)
    return median(timed(lambda: _get(browser, query)) for _ in range(_TRIES))


def _get(browser: Client, query: str) -> None:
    answer = browser.get(f"/transactions/?{query}")
    if answer.status_code != 200 or b"</table>" not in answer.content:
        raise RuntimeError(f"the list does not show {query}")


def _queries(browser: Client, query: str) -> int:
    _get(browser, query)
    with CaptureQueriesContext(connection) as captured:
        _get(browser, query)
    return len(captured)
