"""The order as the admin API shows it, and refunds (contract §6, §7.3)."""

import functools

from merchant.paysuper.sandbox import blocks
from merchant.paysuper.sandbox.catalogue import (
    CURRENCIES,
    DECLINES,
    MERCHANT_BY_ID,
    OPERATING_COMPANY_ID,
    PAYOUT_CURRENCY,
    PROJECTS,
    Project,
)
from merchant.paysuper.sandbox.gojson import cents, number, timestamp
from merchant.paysuper.sandbox.orders import ACCOUNTED, ACKNOWLEDGED, PAID, Order, ProjectState, Refund

Json = dict[str, object]

_NO_MERCHANT = "0" * 24
REDIRECT = {"mode": "any", "delay": 0, "usage": "any", "button_caption": ""}


def order_view(order: Order, state: ProjectState) -> Json:
    """The view of one order: exactly the members of OrderViewPublic (contract §6)."""
    project = PROJECTS[order.project_id]
    return _state(order, project, state) | _accounting(order) | _rest(order, project)


def _state(order: Order, project: Project, state: ProjectState) -> Json:
    accounted = order.private in ACCOUNTED
    return {
        "uuid": order.uuid,
        "total_payment_amount": number(order.amount),
        "currency": order.currency,
        "project": _project(order, project, state),
        "created_at": timestamp(order.created),
        "transaction": order.transaction,
        "payment_method": blocks.payment_method(order),
        "country_code": order.country,
        "merchant_id": project.merchant_id if accounted else _NO_MERCHANT,
        "locale": order.customer.locale if order.customer else "",
        "status": order.status,
        "transaction_date": timestamp(order.paid),
        "user": blocks.user(order.customer),
        "billing_address": blocks.billing_address(order),
        "type": order.row_type,
        "is_vat_deduction": False,
        "merchant_payout_currency": PAYOUT_CURRENCY if accounted else "",
    }


def _rest(order: Order, project: Project) -> Json:
    merchant = MERCHANT_BY_ID[project.merchant_id]
    parent = {"id": order.parent_id, "uuid": order.parent} if order.parent else None
    paid = order.private in (PAID, ACKNOWLEDGED) and not order.parent
    return {
        "issuer": blocks.issuer(project.site),
        "items": blocks.view_items(order),
        "parent_order": parent,
        "refund": blocks.refund_notice(order),
        "cancellation": blocks.cancellation(order, DECLINES),
        "operating_company_id": OPERATING_COMPANY_ID,
        "refund_allowed": paid and order.method == "BANKCARD",
        "order_charge": _charge(order),
        "payment_ip_country": "",
        "is_ip_country_mismatch_bin": False,
        "billing_country_changed_by_user": False,
        "vat_payer": order.vat_payer,
        "is_production": order.production,
        "merchant_info": {"company_name": merchant.name, "agreement_number": merchant.agreement},
        "recurring_subscription_id": "",
        "recurring_plan_id": "",
    }


def _project(order: Order, project: Project, state: ProjectState) -> Json:
    return {
        "id": project.id,
        "merchant_id": project.merchant_id,
        "name": project.name,
        "url_success": order.success or state.success,
        "url_fail": order.fail or state.fail,
        "url_process_payment": state.url,
        "callback_protocol": "default",
        "status": 3,
        "redirect_settings": REDIRECT,
        "first_payment_at": {"seconds": 1604308495},
        "form_default_text": None,
    }


def refund_view(refund: Refund) -> Json:
    """One refund record (contract §7.3)."""
    payer = {"country": refund.country, "zip": refund.zip, "state": refund.state}
    return {
        "id": refund.id,
        "original_order_id": refund.order,
        "external_id": refund.external_id,
        "amount": number(refund.amount),
        "creator_id": refund.creator_id,
        "reason": refund.reason,
        "currency": refund.currency,
        "status": refund.status,
        "created_at": timestamp(refund.created),
        "updated_at": timestamp(refund.updated),
        "payer_data": {name: text for name, text in payer.items() if text} or None,
        "sales_tax": refund.sales_tax,
    }


