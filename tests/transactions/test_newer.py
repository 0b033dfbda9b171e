"""How many payments came in since the list was looked at: counted under its filters, and never far."""

import datetime as dt
import uuid

import pytest
from django.test import Client as Browser

from merchant.models import Merchant
from tests.conftest import Person
from tests.transactions import rows
from tests.transactions.test_pages import seen
from transactions import newer
from transactions.models import Transaction

NEWER = "/transactions/newer/"


def arrive(merchant: Merchant, at: dt.datetime, **more: object) -> Transaction:
    entry = rows.unsaved(merchant)
    entry.created_at, entry.status = at, "processed"
    for name, value in more.items():
        setattr(entry, name, value)
    entry.save(force_insert=True)
    return entry


def said(browser: Browser, **query: str) -> str:
    answer = browser.get(NEWER, query)
    assert answer.status_code in (200, 204)
    return seen(answer.content.decode())


@pytest.fixture
def mark(ann: Person, lantern: Merchant) -> str:
    """The place of the newest of the rows that Ann sees."""
    rows.fill(lantern, 30)
    return ann.browser.get("/transactions/").context["newest_shown"]


def test_the_newest_row_itself_is_not_new(ann: Person, mark: str) -> None:
    assert said(ann.browser, seen=mark) == ""


def test_newer_rows_are_counted_and_equal_moments_are_parted_by_their_ids(
    ann: Person, lantern: Merchant, mark: str
) -> None:
    moment, _, newest = mark.partition("~")
    at, number = dt.datetime.fromisoformat(moment), uuid.UUID(newest).int
    arrive(lantern, at, uuid=uuid.UUID(int=number + 1))
    arrive(lantern, at, uuid=uuid.UUID(int=number - 1))
    arrive(lantern, at + dt.timedelta(microseconds=1))
    arrive(lantern, at - dt.timedelta(microseconds=1))
    assert said(ann.browser, seen=mark) == "2 new – show"


def test_only_what_the_filters_find_is_counted(ann: Person, lantern: Merchant, mark: str) -> None:
    later = rows.NOW + dt.timedelta(hours=1)
    arrive(lantern, later, status="pending")
    arrive(lantern, later, status="processed")
    assert said(ann.browser, seen=mark, status="processed") == "1 new – show"
    assert said(ann.browser, seen=mark, status="refunded") == ""
    assert said(ann.browser, seen=mark, status="on_the_moon") == ""


def test_nobody_hears_of_other_merchants(ann: Person, copper: Merchant, mark: str) -> None:
    arrive(copper, rows.NOW + dt.timedelta(hours=1))
    assert said(ann.browser, seen=mark) == ""


def test_where_nothing_was_everything_is_new(ann: Person, lantern: Merchant) -> None:
    assert ann.browser.get("/transactions/").context["newest_shown"] == ""
    arrive(lantern, rows.NOW)
    assert said(ann.browser, seen="") == "1 new – show"


def test_what_the_page_knows_is_not_said_again(ann: Person, lantern: Merchant, mark: str) -> None:
    arrive(lantern, rows.NOW + dt.timedelta(hours=1))
    assert ann.browser.get(NEWER, {"seen": mark, "known": "1"}).status_code == 204
    assert ann.browser.get(NEWER, {"seen": mark, "known": "2"}).status_code == 200


def test_there_is_an_end_to_counting(ann: Person, lantern: Merchant, mark: str) -> None:
    for minute in range(newer.LIMIT + 5):
        arrive(lantern, rows.NOW + dt.timedelta(minutes=minute + 1))
    assert newer.count(Transaction.objects.filter(merchant=lantern), mark) == newer.LIMIT + 1
    assert said(ann.browser, seen=mark) == "over 99 new – show"


def test_the_link_keeps_the_filters_and_leaves_the_rest(ann: Person, lantern: Merchant, mark: str) -> None:
    arrive(lantern, rows.NOW + dt.timedelta(hours=1), type="order")
    answer = ann.browser.get(NEWER, {"seen": mark, "known": "0", "type": "order"})
    assert 'href="/transactions/?type=order"' in answer.content.decode()


@pytest.mark.parametrize(
    "place",
    [
        "x",
        "~",
        "2026-01-01",
        "2026-01-01T00:00:00+00:00~x",
        "\0~\0",
        "0001-01-01T00:00:00+23:59~x",
        "9" * 999,
    ],
)
def test_a_place_that_is_none_is_refused(ann: Person, lantern: Merchant, place: str) -> None:
    assert ann.browser.get(NEWER, {"seen": place}).status_code == 400


@pytest.mark.parametrize(
    "query", ["sort=amount", "sort=-amount", "sort=date", "cursor=last", "status=on_the_moon"]
)
def test_only_the_top_of_the_newest_announces(ann: Person, lantern: Merchant, query: str) -> None:
    rows.fill(lantern, 5)
    assert 'id="newer"' not in ann.browser.get(f"/transactions/?{query}").content.decode()
    assert 'id="newer"' in ann.browser.get("/transactions/?type=order").content.decode()
