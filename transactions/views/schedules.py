"""Schedules of exports: made, looked at, run, paused and deleted by everybody who may export."""

from django.contrib import messages
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from merchant.access import MemberRequest, Right, get_or_404, requires
from merchant.celery import ring
from transactions import scheduling
from transactions.models import Export, Schedule, ScheduleMail, ScheduleRun
from transactions.scheduling import people
from transactions.scheduling.form import ScheduleForm, in_words
from transactions.tasks import make_export, send_schedule_mail
from transactions.views.common import without

_SHOWN = 50


@require_safe
@requires(Right.EXPORT)
def schedule_list(request: MemberRequest) -> HttpResponse:
    """The merchant's schedules, with what became of the last run of each."""
    last = Export.objects.filter(run__schedule=OuterRef("pk")).order_by("-run__due_at").values("pk")[:1]
    found = list(_all(request).annotate(last=Subquery(last)).prefetch_related("recipients__user"))
    exports = Export.objects.in_bulk([each.last for each in found if each.last])
    context = {"schedules": [(each, exports.get(each.last)) for each in found]}
    return render(request, "transactions/schedules/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Right.EXPORT)
def new_schedule(request: MemberRequest) -> HttpResponse:
    """The form of a new schedule, of the list whose query the address has; a POST keeps it."""
    posted = request.POST if request.method == "POST" else None
    query = without(request.GET, "cursor").urlencode()
    return _form(request, ScheduleForm(request.membership, posted, query=query))


@require_safe
@requires(Right.EXPORT)
def schedule_detail(request: MemberRequest, schedule_id: int) -> HttpResponse:
    """What a schedule does and what it has done."""
    schedule = _schedule(request, schedule_id)
    runs = ScheduleRun.objects.filter(schedule=schedule).select_related("export", "asked_by")
    allowed = set(people.colleagues(schedule.merchant).values_list("user_id", flat=True))
    recipients = [(each.user, each.user_id in allowed) for each in schedule.recipients.select_related("user")]
    context = {
        "schedule": schedule,
        "filter_in_words": in_words(request.membership, schedule.query),
        "recipients": recipients,
        "runs": runs.prefetch_related("mails__user")[:_SHOWN],
    }
    return render(request, "transactions/schedules/schedule.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Right.EXPORT)
def edit_schedule(request: MemberRequest, schedule_id: int) -> HttpResponse:
    """The form of a known schedule; a POST keeps it, in the name of whoever posts."""
    schedule = _schedule(request, schedule_id)
    posted = request.POST if request.method == "POST" else None
    return _form(request, ScheduleForm(request.membership, posted, schedule=schedule))


@require_POST
@requires(Right.EXPORT)
def run_schedule(request: MemberRequest, schedule_id: int) -> HttpResponse:
    """Have it run once more, now."""
    schedule = _schedule(request, schedule_id)
    try:
        export = scheduling.run_now(schedule, request.membership)
    except scheduling.NotAllowed as error:
        messages.error(request, str(error))
    else:
        ring(make_export, str(export.pk))
        messages.success(request, "It runs: the mails go out as soon as the file is made.")
    return redirect("transactions:schedule", schedule.pk)


@require_POST
@requires(Right.EXPORT)
def pause_schedule(request: MemberRequest, schedule_id: int) -> HttpResponse:
    """Let it rest; with "no" posted as `pause`, let it go on."""
    schedule = _schedule(request, schedule_id)
    if request.POST.get("pause") == "no":
        scheduling.resume(schedule, request.membership)
        messages.success(request, "It goes on, in your name.")
    else:
        scheduling.pause(schedule, request.membership)
        messages.success(request, "It rests until somebody lets it go on.")
    return redirect("transactions:schedule", schedule.pk)


@require_POST
@requires(Right.EXPORT)
def delete_schedule(request: MemberRequest, schedule_id: int) -> HttpResponse:
    """Delete it with its history."""
    schedule = _schedule(request, schedule_id)
    scheduling.delete(schedule, request.membership)
    messages.success(request, f"The schedule “{schedule}” is deleted. Its files stay under Exports.")
    return redirect("transactions:schedules")


@require_POST
@requires(Right.EXPORT)
def mail_again(request: MemberRequest, mail_id: int) -> HttpResponse:
    """Send a mail again that was not sent."""
    mail = get_or_404(ScheduleMail.objects.select_related("run"), request.membership, pk=mail_id)
    if scheduling.send_again(mail, request.membership):
        ring(send_schedule_mail, mail.pk)
        messages.success(request, "It is sent again.")
    else:
        messages.info(request, "This mail is sent, or on its way.")
    return redirect("transactions:schedule", mail.run.schedule_id)


def _all(request: MemberRequest) -> QuerySet[Schedule]:
    found = Schedule.objects.filter(merchant=request.membership.merchant)
    return found.select_related("merchant", "owner")


def _schedule(request: MemberRequest, schedule_id: int) -> Schedule:
    return get_or_404(_all(request), request.membership, pk=schedule_id)


def _form(request: MemberRequest, form: ScheduleForm) -> HttpResponse:
    if form.is_valid():
        try:
            kept = scheduling.save(
                request.membership, form.values, form.cleaned_data["recipients"], form.schedule
            )
        except scheduling.NotKept as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"The schedule “{kept}” is saved.")
            return redirect("transactions:schedule", kept.pk)
    context = {"form": form, "schedule": form.schedule}
    return render(request, "transactions/schedules/form.html", context)
