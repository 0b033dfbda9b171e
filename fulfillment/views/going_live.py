"""The list of what has to be done before going live."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from fulfillment import going_live as points
from fulfillment.forms import BackupForm
from fulfillment.going_live.checks import GREEN
from fulfillment.models import BackupNote
from merchant import audit
from merchant.access import MemberRequest, Right, requires
from transactions.models import Connection

_NOTES = 5


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Right.SETTINGS)
def going_live(request: MemberRequest) -> HttpResponse:
    """Each point with its answer; a POST notes a backup."""
    merchant = request.membership.merchant
    note = BackupNote(merchant=merchant, noted_by=request.membership.user)
    is_sent = request.method == "POST"
    form = BackupForm(
        request.POST if is_sent else None, instance=note, initial={"taken_on": timezone.localdate()}
    )
    if is_sent and form.is_valid():
        with transaction.atomic():
            noted = form.save()
            told = {"taken_on": noted.taken_on.isoformat(), "place": noted.place}
            audit.record(merchant, request.membership.user, "backup.noted", merchant.paysuper_id, **told)
        messages.success(request, "The backup is noted.")
        return redirect("fulfillment:going_live")
    checks = points.checks(merchant)
    notes = BackupNote.objects.filter(merchant=merchant).select_related("noted_by")[:_NOTES]
    done = sum(check.state == GREEN for check in checks)
    looked = Connection.objects.filter(merchant=merchant).first()
    context = {"checks": checks, "done": done, "looked": looked, "form": form, "notes": notes}
    return render(request, "fulfillment/going_live.html", context, status=400 if is_sent else 200)
