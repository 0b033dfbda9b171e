"""Setting a merchant up: its connection, its projects, its people. Used by the commands."""

import contextlib
import re
from argparse import ArgumentTypeError
from collections.abc import Callable
from urllib.parse import urlsplit

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from merchant import envelope, outside, projects
from merchant.models import Membership, Merchant, Project, User
from merchant.paysuper.client import GENERATIONS, PREFIX

_HEX_ID = re.compile(r"[0-9a-fA-F]{24}")
_WITHOUT_BLANKS = re.compile(r"[!-~]+")
_CURRENCY = re.compile(r"[A-Za-z]{3}")
_PREFIX = re.compile(r"(/[A-Za-z0-9_.-]+)+/?")
_LONGEST_NAME, _LONGEST_ADDRESS, _LONGEST_EMAIL, _LONGEST_PREFIX = 200, 500, 254, 100


def paysuper_id(text: str) -> str:
    """An id as PaySuper gives them: 24 hex digits, in lower case. Raises ArgumentTypeError."""
    if not _HEX_ID.fullmatch(text):
        raise ArgumentTypeError(f"{text!r} is not an id of PaySuper: 24 digits of 0-9 and a-f")
    return text.lower()


def name(text: str) -> str:
    """A name that is neither blank nor endless. Raises ArgumentTypeError."""
    if not text.strip() or len(text) > _LONGEST_NAME:
        raise ArgumentTypeError(f"a name has 1 to {_LONGEST_NAME} characters")
    return text.strip()


def web_address(text: str) -> str:
    """An http(s) address without a slash at the end. Raises ArgumentTypeError."""
    return token_address(text).rstrip("/")


def token_address(text: str) -> str:
    """An http(s) address, exactly as given. Raises ArgumentTypeError."""
    try:
        parts = urlsplit(text)
        known = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        known = False
    # Not Django's check, which refuses the names of local networks such as http://sandbox:8400.
    if not known or not _WITHOUT_BLANKS.fullmatch(text) or len(text) > _LONGEST_ADDRESS:
        raise ArgumentTypeError(f"{text!r} is not an address such as https://api.paysuper.example")
    return text


def api_prefix(text: str) -> str:
    """What stands before the paths of the API, such as /admin/api/v1. Raises ArgumentTypeError."""
    if not _PREFIX.fullmatch(text) or len(text) > _LONGEST_PREFIX:
        raise ArgumentTypeError(f"{text!r} is not a prefix such as /admin/api/v1")
    return text.rstrip("/")


def email_address(text: str) -> str:
    """An e-mail address in lower case. Raises ArgumentTypeError."""
    try:
        envelope.check_address(text)
    except ValidationError as error:
        raise ArgumentTypeError(f"{text!r} is not an e-mail address") from error
    if len(text) > _LONGEST_EMAIL:
        raise ArgumentTypeError("the e-mail address is too long")
    return text.lower()


def api_token(text: str) -> str:
    """A token as it can be sent, without the line end of its file. Raises ArgumentTypeError."""
    if not _WITHOUT_BLANKS.fullmatch(text.strip()):
        raise ArgumentTypeError("a token consists of letters, digits and signs, without blanks")
    return text.strip()


def optional(kind: Callable[[str], str]) -> Callable[[str], str]:
    """What `kind` makes of a text, and "" of the empty one."""
    return lambda text: kind(text) if text else ""


def secret(text: str) -> str:
    """A password or key, exactly as given but not empty. Raises ArgumentTypeError."""
    if not text:
        raise ArgumentTypeError("this must not be empty")
    return text


def currency(text: str) -> str:
    """A currency's three letters in upper case, or "". Raises ArgumentTypeError."""
    if text and not _CURRENCY.fullmatch(text):
        raise ArgumentTypeError(f"{text!r} is not a currency such as EUR")
    return text.upper()


def merchant(merchant_id: str) -> Merchant:
    """The connected merchant. Raises CommandError when there is none."""
    try:
        return Merchant.objects.get(paysuper_id=merchant_id)
    except Merchant.DoesNotExist:
        raise CommandError(f"No merchant {merchant_id} is connected: run connect_merchant first.") from None


def connect(
    merchant_id: str,
    *,
    name: str,
    api_url: str,
    api_token: str,
    time_zone: str,
    currency: str,
    generation: str = GENERATIONS[0],
    api_prefix: str = PREFIX,
    refresh_token: str = "",
    token_url: str = "",
    staff_token: str = "",
) -> Merchant:
    """The merchant with this connection, new or changed.

    Raises CommandError for half a renewal, and for addresses that must not be called.
    """
    if bool(refresh_token) != bool(token_url):
        raise CommandError("--refresh-token and --token-url belong together: give both or neither.")
    _must_be_outside("--api-url", api_url)
    _must_be_outside("--token-url", token_url)
    connected, _ = Merchant.objects.update_or_create(
        paysuper_id=merchant_id,
        defaults={
            "name": name,
            "api_url": api_url,
            "api_prefix": api_prefix,
            "generation": generation,
            "api_token": api_token,
            "token_expires_at": None,  # of the new token we know nothing yet
            "refresh_token": refresh_token,
            "token_url": token_url,
            "staff_token": staff_token,
            "time_zone": time_zone,
            "currency": currency,
        },
    )
    return connected


def _must_be_outside(option: str, address: str) -> None:
    """Raises CommandError for an address of PaySuper that would not be called."""
    private = settings.ALLOW_PRIVATE_PAYSUPER
    trouble, parts = outside.trouble(address, private=private, credentials=True), urlsplit(address)
    if not trouble and parts.hostname and not private:
        try:
            # A name that nobody knows yet may be known by the time it is called.
            with contextlib.suppress(OSError):
                outside.addresses(parts.hostname, parts.port or 443, private=private)
        except outside.Barred as barred:
            trouble = str(barred)
    if trouble:
        raise CommandError(
            f"{option}: {trouble} ALLOW_PRIVATE_PAYSUPER=true is for a sandbox or a PaySuper of your own."
        )


def connect_project(owner: Merchant, project_id: str, *, name: str, secret_key: str) -> Project:
    """The merchant's project with this secret, new or changed. Raises CommandError for a foreign one.

    Another secret than before leaves the old one good for a while, as on the project's page.
    """
    project = Project.objects.filter(paysuper_id=project_id).first() or Project(
        paysuper_id=project_id, merchant=owner
    )
    if project.merchant_id != owner.pk:
        raise CommandError(f"Project {project_id} belongs to another merchant.")
    project.name = name
    projects.take_secret(project, secret_key)
    project.save()
    return project


def add_member(owner: Merchant, email: str, password: str, role: str) -> Membership:
    """The person with this password and role, new or changed."""
    user = User.objects.filter(email=email).first() or User(email=email)
    user.set_password(password)
    user.save()
    # Whoever runs this vouches for the address.
    EmailAddress.objects.get_or_create(
        email=email, defaults={"user": user, "primary": True, "verified": True}
    )
    membership, _ = Membership.with_ended.update_or_create(
        user=user, merchant=owner, defaults={"role": role, "ended_at": None}
    )
    return membership
