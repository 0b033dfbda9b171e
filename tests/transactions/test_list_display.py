"""A person chooses columns, their order, density and rows a page; the list keeps it for that person alone."""

import html
import re
from decimal import Decimal

import pytest
from django.test import Client as Browser

from merchant import setup
from merchant.models import Membership, Merchant
from tests.conftest import PASSWORD, Person
from tests.transactions.test_pages import HOSTILE, keep, seen, text
from transactions import preferences, tables
from transactions.models import Transaction

DISPLAY = "/transactions/display/"


def titles(browser: Browser, address: str = "/transactions/") -> list[str]:
    head = text(browser, address).split('<table class="rows')[1].split("</thead>")[0]
    first, *others = [seen(cell) for cell in re.findall(r"<th.*?</th>", head, re.DOTALL)]
    assert first == "Select this page"
    return others


def choose(who: Person, *shown: str, order: tuple[str, ...] = (), **more: str) -> None:
    answer = who.browser.post(DISPLAY, {"order": order or shown, "column": shown, **more})
    assert answer.status_code == 302


def test_everybody_begins_with_the_columns_of_paysuper(ann: Person, mirrored: Merchant) -> None:
    usual = "Status,Project,Product,Date & time,Country,Method,Transaction ID,Amount,Actions"
    assert titles(ann.browser) == usual.split(",")


def test_a_person_chooses_columns_and_their_order(ann: Person, ben: Person, mirrored: Merchant) -> None:
    choose(ann, "amount", "email", "id", "net")
    assert titles(ann.browser) == ["Amount", "Customer e-mail", "Transaction ID", "Net", "Actions"]
    assert len(titles(ben.browser)) == 9  # nobody else's list changes
    ann.browser.post(DISPLAY, {"reset": "yes", "order": ["net"]})
    assert len(titles(ann.browser)) == 9


def test_the_column_that_opens_the_transaction_stays(ann: Person, mirrored: Merchant) -> None:
    choose(ann, "amount")
    assert titles(ann.browser) == ["Amount", "Transaction ID", "Actions"]
    assert text(ann.browser, "/transactions/").count("data-row") == 50


@pytest.mark.parametrize("step", [("up", ["order", "status"]), ("down", ["status", "order"])])
def test_a_column_moves_by_one_place_before_anything_is_kept(
    ann: Person, mirrored: Merchant, step: tuple[str, list[str]]
) -> None:
    way, expected = step
    before = ("status", "order") if way == "up" else ("order", "status")
    answer = ann.browser.post(DISPLAY, {"order": before, "column": before, way: "order", "query": "q=x"})
    page = answer.content.decode()
    assert re.findall(r'name="order" value="(\w+)"', page)[:2] == expected
    assert 'name="query" value="q=x"' in page
    assert re.findall(r'value="(\w+)" checked', page) == [*expected, "id"]
    assert Membership.objects.get(pk=ann.membership.pk).list_preferences == {}  # kept by Save, not before


def test_what_cannot_be_moved_stays() -> None:
    order = ("a", "b")
    assert preferences.moved(order, "a", -1) == order
    assert preferences.moved(order, "b", 1) == order
    assert preferences.moved(order, "never-heard-of", 1) == order


def test_choices_that_make_no_sense_change_nothing(ann: Person, mirrored: Merchant) -> None:
    for posted in (
        {"size": "7"},
        {"size": "1e9"},
        {"density": "\0"},
        {"size": ["25", "x"]},
        {"up": "status"},
    ):
        ann.browser.post(DISPLAY, posted)
    choose(ann, "status", "\0", "uuid; DROP", HOSTILE, "amount", order=("amount", HOSTILE, "status"))
    assert titles(ann.browser) == ["Amount", "Status", "Transaction ID", "Actions"]
    kept = Membership.objects.get(pk=ann.membership.pk).list_preferences
    assert set(kept) == {"order", "shown"}
    assert set(kept["shown"]) == {"amount", "id", "status"}


def test_preferences_of_columns_that_are_no_more_are_read_without_them(ann: Person) -> None:
    ann.membership.list_preferences = {"order": ["gone", "net"], "shown": ["gone", "net"], "page_size": 7}
    wanted = preferences.of(ann.membership)
    assert wanted.columns == ["net", "id"]
    assert wanted.page_size == 50


