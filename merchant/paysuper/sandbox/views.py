"""The order as the admin API shows it, and refunds (contract §6, §7.3)."""

from merchant.paysuper.sandbox import accounting, blocks
from merchant.paysuper.sandbox.catalogue import (
    DECLINES,
    MERCHANT_BY_ID,
    OPERATING_COMPANY_ID,
    PAYOUT_CURRENCY,
    PROJECTS,
    Project,
)
from merchant.paysuper.sandbox.gojson import number, timestamp
from merchant.paysuper.sandbox.orders import ACCOUNTED, ACKNOWLEDGED, PAID, Order, Refund

Json = dict[str, object]

_NO_MERCHANT = "0" * 24
REDIRECT = {"mode": "any", "delay": 0, "usage": "any", "button_caption": ""}


def order_view(order: Order, webhook_url: str) -> Json:
    """The view of one order: exactly the members of OrderViewPublic (contract §6)."""
    project = PROJECTS[order.project_id]
    return _state(order, project, webhook_url) | accounting.blocks(order) | _rest(order, project)


def _state(order: Order, project: Project, webhook_url: str) -> Json:
    accounted = order.private in ACCOUNTED
    return {
        "uuid": order.uuid,
        "total_payment_amount": number(order.amount),
        "currency": order.currency,
        "project": _project(project, webhook_url),
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
        "order_charge": accounting.charge(order),
        "payment_ip_country": "",
        "is_ip_country_mismatch_bin": False,
        "billing_country_changed_by_user": False,
        "vat_payer": order.vat_payer,
        "is_production": order.production,
        "merchant_info": {"company_name": merchant.name, "agreement_number": merchant.agreement},
        "recurring_subscription_id": "",
        "recurring_plan_id": "",
    }


def _project(project: Project, webhook_url: str) -> Json:
    return {
        "id": project.id,
        "merchant_id": project.merchant_id,
        "name": project.name,
        "url_success": f"{project.site}/thanks",
        "url_fail": f"{project.site}/oops",
        "url_process_payment": webhook_url,
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
