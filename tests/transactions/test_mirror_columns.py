"""The mirror keeps of each order what is asked of it, as PaySuper means it."""

import copy
from decimal import Decimal

import pytest

from merchant.models import Merchant, Project
from merchant.paysuper import records
from tests.conftest import HARBOUR
from tests.merchant.examples import load, order
from tests.transactions.answers import START, at, three_items, version
from transactions import mirror
from transactions.models import Fulfilment, Item, RawOrder, Transaction


def test_items_are_replaced_as_a_whole(lantern: Merchant) -> None:
    document = three_items()
    mirror.apply(lantern, [records.order(document)], at(1))
    assert [item.position for item in Item.objects.all()] == [0, 1, 2]
    fewer = three_items(items=document["items"][2:])
    mirror.apply(lantern, [records.order(fewer)], at(2))
    item = Item.objects.get()
    assert (item.position, item.name) == (0, document["items"][2]["name"])
    mirror.apply(lantern, [records.order(three_items(items=None))], at(3))
    assert not Item.objects.exists()
    assert Transaction.objects.get().product == "Checkout"


def test_what_was_bought_in_short(lantern: Merchant) -> None:
    document = three_items()
    names = [item["name"] for item in document["items"]]
    for count, expected in ((0, "Checkout"), (1, names[0]), (3, f"{names[0]} + 2 more")):
        mirror.apply(lantern, [records.order(three_items(items=document["items"][:count]))], at(count))
        assert Transaction.objects.get().product == expected


@pytest.mark.parametrize(
    ("amount", "currency", "kept"),
    [
        ("11.889999999999999", "EUR", "11.8900"),
        ("100.5", "JPY", "101.0000"),
        ("12.3455", "BHD", "12.3460"),
        ("0.005", "USD", "0.0100"),
        ("999999999999999", "EUR", "999999999999999.0000"),
    ],
)
def test_amounts_are_kept_with_the_decimals_of_their_currency(
    lantern: Merchant, amount: str, currency: str, kept: str
) -> None:
    charge = {"amount": Decimal(amount), "currency": currency}
    mirror.apply(
        lantern,
        [version(order_charge=charge, total_payment_amount=Decimal(amount), currency=currency)],
        START,
    )
    entry = Transaction.objects.get()
    assert (str(entry.charge_amount), str(entry.total_amount)) == (kept, kept)
    assert entry.raw_order.document["order_charge"]["amount"] == Decimal(amount)


@pytest.mark.parametrize("name", ["jpy", "bhd", "charged-in-other-currency"])
def test_total_and_charge_keep_their_own_currencies(lantern: Merchant, name: str) -> None:
    document = load(f"admin.order.simple.processed.{name}.json")
    mirror.apply(lantern, [records.order(document)], START)
    entry, charge = Transaction.objects.get(), document["order_charge"]
    assert (entry.currency, entry.charge_currency) == (document["currency"], charge["currency"])
    assert entry.charge_amount == Decimal(str(charge["amount"]))


def test_an_order_without_a_charge_counts_with_what_it_costs(lantern: Merchant) -> None:
    mirror.apply(lantern, [version(order_charge=None)], START)
    entry = Transaction.objects.get()
    assert (entry.charge_amount, entry.charge_currency) == (entry.total_amount, entry.currency)


def test_texts_that_are_too_long_are_cut_and_break_nothing(lantern: Merchant) -> None:
    long = "ü" * 5000
    document = copy.deepcopy(three_items(status=long, type=long, transaction=long, country_code=long))
    document["project"] = document["project"] | {"id": "a" * 24, "name": {"en": long}}
    document["user"] = dict.fromkeys(("external_id", "name", "email"), long)
    document["payment_method"] = {"external_id": long, "title": long, "card": {"last4": long}}
    document["items"] = [dict.fromkeys(("id", "sku", "name", "platform_id", "currency"), long)]
    document["order_charge"] = {"amount": 1, "currency": long}
    document["refund"], document["cancellation"] = {"receipt_number": long}, {"code": long}
    mirror.apply(lantern, [records.order(document)], START)
    assert RawOrder.objects.get().document["transaction"] == long
    assert mirror.differences(lantern, [records.order(document)]) == {}


def test_unknown_statuses_are_kept(lantern: Merchant) -> None:
    mirror.apply(lantern, [version(status="on_the_moon")], START)
    assert Transaction.objects.get().status == "on_the_moon"


def test_what_we_did_about_an_order_survives_news_of_it(lantern: Merchant) -> None:
    mirror.apply(lantern, [version()], at(1))
    mirror.record_fulfilment(Transaction.objects.get(), Fulfilment.FULFILLED)
    mirror.record_refund_state(Transaction.objects.get(), "running")
    mirror.apply(lantern, [version(status="refunded")], at(2))
    entry = Transaction.objects.get()
    assert (entry.fulfilment, entry.refund_state, entry.status) == ("fulfilled", "running", "refunded")


def test_an_unknown_project_is_made_and_a_known_one_keeps_its_name(lantern: Merchant) -> None:
    new = order()["project"] | {"id": "ab" * 12, "name": {"en": "Brand new"}}
    mirror.apply(lantern, [version(project=new)], at(1))
    old = order()["project"] | {"name": {"en": "An old copy of the name"}}
    mirror.apply(lantern, [version(project=old)], at(2))
    assert Project.objects.get(paysuper_id="ab" * 12).name == "Brand new"
    assert Project.objects.get(paysuper_id=HARBOUR).name == "Lantern Harbour"


def test_a_project_is_renamed_when_paysuper_says_so(lantern: Merchant) -> None:
    assert mirror.update_project(lantern, HARBOUR, "Harbour II").name == "Harbour II"
    assert mirror.update_project(lantern, HARBOUR, "").name == "Harbour II"
    assert mirror.update_project(lantern, "cd" * 12, "").name == "cd" * 12
    assert len(mirror.update_project(lantern, "ef" * 12, "x" * 5000).name) == 200


def test_differences_are_told_in_words(lantern: Merchant) -> None:
    record = version()
    assert mirror.differences(lantern, [record]) == {record.uuid: "at PaySuper, not in the mirror"}
    mirror.apply(lantern, [record], START)
    Transaction.objects.update(charge_amount=1)
    assert "charge_amount is 1.0000, at PaySuper 11.89" in mirror.differences(lantern, [record])[record.uuid]
