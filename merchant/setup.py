"""Setting a merchant up: its connection, its projects, its people. Used by the commands."""

import re
from argparse import ArgumentTypeError

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.core.validators import URLValidator, validate_email

from merchant.models import Membership, Merchant, Project, User

_HEX_ID = re.compile(r"[0-9a-fA-F]{24}")


def paysuper_id(text: str) -> str:
    """An id as PaySuper gives them: 24 hex digits, in lower case. Raises ArgumentTypeError."""
    if not _HEX_ID.fullmatch(text):
        raise ArgumentTypeError(f"{text!r} is not an id of PaySuper: 24 digits of 0-9 and a-f")
    return text.lower()


def web_address(text: str) -> str:
    """An http(s) address without a slash at the end. Raises ArgumentTypeError."""
    try:
        URLValidator(schemes=["http", "https"])(text)
    except ValidationError as error:
        raise ArgumentTypeError(f"{text!r} is not an address such as https://api.paysuper.example") from error
    return text.rstrip("/")


def email_address(text: str) -> str:
    """An e-mail address in lower case. Raises ArgumentTypeError."""
    try:
        validate_email(text)
    except ValidationError as error:
        raise ArgumentTypeError(f"{text!r} is not an e-mail address") from error
    return text.lower()


def merchant(merchant_id: str) -> Merchant:
    """The connected merchant. Raises CommandError when there is none."""
    try:
        return Merchant.objects.get(paysuper_id=merchant_id)
    except Merchant.DoesNotExist:
        raise CommandError(f"No merchant {merchant_id} is connected: run connect_merchant first.") from None


def connect(
    merchant_id: str, *, name: str, api_url: str, api_token: str, time_zone: str, currency: str
) -> Merchant:
    """The merchant with this connection, new or changed."""
    connected, _ = Merchant.objects.update_or_create(
        paysuper_id=merchant_id,
        defaults={
            "name": name,
            "api_url": api_url,
            "api_token": api_token,
            "time_zone": time_zone,
            "currency": currency,
        },
    )
    return connected


def connect_project(owner: Merchant, project_id: str, *, name: str, secret_key: str) -> Project:
    """The merchant's project with this secret, new or changed. Raises CommandError for a foreign one."""
    project = Project.objects.filter(paysuper_id=project_id).first() or Project(
        paysuper_id=project_id, merchant=owner
    )
    if project.merchant_id != owner.pk:
        raise CommandError(f"Project {project_id} belongs to another merchant.")
    project.name, project.secret_key = name, secret_key
    project.save()
    return project


def add_member(owner: Merchant, email: str, password: str, role: str) -> Membership:
    """The person with this password and role, new or changed."""
    user = User.objects.filter(email=email).first() or User(email=email)
    user.set_password(password)
    user.save()
    membership, _ = Membership.objects.update_or_create(user=user, merchant=owner, defaults={"role": role})
    return membership
