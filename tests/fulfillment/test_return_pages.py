"""What customers see when they come back, and what nobody finds out who has no token."""

import datetime as dt
import json
import logging

import pytest
import time_machine
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client as Browser
from django.utils import timezone

from fulfillment import returning, tasks
from fulfillment.models import ReturnPage, ReturnToken, WebhookEvent
from fulfillment.receipts import LANGUAGES, languages
from fulfillment.returning import pages
from merchant.models import AuditEvent, Merchant, Project
from tests.conftest import HARBOUR, HARBOUR_SECRET, SNOW, Person
from tests.fulfillment.desk import Desk
from tests.fulfillment.webhook_events import deliver
from transactions import declines
from transactions.models import RawOrder, Transaction

THANKS, SORRY = f"/thanks/{HARBOUR}/", f"/sorry/{HARBOUR}/"
TOKEN = "Zq7-" + "x_9k" * 7
PAGES = f"/settings/projects/{HARBOUR}/pages/"


@pytest.fixture
def open_page(harbour: Project) -> ReturnPage:
    """The pages of the project, open."""
    return ReturnPage.objects.create(project=harbour, merchant=harbour.merchant, is_open=True)


def get(address: str, **headers: str) -> HttpResponse:
    return Browser().get(address, headers=headers)


def text(address: str) -> str:
    answer = get(address)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def told(uuid: object, token: object = TOKEN, status: str = "processed", **order: object) -> None:
    """PaySuper's webhook of this order arrives, and is worked through."""
    event = "payment.success" if status == "processed" else "payment.cancel"
    subject = {"id": str(uuid), "status": status, "amount": 12.34} | order
    subject["metadata"] = {returning.METADATA: token}
    body = {"id": f"{uuid}{token}"[:64], "type": "notification", "event": event, "object": subject}
    assert deliver(json.dumps(body).encode(), secret=HARBOUR_SECRET).status_code == 200
    for row in WebhookEvent.objects.filter(state="received"):
        tasks.process_webhook(row.pk)


def test_without_a_token_the_page_thanks_and_tells_nothing(open_page: ReturnPage, desk: Desk) -> None:
    told(desk.pay(project_id=HARBOUR, amount=12.34))
    shown = text(THANKS)
    assert "Thank you" in shown
    assert "Lantern Harbour" in shown
    assert "12.34" not in shown
    assert "hx-get" not in shown
    assert "http-equiv" not in shown
    assert "not completed" in text(SORRY)


def test_with_the_token_the_order_is_shown_as_soon_as_it_is_known(open_page: ReturnPage, desk: Desk) -> None:
    before = text(THANKS + TOKEN + "/")
    assert "waiting for the confirmation" in before
    assert 'http-equiv="refresh" content="3; url=?n=1"' in before
    assert 'hx-get="?n=1"' in before
    uuid = desk.pay(project_id=HARBOUR, currency="EUR", amount=12.34)
    told(uuid)
    after = text(THANKS + TOKEN + "/")
    assert "Zahlung eingegangen" in after
    assert "12,34 €" in after
    assert str(uuid) in after
    assert "hx-get" not in after
    customer = Transaction.objects.get(pk=uuid)
    assert customer.customer_email not in after
    assert customer.customer_name not in after


@pytest.mark.parametrize(
    ("outcome", "words"),
    [("rejected", "wurde abgelehnt"), ("canceled", "wurde abgebrochen"), ("processed", "eingegangen")],
)
def test_the_order_is_believed_and_not_the_address(
    open_page: ReturnPage, desk: Desk, outcome: str, words: str
) -> None:
    told(desk.pay(project_id=HARBOUR, outcome=outcome), status=outcome)
    for address in (THANKS, SORRY):
        assert words in text(f"{address}{TOKEN}/")


def test_a_declined_customer_is_told_what_to_do(open_page: ReturnPage, desk: Desk) -> None:
    told(desk.pay(project_id=HARBOUR, card="5555555555554444"), status="rejected")
    assert "bestätigen Sie die Zahlung, wenn Ihre Bank" in text(f"{SORRY}{TOKEN}/")


def test_a_refund_shows_and_a_later_chargeback_too(
    open_page: ReturnPage, desk: Desk, lantern: Merchant
) -> None:
    uuid = desk.pay(project_id=HARBOUR)
    told(uuid)
    said = (("refunded", "wurde erstattet"), ("chargeback", "zurückgebucht"), ("strange", "Wir warten"))
    for status, words in said:
        Transaction.objects.filter(pk=uuid).update(status=status)
        assert words in text(f"{THANKS}{TOKEN}/")


