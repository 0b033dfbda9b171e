"""What the transaction card shows, read from the mirrored document (contract §6)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from merchant.money import display
from merchant.paysuper import records
from merchant.paysuper.errors import Unexpected
from transactions.models import RowType, Transaction

_encode = msgspec.json.Encoder(decimal_format="number").encode

# What the decline means, in words for the customer (contract §15).
DECLINES = {
    "01": "System failure: try again later.",
    "02": "The customer canceled the payment.",
    "03": "Stopped by the fraud check.",
    "04": "3-D Secure failed: the customer did not confirm the payment with the bank.",
    "05": "The card needs 3-D Secure.",
    "06": "3-D Secure gave no answer: try again.",
    "07": "A limit was reached.",
    "08": "The card does not support this operation.",
    "10": "The bank declined without giving a reason.",
    "11": "The bank declined: the customer should ask the bank or use another card.",
    "13": "Not enough money on the card.",
    "14": "The card's own limit was reached.",
    "15": "The card data were wrong.",
    "16": "The bank's fraud check stopped the payment.",
    "17": "The bank had a failure: try again later.",
    "18": "The connection failed: try again.",
    "21": "No cryptocurrency arrived.",
    "22": "The wrong amount of cryptocurrency arrived.",
    "23": "The cryptocurrency payment was not confirmed in time.",
}

_MONEY = {
    RowType.ORDER: (
        ("Gross revenue", "gross_revenue"),
        ("Tax", "tax_fee_total"),
        ("Method fee", "method_fee_total"),
        ("Fixed fee", "paysuper_fixed_fee"),
        ("Fees total", "fees_total"),
        ("Net revenue", "net_revenue"),
    ),
    RowType.REFUND: (
        ("Refunded gross revenue", "refund_gross_revenue"),
        ("Returned tax", "refund_tax_fee_total"),
        ("Method refund fee", "method_refund_fee_tariff"),
        ("Fixed refund fee", "merchant_refund_fixed_fee_tariff"),
        ("Refund fees total", "refund_fees_total"),
        ("Taken from revenue", "refund_reverse_revenue"),
    ),
}


@dataclass(frozen=True)
class Fact:
    """One labelled value. `kind` is text, instant, mono (ids) or country."""

    label: str
    value: Any
    kind: str = "text"


@dataclass(frozen=True)
class Section:
    """A titled group of facts that are set."""

    title: str
    facts: list[Fact]


def sections(entry: Transaction, document: Mapping[str, Any]) -> list[Section]:
    """The sections of the card in reading order; facts without a value and empty sections are left out."""
    found = [
        Section("Transaction details", _details(entry) + _accounting(entry, document)),
        Section("User info", _user(document)),
        Section("Payment details", _payment(document)),
        Section("Billing address", _address(_part(document, "billing_address"))),
        Section("Issuer", _issuer(document)),
        Section("Refund", _refund(document)),
        Section("Declined", _decline(entry, document)),
    ]
    filled = [Section(each.title, [fact for fact in each.facts if fact.value]) for each in found]
    return [each for each in filled if each.facts]


def _details(entry: Transaction) -> list[Fact]:
    order = display(entry.total_amount, entry.currency)
    return [
        Fact("Order created" if entry.type == RowType.ORDER else "Refunded", entry.created_at, "instant"),
        Fact("Payment date", entry.paid_at, "instant"),
        Fact("Order amount", order if entry.currency != entry.charge_currency else ""),
        Fact(
            "Charged" if entry.type == RowType.ORDER else "Given back",
            display(entry.charge_amount, entry.charge_currency),
        ),
        Fact("Project", entry.project.name),
        Fact("Country", entry.country, "country"),
        Fact("Transaction ID", entry.transaction_id, "mono"),
        Fact("Order ID", str(entry.uuid), "mono"),
    ]


def _accounting(entry: Transaction, document: Mapping[str, Any]) -> list[Fact]:
    names = _MONEY[RowType.REFUND if entry.type == RowType.REFUND else RowType.ORDER]
    return [Fact(label, _money(document.get(name))) for label, name in names]


def _user(document: Mapping[str, Any]) -> list[Fact]:
    user = _part(document, "user")
    return [
        Fact("Name", user.get("name")),
        Fact("E-mail", user.get("email")),
        Fact("User ID", user.get("external_id"), "mono"),
        Fact("Phone", user.get("phone")),
        Fact("IP", user.get("ip"), "mono"),
        Fact("Language", user.get("locale")),
        *_address(_part(user, "address")),
    ]


def _payment(document: Mapping[str, Any]) -> list[Fact]:
    method = _part(document, "payment_method")
    card, wallet, crypto = (_part(method, name) for name in ("card", "wallet", "crypto_currency"))
    expiry = " / ".join(str(card[name]) for name in ("expiry_month", "expiry_year") if card.get(name))
    return [
        Fact("Method", method.get("title") or method.get("external_id")),
        Fact("Type of card", card.get("brand")),
        Fact("Card number", card.get("masked"), "mono"),
        Fact("Card expiry month/year", expiry),
        Fact("3-D Secure", "Yes" if card.get("secure3d") else "No" if card else ""),
        Fact("Wallet", wallet.get("account"), "mono"),
        Fact("Cryptocurrency", crypto.get("brand")),
        Fact("Address", crypto.get("address"), "mono"),
    ]


def _address(address: Mapping[str, Any]) -> list[Fact]:
    return [
        Fact("Country", address.get("country"), "country"),
        Fact("City", address.get("city")),
        Fact("Postal code", address.get("postal_code")),
        Fact("State", address.get("state")),
    ]


def _issuer(document: Mapping[str, Any]) -> list[Fact]:
    issuer = _part(document, "issuer")
    return [
        Fact("Page", issuer.get("url")),
        Fact("Referrer", issuer.get("referrer_host")),
        Fact("Reference", issuer.get("reference")),
        Fact(
            "Campaign",
            " / ".join(str(issuer[n]) for n in ("utm_source", "utm_medium", "utm_campaign") if issuer.get(n)),
        ),
    ]


def _refund(document: Mapping[str, Any]) -> list[Fact]:
    refund = _part(document, "refund")
    return [
        Fact("Amount", _money(refund)),
        Fact("Reason", refund.get("reason")),
        Fact("Receipt number", refund.get("receipt_number"), "mono"),
    ]


def _decline(entry: Transaction, document: Mapping[str, Any]) -> list[Fact]:
    cancellation = _part(document, "cancellation")
    return [
        Fact("Code", entry.cancellation_code, "mono"),
        Fact("Meaning", DECLINES.get(entry.cancellation_code) if cancellation else ""),
        Fact("PaySuper says", cancellation.get("reason")),
    ]


def _money(value: object) -> str:
    try:
        money = records.money(value)
    except Unexpected:
        return ""
    return display(money.amount, money.currency) if money.currency else ""


def _part(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = document.get(name)
    return value if isinstance(value, Mapping) else {}


def readable(document: Any) -> str:
    """A raw record as indented JSON. Activation keys are worth money and stay masked (contract §6.4)."""
    return msgspec.json.format(_encode(_masked(document)), indent=2).decode()


def _masked(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            key: "••••••" if key == "code" and each and "platform_id" in value else _masked(each)
            for key, each in value.items()
        }
    return [_masked(each) for each in value] if isinstance(value, list) else value
