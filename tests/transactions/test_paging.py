"""Walking the pages, forward and back, shows every row once, however many are equal."""

import uuid

import pytest

from merchant.models import Merchant
from tests.conftest import Person
from tests.transactions import rows
from transactions import paging
from transactions.models import Transaction

COLUMNS = ("uuid", "created_at", "charge_amount")
COUNT = 73


@pytest.fixture
def everything(lantern: Merchant) -> list[Transaction]:
    return rows.fill(lantern, COUNT)


def page(order: str, cursor: str, size: int = 10) -> paging.Page:
    return paging.page(Transaction.objects.all(), order, cursor, size, COLUMNS)


def walk(order: str, cursor: str, direction: str, size: int) -> list[list[uuid.UUID]]:
    pages = []
    while True:
        found = page(order, cursor, size)
        pages.append([row["uuid"] for row in found.rows])
        cursor = getattr(found, direction)
        if not cursor:
            return pages
        assert len(pages) <= COUNT


def flat(pages: list[list[uuid.UUID]]) -> list[uuid.UUID]:
    return [each for page in pages for each in page]


@pytest.mark.parametrize("size", [1, 7, 10, 72, 73, 74])
@pytest.mark.parametrize("order", paging.ORDERS)
def test_forward_and_back_every_row_is_seen_once_and_in_order(
    everything: list[Transaction], order: str, size: int
) -> None:
    column, descending = paging.ORDERS[order]
    wanted = sorted(everything, key=lambda row: (getattr(row, column), row.pk), reverse=descending)
    forward = walk(order, "", "next", size)
    assert flat(forward) == [row.pk for row in wanted]
    backward = walk(order, paging.LAST, "previous", size)
    assert flat(backward[::-1]) == flat(forward)
    assert all(len(each) == size for each in forward[:-1] + backward[:-1])


@pytest.mark.parametrize("order", paging.ORDERS)
def test_next_and_then_previous_is_the_page_before(everything: list[Transaction], order: str) -> None:
    first = page(order, "")
    second = page(order, first.next)
    third = page(order, second.next)
    assert page(order, third.previous).rows == second.rows
    assert page(order, second.previous).rows == first.rows
    assert page(order, second.previous).previous == ""
    assert first.previous == ""


def test_the_last_page_knows_the_one_before_and_none_after(everything: list[Transaction]) -> None:
    last = page("-date", paging.LAST)
    assert last.next == ""
    assert page("-date", page("-date", last.previous).next).rows == last.rows


def test_what_fits_on_one_page_has_no_neighbours(everything: list[Transaction]) -> None:
    for cursor in ("", paging.LAST):
        found = page("-date", cursor, COUNT)
        assert (len(found.rows), found.previous, found.next) == (COUNT, "", "")


@pytest.mark.django_db
def test_nothing_is_one_empty_page() -> None:
    for cursor in ("", paging.LAST, f"after~2026-01-01T00:00:00+00:00~{uuid.uuid4()}"):
        assert page("-date", cursor) == paging.Page(rows=[], previous="", next="")


def test_new_rows_do_not_move_the_pages_that_follow(lantern: Merchant, everything: list[Transaction]) -> None:
    first = page("-date", "")
    before = flat(walk("-date", first.next, "next", 10))
    newest = everything[0]
    newest.pk, newest.created_at = uuid.uuid4(), max(row.created_at for row in everything)
    newest.save(force_insert=True)
    assert flat(walk("-date", first.next, "next", 10))[-50:] == before[-50:]
    assert len(flat(walk("-date", "", "next", 10))) == COUNT + 1


def test_a_row_that_went_away_is_no_hole(everything: list[Transaction]) -> None:
    first = page("-date", "")
    rest = flat(walk("-date", first.next, "next", 10))
    Transaction.objects.filter(pk=first.rows[-1]["uuid"]).delete()
    assert flat(walk("-date", first.next, "next", 10)) == rest


SOME = "00000000-0000-4000-8000-000000000000"
GARBAGE = [
    "after",
    "after~",
    "after~~",
    "~~~",
    "before~x~y",
    "first",
    "LAST",
    f"after~2026-01-01~{SOME}",
    f"after~2026-01-01T00:00:00~{SOME}",
    "after~2026-01-01T00:00:00+00:00~x",
    f"after~2026-13-01T00:00:00+00:00~{SOME}",
    f"after~0001-01-01T00:00:00+23:59~{SOME}",
    f"after~9999-12-31T23:59:59-23:59~{SOME}",
    f"before~2026-01-01T00:00:00+00:00:00.000001~{SOME}x",
    f"after~NaN~{SOME}",
    f"after~-Infinity~{SOME}",
    f"after~1e999999~{SOME}",
    f"after~1e-999999~{SOME}",
    f"after~{'9' * 5000}~{SOME}",
    f"after~5\0~{SOME}",
    "after~5~\0",
    "\0",
    "' OR 1=1 --",
    "\ufffd",
]


@pytest.mark.parametrize("order", paging.ORDERS)
def test_a_cursor_that_makes_no_sense_is_the_first_page(everything: list[Transaction], order: str) -> None:
    for cursor in GARBAGE:
        assert page(order, cursor) == page(order, ""), cursor


def test_a_cursor_of_another_order_is_the_first_page(everything: list[Transaction]) -> None:
    assert page("amount", page("-date", "").next) == page("amount", "")
    assert page("-date", page("amount", "").next) == page("-date", "")


def test_a_moment_with_an_odd_offset_is_read_exactly(everything: list[Transaction]) -> None:
    cursor = page("-date", "").next
    assert page("-date", cursor.replace("+00:00~", "+00:00:00.000000~")).rows == page("-date", cursor).rows
    assert page("-date", f"after~2026-01-01T00:00:00+00:00:00.000001~{SOME}").rows != page("-date", "").rows


def test_unknown_orders_mean_newest_first(everything: list[Transaction]) -> None:
    for order in ("", "status", "-charge_amount", "date desc", "\0"):
        assert page(order, "") == page("-date", "")


def test_the_pages_of_the_list_are_links_that_lead_everywhere(
    ann: Person, lantern: Merchant, everything: list[Transaction]
) -> None:
    seen: list[uuid.UUID] = []
    address = "/transactions/?size=25&sort=amount"
    while address:
        answer = ann.browser.get(address)
        found = answer.context["page"]
        seen += [row["uuid"] for row in found.rows]
        links = [
            text.split('"')[0]
            for text in answer.content.decode().split('href="')
            if 'rel="next"' in text[:400]
        ]
        assert bool(links) == bool(found.next)
        address = f"/transactions/{links[-1].replace('&amp;', '&')}" if links else ""
    assert len(seen) == len(set(seen)) == COUNT
