"""How values look on every page."""

import datetime as dt
from decimal import Decimal

from babel import Locale
from django import template
from django.utils import timezone
from django.utils.html import format_html

from merchant import money as currency_rules
from merchant.access import Right, may
from merchant.models import Membership

register = template.Library()
_COUNTRIES = Locale("en").territories


@register.filter
def money(amount: Decimal | None, currency: str) -> str:
    """An amount by its currency's own rules."""
    return "–" if amount is None else currency_rules.display(amount, currency)


@register.filter
def negative(amount: Decimal) -> Decimal:
    """The amount with its sign turned: money that went back."""
    return -amount


@register.filter
def country(code: object) -> str:
    """The English name of a country, or the code when it is unknown."""
    return _COUNTRIES.get(str(code), str(code)) or "–"


@register.filter
def moment(instant: dt.datetime | None) -> str:
    """Date and time in the merchant's zone, with UTC on hover; a dash for what has not been yet."""
    if not instant:
        return "–"
    local = timezone.localtime(instant)
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>',
        instant.isoformat(),
        instant.astimezone(dt.UTC).strftime("%d.%m.%Y, %H:%M:%S"),
        local.strftime("%d.%m.%Y, %H:%M:%S"),
    )


@register.filter
def allowed_to(membership: Membership | None, right: str) -> bool:
    """Whether this member has the right, for showing or hiding what leads there."""
    return membership is not None and may(membership, Right(right))
