"""How values look on every page."""

import datetime as dt
import math
import re
from decimal import Decimal

from django import template
from django.conf import settings
from django.utils import timezone
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from merchant import access, countries, money as currency_rules
from merchant.access import Right, may
from merchant.markup import address, filled, icon
from merchant.models import Membership

register = template.Library()
_ELSEWHERE = '<a href="{}">{}</a>'
_CURRENT = '<a href="{0}" aria-current="{2}">{1}</a>'


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
    return countries.names().get(str(code), str(code)) or "–"


@register.filter
def moment(instant: dt.datetime | None) -> str:
    """Date and time in the merchant's zone, with UTC on hover; a dash for what has not been yet."""
    if not instant:
        return "–"
    here, utc = timezone.localtime(instant), instant.astimezone(dt.UTC)
    html = f'<time datetime="{utc.isoformat()}" title="{_numbers(utc)} UTC">{_numbers(here)}</time>'
    return mark_safe(html)  # noqa: S308 - digits and signs alone


@register.filter
def linked(text: str) -> SafeString:
    """The text with links to addresses of ours, and to no others: strangers have words in it too."""
    ours = re.escape(escape(settings.BASE_URL)) + r"/[^\s<]*"
    return mark_safe(re.sub(ours, r'<a href="\g<0>">\g<0></a>', escape(text)))  # noqa: S308 - escaped


def _numbers(instant: dt.datetime) -> str:
    # Thrice as fast as strftime, and there are a hundred a page.
    return (
        f"{instant.day:02}.{instant.month:02}.{instant.year:04}, "
        f"{instant.hour:02}:{instant.minute:02}:{instant.second:02}"
    )


@register.simple_tag(name="icon")
def icon_tag(name: str) -> SafeString:
    """The icon of this name."""
    return icon(name)


@register.simple_tag(name="address")
def address_tag(name: str) -> str:
    """The address of a page without parameters; `url` looks it up anew each time."""
    return address(name)


@register.simple_tag(takes_context=True)
def nav_link(context: template.Context, view: str, label: str) -> SafeString:
    """A link of the main navigation, which says whether the page, or one below it, is the current one."""
    here, there = context["request"].path, address(view)
    below = there != "/" and here.startswith(there)
    current = "page" if here == there else "true" if below else ""
    return filled(_CURRENT if current else _ELSEWHERE, there, label, current)


@register.filter
def seconds(length: float | None) -> str:
    """How long, in the unit that fits; a dash for what is not known."""
    if length is None or length == math.inf:
        return "–"
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if length >= 2 * size:
            return f"{length / size:.0f} {unit}"
    return f"{length:.0f} s" if length >= 1 or not length else f"{length * 1000:.0f} ms"


@register.filter
def allowed_to(membership: Membership | None, right: str) -> bool:
    """Whether this member has the right, for showing or hiding what leads there."""
    return membership is not None and may(membership, Right(right))


@register.filter
def reaches(membership: Membership | None, link: str) -> bool:
    """Whether this member may open the page that a link leads to."""
    return membership is not None and access.reaches(membership, link)
