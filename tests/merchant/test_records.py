"""PaySuper's documents become records: tolerant of what the contract allows, exact in money and time."""

import datetime as dt
import json
from decimal import Decimal
from uuid import UUID

import msgspec
import pytest

from merchant.paysuper import records, values
from merchant.paysuper.envelopes import listed
from merchant.paysuper.errors import Unexpected
from merchant.paysuper.records import Money
from tests.merchant.examples import FOLDER, load, named, order

ORDERS = named("OrderView", "OrderView2019")
REFUNDS = named("Refund")
_encode = msgspec.json.Encoder(decimal_format="number").encode


def test_every_example_is_named_in_the_index_and_readable() -> None:
    files = {path.name for path in FOLDER.glob("*.json")} - {"INDEX.json"}
    index = {entry["file"] for entry in json.loads((FOLDER / "INDEX.json").read_text())}
    assert files == index
    assert all(load(name) is not None for name in files)


@pytest.mark.parametrize("name", ORDERS)
def test_every_order_of_the_contract_is_read_exactly(name: str) -> None:
    document, record = load(name), records.order(load(name))
    assert record.uuid == UUID(document["uuid"])
    assert (record.type, record.status) == (document["type"], document["status"])
    assert record.created_at == values.instant(document["created_at"])
    assert record.transaction == document["transaction"]
    assert record.total == Money(Decimal(str(document["total_payment_amount"])), document["currency"])
    charge = document["order_charge"]
    assert record.charge == Money(Decimal(str(charge["amount"])), charge["currency"])
    assert record.project_id == document["project"]["id"]
    assert [item.name for item in record.items] == [item["name"] for item in document["items"] or []]
    assert [item.price.amount for item in record.items] == [
        Decimal(str(item["amount"])) for item in document["items"] or []
    ]


def test_the_list_of_the_contract_is_read_and_the_empty_one_is_a_list() -> None:
    found = listed(load("admin.orders.list.json"))
    assert len([records.order(document) for document in found]) == len(found) > 0
    assert listed(load("admin.orders.list.empty.json")) == []
    assert listed({}) == []


@pytest.mark.parametrize("name", REFUNDS)
def test_every_refund_of_the_contract_is_read(name: str) -> None:
    document, record = load(name), records.refund(load(name))
    assert (record.id, record.status) == (document["id"], document["status"])
    assert record.amount == Money(Decimal(str(document["amount"])), document["currency"])
    assert record.order_uuid == UUID(document["original_order_id"])
    assert record.created_at == values.instant(document["created_at"])


def test_refund_lists_are_read() -> None:
    found = listed(load("admin.refunds.list.json"))
    assert [records.refund(document).status for document in found] == [d["status"] for d in found]
    assert listed(load("admin.refunds.list.empty-or-unknown-order.json")) == []


def test_projects_are_read_and_keep_their_secret_out_of_sight() -> None:
    documents = [*load("admin.projects.list.json")["items"], load("admin.projects.get.json")["item"]]
    for document in documents:
        record = records.project(document)
        assert (record.id, record.name) == (document["id"], document["name"]["en"])
        assert record.webhook_url == document["url_process_payment"]
        assert record.secret_key == document["secret_key"] != ""
        assert record.secret_key not in repr(record)


def test_a_refund_row_is_told_from_its_original() -> None:
    row = records.order(load("admin.order.refund-order.refunded.json"))
    original = records.order(load("admin.order.simple.refunded.original.json"))
    assert (row.type, original.type) == ("refund", "order")
    assert row.parent_uuid == original.uuid
    assert original.parent_uuid is None
    assert row.transaction == original.transaction
    assert row.refund_receipt == original.refund_receipt != ""


def test_a_refund_row_carries_what_the_refund_took() -> None:
    document = load("admin.order.refund-order.refunded.json")
    record = records.order(document)
    assert record.gross == records.money(document["refund_gross_revenue"])
    assert record.net == records.money(document["refund_reverse_revenue"])
    assert record.fees == records.money(document["refund_fees_total"])


