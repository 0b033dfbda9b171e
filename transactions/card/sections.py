"""The sections of the card; facts without a value and empty sections are left out."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from merchant.money import display
from transactions import declines
from transactions.card.facts import (
    Document,
    Fact,
    Section,
    amount,
    charged,
    copied,
    filled,
    part,
    plain,
    said,
)
from transactions.models import RowType, Status, Transaction

# Nothing was taken from the customer.
UNPAID = frozenset({Status.CREATED, Status.PENDING, Status.REJECTED, Status.CANCELED})


def declined(entry: Transaction, document: Document) -> Section | None:
    """Why an order was not paid, and what helps the customer; None when it says nothing of the kind."""
    reason = part(document, "cancellation").get("reason")
    if not entry.cancellation_code and not reason:
        return None
    decline = declines.CODES.get(entry.cancellation_code, declines.UNKNOWN)
    return filled(
        "Why it was not paid",
        Fact("Meaning", decline.meaning),
        copied("What to tell the customer", decline.advice),
        plain("Code", entry.cancellation_code, "mono"),
        plain("PaySuper says", reason),
    )


def details(entry: Transaction, document: Document, refunds: Sequence[Transaction]) -> Section:
    """What happened when, and for how much."""
    created, closed, charge = _words(entry)
    order = display(entry.total_amount, entry.currency)
    return filled(
        "Transaction details",
        Fact(created, entry.created_at, "instant"),
        Fact(closed, entry.paid_at, "instant"),
        charged(charge, entry.charge_amount, entry.charge_currency),
        Fact("Order amount", order if entry.currency != entry.charge_currency else ""),
        *_given_back(entry, refunds),
        Fact("Project", entry.project.name),
        Fact("Country", entry.country, "country"),
        plain("Tax is paid by", document.get("vat_payer")),
        said("Tax is deducted", document.get("is_vat_deduction")),
        copied("Transaction ID", entry.transaction_id, "mono"),
        copied("Order ID", str(entry.uuid), "mono"),
    )


def others(entry: Transaction, document: Document) -> list[Section]:
    """The sections below the products and the accounting, in reading order."""
    found = [
        filled("User info", *_user(document)),
        filled("Payment details", *_payment(document)),
        filled("Billing address", *_address(part(document, "billing_address"))),
        filled("Refund", *_refund(document)),
        filled("Issuer", *_issuer(document)),
        filled("IDs and times at PaySuper", *_platform(entry, document)),
    ]
    return [each for each in found if each.facts]


def _words(entry: Transaction) -> tuple[str, str, str]:
    """What the creation, the payment time and the charge of such an entry are called."""
    if entry.type == RowType.REFUND:
        return "Refunded", "Payment date", "Given back"
    if entry.status in UNPAID:
        return "Order created", "Tried to pay", "Amount, not charged"
    return "Order created", "Payment date", "Charged"


def _given_back(entry: Transaction, refunds: Sequence[Transaction]) -> Iterator[Fact]:
    same = [each.charge_amount for each in refunds if each.charge_currency == entry.charge_currency]
    if same:
        back = sum(same, Decimal(0))
        yield Fact("Refunded", display(-back, entry.charge_currency))
        yield Fact("Left after refunds", display(entry.charge_amount - back, entry.charge_currency))


def _user(document: Document) -> Iterator[Fact]:
    user = part(document, "user")
    yield plain("Name", user.get("name"))
    yield copied("E-mail", user.get("email"))
    yield said("E-mail is verified", user.get("email_verified"))
    yield copied("User ID", user.get("external_id"), "mono")
    yield copied("Phone", user.get("phone"))
    yield said("Phone is verified", user.get("phone_verified"))
    yield copied("IP", user.get("ip"), "mono")
    yield plain("Country of the IP", document.get("payment_ip_country"), "country")
    yield plain("Language", user.get("locale"))
    yield from _address(part(user, "address"))
    for name, value in part(user, "metadata").items():
        yield plain(name, value)


def _payment(document: Document) -> Iterator[Fact]:
    method = part(document, "payment_method")
    card, wallet, crypto = (part(method, name) for name in ("card", "wallet", "crypto_currency"))
    expiry = " / ".join(str(card[name]) for name in ("expiry_month", "expiry_year") if card.get(name))
    yield plain("Method", method.get("title") or method.get("external_id"))
    yield plain("Type of card", card.get("brand"))
    yield plain("Card number", card.get("masked"), "mono")
    yield plain("Card expiry month/year", expiry)
    yield Fact("3-D Secure", "Yes" if card.get("secure3d") else "No" if card else "")
    yield said("Card was saved by the customer", method.get("saved"))
    yield said("Country of the IP differs from the card's", document.get("is_ip_country_mismatch_bin"))
    yield plain("Wallet brand", wallet.get("brand"))
    yield copied("Wallet", wallet.get("account"), "mono")
    yield plain("Cryptocurrency", crypto.get("brand"))
    yield copied("Crypto address", crypto.get("address"), "mono")
    yield plain("Handled by", method.get("handler"))


def _address(address: Document) -> Iterator[Fact]:
    yield plain("Country", address.get("country"), "country")
    yield plain("City", address.get("city"))
    yield plain("Postal code", address.get("postal_code"))
    yield plain("State", address.get("state"))


def _refund(document: Document) -> Iterator[Fact]:
    refund = part(document, "refund")
    yield amount("Amount", refund)
    yield plain("Reason", refund.get("reason"))
    yield plain("Refund code", refund.get("code"), "mono")
    yield copied("Receipt number", refund.get("receipt_number"), "mono")
    yield plain("Receipt", refund.get("receipt_url"), "link")


def _issuer(document: Document) -> Iterator[Fact]:
    issuer = part(document, "issuer")
    yield plain("Page", issuer.get("url"))
    yield plain("Came from", issuer.get("referrer_host"))
    yield plain("Reference", issuer.get("reference"))
    yield plain("Kind of reference", issuer.get("reference_type"))
    yield plain("Campaign source", issuer.get("utm_source"))
    yield plain("Campaign medium", issuer.get("utm_medium"))
    yield plain("Campaign", issuer.get("utm_campaign"))
    yield said("Form was embedded in the page", issuer.get("embedded"))


def _platform(entry: Transaction, document: Document) -> Iterator[Fact]:
    seller = part(document, "merchant_info")
    yield plain("Project ID", entry.project.paysuper_id, "mono")
    yield plain("Merchant ID", part(document, "project").get("merchant_id"), "mono")
    yield plain("Company", seller.get("company_name"))
    yield plain("Agreement", seller.get("agreement_number"))
    yield plain("Operating company ID", document.get("operating_company_id"), "mono")
    yield plain("User ID at PaySuper", part(document, "user").get("id"), "mono")
    yield plain("Payment system ID", part(document, "payment_method").get("payment_system_id"), "mono")
    yield plain("Subscription ID", document.get("recurring_subscription_id"), "mono")
    yield plain("Plan ID", document.get("recurring_plan_id"), "mono")
    yield plain("Language of the form", document.get("locale"))
    yield Fact("Last read from PaySuper", entry.asked_at, "instant")
