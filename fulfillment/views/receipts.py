"""A receipt for the customer, who has no account here: only an address that nobody guesses."""

from csp.constants import NONE, SELF
from csp.decorators import csp
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from fulfillment import receipts
from fulfillment.mailing.writing import language_of
from fulfillment.models import MailRule, ReceiptPage
from merchant import limits, walls
from transactions.models import RowType, Status, Transaction

# A customer looks some times; who guesses looks all the time. Of one network, with its logo.
_LOOKS_A_MINUTE = 60
_POLICY = {
    "default-src": [NONE],
    "style-src": [SELF],
    "img-src": [SELF],
    "base-uri": [NONE],
    "form-action": [NONE],
    "frame-ancestors": [NONE],
}
_PAID = (Status.PROCESSED, Status.REFUNDED, Status.CHARGEBACK)


@login_not_required
@never_cache
@require_safe
@csp(_POLICY)  # type: ignore[arg-type]
def receipt(request: HttpRequest, token: str) -> HttpResponse:
    """The receipt of a payment or refund, in its customer's language."""
    if _is_guessing(request):
        return _private(HttpResponse("Too many requests. Try again in a minute.", status=429))
    entry = _entry(token)
    with walls.only(entry.merchant_id):
        return _receipt(request, token, entry)


def _receipt(request: HttpRequest, token: str, entry: Transaction) -> HttpResponse:
    order = entry if entry.type == RowType.ORDER else _order_of(entry)
    language = language_of(order)
    if entry is order:
        if order.status not in _PAID:
            raise Http404("Nothing was paid.")
        page = receipts.of_payment(order, language)
    else:
        page = receipts.of_refund(order, entry, language)
    context = {"receipt": page, "token": token, "went_back": _went_back(order) if entry is order else ""}
    return _private(render(request, "fulfillment/receipts/receipt.html", context))


@login_not_required
@require_safe
def receipt_logo(request: HttpRequest, token: str) -> HttpResponse:
    """The logo on a receipt."""
    if _is_guessing(request):
        return _private(HttpResponse(status=429))
    entry = _entry(token)
    with walls.only(entry.merchant_id):
        logo = bytes(MailRule.of(entry.project).logo)
    if not logo:
        raise Http404("There is no logo.")
    return _private(HttpResponse(logo, content_type="image/png"))


def _entry(token: str) -> Transaction:
    pages = ReceiptPage.objects.filter(token=token).select_related(
        "transaction__project", "transaction__merchant", "transaction__raw_order"
    )
    with walls.lifted():  # whose it is, only who has the address knows
        page = pages.first() if "\0" not in token else None
    if page is None:
        raise Http404("There is no such receipt.")
    return page.transaction


def _order_of(refund: Transaction) -> Transaction:
    orders = Transaction.objects.select_related("project", "merchant", "raw_order")
    order = orders.filter(merchant=refund.merchant_id, pk=str(refund.parent_uuid)).first()
    if order is None:
        raise Http404("The order of this refund is not known.")
    return order


def _went_back(order: Transaction) -> str:
    if order.status == Status.PROCESSED:
        return ""
    return language_of(order).say("The money of this payment went back.")


def _is_guessing(request: HttpRequest) -> bool:
    return not limits.allows(request, "receipts", most=_LOOKS_A_MINUTE)


def _private(response: HttpResponse) -> HttpResponse:
    """Nobody but who has the address: no search engine, no cache, and no site that a link leads to."""
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "private, no-store"
    return response
