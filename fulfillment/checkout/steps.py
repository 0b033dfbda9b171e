"""How far a test payment has come: each step from our own tables."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import reverse
from django.utils import timezone

from fulfillment import returning
from fulfillment.checkout.cards import CARDS
from fulfillment.models import (
    MailRule,
    Message,
    ReceiptPage,
    RefusedDelivery,
    ReturnPage,
    TestPayment,
    WebhookEvent,
)
from transactions.models import Status, Transaction

DONE, WAITING, FAILED, LEFT_OUT = "done", "waiting", "failed", "left out"
# What has not come by then will hardly come; who pays by hand takes longer.
_AWAITED, _BY_HAND = dt.timedelta(minutes=5), dt.timedelta(minutes=30)
_State, _Mail = TestPayment.State, Message.State
_PAID = (Status.PROCESSED, Status.REFUNDED, Status.CHARGEBACK)


@dataclass(frozen=True)
class Step:
    """One thing that has to happen; `state` is one of the four above, `link` leads to what it has brought.

    What is done elsewhere opens beside the steps, which go on meanwhile.
    """

    title: str
    state: str
    text: str = ""
    at: dt.datetime | None = None
    link: str = ""
    label: str = ""
    is_elsewhere: bool = False


def steps(test: TestPayment) -> list[Step]:
    """All steps of a test payment, in their order."""
    entry = _entry(test)
    first = _made(test)
    if first.state == FAILED:
        return [first]
    found = [first]
    if not test.card:
        found.append(_paid_by_hand(test, entry))
    return [*found, _webhook(test), _mirrored(test, entry), *_for_the_customer(test, entry)]


def is_awaited(test: TestPayment, found: list[Step]) -> bool:
    """Whether it is worth looking again by itself."""
    patience = _AWAITED if test.card else _BY_HAND
    waits = any(step.state == WAITING for step in found)
    return waits and timezone.now() - test.requested_at < patience


def _entry(test: TestPayment) -> Transaction | None:
    if test.order_uuid is None:
        return None
    return Transaction.objects.filter(merchant=test.merchant_id, pk=test.order_uuid).first()


def _made(test: TestPayment) -> Step:
    title = "The order is made at PaySuper"
    if test.state == _State.MADE:
        return Step(title, DONE, str(test.order_uuid), test.requested_at)
    if test.state in (_State.FAILED, _State.UNKNOWN):
        return Step(title, FAILED, test.outcome)
    if timezone.now() - test.requested_at > _AWAITED:
        return Step(title, FAILED, "No worker has taken this up. Try again.")
    return Step(title, WAITING)


def _paid_by_hand(test: TestPayment, entry: Transaction | None) -> Step:
    title = "You pay at the checkout"
    if entry is not None and entry.status != Status.CREATED:
        return Step(title, DONE, at=entry.paid_at)
    if test.order_uuid is None:
        return Step(title, WAITING)
    address = f"{test.merchant.api_url.rstrip('/')}/sandbox/checkout/{test.order_uuid}/"
    text = "Choose any of the cards there; it opens in a window of its own."
    return Step(title, WAITING, text, link=address, label="Open the checkout", is_elsewhere=True)


def _webhook(test: TestPayment) -> Step:
    title = "The webhook arrives, and its signature is right"
    card = CARDS.get(test.card)
    if card and not card.event:
        return Step(title, LEFT_OUT, "PaySuper sends none while a payment is pending.")
    mine = WebhookEvent.objects.filter(
        merchant=test.merchant_id, order_uuid=test.order_uuid, project=test.project
    )
    event = mine.defer("body").order_by("pk").first() if test.order_uuid else None
    if event:
        link = reverse("fulfillment:webhook", args=[event.pk])
        return Step(title, DONE, event.event, event.received_at, link, "See the webhook")
    since = RefusedDelivery.objects.filter(project=test.project, received_at__gte=test.requested_at)
    refused = since.last()
    if refused:
        text = f"One was turned away: {refused.get_reason_display()}."
        return Step(title, FAILED, text, refused.received_at, _project(test), "Look at the project")
    if not test.project.takes_webhooks:
        return Step(
            title,
            FAILED,
            "Webhooks of this project are switched off.",
            None,
            _project(test),
            "Switch them on",
        )
    return Step(title, WAITING)


def _mirrored(test: TestPayment, entry: Transaction | None) -> Step:
    title = "The order stands in the list"
    card = CARDS.get(test.card)
    if entry is None:
        return Step(title, WAITING)
    link, status = reverse("transactions:card", args=[entry.pk]), Status
    shown = status(entry.status).label if entry.status in Status else entry.status
    if card and entry.status != card.status:
        on_its_way = entry.status in (Status.CREATED, Status.PENDING)
        return Step(title, WAITING if on_its_way else FAILED, f"As {shown}.", None, link, "See the order")
    if entry.status == Status.CREATED:
        return Step(title, WAITING, "Nobody has paid it yet.", None, link, "See the order")
    return Step(title, DONE, f"As {shown}.", entry.paid_at or entry.created_at, link, "See the order")


def _for_the_customer(test: TestPayment, entry: Transaction | None) -> Iterator[Step]:
    yield _page(test)
    card = CARDS.get(test.card)
    if (card and card.status not in _PAID) or (entry and entry.status in (Status.REJECTED, Status.CANCELED)):
        yield Step("The customer gets a receipt", LEFT_OUT, "Nothing was paid.")
    else:
        yield _receipt(test, entry)


def _page(test: TestPayment) -> Step:
    title = "The customer comes back to a page that knows the order"
    settings = reverse("fulfillment:project_pages", args=[test.project.paysuper_id])
    if not ReturnPage.of(test.project).is_open:
        return Step(
            title, LEFT_OUT, "The pages after the payment are switched off.", None, settings, "Set them up"
        )
    card = CARDS.get(test.card)
    name = "sorry" if card and card.status == Status.REJECTED else "thanks"
    link = reverse(f"fulfillment:{name}", args=[test.project.paysuper_id, test.return_token])
    if returning.order_of(test.project, test.return_token):
        return Step(title, DONE, link=link, label="See the page")
    if card and not card.event:
        return Step(title, LEFT_OUT, "It waits, as the payment does.", None, link, "See the page")
    return Step(title, WAITING)


def _receipt(test: TestPayment, entry: Transaction | None) -> Step:
    title, rule = "The customer gets a receipt", MailRule.of(test.project)
    if entry is None or entry.status not in _PAID:
        return Step(title, WAITING)
    if not rule.we_mail:
        link = reverse("fulfillment:receipt", args=[ReceiptPage.of(entry).token])
        return Step(
            title,
            LEFT_OUT,
            "PaySuper mails it: that is how the project is set.",
            None,
            link,
            "See the receipt",
        )
    mail = Message.objects.filter(transaction=entry, kind=Message.Kind.PAYMENT).order_by("pk").first()
    if mail is None or mail.is_open:
        return Step(title, WAITING, mail.outcome if mail else "")
    link = reverse("fulfillment:message", args=[mail.pk])
    state = DONE if mail.state == _Mail.SENT else FAILED
    text = f"To {mail.recipient}." if state == DONE else f"{mail.get_state_display()}. {mail.outcome}"
    return Step(title, state, text, mail.sent_at, link, "See the mail")


def _project(test: TestPayment) -> str:
    return reverse("fulfillment:project", args=[test.project.paysuper_id])
