"""The checkout page: orders, test cards, other methods, the way back to the shop (contract §15)."""

import re
from collections.abc import Iterator

import httpx2
import pytest

from merchant.paysuper.sandbox import Sandbox
from merchant.paysuper.sandbox.catalogue import KEY_PRODUCTS, MERCHANTS, PRODUCTS
from tests.merchant.sandbox_client import client, order
from tests.merchant.sandbox_receiver import Receiver, eventually

START = "/sandbox/checkout/"
PROJECT, OTHER = MERCHANTS[0].projects
SIMPLE = {"project": PROJECT.id, "kind": "simple", "currency": "EUR", "amount": "11.89"}


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture(scope="module")
def sandbox(receiver: Receiver) -> Iterator[Sandbox]:
    with Sandbox(orders=40, seed=3, webhook_url=receiver.url) as running:
        yield running


@pytest.fixture(scope="module")
def api(sandbox: Sandbox) -> Iterator[httpx2.Client]:
    with client(sandbox) as ready:
        yield ready


def make(api: httpx2.Client, **form: object) -> str:
    answer = api.post(START, data=SIMPLE | form)
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def uuid_of(place: str) -> str:
    return place.split("/")[3]


def pay(api: httpx2.Client, place: str, **form: str) -> httpx2.Response:
    return api.post(place, data=form)


def card(api: httpx2.Client, number: str, **form: str) -> str:
    place = make(api)
    assert pay(api, place, **({"with": "card", "number": number} | form)).headers["Location"] == place
    return uuid_of(place)


def events(receiver: Receiver, uuid: str) -> list[str]:
    posts = [post.document for post in list(receiver.received)]
    return [post["event"] for post in posts if post["object"]["id"] == uuid]


@pytest.mark.parametrize("path", [START, f"{START}?project={OTHER.id}", "/sandbox/control/"])
def test_pages_need_no_script_and_load_nothing_from_elsewhere(api: httpx2.Client, path: str) -> None:
    page = api.get(path)
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'; style-src 'self'; form-action 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert "<script" not in page.text
    assert re.findall(r'(?:src|href|action)="(?!/sandbox/)', page.text) == []
    assert api.get("/sandbox/style.css").headers["Content-Type"].startswith("text/css")


def test_hostile_names_of_products_are_shown_as_text(api: httpx2.Client) -> None:
    page = api.get(START).text
    assert "Storm &lt;b&gt;Lamp&lt;/b&gt;" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


@pytest.mark.parametrize(
    ("number", "status", "secure", "code", "event"),
    [
        ("4000 0000 0000 0002", "processed", True, None, ["payment.success"]),
        ("5555 5555 5555 4444", "rejected", True, "04", ["payment.cancel"]),
        ("4000 0000 0000 0044", "pending", True, None, []),
        ("4000-0000-0000-0077", "processed", False, None, ["payment.success"]),
        ("5555555555554477", "rejected", False, "11", ["payment.cancel"]),
        ("4000000000000051", "pending", False, None, []),
    ],
)
def test_each_sandbox_card_has_its_result(
    api: httpx2.Client,
    receiver: Receiver,
    number: str,
    status: str,
    secure: bool,
    code: str | None,
    event: list[str],
) -> None:
    uuid = card(api, number)
    paid = order(api, uuid)
    digits = "".join(filter(str.isdigit, number))
    assert (paid["status"], paid["total_payment_amount"], paid["currency"]) == (status, 11.89, "EUR")
    shown = paid["payment_method"]["card"]
    assert (shown["masked"], shown["secure3d"]) == (f"{digits[:6]}...{digits[-4:]}", secure)
    assert (paid["cancellation"] or {}).get("code") == code
    if event:
        eventually(lambda: events(receiver, uuid))
    assert events(receiver, uuid) == event


def test_a_chosen_code_is_used_when_the_card_is_declined_and_only_then(api: httpx2.Client) -> None:
    assert order(api, card(api, "5555555555554477", decline="13"))["cancellation"]["code"] == "13"
    accepted = order(api, card(api, "4000000000000077", decline="13"))
    assert (accepted["status"], accepted["cancellation"]) == ("processed", None)


@pytest.mark.parametrize(
    ("method", "block", "field"),
    [("QIWI", "wallet", "account"), ("BITCOIN", "crypto_currency", "address")],
)
def test_wallets_and_crypto_currencies_pay_with_the_typed_account(
    api: httpx2.Client, method: str, block: str, field: str
) -> None:
    place = make(api, kind="virtual_currency")
    form = {"with": "other", "method": method, "account": "acc<1>", "outcome": "rejected", "decline": "22"}
    assert pay(api, place, **form).status_code == 303
    paid = order(api, uuid_of(place))
    assert paid["payment_method"]["external_id"] == method
    assert paid["payment_method"][block][field] == "acc<1>"
    assert paid["cancellation"]["code"] == "22"