def test_a_refund_row_of_2019_has_its_tax_too() -> None:
    document = load("admin.order.refund-order.generation-2019.json")
    assert records.order(document).tax == records.money(document["refund_tax_fee"]) != Money()
    newer = load("admin.order.refund-order.refunded.json")
    assert records.order(newer).tax == records.money(newer["refund_tax_fee_total"])


def test_the_refund_row_of_a_part_is_of_what_went_back_and_not_of_the_whole_charge() -> None:
    document = load("admin.order.refund-order.generation-2019.json")
    part = {**document, "refund": {**document["refund"], "amount": Decimal("5.8")}}
    assert records.order(part).charge == Money(Decimal("5.8"), "EUR")
    elsewhere = {**document, "refund": {**document["refund"], "amount": Decimal("5.8"), "currency": "USD"}}
    for each in (document, elsewhere, {**document, "refund": None}):
        assert records.order(each).charge == Money(Decimal("23.8"), "EUR")


def test_a_decline_keeps_its_code() -> None:
    assert records.order(load("admin.order.simple.rejected.code-13.json")).cancellation_code == "13"
    assert records.order(load("admin.order.simple.canceled.code-02.json")).cancellation_code == "02"


def test_an_order_without_method_is_read() -> None:
    record = records.order(load("admin.order.simple.created.no-method.json"))
    assert (record.method, record.card_last4, record.paid_at) == ("", "", None)


def test_wallets_and_addresses_are_the_account() -> None:
    qiwi, bitcoin = load(ORDERS[4]), load(ORDERS[5])
    assert records.order(qiwi).account == qiwi["payment_method"]["wallet"]["account"] != ""
    assert records.order(bitcoin).account == bitcoin["payment_method"]["crypto_currency"]["address"] != ""


@pytest.mark.parametrize(
    "text", ["11.889999999999999", "0.1", "1e2", "25000.50", "0", "-0.29", "123456789012345.678"]
)
def test_amounts_keep_every_digit_that_was_written(text: str) -> None:
    body = _encode(order(total_payment_amount=0))
    body = body.replace(b'"total_payment_amount":0', f'"total_payment_amount":{text}'.encode())
    document = msgspec.json.Decoder(float_hook=Decimal).decode(body)
    assert str(records.order(document).total.amount) == str(Decimal(text))


@pytest.mark.parametrize(
    "blank", [None, {}, {"currency": "", "amount": 0}, {"currency": None, "amount": None}]
)
def test_absent_money_is_blank_in_both_generations(blank: object) -> None:
    record = records.order(order(gross_revenue=blank, order_charge=blank))
    assert record.gross == record.charge == Money(Decimal(0), "")


@pytest.mark.parametrize(
    "amount", [True, [], {}, "NaN", "Infinity", "1,5", Decimal(10) ** 15, -(10**15), "1e999999"]
)
def test_an_amount_that_is_none_is_unexpected(amount: object) -> None:
    with pytest.raises(Unexpected):
        records.order(order(total_payment_amount=amount))


MOMENT = dt.datetime(2021, 2, 17, 13, 41, 3, 120_000, dt.UTC)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"seconds": 1613569263, "nanos": 120000000}, MOMENT),
        ({"seconds": 1613569263}, MOMENT.replace(microsecond=0)),
        ("2021-02-17T13:41:03.12Z", MOMENT),
        ("2021-02-17T13:41:03.120000000Z", MOMENT),
        ("2021-02-17T14:41:03.12+01:00", MOMENT),
        ("2021-02-17T13:41:03", MOMENT.replace(microsecond=0)),
        (1613569263, MOMENT.replace(microsecond=0)),
    ],
)
def test_all_four_forms_of_time_are_read(value: object, expected: dt.datetime) -> None:
    assert values.instant(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        {},
        {"nanos": 5},
        {"seconds": -62135596800},
        0,
        -62135596800,
        "0001-01-01T00:00:00Z",
        "1970-01-01T00:00:00Z",
        "1999-12-31T23:59:59Z",
        "soon",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        {"seconds": 10**30},
        {"seconds": 1613569263, "nanos": 10**30},
        {"seconds": "1613569263"},
        1e300,
        [],
    ],
)
def test_what_is_no_time_is_not_set(value: object) -> None:
    assert values.instant(value) is None


