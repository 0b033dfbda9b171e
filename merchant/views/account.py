"""One's own account: for whom one works, leaving, and joining by an invitation."""

from typing import cast

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import EmailAddress, Login
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_not_required
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from merchant import invitations, limits, people, second_factor, sessions as signed_in
from merchant.access import MemberRequest, Right, requires
from merchant.forms import JoiningForm
from merchant.middleware import SESSION_KEY
from merchant.models import Invitation, Membership, User
from merchant.reauthentication import ask_password, is_recent

# Links that somebody opens; a token cannot be guessed at this pace or any other.
_LOOKS_A_MINUTE = 30
_TOKEN_HASH = "invitation"  # noqa: S105 - the name under which a session holds it


@require_safe
def account(request: MemberRequest) -> HttpResponse:
    """What somebody can do about their own account."""
    has_one = second_factor.has_one(cast(User, request.user))
    return render(request, "merchant/account.html", {"has_second_factor": has_one})


@require_POST
def choose(request: MemberRequest) -> HttpResponse:
    """Work for another of one's merchants from now on."""
    wanted = request.POST.get("merchant", "")
    for each in request.memberships:
        if str(each.merchant_id) == wanted:
            request.session[SESSION_KEY] = each.merchant_id
            return redirect("transactions:home")
    messages.error(request, "You do not work for this merchant.")
    return redirect("account")


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Right.VIEW)
def leave(request: MemberRequest) -> HttpResponse:
    """Leave the team of the merchant one works for right now."""
    member = request.membership
    if request.method != "POST":
        return render(request, "merchant/leave.html")
    if not is_recent(request):
        return ask_password(request)
    if request.POST.get("merchant") != str(member.merchant_id):
        messages.error(request, "You have switched to another merchant in the meantime: nothing was changed.")
        return redirect("account")
    try:
        people.deactivate(member, member.user)
    except people.LastOwner as reason:
        messages.error(request, str(reason))
    else:
        request.session.pop(SESSION_KEY, None)
        messages.success(request, f"You do not work for {member.merchant} any more.")
    return redirect("account")


@never_cache
@require_safe
def sessions(request: HttpRequest) -> HttpResponse:
    """Where one is signed in."""
    places = signed_in.places(cast(User, request.user), request.session.session_key)
    return render(request, "merchant/sessions.html", {"places": places})


@require_POST
def end_session(request: HttpRequest, session_id: int) -> HttpResponse:
    """Sign out of one browser."""
    found = get_object_or_404(UserSession, user=request.user, pk=session_id)
    is_this_one = found.session_key == request.session.session_key
    found.end()
    messages.success(request, "That browser is signed out.")
    return redirect("account_login" if is_this_one else "sessions")


@require_POST
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    """Sign out everywhere else, also of browsers that no list knows."""
    user = cast(User, request.user)
    user.end_sessions()
    # This one goes on, under a new key.
    update_session_auth_hash(request, user)
    UserSession.objects.create_from_request(request)
    messages.success(request, "You are signed out everywhere but here.")
    return redirect("sessions")


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest) -> HttpResponse:
    """Where the link of an invitation's mail leads: joining, with or without an account so far."""
    if token := request.GET.get("token"):
        if not limits.allows(request, "invitation", most=_LOOKS_A_MINUTE):
            return render(request, "429.html", status=429)
        token_hash = invitations.hashed(token)
        if invitations.by_hash(token_hash):
            # Out of the address: histories must not learn the token.
            request.session[_TOKEN_HASH] = token_hash
            return redirect("invitation")
        return render(request, "merchant/invitation_over.html", status=404)
    found = invitations.by_hash(request.session.get(_TOKEN_HASH, ""))
    if not found:
        return render(request, "merchant/invitation_over.html", status=404)
    if not User.objects.filter(email=found.email).exists():
        return _join_as_new(request, found)
    if request.method == "POST" and request.user.is_authenticated and request.user.email == found.email:
        return _join_as_oneself(request, found)
    return render(request, "merchant/invitation.html", {"invitation": found})


def _join_as_new(request: HttpRequest, found: Invitation) -> HttpResponse:
    form = JoiningForm(request.POST if request.method == "POST" else None, email=found.email)
    if request.method == "POST" and not request.user.is_authenticated and form.is_valid():
        try:
            with transaction.atomic():
                user = form.save()
                # Who has the link reads the mail of this address.
                EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
                membership = invitations.accept(found, user)
        except (IntegrityError, invitations.NotOpen):
            # Somebody was faster: the page says how things are now.
            return redirect("invitation")
        _welcome(request, membership)
        login = Login(user=user, redirect_url="/", email=user.email)
        return cast(HttpResponse, perform_password_login(request, {"email": user.email}, login))
    return render(request, "merchant/invitation.html", {"invitation": found, "form": form})


def _join_as_oneself(request: HttpRequest, found: Invitation) -> HttpResponse:
    try:
        membership = invitations.accept(found, cast(User, request.user))
    except invitations.NotOpen:
        return redirect("invitation")
    _welcome(request, membership)
    return redirect("transactions:home")


def _welcome(request: HttpRequest, membership: Membership) -> None:
    request.session.pop(_TOKEN_HASH, None)
    request.session[SESSION_KEY] = membership.merchant_id
    role = membership.get_role_display()
    messages.success(request, f"Welcome: you work for {membership.merchant} now, as {role}.")
