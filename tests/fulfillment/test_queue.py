"""The queue: what waits for hands, oldest first, against what was promised."""

import datetime as dt
import re

import pytest
from django.db import connection
from django.utils import timezone

from fulfillment import actions, queue
from fulfillment.models import FulfilmentRule
from merchant.models import Merchant, Project
from tests.conftest import HARBOUR, SNOW, Person
from tests.fulfillment.desk import ask
from transactions.models import TO_FULFIL, TO_WITHDRAW, Transaction


def shown(page: bytes) -> list[str]:
    return re.findall(r'href="/transactions/([0-9a-f-]{36})/" data-row', page.decode())


def aged(order: Transaction, **ago: int) -> Transaction:
    past = timezone.now() - dt.timedelta(**ago)
    Transaction.objects.filter(pk=order.pk).update(created_at=past, paid_at=past)
    order.refresh_from_db()
    return order


def test_paid_orders_without_their_goods_are_listed_oldest_first(ben: Person, mirrored: Merchant) -> None:
    waiting = Transaction.objects.filter(TO_FULFIL).order_by("created_at", "uuid")
    assert waiting.count() > 20
    assert shown(ben.browser.get("/to-fulfil/").content) == [
        str(each.pk) for each in waiting[: queue.PAGE_SIZE]
    ]
    first = waiting[0]
    actions.fulfil(first, ben.membership, "")
    assert str(first.pk) not in shown(ben.browser.get("/to-fulfil/").content)


def test_pages_follow_each_other(ben: Person, mirrored: Merchant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "PAGE_SIZE", 7)
    everything, address = [], "/to-fulfil/"
    while address:
        page = ben.browser.get(address).content
        everything += shown(page)
        found = re.search(r'href="(\?[^"]*)" rel="next"', page.decode())
        address = "/to-fulfil/" + found[1].replace("&amp;", "&") if found else ""
    waiting = Transaction.objects.filter(TO_FULFIL).order_by("created_at", "uuid")
    assert everything == [str(each.pk) for each in waiting]


@pytest.mark.parametrize("cursor", ["x", "after~x~y", "after~2026-01-01~", "\0", "last"])
def test_a_cursor_that_makes_no_sense_shows_something_sensible(
    ben: Person, mirrored: Merchant, cursor: str
) -> None:
    assert ben.browser.get("/to-fulfil/", {"cursor": cursor}).status_code == 200


def test_the_queue_of_one_project(ben: Person, mirrored: Merchant) -> None:
    mine = {
        str(each)
        for each in Transaction.objects.filter(TO_FULFIL, project__paysuper_id=SNOW).values_list(
            "pk", flat=True
        )
    }
    assert mine
    assert set(shown(ben.browser.get(f"/to-fulfil/?project={SNOW}").content)) == mine


@pytest.mark.parametrize(
    "query", ["project=nonsense", "list=everything", "project=%00", "project=5f8a1d2b9b3d4e0001a7c9f0"]
)
def test_a_query_that_makes_no_sense_says_so(
    ben: Person, mirrored: Merchant, cleo: Person, query: str
) -> None:
    page = ben.browser.get(f"/to-fulfil/?{query}")
    assert page.status_code == 200
    assert "This address makes no sense" in page.content.decode()


def test_what_waits_longer_than_promised_is_overdue_in_a_word(ben: Person, order: Transaction) -> None:
    aged(order, hours=23)
    page = ben.browser.get("/to-fulfil/").content.decode()
    assert "23 h" in page
    assert "59 min left" in page
    assert "verdue" not in page
    aged(order, hours=25)
    page = ben.browser.get("/to-fulfil/").content.decode()
    assert "Overdue" in page
    assert re.search(r"\b1\s+overdue", page)


def test_each_project_keeps_its_own_promise(ben: Person, order: Transaction) -> None:
    aged(order, hours=25)
    FulfilmentRule.objects.create(project=order.project, merchant=order.merchant, promise_hours=72)
    assert "verdue" not in ben.browser.get("/to-fulfil/").content.decode()
    assert queue.overdue(order.merchant, None) == 0
    FulfilmentRule.objects.update(promise_hours=1)
    assert queue.overdue(order.merchant, None) == queue.overdue(order.merchant, order.project) == 1
    other = Project.objects.filter(merchant=order.merchant).exclude(pk=order.project_id).first()
    assert queue.overdue(order.merchant, other) == 0


