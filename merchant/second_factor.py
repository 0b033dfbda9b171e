"""The second factor: an authenticator app or a passkey, with recovery codes; who must have one."""

from collections.abc import Callable, Collection

from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY, TOTP
from allauth.mfa.utils import is_mfa_enabled
from cryptography.fernet import InvalidToken
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from merchant import audit, mailing
from merchant.accounts import record
from merchant.encryption import decrypt, encrypt
from merchant.models import Mail, Membership, Merchant, Role, User

FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
_ADDED = {
    Authenticator.Type.TOTP: "totp_activated",
    Authenticator.Type.WEBAUTHN: "webauthn_added",
    Authenticator.Type.RECOVERY_CODES: "recovery_codes_generated",
}
_REMOVED = {
    Authenticator.Type.TOTP: "totp_deactivated",
    Authenticator.Type.WEBAUTHN: "webauthn_removed",
    Authenticator.Type.RECOVERY_CODES: "recovery_codes_removed",
}
_RESET_SUBJECT = "Your second factor was reset"
# What somebody without the second factor that their team asks for still reaches: the way to get one.
_OPEN = ("/accounts/", "/account/", "/invitation/")


class WouldLockOut(Exception):
    """Whoever asks others for a second factor has one."""


class Adapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Secrets of authenticator apps and seeds of recovery codes are stored encrypted."""

    def encrypt(self, text: str) -> str:
        """Under the newest key."""
        return encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        """Under any of the keys."""
        return decrypt(encrypted_text)

    def build_totp_svg(self, url: str) -> str:
        """The code as part of a page: an image of its own would be one that the page's policy refuses."""
        svg: str = super().build_totp_svg(url)
        return svg[svg.index("<svg") :]

    def generate_authenticator_name(self, user: User, type: str) -> str:  # noqa: A002 - allauth's name
        """What a new passkey is called until somebody gives it a better name."""
        number = Authenticator.objects.filter(user=user, type=type).count() + 1
        return f"Passkey {number}"


class AuthenticatorAppForm(ActivateTOTPForm):  # type: ignore[misc]
    """Setting an authenticator app up: the secret is encrypted while it waits in the session, too."""

    def __init__(self, *args: object, **named: object) -> None:
        session = context.request.session
        try:
            session[SECRET_SESSION_KEY] = decrypt(session.get(SECRET_SESSION_KEY, ""))
        except InvalidToken:
            session[SECRET_SESSION_KEY] = ""
        super().__init__(*args, **named)
        session[SECRET_SESSION_KEY] = encrypt(self.secret)

    def clean_code(self) -> str:
        """A code that has set the app up does not sign in as well."""
        code: str = super().clean_code()
        TOTP(Authenticator(user=self.user))._mark_code_used(code)  # noqa: SLF001 - allauth forgets it here
        return code


def has_one(user: User) -> bool:
    """Whether this person is asked for a second factor when they sign in."""
    return bool(is_mfa_enabled(user, FACTORS))


def people_with_one(merchant: Merchant) -> set[int]:
    """The ids of the merchant's people who have a second factor."""
    found = Authenticator.objects.filter(user__memberships__merchant=merchant, type__in=FACTORS)
    return set(found.values_list("user_id", flat=True))


def is_missing(membership: Membership) -> bool:
    """Whether the merchant asks this member for a second factor that they do not have."""
    return membership.role in membership.merchant.second_factor_roles and not has_one(membership.user)


def ask_for(merchant: Merchant, roles: Collection[str], by: Membership) -> bool:
    """Ask these roles for a second factor, from their next click on; False if nothing changes.

    Raises WouldLockOut when whoever asks is one of them and has none.
    """
    wanted = [role.value for role in Role if role in roles]
    if by.role in wanted and not has_one(by.user):
        raise WouldLockOut
    with transaction.atomic():
        locked = (
            Merchant.objects.select_for_update(no_key=True).only("second_factor_roles").get(pk=merchant.pk)
        )
        before = locked.second_factor_roles
        if before == wanted:
            return False
        locked.second_factor_roles = wanted
        locked.save(update_fields=["second_factor_roles"])
        said = {"before": ", ".join(before), "after": ", ".join(wanted)}
        audit.record(merchant, by.user, "second_factor.roles_changed", merchant.pk, **said)
    return True


def asked_for(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Leads whoever misses the second factor that their team asks for to the page where they set it up."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        member: Membership | None = request.membership  # type: ignore[attr-defined]
        missing = member is not None and is_missing(member)
        request.second_factor_missing = missing  # type: ignore[attr-defined]
        if missing and not request.path.startswith(_OPEN):
            address = reverse("mfa_index")
            is_part = request.headers.get("HX-Request")
            return HttpResponseClientRedirect(address) if is_part else redirect(address)
        return get_response(request)

    return middleware


def note_changes() -> None:
    """Have every change of second factors noted in the transaction of the change.

    By Django's own signals: allauth tells of some changes only after they have been committed, and of none
    that a command makes. Its pages are one transaction each (merchant.urls).
    """
    post_save.connect(_added, sender=Authenticator)
    post_delete.connect(_removed, sender=Authenticator)


def _added(instance: Authenticator, *, created: bool, **_: object) -> None:
    if created:
        record(instance.user, _ADDED[instance.type])


def _removed(instance: Authenticator, **_: object) -> None:
    record(instance.user, _REMOVED[instance.type])


def reset(user: User) -> Mail | None:
    """Take the second factors and recovery codes from somebody who lost them, and sign them out everywhere.

    They sign in with their password, and set a new one up where their team asks for it. Gives the mail that
    tells them, for which the caller rings; None when they have none, and nothing is changed.
    """
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        mine = Authenticator.objects.filter(user=user)
        if not mine.exists():
            return None
        mine.delete()
        record(user, "second_factor_reset")
        user.end_sessions()
        words = {"title": _RESET_SUBJECT, "text": render_to_string("merchant/mail/second_factor_reset.txt")}
        html = render_to_string("merchant/mail/account.html", words)
        return mailing.keep(None, user.email, _RESET_SUBJECT, text=words["text"], html=html)