def test_the_last_day_of_all_is_not_shown_in_any_zone_so_it_is_not_set() -> None:
    assert values.instant("9999-12-31T23:59:59Z") is None


def test_an_order_without_creation_time_or_uuid_or_project_is_unexpected() -> None:
    for changes in ({"created_at": None}, {"uuid": ""}, {"uuid": "12"}, {"project": None}):
        with pytest.raises(Unexpected):
            records.order(order(**changes))


def test_the_secret_that_2019_leaks_is_dropped() -> None:
    name = "admin.order.simple.processed.card.generation-2019.json"
    secret = load(name)["project"]["secret_key"]
    record = records.order(load(name))
    assert "secret_key" not in record.raw["project"]
    assert secret not in repr(record) + repr(record.raw)
    assert record.raw["project"]["name"] == load(name)["project"]["name"]


def test_everything_else_of_a_document_is_kept_as_it_came() -> None:
    for name in ORDERS:
        document = load(name)
        document["project"].pop("secret_key", None)
        assert records.order(load(name)).raw == document


def test_unknown_members_and_statuses_and_methods_and_types_are_kept() -> None:
    method = order()["payment_method"] | {"external_id": "CARRIER_PIGEON"}
    news = {"status": "on_the_moon", "type": "gift", "payment_method": method, "news": {"a": [1, None]}}
    record = records.order(order(**news))
    assert (record.status, record.type, record.method) == ("on_the_moon", "gift", "CARRIER_PIGEON")
    assert record.raw["news"] == {"a": [1, None]}
    assert records.refund(load(REFUNDS[0]) | {"status": 77}).status == 77


def test_hostile_texts_stay_what_they_are() -> None:
    document = load("admin.order.product.processed.hostile-texts.json")
    record = records.order(document)
    assert record.customer_name == document["user"]["name"]
    assert record.customer_id == "<b>42</b>"
    assert [item.name for item in record.items] == [item["name"] for item in document["items"]]


def test_nul_and_half_surrogates_are_replaced_everywhere() -> None:
    hostile = "a\0b\ud800c"
    user = order()["user"] | {"name": hostile, hostile: [hostile]}
    record = records.order(order(user=user, transaction=hostile, news=[{hostile: hostile}]))
    assert record.customer_name == record.transaction == record.raw["user"]["name"] == "a\ufffdb?c"
    assert record.raw["news"] == [{"a\ufffdb?c": "a\ufffdb?c"}]


def test_a_document_nested_without_end_is_unexpected() -> None:
    endless: list[object] = []
    for _ in range(900):
        endless = [endless]
    with pytest.raises(Unexpected):
        records.order(order(news=endless))


def test_numbers_too_large_for_the_database_are_unexpected_in_the_raw_document_too() -> None:
    for number in (Decimal("1e200000"), Decimal("1e-200000"), 10**5000):
        with pytest.raises(Unexpected):
            records.order(order(news={"number": number}))


@pytest.mark.parametrize("value", ["a text", 7, [1], True])
def test_members_of_another_kind_are_unexpected(value: object) -> None:
    for name in ("project", "user", "payment_method", "order_charge", "parent_order", "items"):
        if name == "items" and value == [1]:
            continue
        with pytest.raises(Unexpected):
            records.order(order(**{name: value}))


def test_names_in_several_languages_are_english_first() -> None:
    assert values.localized({"ru": "Гавань", "en": "Harbour"}) == "Harbour"
    assert values.localized({"ru": "Гавань", "en": ""}) == "Гавань"
    assert values.localized(None) == values.localized({"en": 5}) == ""


def test_the_example_file_of_nulls_and_blanks_is_blank_throughout() -> None:
    record = records.order(load("admin.order.simple.processed.nulls-and-blanks.json"))
    assert (record.country, record.customer_email, record.customer_name) == ("", "", "")
    assert record.total == Money(Decimal("0.01"), "USD")
