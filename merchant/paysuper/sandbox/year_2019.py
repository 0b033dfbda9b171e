"""How the generation of December 2019 shows orders; the rest of this package is 2021 (contract §18)."""

from typing import cast

from merchant.paysuper.sandbox.orders import PAID_STATUSES, Order

Json = dict[str, object]

_NOT_IN_VIEWS = frozenset(
    {
        "merchant_info",
        "payment_gross_revenue",
        "payment_refund_gross_revenue",
        "refund_tax_fee_total",
        "report_summary",
        "recurring_subscription_id",
        "recurring_plan_id",
    }
)
_NOT_IN_NOTICES = frozenset(
    {
        "charge_amount",
        "charge_currency",
        "form_mode",
        "is_production",
        "merchant_info",
        "recurring",
        "recurring_id",
        "recurring_plan_id",
        "recurring_subscription_id",
        "testing_case",
        "vat_payer",
    }
)
_NOT_IN_METHODS = frozenset({"handler", "recurring_allowed", "type"})
_NOT_IN_USERS = frozenset({"id"})
_BLANK = {"currency": "", "amount": 0}


def is_visible(order: Order) -> bool:
    """Only orders with accounting entries are listed and found (contract §5.6)."""
    return order.status in PAID_STATUSES


def view(shown: Json, secret: str) -> Json:
    """The view of 2021 as it was in 2019: fewer members, null for absent money, a leaking secret."""
    old = {name: None if value == _BLANK else value for name, value in _without(shown, _NOT_IN_VIEWS)}
    project = cast("Json", shown["project"])
    return old | {
        "project": project | {"secret_key": secret},
        "payment_method": _thinned(shown["payment_method"], _NOT_IN_METHODS),
        "user": _thinned(shown["user"], _NOT_IN_USERS),
    }


def notice(shown: Json) -> Json:
    """The webhook object of 2021 as it was in 2019 (contract §17)."""
    return dict(_without(shown, _NOT_IN_NOTICES)) | {
        "method": _thinned(shown["method"], _NOT_IN_METHODS),
        "user": _thinned(shown["user"], _NOT_IN_USERS),
    }


def _without(block: Json, names: frozenset[str]) -> list[tuple[str, object]]:
    return [(name, value) for name, value in block.items() if name not in names]


def _thinned(block: object, names: frozenset[str]) -> object:
    return dict(_without(block, names)) if isinstance(block, dict) else None
