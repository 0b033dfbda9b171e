"""The people of a merchant: who they are, what they may do, and changing that."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from merchant import invitations, people, second_factor
from merchant.access import RIGHTS, MemberRequest, Right, get_or_404, may, requires
from merchant.celery import ring
from merchant.forms import InvitationForm, RoleForm, SecondFactorForm
from merchant.models import Invitation, Membership, Role
from merchant.reauthentication import ask_password, filled_in, is_recent
from merchant.tasks import send_mail


@require_safe
@requires(Right.TEAM)
def team(request: MemberRequest) -> HttpResponse:
    """The people of the merchant, those who left, and who is invited."""
    merchant = request.membership.merchant
    everybody = Membership.with_ended.filter(merchant=merchant).select_related("user").order_by("user__email")
    context = {
        "people": [each for each in everybody if not each.ended_at],
        "former": [each for each in everybody if each.ended_at],
        "invitations": merchant.invitations.waiting().select_related("mail").order_by("email"),
        "may_change": may(request.membership, Right.PEOPLE),
        "with_second_factor": second_factor.people_with_one(merchant),
    }
    return render(request, "merchant/team.html", context)


@require_safe
@requires(Right.VIEW)
def rights(request: MemberRequest) -> HttpResponse:
    """Who may what, from the one table that decides it."""
    table = [(right, [right in RIGHTS[role] for role in Role]) for right in Right]
    return render(request, "merchant/rights.html", {"roles": list(Role), "table": table})


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Right.PEOPLE)
def ask_for_second_factor(request: MemberRequest) -> HttpResponse:
    """Which roles sign in with a second factor."""
    merchant = request.membership.merchant
    # No box ticked is an answer, too.
    posted = request.POST if request.method == "POST" else filled_in(request) or None
    form = SecondFactorForm(posted, initial={"roles": merchant.second_factor_roles})
    if request.method == "POST" and form.is_valid():
        if not is_recent(request):
            return ask_password(request)
        try:
            second_factor.ask_for(merchant, form.cleaned_data["roles"], request.membership)
        except second_factor.WouldLockOut:
            messages.error(
                request, "You would be asked for it yourself: set up your own second factor first."
            )
            return redirect("mfa_index")
        messages.success(request, "Saved. It counts from everybody's next click on.")
        return redirect("team")
    return render(request, "merchant/second_factor.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Right.PEOPLE)
def invite(request: MemberRequest) -> HttpResponse:
    """Invite somebody into the team."""
    posted = request.POST if request.method == "POST" else filled_in(request)
    form = InvitationForm(posted or None)
    if request.method == "POST" and form.is_valid():
        if not is_recent(request):
            return ask_password(request)
        email, role = form.cleaned_data["email"], form.cleaned_data["role"]
        try:
            sent = invitations.invite(request.membership.merchant, email, role, request.membership.user)
        except invitations.NotInvited as reason:
            form.add_error("email", str(reason))
        else:
            ring(send_mail, sent.mail_id)
            messages.success(request, f"An invitation is on its way to {email}.")
            return redirect("team")
    return render(request, "merchant/invite.html", {"form": form})


@require_POST
@requires(Right.PEOPLE)
def resend(request: MemberRequest, invitation_id: int) -> HttpResponse:
    """Send an invitation again, with a new link."""

    def act(invitation: Invitation) -> str:
        invitations.resend(invitation, request.membership.user)
        invitation.refresh_from_db(fields=["mail"])
        ring(send_mail, invitation.mail_id)
        return f"A new link is on its way to {invitation.email}. The one sent before does not work any more."

    return _with_invitation(request, invitation_id, act)


@require_POST
@requires(Right.PEOPLE)
def revoke(request: MemberRequest, invitation_id: int) -> HttpResponse:
    """Take an invitation back."""

    def act(invitation: Invitation) -> str:
        invitations.revoke(invitation, request.membership.user)
        return f"The invitation of {invitation.email} is taken back: its link does not work any more."

    return _with_invitation(request, invitation_id, act)


def _with_invitation(
    request: MemberRequest, invitation_id: int, act: Callable[[Invitation], str]
) -> HttpResponse:
    invitation = get_or_404(Invitation.objects.all(), request.membership, pk=invitation_id)
    if not is_recent(request):
        return ask_password(request, back=reverse("team"))
    try:
        messages.success(request, act(invitation))
    except invitations.NotOpen:
        messages.info(request, f"The invitation of {invitation.email} does not wait any more.")
    return redirect("team")


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Right.PEOPLE)
def person(request: MemberRequest, membership_id: int) -> HttpResponse:
    """One member: change the role, or end the membership."""
    member = _member(request, membership_id)
    posted = request.POST if request.method == "POST" else filled_in(request)
    form = RoleForm(posted or None, initial={"role": member.role})
    if request.method == "POST" and form.is_valid():
        if not is_recent(request):
            return ask_password(request)
        _change_role(request, member, form.cleaned_data["role"])
        return redirect("person", membership_id)
    return render(request, "merchant/person.html", {"member": member, "form": form})


def _change_role(request: HttpRequest, member: Membership, role: str) -> None:
    try:
        changed = people.change_role(member, role, request.user)  # type: ignore[arg-type]
    except people.LastOwner as reason:
        messages.error(request, str(reason))
    else:
        says = "is now" if changed else "is already"
        messages.success(request, f"{member.user} {says} {Role(role).label}.")


@require_POST
@requires(Right.PEOPLE)
def deactivate(request: MemberRequest, membership_id: int) -> HttpResponse:
    """End somebody's membership and sessions."""
    member = _member(request, membership_id)
    if not is_recent(request):
        return ask_password(request, back=reverse("person", args=[membership_id]))
    try:
        people.deactivate(member, request.membership.user)
    except people.LastOwner as reason:
        messages.error(request, str(reason))
    else:
        messages.success(request, f"{member.user} is shut out and signed out everywhere.")
    return redirect("person", membership_id)


@require_POST
@requires(Right.PEOPLE)
def let_back_in(request: MemberRequest, membership_id: int) -> HttpResponse:
    """Let somebody in again who was shut out or left."""
    member = _member(request, membership_id)
    if not is_recent(request):
        return ask_password(request, back=reverse("person", args=[membership_id]))
    people.let_back_in(member, request.membership.user)
    messages.success(request, f"{member.user} is in the team again, as {member.get_role_display()}.")
    return redirect("person", membership_id)


def _member(request: MemberRequest, membership_id: int) -> Membership:
    everybody = Membership.with_ended.select_related("user", "merchant")
    return get_or_404(everybody, request.membership, pk=membership_id)
