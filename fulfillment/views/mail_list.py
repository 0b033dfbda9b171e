"""All mails to customers, the failing ones first-class."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from fulfillment.mail_filter import IN_TROUBLE, MailFilter
from fulfillment.models import Message
from merchant import paging
from merchant.access import MemberRequest, Right, may, requires
from transactions import personal


@dataclass(frozen=True)
class Line:
    """A mail on the page, with its address as this reader may see it."""

    mail: Message
    recipient: str


@require_safe
@requires(Right.VIEW)
def message_list(request: MemberRequest) -> HttpResponse:
    """A page of the mails that the filters find."""
    merchant, sees_person = request.membership.merchant, may(request.membership, Right.PERSONAL)
    filters = MailFilter(merchant, request.GET, sees_person=sees_person)
    found = filters.found.select_related("project", "transaction").defer("text", "html", "activation_keys")
    page = paging.page(found, request.GET.get("cursor", ""), "created_at")
    lines = [
        Line(each, each.recipient if sees_person else personal.email(each.recipient)) for each in page.rows
    ]
    context: dict[str, Any] = {
        "filter": filters,
        "page": page,
        "lines": lines,
        "failing": Message.objects.filter(merchant=merchant, state__in=IN_TROUBLE).count(),
    }
    return render(request, "fulfillment/messages.html", context)
