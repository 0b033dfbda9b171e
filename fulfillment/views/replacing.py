"""Asking for another activation key, and what people do with replacements that are under way."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.views.decorators.http import require_http_methods, require_POST

from fulfillment import actions, replacing, rules
from fulfillment.forms import ReplaceKeyForm
from fulfillment.models import KeyReplacement, MailRule
from fulfillment.tasks import run_key_replacement
from fulfillment.views.asking import card_again, note_of, question, transaction_of
from merchant.access import MemberRequest, Right, get_or_404, requires
from merchant.celery import ring
from merchant.reauthentication import ask_password, filled_in, is_recent
from transactions.models import Transaction
from transactions.views.origin import back_to_card


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Right.REPLACE_KEYS)
def replace_key(request: MemberRequest, uuid: UUID) -> HttpResponse:
    """Confirm what cannot be undone, and ask for another key."""
    entry = transaction_of(request, uuid)
    posted = request.POST if request.method == "POST" else filled_in(request)
    blocker = rules.replace_blocker(entry, request.membership)
    form = _form(request, entry, posted)
    if request.method != "POST" or blocker or not form.is_valid():
        return _ask(request, entry, form, blocker)
    if not is_recent(request):
        return ask_password(request)
    values = form.cleaned_data
    try:
        asked = replacing.ask(entry, request.membership, values["product"], values["note"])
    except actions.Blocked as blocked:
        messages.error(request, str(blocked))
    else:
        ring(run_key_replacement, asked.pk)
        messages.success(request, "Another key is asked for. This page follows it.")
    return card_again(request, entry)


@require_POST
@requires(Right.REPLACE_KEYS)
def check_replacement(request: MemberRequest, replacement_id: int) -> HttpResponse:
    """Have a worker look now what became of a replacement."""
    replacement = _replacement_of(request, replacement_id)
    try:
        replacing.look_soon(replacement)
    except actions.Blocked as blocked:
        messages.error(request, str(blocked))
    else:
        ring(run_key_replacement, replacement.pk)
        messages.success(request, "We are asking PaySuper now. Reload the page in a moment.")
    return back_to_card(request, replacement.transaction_id)


@require_POST
@requires(Right.REPLACE_KEYS)
def close_replacement(request: MemberRequest, replacement_id: int) -> HttpResponse:
    """A person says that no key was replaced."""
    replacement = _replacement_of(request, replacement_id)
    try:
        replacing.close(replacement, request.membership, note_of(request))
    except actions.Blocked as blocked:
        messages.error(request, str(blocked))
    return back_to_card(request, replacement.transaction_id)


def _form(request: MemberRequest, entry: Transaction, posted: QueryDict) -> ReplaceKeyForm:
    return ReplaceKeyForm(replacing.choices(entry), posted or None, request.GET.get("product", ""))


def _ask(request: MemberRequest, entry: Transaction, form: ReplaceKeyForm, blocker: str) -> HttpResponse:
    if not blocker and not replacing.choices(entry):
        blocker = "This order has no activation key to replace."
    context = {"transaction": entry, "form": form, "blocker": blocker}
    return question(request, "replace_key", context | {"we_mail": MailRule.of(entry.project).we_mail})


def _replacement_of(request: MemberRequest, replacement_id: int) -> KeyReplacement:
    queryset = KeyReplacement.objects.select_related("merchant", "transaction")
    return get_or_404(queryset, request.membership, pk=replacement_id)
