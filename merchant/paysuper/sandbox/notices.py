"""The order as webhooks carry it, the envelope around it, and the id of a notice (contract §13.1, §17)."""

import hashlib

from merchant.paysuper.sandbox import blocks, year_2019
from merchant.paysuper.sandbox.catalogue import CURRENCIES, DECLINES, MERCHANT_BY_ID, PROJECTS
from merchant.paysuper.sandbox.gojson import EPOCH_ISO, UNSET_ISO, encode, iso, number
from merchant.paysuper.sandbox.orders import REFUNDED, Customer, Order, Webhook

Json = dict[str, object]

EVENTS = {
    "processed": "payment.success",
    "rejected": "payment.cancel",
    "canceled": "payment.cancel",
    "refunded": "payment.refund",
    "chargeback": "payment.chargeback",
}


def notice_id(order: Order, event: str) -> str:
    """The same for every try and every repetition of one event of one order (contract §13.1)."""
    return hashlib.sha256((order.internal_id + event).encode()).hexdigest()


def envelope(webhook: Webhook, now: int) -> bytes:
    """The exact bytes of one try; Go's json.Marshal adds no newline (contract §13.1)."""
    head = encode(
        {
            "id": webhook.id,
            "type": "notification",
            "event": webhook.event,
            "live": True,
            "created_at": iso(now - now % 1000),
            "expires_at": "",
            "delivery_try": webhook.tries,
        }
    )
    return head[:-1] + b',"object":' + webhook.snapshot.encode() + b"}"


def notice(order: Order, testing_case: str = "") -> Json:
    """The order in the serialisation of contract §17."""
    return _identity(order, testing_case) | _money(order) | _rest(order, testing_case)


def snapshot(order: Order, testing_case: str = "", *, is_2019: bool) -> str:
    """The notice, encoded: queued webhooks keep the moment of the event."""
    document = notice(order, testing_case)
    return encode(year_2019.notice(document) if is_2019 else document).decode()


def question(customer: Customer, question_id: str, now: int) -> bytes:
    """`user.validate`: may this customer pay (contract §13.9)."""
    user = blocks.user(customer) or {}
    head = {"id": question_id, "type": "notification", "event": "user.validate", "live": True}
    tail = {"created_at": iso(now - now % 1000), "expires_at": "", "delivery_try": 1}
    extra = {"object": "user", "notify_new_region": False, "notify_new_region_email": ""}
    return encode(head | tail | {"object": user | extra})


def _identity(order: Order, testing_case: str) -> Json:
    buyer, paid = order.customer, order.transaction and not order.decline
    receipt = f"https://checkout.example.com/pay/receipt/purchase/{order.uuid}" if paid else ""
    return {
        "id": order.uuid,
        "transaction": order.transaction,
        "object": "" if testing_case else "order",
        "status": order.status,
        "description": f"Payment by order # {order.internal_id}",
        "canceled": False,
        "cancellation": blocks.cancellation(order, DECLINES),
        "refunded": order.private == REFUNDED,
        "receipt_email": buyer.email if buyer else "",
        "receipt_phone": "",
        "receipt_number": "",
        "receipt_url": receipt,
        "agreement_version": "",
        "agreement_accepted": False,
        "notify_sale": False,
        "notify_sale_email": "",
        "issuer": blocks.issuer(PROJECTS[order.project_id].site),
        "user": blocks.user(buyer),
        "billing_address": blocks.billing_address(order),
    }


def _money(order: Order) -> Json:
    digits = CURRENCIES[order.currency].digits
    share = order.tax_rate / (1 + order.tax_rate)
    tax = {
        "type": "vat",
        "rate": number(order.tax_rate),
        "amount": number(round(order.amount * share, digits)),
        "currency": order.currency,
    }
    return {
        "amount": number(order.amount),
        "currency": order.currency,
        "tax": tax,
        "original_amount": number(order.net),
        "charge_currency": order.charge_currency,
        "charge_amount": number(order.charge),
        "net_revenue": None,
        "fee": None,
        "virtual_currency_amount": 0,
        "is_buy_for_virtual_currency": False,
    }


def _rest(order: Order, testing_case: str) -> Json:
    merchant = MERCHANT_BY_ID[PROJECTS[order.project_id].merchant_id]
    unset = EPOCH_ISO if testing_case else UNSET_ISO
    return {
        "method": blocks.payment_method(order),
        "items": blocks.notice_items(order),
        "refund": blocks.refund_notice(order),
        "metadata": _metadata(order) or None,
        "country": order.country,
        "type": order.kind,
        "platform_id": order.items[0].platform if order.items else "",
        "receipt_id": order.uuid,
        "vat_payer": order.vat_payer,
        "is_production": order.production,
        "testing_case": testing_case,
        "form_mode": "embed",
        "merchant_info": {"company_name": merchant.name, "agreement_number": merchant.agreement},
        "recurring": False,
        "recurring_id": "",
        "recurring_subscription_id": "",
        "recurring_plan_id": "",
        "created_at": iso(order.created),
        "canceled_at": unset,
        "refunded_at": iso(order.refunded_at, unset),
    }


def _metadata(order: Order) -> Json:
    """What the shop passed when it made the order."""
    numbered: Json = {"invoiceId": order.invoice} if order.invoice else {}
    return numbered | order.metadata
