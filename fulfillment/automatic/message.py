"""What the merchant's server is told of an order, and how that is shown: keys are worth money."""

import json
from decimal import Decimal
from typing import Any

import msgspec

from fulfillment.models import ServerCall
from merchant.money import rounded
from transactions import activation_keys
from transactions.card import readable
from transactions.models import Transaction

# `code` is the activation key of a key product (contract §6.4).
_ITEM = ("id", "sku", "name", "platform_id", "code", "currency", "metadata")
_encode = msgspec.json.Encoder(decimal_format="string").encode


def body(entry: Transaction, event: ServerCall.Event) -> str:
    """The message as JSON: amounts as texts, instants in UTC. The order as it is in the mirror."""
    document = entry.raw_order.document
    order = {
        "id": str(entry.pk),
        "transaction_id": entry.transaction_id,
        "project_id": entry.project.paysuper_id,
        "status": entry.status,
        "live": entry.is_production,
        "created_at": entry.created_at,
        "paid_at": entry.paid_at,
        "total": _money(entry.total_amount, entry.currency),
        "charge": _money(entry.charge_amount, entry.charge_currency),
        "customer": {
            "id": entry.customer_id,
            "email": entry.customer_email,
            "name": entry.customer_name,
            "country": entry.country,
        },
        "items": [_item(each) for each in document.get("items") or [] if isinstance(each, dict)],
    }
    return _encode({"type": event, "order": order}).decode()


def masked_body(call: ServerCall) -> str:
    """The body as a person may see it; "" when it was dropped."""
    if not call.body:
        return ""
    return readable(json.loads(call.body, parse_float=Decimal))


def masked_answer(call: ServerCall, answer: str) -> str:
    """An answer as a person may see it: it may repeat the keys that it was told."""
    for item in json.loads(call.body)["order"]["items"] if call.body else ():
        if code := item.get("code"):
            answer = answer.replace(code, "••••••")
    return answer


def _item(item: dict[str, Any]) -> dict[str, Any]:
    named = {name: item.get(name) for name in _ITEM}
    amount = item.get("amount")
    code = activation_keys.opened(item) or item.get("code")
    return named | {"code": code, "amount": None if amount is None else str(amount)}


def _money(amount: Decimal, currency: str) -> dict[str, str]:
    return {"amount": str(rounded(amount, currency)), "currency": currency}
