"""What `make run` does before the web server starts: a process of its own, since it loads all of Django."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command

from merchant.embedded import PROJECT
from merchant.embedded.environment import DATA, OWNER
from merchant.paysuper.sandbox import catalogue

TEAM = {
    "support@lantern.example": "support",
    "accounting@lantern.example": "accounting",
    "developer@lantern.example": "developer",
    "viewer@lantern.example": "view_only",
}


def fill() -> None:
    """Bring tables and static files up to date and connect the demo merchant; skip what is done already."""
    _migrate()
    _collect()
    _connect()


def _migrate() -> None:
    try:
        call_command("migrate", check_unapplied=True)
    except SystemExit:
        call_command("migrate", interactive=False)


def _collect() -> None:
    """Collect the static files when one of them or the list of packages has changed."""
    files = [*sorted((PROJECT / "static").rglob("*")), PROJECT / "requirements.txt"]
    state = _digest(f"{file} {file.stat().st_size} {file.stat().st_mtime_ns}" for file in files)
    stamp = DATA / "collected"
    if _says(stamp, state) and settings.STATIC_ROOT.exists():
        return
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.write_text(state)


def _connect() -> None:
    """Connect the sandbox's first merchant, its projects and a colleague of each role; fetch the payments."""
    from merchant.models import Merchant

    merchant = catalogue.MERCHANTS[0]
    state = _digest(os.environ[name] for name in ("PAYSUPER_API_URL", "ENCRYPTION_KEYS", "OWNER_PASSWORD"))
    stamp = DATA / "connected"
    if _says(stamp, state) and Merchant.objects.filter(paysuper_id=merchant.id).exists():
        return
    _connect_merchant(merchant)
    call_command("sync_transactions", merchant_id=merchant.id, full=True)
    stamp.write_text(state)


def _connect_merchant(merchant: catalogue.Merchant) -> None:
    owner = next(
        token
        for token, user in catalogue.TOKENS.items()
        if user.merchant_id == merchant.id and user.role == catalogue.OWNER
    )
    password = os.environ["OWNER_PASSWORD"]
    call_command(
        "connect_merchant",
        merchant_id=merchant.id,
        name=merchant.name,
        api_url=os.environ["PAYSUPER_API_URL"],
        api_token=owner,
        owner_email=OWNER,
        owner_password=password,
        time_zone="Europe/Berlin",
    )
    for project in merchant.projects:
        call_command(
            "connect_project",
            merchant_id=merchant.id,
            project_id=project.id,
            name=project.name["en"],
            secret_key=project.secret,
        )
    first = merchant.projects[0]
    support = f"help@{OWNER.partition('@')[2]}"
    call_command(
        "connect_mails", merchant_id=merchant.id, project_id=first.id, who="we", support_email=support
    )
    for email, role in TEAM.items():
        call_command("add_member", merchant_id=merchant.id, email=email, password=password, role=role)


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _says(stamp: Path, state: str) -> bool:
    return stamp.exists() and stamp.read_text() == state


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "merchant.settings")
    django.setup()
    fill()