def test_a_customer_can_cancel(api: httpx2.Client) -> None:
    place = make(api)
    pay(api, place, **{"with": "nothing"})
    canceled = order(api, uuid_of(place))
    assert (canceled["status"], canceled["cancellation"]["code"]) == ("canceled", "02")
    assert f"{PROJECT.site}/oops" in api.get(place).text


def test_ticked_products_are_bought_and_give_the_amount(api: httpx2.Client) -> None:
    boat, lamp = PRODUCTS[PROJECT.id][:2]
    place = make(api, kind="product", amount="", currency="USD", product=[boat.id, lamp.id])
    assert "Rowing Boat &amp; Oars" in api.get(place).text
    bought = order(api, uuid_of(place))
    assert [item["id"] for item in bought["items"]] == [boat.id, lamp.id]
    assert bought["total_payment_amount"] >= boat.price + lamp.price
    key = KEY_PRODUCTS[PROJECT.id][0]
    keys = make(api, kind="key", product=[key.id], name="Müller & <Co>", email="m@example.com")
    pay(api, keys, **{"with": "card", "number": "4000000000000002"})
    paid = order(api, uuid_of(keys))
    assert paid["items"][0]["code"]
    assert (paid["user"]["name"], paid["user"]["email"]) == ("Müller & <Co>", "m@example.com")


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        ({"project": "1"}, "project"),
        ({"kind": "boat"}, "kind"),
        ({"currency": "XXX"}, "currency"),
        ({"amount": "much"}, "not a number"),
        ({"amount": "nan"}, "out of range"),
        ({"amount": "-1"}, "out of range"),
        ({"kind": "key", "product": PRODUCTS[PROJECT.id][0].id}, "do not fit"),
        ({"kind": "product", "product": PRODUCTS[OTHER.id][0].id}, "do not fit"),
    ],
)
def test_an_unusable_order_form_says_why_and_makes_nothing(
    api: httpx2.Client, form: dict[str, str], problem: str
) -> None:
    before = api.get("/sandbox/").json()["orders"]
    answer = api.post(START, data=SIMPLE | form)
    assert answer.status_code == 400
    assert problem in answer.text.split('role="alert"')[1].split("</p>")[0]
    assert api.get("/sandbox/").json()["orders"] == before


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        ({"with": "card", "number": "4111 1111 1111 1111"}, "not one of the sandbox cards"),
        ({"with": "card"}, "not one of the sandbox cards"),
        ({"with": "card", "number": "5555555555554477", "decline": "09"}, "no such decline code"),
        ({"with": "other", "method": "CASH", "outcome": "processed"}, "method"),
        ({"with": "other", "method": "QIWI", "outcome": "lost"}, "outcome"),
    ],
)
def test_an_unusable_payment_leaves_the_order_unpaid(
    api: httpx2.Client, form: dict[str, str], problem: str
) -> None:
    place = make(api)
    answer = pay(api, place, **form)
    assert answer.status_code == 400
    assert problem in answer.text.split('role="alert"')[1].split("</p>")[0]
    assert order(api, uuid_of(place))["status"] == "created"


def test_the_result_links_to_the_shop_and_redirects_when_asked(api: httpx2.Client) -> None:
    place = make(api)
    answer = pay(api, place, **{"with": "card", "number": "4000000000000002", "redirect": "1"})
    assert answer.headers["Location"] == f"{place}?redirect=1"
    assert api.get(answer.headers["Location"]).headers["Location"] == f"{PROJECT.site}/thanks"
    result = api.get(place)
    assert (result.status_code, f'href="{PROJECT.site}/thanks"' in result.text) == (200, True)
    declined = f"{START}{card(api, '5555555555554444')}/"
    assert api.get(f"{declined}?redirect=1").headers["Location"] == f"{PROJECT.site}/oops"
    pending = f"{START}{card(api, '4000000000000044')}/"
    assert api.get(f"{pending}?redirect=1").status_code == 200
    assert PROJECT.site not in api.get(pending).text


def test_the_payment_page_lets_its_form_lead_to_the_shop(api: httpx2.Client) -> None:
    policy = api.get(make(api)).headers["Content-Security-Policy"]
    assert f"form-action 'self' {PROJECT.site} {PROJECT.site};" in policy


def test_an_order_is_paid_once(api: httpx2.Client, receiver: Receiver) -> None:
    uuid = card(api, "4000000000000002")
    again = pay(api, f"{START}{uuid}/", **{"with": "card", "number": "5555555555554444"})
    assert again.status_code == 303
    assert order(api, uuid)["status"] == "processed"
    eventually(lambda: events(receiver, uuid))
    assert events(receiver, uuid) == ["payment.success"]


def test_an_unknown_order_has_a_page_of_its_own(api: httpx2.Client) -> None:
    missing = api.get(f"{START}00000000-0000-4000-a000-000000000000/")
    assert (missing.status_code, "no such order" in missing.text) == (404, True)
