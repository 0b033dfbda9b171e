"""Testing the checkout: a payment at the sandbox, never anywhere else, and its steps."""

import datetime as dt
import json
import re
from decimal import Decimal

import httpx2
import pytest
from django.utils import timezone

from fulfillment import checkout, mailing, tasks
from fulfillment.checkout import paying
from fulfillment.models import MailRule, Message, RefusedDelivery, ReturnPage, TestPayment, WebhookEvent
from merchant.models import AuditEvent, Merchant, Project
from merchant.paysuper.sandbox import Sandbox
from tests.conftest import HARBOUR, HARBOUR_SECRET, KETTLE, Person, person
from tests.fulfillment.desk import fresh
from tests.fulfillment.webhook_events import deliver
from transactions import sync
from transactions.models import Connection, Transaction

PAGE = "/settings/testing/"
ACCEPTED, DECLINED, HELD = "4000000000000002", "5555555555554444", "4000000000000044"
WISH = {"project": HARBOUR, "kind": "simple", "card": ACCEPTED, "amount": "12.50", "currency": "EUR"}


@pytest.fixture
def sandboxed(lantern: Merchant) -> None:
    """It is known that the connection leads to a sandbox."""
    Connection.objects.create(merchant=lantern, is_sandbox=True)


def asked(who: Person, harbour: Project, card: str = ACCEPTED) -> TestPayment:
    wish = {"kind": "simple", "amount": Decimal("12.50"), "currency": "EUR"}
    return checkout.ask(harbour, who.membership, card=card, **wish)


def made(who: Person, harbour: Project, card: str = ACCEPTED) -> TestPayment:
    """A payment that the worker has made."""
    test = asked(who, harbour, card)
    paying.send(test)
    return fresh(test)


def webhook(test: TestPayment, event: str = "payment.success", secret: str = HARBOUR_SECRET) -> None:
    """PaySuper's webhook of this payment arrives and is worked through."""
    told = {"id": str(test.order_uuid), "metadata": {"return_token": test.return_token}}
    body = {"id": f"{test.pk:064}", "type": "notification", "event": event, "object": told}
    deliver(json.dumps(body).encode(), secret=secret)
    for row in WebhookEvent.objects.filter(state="received"):
        tasks.process_webhook(row.pk)


def orders(paysuper: Sandbox) -> int:
    """How many orders PaySuper has."""
    return int(httpx2.get(f"{paysuper.url}/sandbox/").json()["orders"])


def states(test: TestPayment) -> list[str]:
    return [step.state for step in checkout.steps(test)]


def test_a_payment_is_asked_for_made_once_and_audited(
    ann: Person, harbour: Project, sandboxed: None, paysuper: Sandbox
) -> None:
    answer = ann.browser.post(PAGE, WISH)
    test = TestPayment.objects.get()
    assert answer["Location"] == f"{PAGE}{test.pk}/"
    assert AuditEvent.objects.get(event="test_payment.asked").data["amount"] == "12.50"
    before = orders(paysuper)
    for _ in range(2):
        paying.send(test)
    assert orders(paysuper) == before + 1
    test = fresh(test)
    assert (test.state, test.return_token in str(AuditEvent.objects.values())) == ("made", False)
    sync.refresh(harbour.merchant, test.order_uuid)
    entry = Transaction.objects.get(pk=test.order_uuid)
    assert (entry.status, entry.charge_amount, entry.customer_email) == (
        "processed",
        Decimal("12.5"),
        "ann@example.com",
    )


def test_every_step_ticks_itself(ann: Person, harbour: Project, sandboxed: None) -> None:
    ReturnPage.objects.create(project=harbour, merchant=harbour.merchant, is_open=True)
    MailRule.objects.create(project=harbour, merchant=harbour.merchant, mails_since=timezone.now())
    test = asked(ann, harbour)
    assert states(test) == ["waiting"] * 5
    paying.send(test)
    test = fresh(test)
    assert states(test) == ["done", *["waiting"] * 4]
    webhook(test)
    assert states(test) == ["done", "done", "done", "done", "waiting"]
    mailing.run(Message.objects.get().pk)
    assert states(test) == ["done"] * 5
    assert not checkout.is_awaited(test, checkout.steps(test))
    page = ann.browser.get(f"{PAGE}{test.pk}/").content.decode()
    assert "hx-get" not in page
    for step in checkout.steps(test)[1:]:
        assert ann.browser.get(step.link).status_code == 200, step.link


def test_where_paysuper_mails_the_step_says_so(ann: Person, harbour: Project) -> None:
    test = made(ann, harbour)
    webhook(test)
    assert states(test) == ["done", "done", "done", "left out", "left out"]
    receipt = checkout.steps(test)[-1]
    assert "PaySuper mails it" in receipt.text
    assert ann.browser.get(receipt.link).status_code == 200


def test_a_declined_card_brings_no_receipt(ann: Person, harbour: Project) -> None:
    test = made(ann, harbour, DECLINED)
    webhook(test, "payment.cancel")
    assert states(test) == ["done", "done", "done", "left out", "left out"]
    assert "As Rejected" in checkout.steps(test)[2].text