# Nothing to find out --------------------------------------------------------------------------------


def test_a_known_and_an_unknown_token_look_the_same_until_the_order_is_there(
    open_page: ReturnPage, desk: Desk
) -> None:
    uuid = desk.pay(project_id=HARBOUR)
    told(uuid)
    Transaction.objects.filter(pk=uuid).delete()
    assert text(f"{THANKS}{TOKEN}/") == text(f"{THANKS}{'another-' + TOKEN}/").replace("another-", "")


def test_ids_of_orders_open_nothing(open_page: ReturnPage, desk: Desk) -> None:
    uuid = desk.pay(project_id=HARBOUR)
    told(uuid, token=str(uuid))
    for guess in (uuid, uuid.hex, Transaction.objects.get(pk=uuid).transaction_id):
        assert str(uuid) not in text(f"{THANKS}{guess}/").replace(str(guess), "", 5)
        assert "eingegangen" not in text(f"{THANKS}{guess}/")


@pytest.mark.parametrize(
    "token", ["short", "1" * 40, "", None, 7, ["x" * 30], "x" * 129, "späti" * 6, "a b" * 10]
)
def test_what_could_be_guessed_is_no_token(open_page: ReturnPage, desk: Desk, token: object) -> None:
    told(desk.pay(project_id=HARBOUR), token=token)
    assert not ReturnToken.objects.exists()


def test_the_first_order_keeps_its_token(open_page: ReturnPage, desk: Desk) -> None:
    first, second = desk.pay(project_id=HARBOUR), desk.pay(project_id=HARBOUR)
    told(first)
    told(second, description="another body")
    assert ReturnToken.objects.get().order_uuid == first


def test_the_token_of_one_project_opens_nothing_in_another(open_page: ReturnPage, desk: Desk) -> None:
    snow = Project.objects.get(paysuper_id=SNOW)
    ReturnPage.objects.create(project=snow, merchant=snow.merchant, is_open=True)
    told(desk.pay(project_id=HARBOUR))
    assert "waiting" in text(f"/thanks/{SNOW}/{TOKEN}/")


def test_an_order_of_another_project_is_not_shown_by_this_projects_webhook(
    open_page: ReturnPage, desk: Desk
) -> None:
    told(desk.pay(project_id=SNOW, currency="EUR", amount=7.77))
    assert "waiting" in text(f"{THANKS}{TOKEN}/")


def test_tokens_are_kept_as_digests_and_dropped_after_a_month(open_page: ReturnPage, desk: Desk) -> None:
    told(desk.pay(project_id=HARBOUR))
    assert TOKEN not in str(ReturnToken.objects.values())
    with time_machine.travel(timezone.now() + dt.timedelta(days=31)):
        assert "waiting" in text(f"{THANKS}{TOKEN}/")
        returning.forget()
    assert not ReturnToken.objects.exists()


def test_closed_and_unknown_projects_are_alike_and_open_no_webhooks(harbour: Project, desk: Desk) -> None:
    told(desk.pay(project_id=HARBOUR))
    assert not ReturnToken.objects.exists()
    answers = [
        get(f"{start}{project}/{rest}")
        for start in ("/thanks/", "/sorry/")
        for project in (HARBOUR, "0" * 24, "x")
        for rest in ("", f"{TOKEN}/")
    ]
    assert {answer.status_code for answer in answers} == {404}


def test_too_many_questions_from_one_place_are_put_off(open_page: ReturnPage) -> None:
    with time_machine.travel(timezone.now(), tick=False):
        answers = [get(THANKS).status_code for _ in range(121)]
        assert answers == [200] * 120 + [429]
        assert Browser(REMOTE_ADDR="192.0.2.7").get(THANKS).status_code == 200
        one, other = "2001:db8:1:2::1", "2001:db8:1:2:ffff::9"
        for _ in range(120):
            Browser(REMOTE_ADDR=one).get(THANKS)
        assert Browser(REMOTE_ADDR=other).get(THANKS).status_code == 429


def test_search_machines_frames_and_the_next_site_learn_nothing(open_page: ReturnPage) -> None:
    answer = get(f"{THANKS}{TOKEN}/")
    assert "noindex" in answer["X-Robots-Tag"]
    assert answer["Referrer-Policy"] == "no-referrer"
    assert "no-store" in answer["Cache-Control"]
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert not answer.cookies


