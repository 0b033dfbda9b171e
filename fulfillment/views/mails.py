"""One mail with its body, and mailing by hand."""

import base64
from uuid import UUID

from csp.decorators import csp
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_http_methods, require_safe

from fulfillment import mailing, receipts
from fulfillment.forms import MailForm
from fulfillment.mailing.writing import LOGO
from fulfillment.models import MailRule, Message
from fulfillment.tasks import send_message
from fulfillment.views.asking import card_again, question, transaction_of
from merchant.access import MemberRequest, Right, get_or_404, may, requires
from merchant.celery import ring
from transactions import personal

# A mail has its styles at its elements. Nothing in it runs or loads, and it is nowhere at home.
_OF_A_MAIL = {
    "default-src": ["'none'"],
    "style-src": ["'unsafe-inline'"],
    "img-src": ["data:"],
    "frame-ancestors": ["'self'"],
    "sandbox": True,
}


@require_safe
@requires(Right.VIEW)
def message(request: MemberRequest, message_id: int) -> HttpResponse:
    """One mail: where it went, how that went, and what it says; keys stay masked."""
    found = _message(request, message_id)
    sees_person = may(request.membership, Right.PERSONAL)
    context = {
        "mail": found,
        "recipient": found.recipient if sees_person else personal.email(found.recipient),
        "text": receipts.masked(found.text) if sees_person else "",
        "choices": mailing.choices(found.transaction, request.membership),
    }
    return render(request, "fulfillment/message.html", context)


@never_cache
@xframe_options_sameorigin
@csp(_OF_A_MAIL)
@require_safe
@requires(Right.PERSONAL)
def message_body(request: MemberRequest, message_id: int) -> HttpResponse:
    """The HTML of a mail as its reader's program draws it; keys stay masked."""
    found = _message(request, message_id)
    logo = base64.b64encode(bytes(MailRule.of(found.project).logo)).decode()
    page = receipts.masked(found.html).replace(f"cid:{LOGO}", f"data:image/png;base64,{logo}")
    return HttpResponse(page)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Right.MAIL)
def mail(request: MemberRequest, uuid: UUID) -> HttpResponse:
    """Mail a receipt or a key by hand."""
    entry = transaction_of(request, uuid)
    choices = mailing.choices(entry, request.membership)
    form = MailForm(choices, entry, request.POST if request.method == "POST" else None, request.GET)
    if request.method != "POST" or (choices and not form.is_valid()):
        blocker = "" if choices else "There is nothing to mail for this entry."
        return question(request, "mail", {"transaction": entry, "form": form, "blocker": blocker})
    wish = form.cleaned_data if choices else dict.fromkeys(("what", "address", "key"), "")
    try:
        written = mailing.send_again(entry, request.membership, wish["what"], wish["address"], wish["key"])
    except mailing.NotSendable as trouble:
        messages.error(request, str(trouble))
    else:
        if written:
            ring(send_message, written.pk)
        messages.success(request, "The mail is on its way. The timeline says what becomes of it.")
    return card_again(request, entry)


def _message(request: MemberRequest, message_id: int) -> Message:
    found = Message.objects.select_related("merchant", "project", "transaction", "requested_by")
    return get_or_404(found, request.membership, pk=message_id)
