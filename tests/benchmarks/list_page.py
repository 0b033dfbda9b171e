"""The list page in a large table, beside the same page of a merchant with a tenth of the rows."""

from collections.abc import Iterator
from statistics import median

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from merchant import setup
from merchant.models import Merchant
from tests.benchmarks import large_table
from tests.benchmarks.measure import Line, Sizes, timed

_PAGES = {
    "no filter": "",
    "one filter": "?status=processed",
    "three filters": "?status=processed&method=BANKCARD&currency=EUR",
    "e-mail search": "?q=example.com",
}
_MOST_QUERIES = 6
_TRIES = 20


def measure(sizes: Sizes) -> Iterator[Line]:
    """Each kind of page: its time by table size, and its queries."""
    owners = large_table.many(sizes.table)
    large, small = (_browser(owner) for owner in owners)
    queries = []
    for name, address in _PAGES.items():
        queries.append(_queries(large, address))
        pairs = [(_page_time(large, address), _page_time(small, address)) for _ in range(sizes.rounds)]
        ours, peer = (f"{median(side) * 1000:.1f} ms" for side in zip(*pairs, strict=True))
        figures = [much / little for much, little in pairs]
        what = f"List page of {sizes.table:,} rows, {name}"
        yield Line(what, ours, f"{peer} with {sizes.table // 10:,} rows", figures, 1.3, at_least=False)
    most = [float(number) for number in queries]
    shown = ", ".join(f"{name} {number}" for name, number in zip(_PAGES, queries, strict=True))
    yield Line("Queries of these pages", shown, "–", most, _MOST_QUERIES, at_least=False, unit="")


def _browser(owner: Merchant) -> Client:
    """Somebody who may look, signed in."""
    person = setup.add_member(owner, f"bench-{owner.pk}@example.com", "correct-horse-battery", "view_only")
    browser = Client(SERVER_NAME="127.0.0.1")
    browser.force_login(person.user)
    return browser


def _page_time(browser: Client, address: str) -> float:
    """The median of some calls: what the server needs, without a network."""
    return median(timed(lambda: _get(browser, address)) for _ in range(_TRIES))


def _get(browser: Client, address: str) -> None:
    if browser.get(f"/transactions/{address}").status_code != 200:
        raise RuntimeError(f"the list does not show {address}")


def _queries(browser: Client, address: str) -> int:
    _get(browser, address)
    with CaptureQueriesContext(connection) as captured:
        _get(browser, address)
    return len(captured)