def test_a_held_payment_has_no_webhook_and_is_found_by_reading(
    ann: Person, harbour: Project, lantern: Merchant
) -> None:
    test = made(ann, harbour, HELD)
    assert states(test)[:3] == ["done", "left out", "waiting"]
    sync.sync(lantern, full=True)
    assert states(test)[:3] == ["done", "left out", "done"]


def test_who_pays_by_hand_is_led_to_the_checkout(ann: Person, harbour: Project, paysuper: Sandbox) -> None:
    ReturnPage.objects.create(project=harbour, merchant=harbour.merchant, is_open=True)
    test = made(ann, harbour, "")
    step = checkout.steps(test)[1]
    assert (step.state, step.label) == ("waiting", "Open the checkout")
    form = {"with": "card", "number": ACCEPTED, "redirect": "1"}
    answer = httpx2.post(step.link, data=form, follow_redirects=False)
    way = httpx2.get(f"{paysuper.url}{answer.headers['Location']}", follow_redirects=False)
    assert way.headers["Location"].endswith(f"/thanks/{HARBOUR}/{test.return_token}/")
    webhook(test)
    assert states(test)[:5] == ["done"] * 5


def test_an_order_in_another_state_than_the_cards_is_a_failure(ann: Person, harbour: Project) -> None:
    test = made(ann, harbour)
    webhook(test)
    Transaction.objects.filter(pk=test.order_uuid).update(status="rejected")
    assert states(test)[2] == "failed"


def test_a_webhook_with_a_wrong_signature_is_seen(ann: Person, harbour: Project) -> None:
    test = made(ann, harbour)
    webhook(test, secret="another")
    step = checkout.steps(test)[1]
    assert step.state == "failed"
    assert RefusedDelivery.Reason.WRONG_SIGNATURE.label in step.text
    Project.objects.filter(pk=harbour.pk).update(takes_webhooks=False)
    RefusedDelivery.objects.all().delete()
    assert "switched off" in checkout.steps(fresh(test))[1].text


# Not where money is ---------------------------------------------------------------------------------


def test_nothing_is_paid_where_no_sandbox_answers(
    ann: Person, harbour: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("merchant.paysuper.client.SandboxClient.is_sandbox", lambda _: False)
    test = made(ann, harbour)
    assert (test.state, test.outcome, test.order_uuid) == ("failed", paying.NO_SANDBOX, None)
    assert states(test) == ["failed"]


@pytest.mark.parametrize(
    ("is_sandbox", "words"), [(False, "leads to PaySuper itself"), (None, "not known yet")]
)
def test_without_a_sandbox_the_page_says_so_and_takes_no_wish(
    ann: Person, lantern: Merchant, is_sandbox: bool | None, words: str
) -> None:
    Connection.objects.create(merchant=lantern, is_sandbox=is_sandbox)
    page = ann.browser.get(PAGE).content.decode()
    assert words in page
    assert "4000 0000 0000 0002" in page
    assert "Make the test payment" not in page
    assert "nothing was paid" in ann.browser.post(PAGE, WISH, follow=True).content.decode()
    assert not TestPayment.objects.exists()


@pytest.mark.usefixtures("hurried")
def test_a_sandbox_that_is_down_is_a_failure_with_words(ann: Person, harbour: Project) -> None:
    Merchant.objects.filter(pk=harbour.merchant_id).update(api_url="http://127.0.0.1:1")
    test = made(ann, fresh(harbour))
    assert test.state == "failed"
    assert "no connection" in test.outcome


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": "0"},
        {"amount": "12.505"},
        {"amount": "1e30"},
        {"amount": "NaN"},
        {"amount": "12.50", "currency": "JPY"},
        {"currency": "XXX"},
        {"card": "4111111111111111"},
        {"project": KETTLE},
        {"kind": "\0"},
    ],
)
def test_a_wish_that_makes_no_sense_is_refused(
    ann: Person, harbour: Project, copper: Merchant, sandboxed: None, wrong: dict[str, str]
) -> None:
    assert ann.browser.post(PAGE, WISH | wrong).status_code == 400
    assert not TestPayment.objects.exists()


def test_a_wish_that_no_worker_hears_is_rung_for_again_and_then_given_up(
    ann: Person, harbour: Project
) -> None:
    test = asked(ann, harbour)
    assert checkout.due() == []
    TestPayment.objects.update(requested_at=timezone.now() - dt.timedelta(seconds=30))
    assert checkout.due() == [test.pk]
    TestPayment.objects.update(requested_at=timezone.now() - dt.timedelta(minutes=6))
    assert checkout.due() == []
    assert "No worker" in checkout.steps(fresh(test))[0].text


def test_steps_link_only_to_pages_that_the_role_may_open(
    ann: Person, harbour: Project, sandboxed: None, paysuper: Sandbox
) -> None:
    test = made(ann, harbour)
    webhook(test)
    books, page = person(harbour.merchant, "books", "accounting"), f"{PAGE}{test.pk}/"
    links = re.findall('<a href="([^"]+)"', books.browser.get(page).content.decode().split('id="steps"')[1])
    assert all(books.browser.get(each).status_code == 200 for each in links)
    seen = f"/webhooks/{WebhookEvent.objects.get().pk}/"
    assert (seen in links, seen in ann.browser.get(page).content.decode()) == (False, True)