def test_rows_a_page_are_kept_and_the_address_beats_them(
    ann: Person, ben: Person, mirrored: Merchant
) -> None:
    answer = ann.browser.post(DISPLAY, {"size": "25", "query": "size=100&status=processed&cursor=last"})
    assert answer["Location"] == "/transactions/?status=processed"
    assert len(ann.browser.get("/transactions/").context["page"].rows) == 25
    assert len(ann.browser.get("/transactions/?size=50").context["page"].rows) == 50
    assert len(ben.browser.get("/transactions/").context["page"].rows) == 50
    assert re.search(r'value="25" aria-current="true"', text(ann.browser, "/transactions/"))


def test_compact_rows_are_kept_for_the_person(ann: Person, ben: Person, mirrored: Merchant) -> None:
    ann.browser.post(DISPLAY, {"density": "compact"})
    assert 'class="rows compact' in text(ann.browser, "/transactions/")
    assert 'class="rows compact' not in text(ben.browser, "/transactions/")
    ann.browser.post(DISPLAY, {"density": "comfortable"})
    assert 'class="rows compact' not in text(ann.browser, "/transactions/")


def test_each_choice_leaves_the_others_alone(ann: Person, mirrored: Merchant) -> None:
    ann.browser.post(DISPLAY, {"density": "compact"})
    ann.browser.post(DISPLAY, {"size": "25"})
    choose(ann, "net")
    wanted = preferences.of(Membership.objects.get(pk=ann.membership.pk))
    assert (wanted.compact, wanted.page_size, wanted.columns) == (True, 25, ["net", "id"])


def test_preferences_are_kept_for_each_merchant(ann: Person, cleo: Person, copper: Merchant) -> None:
    choose(ann, "net")
    elsewhere = setup.add_member(copper, "ann@example.com", PASSWORD, "support")
    assert preferences.of(elsewhere).columns == list(tables.DEFAULT_COLUMNS)


def test_every_column_shows_what_is_known(ann: Person, lantern: Merchant) -> None:
    entry = keep(lantern, "admin.order.simple.processed.card.json")
    refund = keep(lantern, "admin.order.refund-order.refunded.json")
    Transaction.objects.update(is_production=False, net_amount=Decimal("11.04"), payout_currency="USD")
    choose(ann, *tables.COLUMNS)
    page = seen(text(ann.browser, "/transactions/"))
    for known in (
        str(entry.pk),
        entry.customer_email,
        entry.customer_id,
        f"•••• {entry.card_last4}",
        entry.paid_at.astimezone(lantern.zone).strftime("%d.%m.%Y, %H:%M:%S"),
        "$11.04",
        "-$11.04",  # money that went back
        "Unfulfilled",
        "Order",
        "Test",
        refund.refund_receipt,
    ):
        assert known in page, known


def test_hostile_texts_are_shown_in_every_column(ann: Person, mirrored: Merchant) -> None:
    Transaction.objects.update(
        **dict.fromkeys(("product", "method_title", "customer_email", "customer_id"), HOSTILE),
        **dict.fromkeys(("status", "type", "method", "charge_currency", "payout_currency"), "<b>X"),
        **dict.fromkeys(("country", "card_last4", "refund_state", "fulfilment"), "<b>X"),
        refund_receipt="<b>X",
    )
    choose(ann, *tables.COLUMNS)
    page = text(ann.browser, "/transactions/")
    for attack in ("<script>alert", "<img src=x", "<b>X"):
        assert attack not in page
    assert HOSTILE in html.unescape(page)


def test_the_choice_costs_no_query(ann: Person, mirrored: Merchant, django_assert_max_num_queries) -> None:
    queries = []
    for shown in (tables.DEFAULT_COLUMNS, tuple(tables.COLUMNS)):
        choose(ann, *shown)
        ann.browser.get("/transactions/")  # shows the message and warms what is remembered
        with django_assert_max_num_queries(9) as captured:
            ann.browser.get("/transactions/")
        queries.append(len(captured))
    assert queries[0] == queries[1]
