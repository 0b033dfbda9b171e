"""How allauth behaves here."""

from typing import Any
from urllib.parse import urlsplit

import structlog
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.forms import ResetPasswordForm
from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib import messages
from django.contrib.sites.shortcuts import get_current_site
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from merchant import audit, envelope, mailing, walls
from merchant.celery import ring
from merchant.models import Membership, Merchant, User
from merchant.reauthentication import is_recent
from merchant.tasks import send_mail

log = structlog.get_logger()


class Backend(AuthenticationBackend):  # type: ignore[misc]
    """Signs people in, and gives each request its person together with their memberships.

    People sign in with the address that they are known by; one that waits for confirmation is none yet.
    """

    def _authenticate_by_email(self, email: str, password: str) -> User | None:
        known = User.objects.filter(email=email.lower()).first()
        user: User | None = self._check_password(known, password)
        return user

    def get_user(self, user_id: int) -> User | None:
        """The person with `own_memberships`, oldest first: one query, since every page needs both."""
        # Every page says how fresh it is; none needs the merchant's secrets.
        mine = (
            Membership.objects.filter(user=user_id)
            .select_related("user", "merchant__sync_state")
            .defer(*(f"merchant__{name}" for name in Merchant.SECRETS))
            .order_by("pk")
        )
        with walls.lifted():  # whose rows may be seen is what this finds out, by the person alone
            found = list(mine)
        person: User | None = found[0].user if found else super().get_user(user_id)
        if person is None or not self.user_can_authenticate(person):
            return None
        for membership in found:
            membership.user = person
        person.own_memberships = found
        return person


class ForgottenPasswordForm(ResetPasswordForm):  # type: ignore[misc]
    """A link for a new password goes to the address that somebody is known by, and to no other."""

    def clean_email(self) -> str:
        """The address; `users` has whoever signs in with it."""
        email: str = super().clean_email()
        self.users = list(User.objects.filter(email=email.lower(), is_active=True))
        return email


class ClosedAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Nobody signs up by themselves, mails are sent by workers, and sign-ins are on record."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Never: an owner invites people."""
        return False

    def clean_email(self, email: str) -> str:
        """Whatever address somebody types here is mailed to."""
        envelope.check_address(email)
        return email

    def is_reauthentication_required(self, *, app: str, **_: object) -> bool:  # noqa: ARG002
        """For one's own account as for money: when the password was given too long ago."""
        return not is_recent(self.request)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Keep a mail for a worker: a mail server that is away or slow tells nobody who has an account."""
        site = get_current_site(self.request)
        facts = {"request": self.request, "email": email, "current_site": site, **context}
        written = self.render_mail(template_prefix, email, facts)
        html = render_to_string(
            "merchant/mail/account.html", {"text": written.body, "title": written.subject}
        )
        ring(send_mail, mailing.keep(None, email, written.subject, text=written.body, html=html).pk)

    def format_email_subject(self, subject: str) -> str:
        """As the template says it."""
        return subject

    def get_reset_password_from_key_url(self, key: str) -> str:
        """At our own address, whatever host the request has named."""
        return _at_home(super().get_reset_password_from_key_url(key))

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: Any) -> str:
        """At our own address, whatever host the request has named."""
        return _at_home(super().get_email_confirmation_url(request, emailconfirmation))

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """Take another address for one's own. Who mistypes it does not hand the account to a stranger."""
        taken = User.objects.filter(email=email_address.email).exclude(pk=email_address.user_id)
        if request.user.pk != email_address.user_id or taken.exists():
            messages.error(request, "Sign in first, then open the link in the mail again.")
            return False
        return bool(super().confirm_email(request, email_address))

    def send_notification_mail(
        self,
        template_prefix: str,
        user: User,
        context: dict[str, Any] | None = None,
        email: str | None = None,
    ) -> None:
        """Tell a person what changed about their account, and note it for every merchant of theirs."""
        # Second factors are noted together with their change: see merchant.second_factor.
        if not template_prefix.startswith("mfa/"):
            record(user, template_prefix.rpartition("/")[2])
        super().send_notification_mail(template_prefix, user, context, email)

    def post_login(self, request: HttpRequest, user: User, **named: Any) -> HttpResponse:
        """Note a sign-in."""
        record(user, "signed_in")
        response: HttpResponse = super().post_login(request, user, **named)
        return response

    def authentication_failed(self, request: HttpRequest, **_: Any) -> None:
        """Log it without the address: people type passwords there."""
        log.warning("sign_in_failed", ip=self.get_client_ip(request))


def record(user: User, what: str) -> None:
    """Note that something happened to somebody's account for every merchant of theirs.

    By themselves, when a request is answered; else whoever runs a command did it, who is nobody here.
    """
    by = user if audit.answered.get() else None
    with walls.lifted():  # for whom somebody works is not known before they are signed in
        mine = list(user.memberships.select_related("merchant").order_by("merchant_id"))
    for each in mine:
        with walls.only(each.merchant_id):
            audit.record(each.merchant, by, f"account.{what}", user.pk, person=user.email)


def _at_home(address: str) -> str:
    return f"{settings.BASE_URL}{urlsplit(address).path}"