def test_the_log_does_not_hold_the_token(open_page: ReturnPage, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        for _ in range(2):
            get(f"{THANKS}{TOKEN}/")
        cache.clear()
        get(f"{SORRY}{TOKEN}/?n=3")
    assert "request_started" in caplog.text
    assert TOKEN not in caplog.text


# The page itself ------------------------------------------------------------------------------------


def test_htmx_gets_the_part_that_changes_and_waiting_comes_to_an_end(open_page: ReturnPage) -> None:
    part = get(f"{THANKS}{TOKEN}/?n=25", **{"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert 'hx-get="?n=26" hx-trigger="load delay:15s"' in part
    last = text(f"{THANKS}{TOKEN}/?n=60")
    assert "hx-get" not in last
    assert "http-equiv" not in last
    assert "Look again" in last


@pytest.mark.parametrize("looks", ["x", "-1", "9" * 300, "²", "%00"])
def test_a_strange_count_is_none(open_page: ReturnPage, looks: str) -> None:
    assert 'hx-get="?n=1"' in text(f"{THANKS}{TOKEN}/?n={looks}")


def test_the_owner_opens_the_pages_audited(ann: Person, harbour: Project) -> None:
    assert get(THANKS).status_code == 404
    shop = "https://lantern.example/"
    answer = ann.browser.post(PAGES, {"is_open": "on", "shop_url": shop}, follow=True).content.decode()
    assert "Saved." in answer
    assert f'href="{shop}"' in text(THANKS)
    entry = AuditEvent.objects.get(event="return_page.changed")
    assert entry.data == {"is_open": True, "shop_url": shop}
    ann.browser.post(PAGES, {"shop_url": shop})
    assert get(THANKS).status_code == 404


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "lantern", "x" * 501, "https://a b/", "https://x/\0"]
)
def test_an_address_that_is_none_is_refused(ann: Person, harbour: Project, address: str) -> None:
    answer = ann.browser.post(PAGES, {"is_open": "on", "shop_url": address})
    assert answer.status_code == 400
    assert not ReturnPage.objects.exists()


def test_a_viewer_sees_the_addresses_and_changes_nothing(vera: Person, harbour: Project) -> None:
    assert f"/thanks/{HARBOUR}/" in vera.browser.get(PAGES).content.decode()
    assert vera.browser.post(PAGES, {"is_open": "on"}).status_code == 403
    assert not ReturnPage.objects.exists()


# In the customer's language -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accepted", "tag", "title"),
    [
        ("ru-RU,ru;q=0.9,en;q=0.8", "ru", "Спасибо"),
        ("nl, he;q=0.5", "he", "תודה"),
        ("zh-TW", "zh-Hant", "謝謝"),
        ("nl,fy", "en", "Thank you"),
        ("*;q=x,,\0" + "a" * 999, "en", "Thank you"),
        ("", "en", "Thank you"),
    ],
)
def test_without_an_order_the_page_speaks_the_language_of_the_browser(
    open_page: ReturnPage, accepted: str, tag: str, title: str
) -> None:
    page = get(THANKS, accept_language=accepted).content.decode()
    direction = "rtl" if tag == "he" else "ltr"
    assert f'<html lang="{tag}" dir="{direction}">' in page
    assert f"<h1>{title}</h1>" in page


def test_a_known_order_is_told_of_in_the_language_of_the_payment_form(
    open_page: ReturnPage, desk: Desk
) -> None:
    uuid = desk.pay(
        project_id=HARBOUR, kind="product", amount=12.34, user={"name": "A", "email": "a@b.example"}
    )
    told(uuid)
    raw = RawOrder.objects.get(pk=uuid)
    RawOrder.objects.filter(pk=uuid).update(
        document=json.loads(json.dumps(raw.document | {"locale": "ar-BH"}, default=str))
    )
    page = get(f"{THANKS}{TOKEN}/", accept_language="ru").content.decode()
    assert '<html lang="ar" dir="rtl">' in page
    assert 'id="state" lang="ar" dir="rtl"' in page  # also where htmx puts it into a page in another language
    for label in ("تم استلام الدفعة", "المنتجات", "المبلغ", "إيصال", "المدفوعات عبر PaySuper."):
        assert label in page


def test_whatever_the_page_can_say_stands_in_every_catalogue() -> None:
    advices = {each.advice for code, each in declines.CODES.items() if code != pages._CANCELED_BY_CUSTOMER}
    found = [getattr(pages, name) for name in ("_THANKS", "_SORRY", "_WAITING", "_NOT_YET")]
    said = {text for each in (*found, *pages._BY_STATUS.values()) for text in (each.title, *each.sentences)}
    for language in set(LANGUAGES) - {"en"}:
        missing = [text for text in said | advices if not languages._words(language).get(text)]
        assert not missing, language
