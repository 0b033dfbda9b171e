"""The pages are whole without JavaScript, hold what they should, and nothing foreign or dangerous."""

import datetime as dt
import html
import json
import re
import uuid
from decimal import Decimal

import httpx2
import pytest
from django.conf import settings as live
from django.test import Client as Browser

from merchant import line
from merchant.models import Merchant
from merchant.paysuper import records
from merchant.paysuper.errors import NotAllowed
from merchant.paysuper.sandbox import Sandbox
from tests.conftest import Person
from tests.merchant.examples import load, named
from transactions import card, declines, mirror, sync
from transactions.models import SyncState, Transaction

AT = dt.datetime(2021, 3, 1, tzinfo=dt.UTC)
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


def text(browser: Browser, address: str, **headers: str) -> str:
    answer = browser.get(address, headers=headers or None)
    assert answer.status_code == 200, address
    return answer.content.decode()


def seen(page: str) -> str:
    """What a person reads: no tags, blanks joined."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def keep(merchant: Merchant, name: str, **changes: object) -> Transaction:
    record = records.order(load(name) | changes)
    mirror.apply(merchant, [record], AT)
    return Transaction.objects.get(pk=record.uuid)


def test_the_list_shows_every_entry_as_a_row_that_leads_to_its_card(ann: Person, mirrored: Merchant) -> None:
    page = text(ann.browser, "/transactions/?size=100")
    entries = Transaction.objects.filter(merchant=mirrored)
    assert page.count("data-row") == entries.count()
    for entry in entries:
        assert f'href="/transactions/{entry.pk}/?in=size%3D100"' in page
        assert html.escape(entry.product) in page
    assert f"{entries.count()} transactions" in seen(page)


def test_the_list_is_a_plain_form_that_keeps_what_was_asked(ann: Person, mirrored: Merchant) -> None:
    page = text(ann.browser, "/transactions/?q=mara&status=processed&amount_min=5&sort=amount")
    assert re.search(r'<form[^>]*method="get"[^>]*action="/transactions/"', page)
    assert 'value="mara"' in page
    assert re.search(r'value="processed"[^>]*checked', page)
    assert re.search(r'name="sort" value="amount"', page)
    assert 'type="submit"' in page


@pytest.mark.parametrize("order", ["date", "-date", "amount", "-amount"])
def test_the_list_is_sorted_as_asked_and_says_so(ann: Person, mirrored: Merchant, order: str) -> None:
    answer = ann.browser.get(f"/transactions/?sort={order}")
    column = "created_at" if "date" in order else "charge_amount"
    values = [row[column] for row in answer.context["page"].rows]
    assert values == sorted(values, reverse=order.startswith("-"))
    direction = "descending" if order.startswith("-") else "ascending"
    assert f'aria-sort="{direction}"' in answer.content.decode()


@pytest.mark.parametrize(("size", "rows"), [("25", 25), ("50", 50), ("", 50), ("7", 50), ("1000", 50)])
def test_pages_have_the_size_that_was_asked_for(
    ann: Person, mirrored: Merchant, size: str, rows: int
) -> None:
    assert len(ann.browser.get(f"/transactions/?size={size}").context["page"].rows) == rows


def test_htmx_gets_only_the_part_that_changes(ann: Person, mirrored: Merchant) -> None:
    whole, part = text(ann.browser, "/transactions/"), text(ann.browser, "/transactions/", HX_Request="true")
    assert "<html" in whole
    assert "<html" not in part
    assert part.count("data-row") == whole.count("data-row") == 50
    answer = ann.browser.get("/transactions/")
    assert "HX-Request" in answer["Vary"]


def test_an_empty_list_says_which_kind_of_empty_it_is(ann: Person, lantern: Merchant) -> None:
    assert ann.browser.get("/transactions/").context["empty"] == "none_yet"
    assert "No transactions yet" in text(ann.browser, "/transactions/")
    sync.sync(lantern)
    assert "None match these filters" in text(ann.browser, "/transactions/?q=nobody@nowhere")
    assert "These filters make no sense" in text(ann.browser, "/transactions/?status=unknown")


def test_refund_rows_are_negative_and_amounts_have_the_decimals_of_their_currency(
    ann: Person, lantern: Merchant
) -> None:
    keep(lantern, "admin.order.refund-order.refunded.json")
    keep(lantern, "admin.order.simple.processed.jpy.json")
    keep(lantern, "admin.order.simple.processed.bhd.json")
    page = seen(text(ann.browser, "/transactions/"))
    assert "-€23.80" in page
    assert "¥1,980 " in page
    bhd = Transaction.objects.get(charge_currency="BHD").charge_amount
    assert f"BHD {bhd:.3f}" in page.replace("\xa0", " ")


@pytest.mark.parametrize("name", named("OrderView", "OrderView2019"))
def test_every_order_of_the_contract_has_a_card(ann: Person, lantern: Merchant, name: str) -> None:
    entry = keep(lantern, name)
    page = seen(text(ann.browser, f"/transactions/{entry.pk}/"))
    assert str(entry.pk) in page
    assert entry.project.name in page
    assert entry.transaction_id in page
    for item in entry.items.all():
        assert " ".join(item.name.split()) in page
    if entry.cancellation_code:
        assert declines.CODES[entry.cancellation_code].meaning in page
        assert declines.CODES[entry.cancellation_code].advice in page


def test_the_card_shows_the_accounting_to_the_cent(ann: Person, lantern: Merchant) -> None:
    entry = keep(
        lantern,
        "admin.order.simple.processed.card.json",
        gross_revenue={"amount": Decimal("14.355"), "currency": "USD"},
    )
    page = seen(text(ann.browser, f"/transactions/{entry.pk}/"))
    for label, amount in (("Gross revenue", "$14.36"), ("Net revenue", "$11.04"), ("Tax", "-$2.29")):
        assert f"{label} {amount}" in page
    assert "Rounding and other -$0.01" in page
    accounting = card.accounting(entry, entry.raw_order.document, [])
    assert accounting is not None
    assert {fact.label: fact.value for fact in accounting.tariffs}["Fees total"] == "$1.02"


def test_the_card_of_a_refund_leads_to_its_order_and_back(ann: Person, mirrored: Merchant) -> None:
    row = Transaction.objects.filter(type="refund").first()
    assert f'href="/transactions/{row.parent_uuid}/"' in text(ann.browser, f"/transactions/{row.pk}/")
    assert f'href="/transactions/{row.pk}/"' in text(ann.browser, f"/transactions/{row.parent_uuid}/")


def test_the_raw_record_is_the_document_without_secrets_and_keys(ann: Person, lantern: Merchant) -> None:
    name = "admin.order.simple.processed.card.generation-2019.json"
    entry, secret = keep(lantern, name), load(name)["project"]["secret_key"]
    assert secret not in text(ann.browser, f"/transactions/{entry.pk}/")
    name = "admin.order.key.processed.two-platforms.json"
    entry = keep(lantern, name)
    page = text(ann.browser, f"/transactions/{entry.pk}/")
    codes = [item["code"] for item in load(name)["items"]]
    assert codes
    assert all(code and code not in page for code in codes)
    raw = json.loads(html.unescape(page.split('aria-label="Raw record">')[1].split("</pre>")[0]))
    assert raw["uuid"] == str(entry.pk)
    assert raw["items"][0]["name"] == load(name)["items"][0]["name"]


def test_the_raw_record_shows_numbers_as_they_were_written(ann: Person, lantern: Merchant) -> None:
    amount = Decimal("11.889999999999999")
    entry = keep(lantern, "admin.order.simple.processed.card.json", total_payment_amount=amount, news=10**40)
    page = html.unescape(text(ann.browser, f"/transactions/{entry.pk}/"))
    assert '"total_payment_amount": 11.889999999999999,' in page
    assert f'"news": 1{"0" * 40}' in page


def hostile(merchant: Merchant) -> Transaction:
    """An order in which every text is an attack."""
    document = load("admin.order.product.processed.three-items.json")
    user = dict.fromkeys(("external_id", "name", "email", "phone", "ip", "locale"), HOSTILE)
    document |= {
        "status": HOSTILE[:20],
        "transaction": HOSTILE,
        "country_code": HOSTILE,
        "user": user | {"address": dict.fromkeys(("country", "city", "postal_code", "state"), HOSTILE)},
        "project": document["project"] | {"id": "ab" * 12, "name": {"en": HOSTILE}},
        "items": [
            item | dict.fromkeys(("name", "sku", "description"), HOSTILE) for item in document["items"]
        ],
        "issuer": dict.fromkeys(("url", "referrer_host", "reference", "utm_source"), f"javascript:{HOSTILE}"),
        "cancellation": {"code": HOSTILE[:20], "reason": HOSTILE},
        "refund": {"amount": 1, "currency": "EUR", "reason": HOSTILE, "receipt_number": HOSTILE},
        "payment_method": {
            "title": HOSTILE,
            "external_id": HOSTILE,
            "card": dict.fromkeys(("brand", "masked", "expiry_month"), HOSTILE),
            "wallet": {"account": HOSTILE},
            "crypto_currency": {"brand": HOSTILE, "address": HOSTILE},
        },
        "order_charge": {"amount": 1, "currency": "<b>X"},
        HOSTILE: HOSTILE,
    }
    record = records.order(document)
    mirror.apply(merchant, [record], AT)
    return Transaction.objects.get(pk=record.uuid)


def test_hostile_texts_are_shown_and_never_executed(ann: Person, lantern: Merchant) -> None:
    entry = hostile(lantern)
    for address in ("/", "/transactions/", f"/transactions/{entry.pk}/", f"/transactions/?q={HOSTILE}"):
        page = text(ann.browser, address)
        for attack in ("<script>alert", "<img src=x", "<b>X", 'href="javascript:'):
            assert attack not in page, address
        assert "default-src" in ann.browser.get(address)["Content-Security-Policy"]
    assert HOSTILE in html.unescape(text(ann.browser, f"/transactions/{entry.pk}/"))


def test_hostile_addresses_are_escaped(ann: Person, mirrored: Merchant) -> None:
    for name in (
        "q",
        "product",
        "status",
        "project",
        "country",
        "currency",
        "from",
        "amount_min",
        "sort",
        "size",
        "cursor",
    ):
        assert "<script>alert" not in text(ann.browser, f"/transactions/?{name}={HOSTILE}")


def test_what_belongs_to_another_merchant_does_not_exist(
    ann: Person, cleo: Person, mirrored: Merchant, copper: Merchant
) -> None:
    ours, theirs = mirrored.transactions.first(), copper.transactions.first()
    assert ann.browser.get(f"/transactions/{ours.pk}/").status_code == 200
    for browser, pk in ((ann.browser, theirs.pk), (cleo.browser, ours.pk), (ann.browser, uuid.uuid4())):
        assert browser.get(f"/transactions/{pk}/").status_code == 404
    assert ann.browser.get("/transactions/not-a-uuid/").status_code == 404
    assert str(theirs.pk) not in text(ann.browser, "/transactions/?size=100")
    assert "data-row" not in text(ann.browser, f"/transactions/?q={theirs.pk}")


def test_strangers_are_sent_to_the_login(mirrored: Merchant) -> None:
    for address in ("/", "/transactions/", f"/transactions/{mirrored.transactions.first().pk}/", "/exports/"):
        answer = Browser().get(address)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/accounts/login/")


def test_pages_only_look(ann: Person, mirrored: Merchant) -> None:
    for address in ("/", "/transactions/", f"/transactions/{mirrored.transactions.first().pk}/"):
        assert ann.browser.post(address).status_code == 405
        assert ann.browser.head(address).status_code == 200


def test_everything_still_shows_while_paysuper_is_down_and_says_as_of_when(
    ann: Person, mirrored: Merchant, paysuper: Sandbox
) -> None:
    entry = mirrored.transactions.first()
    succeeded = SyncState.objects.get().succeeded_at
    assert "Cannot reach PaySuper" not in text(ann.browser, "/transactions/")
    httpx2.post(f"{paysuper.url}/sandbox/faults", json={"kind": "status", "status": 401})
    with pytest.raises(NotAllowed):
        sync.sync(mirrored)
    paysuper.stop()
    for address in ("/", "/transactions/", f"/transactions/{entry.pk}/"):
        page = seen(text(ann.browser, address))
        assert "Cannot reach PaySuper; as of" in page, address
        assert f"{succeeded.astimezone(mirrored.zone):%H:%M}" in page, address
    assert text(ann.browser, "/transactions/").count("data-row") == 50


def test_the_pages_do_not_fall_with_the_cache(ann: Person, mirrored: Merchant, settings) -> None:
    settings.CACHES = {"default": live.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}}
    for address in ("/", "/transactions/?currency=EUR", f"/transactions/{mirrored.transactions.first().pk}/"):
        assert ann.browser.get(address).status_code == 200


def test_before_the_first_reading_the_page_says_so(ann: Person) -> None:
    assert "first reading" in text(ann.browser, "/transactions/")


def test_instants_are_shown_in_the_zone_of_the_merchant(ann: Person, lantern: Merchant) -> None:
    keep(lantern, "admin.order.simple.processed.card.json", created_at="2021-02-17T23:30:00Z")
    assert "00:30" in seen(text(ann.browser, "/transactions/"))
    Merchant.objects.update(time_zone="America/New_York")
    assert "18:30" in seen(text(ann.browser, "/transactions/"))


def test_the_overview_shows_thirty_days_and_what_waits(ann: Person, mirrored: Merchant) -> None:
    answer = ann.browser.get("/")
    recent = answer.context["totals"]
    assert sum(total.count for total in recent) > 0
    waiting = Transaction.objects.filter(type="order", status="processed", fulfilment="unfulfilled").count()
    assert answer.context["waiting"] == waiting > 0
    assert str(waiting) in seen(answer.content.decode())
    assert len(answer.context["newest"]) == 8


def test_the_page_says_when_paysuper_is_asked_again(ann: Person, mirrored: Merchant) -> None:
    for _ in range(5):
        line.circuit(mirrored).failure()
    SyncState.objects.update(failed_at=dt.datetime.now(dt.UTC), error="PaySuper did not answer")
    page = ann.browser.get("/transactions/").content.decode()
    assert "Cannot reach PaySuper; as of" in page
    assert "the next try is at" in page