@pytest.mark.parametrize(
    ("time", "words"),
    [
        (dt.timedelta(seconds=-5), "0 min"),
        (dt.timedelta(minutes=59, seconds=59), "59 min"),
        (dt.timedelta(hours=1), "1 h"),
        (dt.timedelta(hours=47, minutes=59), "47 h"),
        (dt.timedelta(days=2), "2 days"),
        (dt.timedelta(days=1500), "1,500 days"),
    ],
)
def test_ages_are_told_in_their_largest_unit(time: dt.timedelta, words: str) -> None:
    assert queue.in_words(time) == words


def test_an_order_with_a_refund_under_way_says_why_it_waits(ben: Person, order: Transaction) -> None:
    ask(order, ben)
    assert "A refund of this order is under way." in ben.browser.get("/to-fulfil/").content.decode()


def connected(merchant: Merchant, order: Transaction, *, days_later: int) -> None:
    """Sets the moment at which the merchant was connected, by that at which the order was made."""
    moment = order.created_at + dt.timedelta(days=days_later)
    Merchant.objects.filter(pk=merchant.pk).update(created_at=moment)


def test_what_was_paid_before_the_merchant_was_connected_waits_only_when_asked_for(
    ben: Person, order: Transaction
) -> None:
    connected(order.merchant, order, days_later=1)
    Transaction.objects.exclude(pk=order.pk).update(fulfilment="fulfilled")
    Transaction.objects.filter(pk=order.pk).update(paid_at=order.created_at)
    page = ben.browser.get("/to-fulfil/").content.decode()
    assert "Nothing waits" in page
    assert "One order paid before" in page
    page = ben.browser.get("/to-fulfil/?older=on").content
    assert shown(page) == [str(order.pk)]
    assert "Leave them out" in page.decode()
    assert 'name="older" value="on"' in page.decode()  # the choice of a project keeps it
    actions.fulfil(order, ben.membership, "")
    assert "paid before" not in ben.browser.get("/to-fulfil/").content.decode()


def test_an_old_order_that_is_paid_after_the_merchant_was_connected_waits(
    ben: Person, order: Transaction
) -> None:
    connected(order.merchant, order, days_later=2)
    paid_at = order.created_at + dt.timedelta(days=3)
    Transaction.objects.exclude(pk=order.pk).update(fulfilment="fulfilled")
    Transaction.objects.filter(pk=order.pk).update(paid_at=paid_at)
    page = ben.browser.get("/to-fulfil/").content
    assert shown(page) == [str(order.pk)]
    assert b"paid before" not in page


def test_goods_to_withdraw_wait_however_old_their_orders_are(ben: Person, order: Transaction) -> None:
    connected(order.merchant, order, days_later=400)
    Transaction.objects.filter(pk=order.pk).update(status="chargeback", fulfilment="fulfilled")
    assert shown(ben.browser.get("/to-fulfil/?list=withdraw").content) == [str(order.pk)]


def test_an_empty_queue_says_so(ben: Person, lantern: Merchant) -> None:
    assert "Nothing waits" in ben.browser.get("/to-fulfil/").content.decode()


def test_nobody_sees_the_queue_of_another_merchant(cleo: Person, order: Transaction) -> None:
    assert str(order.pk) not in cleo.browser.get("/to-fulfil/").content.decode()


def test_after_fulfilling_from_the_queue_one_is_back_in_the_queue(ben: Person, order: Transaction) -> None:
    query = f"?project={HARBOUR}"
    form = ben.browser.get(f"/transactions/{order.pk}/fulfil/", {"back": query}).content.decode()
    assert f'name="back" value="{query}"' in form
    assert ben.browser.post(f"/transactions/{order.pk}/fulfil/", {"back": query}).url == f"/to-fulfil/{query}"


@pytest.mark.parametrize("condition", [TO_FULFIL, TO_WITHDRAW])
@pytest.mark.parametrize("of_project", [True, False])
def test_the_oldest_are_found_by_an_index_of_their_own(
    lantern: Merchant, harbour: Project, condition, of_project: bool
) -> None:
    wanted = "fulfil" if condition is TO_FULFIL else "withdraw"
    found = queue.entries(lantern, wanted, harbour if of_project else None).order_by("created_at", "uuid")[
        :51
    ]
    with connection.cursor() as cursor:
        # The planner would read an empty table whole.
        for way in ("seqscan", "bitmapscan", "sort"):
            cursor.execute(f"SET LOCAL enable_{way} = off")
    plan = found.explain()
    assert "tx_to_" in plan
    assert "Sort" not in plan
