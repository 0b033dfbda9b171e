"""The question before a refund: what it says, what it costs, and an amount that changes under one's hands."""

import html
import re
from decimal import Decimal

import pytest

from fulfillment import rehearsal
from fulfillment.models import Action
from merchant.models import Merchant, RefundRules
from tests.conftest import Person
from tests.fulfillment.desk import Desk, mirrored_order, sent, settled
from tests.fulfillment.refunding import form, refund_row
from transactions.models import Item, Transaction


def question(who: Person, order: Transaction, **headers: str) -> str:
    return who.browser.get(f"/transactions/{order.pk}/refund/", headers=headers or None).content.decode()


def said(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def accounted(order: Transaction, **figures: str) -> Transaction:
    """The order with these figures of PaySuper's accounting."""
    values = {"gross_amount": "14.35", "tax_amount": "2.29", "fees_amount": "1.02", "payout_currency": "USD"}
    Transaction.objects.filter(pk=order.pk).update(**values | figures)
    return Transaction.objects.get(pk=order.pk)


def test_it_names_the_order_the_customer_and_the_amount_in_the_charge_currency(
    ben: Person, desk: Desk, lantern: Merchant
) -> None:
    order = mirrored_order(lantern, desk, currency="JPY", amount=1200)
    page = said(question(ben, order))
    assert str(order) in page
    assert (order.customer_name or order.customer_email) in page
    assert f"Refund ¥{order.charge_amount:,.0f}" in page or "Refund JP¥" in page


def test_it_says_what_goes_back_and_what_paysuper_keeps(ben: Person, order: Transaction) -> None:
    order = accounted(order)
    found = {figure.label: figure.text for figure in rehearsal.figures(order, order.charge_amount)}
    assert found == {
        "Gross revenue that goes back": "$14.35",
        "Tax in it, which PaySuper returns": "$2.29",
        "Taken from your revenue": "$12.06",
        "Fees of the payment, kept by PaySuper": "$1.02",
    }
    assert "Taken from your revenue $12.06" in said(question(ben, order))


def test_the_figures_agree_with_what_paysuper_books_in_the_end(
    ann: Person, desk: Desk, order: Transaction, lantern: Merchant
) -> None:
    foretold = {each.label: each.text for each in rehearsal.figures(order, order.charge_amount)}
    settled(sent(order, ann), Action.State.REFUNDED)
    row = refund_row(lantern, order)
    taken = row.gross_amount - row.tax_amount
    assert foretold["Taken from your revenue"] == f"${taken:.2f}"


def test_of_a_part_the_figures_are_a_part_but_the_fees_stay_whole(order: Transaction) -> None:
    order = accounted(order)
    half = rehearsal.figures(order, order.charge_amount / 2)
    assert [figure.text for figure in half] == ["$7.18", "$1.15", "$6.03", "$1.02"]


@pytest.mark.parametrize("missing", [{"payout_currency": ""}, {"gross_amount": "0"}])
def test_without_accounting_nothing_is_made_up(
    ben: Person, order: Transaction, missing: dict[str, str]
) -> None:
    order = accounted(order, **missing)
    assert rehearsal.figures(order, order.charge_amount) == []
    assert "has not accounted for this payment yet" in said(question(ben, order))


def test_the_refund_fee_is_that_of_the_last_refund(
    ann: Person, ben: Person, desk: Desk, order: Transaction, lantern: Merchant
) -> None:
    another = mirrored_order(lantern, desk)
    assert "which is known only afterwards" in said(question(ben, another))
    settled(sent(order, ann), Action.State.REFUNDED)
    row = refund_row(lantern, order)
    assert f"on your last one, of ${row.gross_amount:.2f}, it was ${row.fees_amount:.2f}" in said(
        question(ben, another)
    )


def test_keys_and_fulfilled_goods_are_said_to_stay(ben: Person, order: Transaction) -> None:
    assert "key" not in said(question(ben, order)).lower().split("refund this payment?")[1].split("cancel")[0]
    Item.objects.filter(transaction=order).delete()
    for position in range(2):
        Item.objects.create(
            merchant=order.merchant,
            transaction=order,
            position=position,
            platform_id="steam",
            amount=1,
            currency="EUR",
        )
    Transaction.objects.filter(pk=order.pk).update(fulfilment="fulfilled")
    page = said(question(ben, order))
    assert "2 activation keys stay with the customer" in page
    assert "stays marked as fulfilled" in page


def test_it_says_how_long_it_can_be_taken_back_and_when_a_second_person_is_needed(
    ben: Person, order: Transaction
) -> None:
    RefundRules.objects.filter(merchant=order.merchant).update(undo_seconds=45)
    assert "It leaves 45 seconds later" in said(question(ben, order))
    RefundRules.objects.filter(merchant=order.merchant).update(
        limit_support=Decimal("0.01"), limit_currency=order.charge_currency
    )
    assert "a second person, an owner or a developer, must approve it" in said(question(ben, order))


# The amount changes meanwhile ---------------------------------------------------------------------


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_an_amount_that_changed_is_shown_old_and_new_and_asked_about_again(
    ben: Person, order: Transaction, headers: dict[str, str]
) -> None:
    way = f"/transactions/{order.pk}/refund/"
    old = form(order, reason="Purchase not provided", note="as told")
    Transaction.objects.filter(pk=order.pk).update(
        charge_amount=Decimal("77.50"), charge_currency="EUR", gross_amount=0
    )
    answer = ben.browser.post(way, old, headers=headers)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert not Action.objects.exists()
    assert "→ €77.50" in said(page)
    assert f"{order.charge_amount:.2f}" in said(page)
    assert "as told" in page
    assert '<option value="Purchase not provided" selected>' in page
    seen = dict(re.findall(r'name="(seen_\w+)" value="([^"]*)"', page))
    answer = ben.browser.post(way, old | seen)
    assert answer.status_code == 302
    assert Action.objects.get().amount == Decimal("77.50")


def test_a_part_of_a_page_or_a_whole_one(ben: Person, order: Transaction) -> None:
    assert "<!doctype html>" in question(ben, order)
    part = question(ben, order, **{"HX-Request": "true"})
    assert "<!doctype html>" not in part
    assert f'hx-post="/transactions/{order.pk}/refund/"' in part
