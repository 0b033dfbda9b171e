"""What happened to a transaction, newest first: PaySuper's news, webhooks, what staff did and wrote."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from fulfillment import receipts
from fulfillment.models import Action, WebhookEvent
from fulfillment.receipts.platforms import platform
from merchant.models import AuditEvent
from transactions.models import Note, RowType, Transaction


@dataclass(frozen=True)
class Event:
    """One line of the timeline: when, what, why, and by whom ("" for machines).

    `kind` is action, webhook, message, note or paysuper; `pk` names the webhook, mail or note behind the
    line, and `text` is what a mail says, with its keys masked.
    """

    at: dt.datetime
    title: str
    detail: str
    who: str
    kind: str
    pk: int = 0
    author_id: int = 0
    text: str = ""


# PaySuper gives the time of a payment for tries too.
_TRIED = {"pending": "Payment begun", "rejected": "Payment declined", "canceled": "Payment canceled"}


# States that are told by who brought them about.
_SAID_ALREADY = (Action.State.REQUESTED, Action.State.NOT_APPROVED)
_DONE = {
    Action.Kind.FULFIL: "Fulfilled",
    Action.Kind.UNFULFIL: "Fulfilment undone",
    Action.Kind.WITHDRAW: "Fulfilment withdrawn",
    Action.Kind.RESTORE: "Withdrawal undone",
    Action.Kind.REFUND: "Refund requested",
}


def events(entry: Transaction) -> list[Event]:
    """Everything that is known, newest first."""
    found = [
        *_news(entry),
        *_changes(entry),
        *_webhooks(entry),
        *_actions(entry),
        *_replacements(entry),
        *_calls(entry),
        *_mails(entry),
        *_notes(entry),
        *_keys(entry),
    ]
    return sorted(found, key=lambda event: event.at, reverse=True)


def _news(entry: Transaction) -> Iterator[Event]:
    is_order = entry.type == RowType.ORDER
    # Sorting keeps this order of what happened in the same moment: newest first.
    if entry.paid_at and is_order:
        tried = _TRIED.get(entry.status, "Paid")
        yield Event(entry.paid_at, tried, entry.method_title or entry.method, "", "paysuper")
    yield Event(entry.created_at, "Order created" if is_order else "Refund completed", "", "", "paysuper")
    for refund in Transaction.objects.filter(merchant=entry.merchant_id, parent_uuid=entry.pk):
        title = "Charged back" if refund.status == "chargeback" else "Refunded"
        yield Event(refund.created_at, title, refund.refund_receipt, "", "paysuper")


def _changes(entry: Transaction) -> Iterator[Event]:
    for change in entry.status_changes.all():
        title = f"Status changed from {change.get_before_display()} to {change.get_after_display()}"
        yield Event(change.at, title, change.get_cause_display(), "", "paysuper")


def _webhooks(entry: Transaction) -> Iterator[Event]:
    arrived = WebhookEvent.objects.filter(merchant=entry.merchant_id, order_uuid=entry.pk).defer("body")
    for event in arrived:
        times = f", {event.deliveries} times" if event.deliveries > 1 else ""
        detail = f"{event.get_state_display()}{times}"
        yield Event(event.received_at, f"Webhook {event.event}", detail, "", "webhook", event.pk)


def _actions(entry: Transaction) -> Iterator[Event]:
    for action in entry.actions.select_related("requested_by", "decided_by"):
        who = str(action.requested_by or "automatic")
        words = " · ".join(
            filter(None, [action.items_in_words, action.handover_reference, action.reason, action.note])
        )
        yield Event(action.requested_at, _DONE[Action.Kind(action.kind)], words, who, "action")
        if action.decided_at:
            verdict = "not approved" if action.state == Action.State.NOT_APPROVED else "approved"
            yield Event(
                action.decided_at, f"Refund {verdict}", action.decision_note, str(action.decided_by), "action"
            )
        if action.kind == Action.Kind.REFUND and action.state not in _SAID_ALREADY:
            yield Event(
                action.changed_at, f"Refund: {action.get_state_display()}", action.outcome, "", "action"
            )


def _replacements(entry: Transaction) -> Iterator[Event]:
    for each in entry.key_replacements.select_related("requested_by").defer("keys_before"):
        words = " · ".join(filter(None, [each.product, each.note]))
        yield Event(
            each.requested_at, "New activation key requested", words, str(each.requested_by), "action"
        )
        if each.state != each.State.REQUESTED:
            title = f"Activation key: {each.get_state_display()}"
            yield Event(each.changed_at, title, each.outcome, "", "action")


def _calls(entry: Transaction) -> Iterator[Event]:
    for call in entry.server_calls.select_related("asked_again_by").defer("body"):
        yield Event(call.created_at, "Your server is to be told", call.get_event_display(), "", "action")
        if call.tries or not call.is_open:
            tries = f"after {call.tries} tries" if call.tries > 1 else ""
            detail = " · ".join(filter(None, [call.outcome, tries]))
            who = str(call.asked_again_by or "")
            yield Event(call.changed_at, f"Your server: {call.get_state_display()}", detail, who, "action")


def _mails(entry: Transaction) -> Iterator[Event]:
    for mail in entry.mails.select_related("requested_by").defer("html", "activation_keys"):
        name = mail.get_kind_display()
        kind = f"{name} ({platform(mail.platform).name})" if mail.platform else name
        who = str(mail.requested_by or "")
        title, text = f"Mail: {kind}. {mail.get_state_display()}", receipts.masked(mail.text)
        yield Event(mail.changed_at, title, mail.outcome, who, "message", mail.pk, text=text)


def _notes(entry: Transaction) -> Iterator[Event]:
    for note in Note.objects.filter(transaction=entry, deleted_at=None).select_related("written_by"):
        who = str(note.written_by)
        yield Event(note.written_at, "Note", note.text, who, "note", note.pk, note.written_by_id)


def _keys(entry: Transaction) -> Iterator[Event]:
    shown = AuditEvent.objects.filter(merchant=entry.merchant_id, subject=str(entry.pk), event="key.shown")
    products = {item.position: item.name for item in entry.items.all()} if shown else {}
    for event in shown.select_related("user"):
        yield Event(
            event.at,
            "Activation key shown",
            products.get(event.data["position"], ""),
            str(event.user),
            "action",
        )
