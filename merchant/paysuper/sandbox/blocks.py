"""The blocks that both serialisations of an order share (contract §6.3, §6.4, §17)."""

from merchant.paysuper.sandbox.catalogue import GOODS, METHODS, PAYMENT_SYSTEM_ID
from merchant.paysuper.sandbox.gojson import cents, number
from merchant.paysuper.sandbox.orders import Customer, Item, Order

Json = dict[str, object]

_UPDATED = "2020-12-24T18:30:00Z"
_BRANDS = {"4": "VISA", "5": "MASTERCARD", "2": "MIR"}


def payment_method(order: Order) -> Json | None:
    """The block `payment_method` or `method`; null until the customer has chosen."""
    if not order.method:
        return None
    card, paid = order.method == "BANKCARD", bool(order.instrument)
    wallet = paid and not card and order.method != "BITCOIN"
    title = METHODS[order.method].title
    return {
        "title": title,
        "external_id": order.method,
        "payment_system_id": PAYMENT_SYSTEM_ID,
        "type": order.method,
        "saved": False,
        "card": _card(order) if card and paid else None,
        "wallet": {"brand": title, "account": order.instrument} if wallet else None,
        "crypto_currency": _crypto(order) if order.method == "BITCOIN" and paid else None,
        "handler": "cardpay",
        "refund_allowed": card,
        "recurring_allowed": card,
    }


def _card(order: Order) -> Json:
    masked = order.instrument
    return {
        "first6": masked[:6],
        "last4": masked[-4:],
        "masked": masked,
        "expiry_month": f"{order.number % 12 + 1:02d}",
        "expiry_year": "2031",
        "brand": _BRANDS.get(masked[0], "VISA"),
        "fingerprint": f"$2a$04$sandbox.{order.uuid}",
        "secure3d": masked.endswith(("02", "44")),
    }


def _crypto(order: Order) -> Json:
    return {"brand": "Bitcoin", "address": order.instrument}


def user(customer: Customer | None) -> Json | None:
    """The block `user`; the address is null when the country is not known."""
    if customer is None:
        return None
    return {
        "external_id": customer.external_id,
        "name": customer.name,
        "email": customer.email,
        "email_verified": bool(customer.email),
        "phone": customer.phone,
        "phone_verified": False,
        "ip": customer.ip,
        "locale": customer.locale,
        "address": _address(customer) if customer.country else None,
        "metadata": None,
        "id": customer.id,
    }


def billing_address(order: Order) -> Json | None:
    """The block `billing_address`, most often null."""
    if not order.billing or order.customer is None or not order.country:
        return None
    return _address(order.customer)


def _address(customer: Customer) -> Json:
    return {
        "country": customer.country,
        "city": customer.city,
        "postal_code": customer.postal_code,
        "state": customer.state,
    }


def items(order: Order, created: str, updated: str) -> list[Json] | None:
    """The list `items`, null when empty; the two serialisations fill the times differently."""
    return [_item(item, order.currency, created, updated) for item in order.items] or None


def view_items(order: Order) -> list[Json] | None:
    """Items with the view's mapper mistake: update time as creation, 1970 as update (contract §6.4)."""
    return items(order, _UPDATED, "1970-01-01T00:00:00Z")


def notice_items(order: Order) -> list[Json] | None:
    """Items with their real times, as webhooks show them."""
    return items(order, "2020-10-01T10:00:00Z", _UPDATED)


def _item(item: Item, currency: str, created: str, updated: str) -> Json:
    product = GOODS[item.product_id]
    return {
        "id": product.id,
        "object": "key_product" if item.platform else "product",
        "sku": product.sku,
        "name": product.name,
        "description": product.description,
        "amount": number(item.amount),
        "currency": currency,
        "images": None if item.platform else ["https://cdn.example.com/item.png"],
        "url": f"https://shop.example.com/{product.sku}",
        "metadata": None,
        "platform_id": item.platform,
        "code": item.code,
        "created_at": created,
        "updated_at": updated,
    }


def issuer(site: str) -> Json:
    """The block `issuer`: the page that the customer came from."""
    return {
        "url": f"{site}/shop",
        "embedded": False,
        "reference": "",
        "reference_type": "",
        "utm_source": "",
        "utm_medium": "",
        "utm_campaign": "",
        "referrer_host": site.removeprefix("https://"),
    }


def refund_notice(order: Order) -> Json | None:
    """The block `refund`; the receipt number is the id of the refund (contract §6.5)."""
    if order.refund is None:
        return None
    return {
        "amount": cents(order.refund.amount or order.charge),
        "currency": order.charge_currency,
        "reason": order.refund.reason,
        "code": "",
        "receipt_number": order.refund.refund_id,
        "receipt_url": "",
    }


def cancellation(order: Order, reasons: dict[str, str]) -> Json | None:
    """The block `cancellation` of rejected and canceled orders (contract §15)."""
    if not order.decline:
        return None
    return {"code": order.decline, "reason": reasons.get(order.decline, "")}