# Plausible accounting in the payout currency, in whole cents so that it adds up (contract §6.2)

BLANK: Json = {"currency": "", "amount": 0}
_SALE_BLOCKS = (
    "gross_revenue",
    "tax_fee",
    "tax_fee_currency_exchange_fee",
    "tax_fee_total",
    "method_fee_total",
    "method_fee_tariff",
    "method_fixed_fee_tariff",
    "paysuper_fixed_fee",
    "fees_total",
    "fees_total_local",
    "net_revenue",
    "payment_gross_revenue",
)
_REFUND_BLOCKS = (
    "refund_gross_revenue",
    "method_refund_fee_tariff",
    "merchant_refund_fixed_fee_tariff",
    "refund_tax_fee",
    "refund_tax_fee_currency_exchange_fee",
    "paysuper_refund_tax_fee_currency_exchange_fee",
    "refund_reverse_revenue",
    "refund_fees_total",
    "refund_fees_total_local",
    "payment_refund_gross_revenue",
    "refund_tax_fee_total",
)
_BLANKS: dict[str, object] = dict.fromkeys(_SALE_BLOCKS + _REFUND_BLOCKS, BLANK)


@functools.lru_cache(maxsize=1024)
def _payout(amount_in_cents: int) -> Json:
    """Money in the payout currency: the same object for the same amount, which most of an order's are."""
    return {"currency": PAYOUT_CURRENCY, "amount": number(amount_in_cents / 100)}


def _charge(order: Order) -> Json:
    """What the customer was charged, with two decimals whatever the currency (contract §6.2)."""
    return {"currency": order.charge_currency, "amount": cents(order.charge)}


def _accounting(order: Order) -> dict[str, object]:
    """All money blocks of the view and `report_summary`; blank until accounted."""
    if order.private not in ACCOUNTED:
        return _BLANKS | {
            "report_summary": _summary(order.status, _charge(order), BLANK, BLANK, BLANK, BLANK)
        }
    moved = order.refund.amount if order.parent and order.refund else 0
    gross = round((moved or order.charge) * CURRENCIES[order.charge_currency].usd * 100)
    tax = round(gross * order.tax_rate / (1 + order.tax_rate))
    return _of_refund(order, gross, tax) if order.parent else _of_sale(order, gross, tax)


def _of_sale(order: Order, gross: int, tax: int) -> dict[str, object]:
    method = round(gross * 0.05)
    fees = method + 30
    net = gross - tax - fees
    amounts = (gross, tax, 0, tax, method, round(gross * 0.045), 15, 30, fees, fees, net, gross)
    filled = {name: _payout(amount) for name, amount in zip(_SALE_BLOCKS, amounts, strict=True)}
    status = "processed" if order.refund else order.status
    summary = _summary(status, _charge(order), _payout(gross), _payout(tax), _payout(fees), _payout(net))
    return _BLANKS | filled | {"report_summary": summary}


def _of_refund(order: Order, gross: int, tax: int) -> dict[str, object]:
    tariff = round(gross * 0.01)
    fees = tariff + 10
    back = gross - tax + fees
    amounts = (gross, tariff, 10, tax, 0, 0, back, fees, fees, gross, tax)
    filled = {name: _payout(amount) for name, amount in zip(_REFUND_BLOCKS, amounts, strict=True)}
    part = order.refund.amount if order.refund else 0
    moved: Json = {"currency": order.charge_currency, "amount": -cents(part or order.charge)}
    summary = _summary(order.status, moved, _payout(-gross), _payout(-tax), _payout(fees), _payout(-back))
    return _BLANKS | filled | {"report_summary": summary}


def _summary(status: str, *money: Json) -> dict[str, object]:
    names = ("charge", "gross", "vat", "fees", "revenue")
    return {"status": status, **dict(zip(names, money, strict=True))}
