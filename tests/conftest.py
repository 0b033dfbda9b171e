"""What every test can ask for: people, merchants, and a PaySuper that speaks HTTP.

Ann owns Lantern Works, Ben is its support, Vera only looks, Cleo owns another merchant.
"""

import datetime as dt
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.test import Client as Browser
from django.utils import timezone

from merchant import setup
from merchant.models import Membership, Merchant, Project, RefundRules, User
from merchant.paysuper.sandbox import Sandbox
from tests import log_leaks
from tests.log_leaks import pytest_sessionfinish, pytest_terminal_summary, pytest_testnodedown  # noqa: F401
from transactions import sync

PASSWORD = "correct-horse-battery"
LANTERN = "5f8a1c0e9b3d4e0001a7c201"
COPPER = "5f8a1c0e9b3d4e0001a7c900"
HARBOUR, HARBOUR_SECRET = "5f8a1d2b9b3d4e0001a7c2f0", "sandbox-harbour-webhook-secret"
SNOW, SNOW_SECRET = "5f8a1d2b9b3d4e0001a7c2f1", "sandbox-snow-webhook-secret"
KETTLE, KETTLE_SECRET = "5f8a1d2b9b3d4e0001a7c9f0", "sandbox-kettle-webhook-secret"


def pytest_configure(config: pytest.Config) -> None:
    """Each parallel test process gets a Redis database of its own: emptying it disturbs nobody."""
    log_leaks.listen(config)
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    address = urlsplit(settings.REDIS_URL)._replace(path=f"/{number}").geturl()
    settings.REDIS_URL = settings.CELERY_BROKER_URL = settings.CACHES["default"]["LOCATION"] = address
    # Slow on purpose in the product; tests make a lot of people.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # Served from where they lie: tests need no collected files.
    # The threads of a test's web server end with their connections.
    settings.DATABASES["default"]["CONN_MAX_AGE"] = 0
    settings.STATIC_ROOT = settings.BASE_DIR / "static"
    settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}


@dataclass(frozen=True)
class Person:
    """Somebody with a membership and a signed-in browser without JavaScript."""

    membership: Membership
    browser: Browser


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The tests' database. A session that a test has left open is ended and named before it is dropped."""
    if not connection.settings_dict["NAME"].startswith("test_"):
        # Nothing makes one for tests whose rows belong to their module: they would fill the developer's own.
        raise RuntimeError("None of these tests asks for the tests' database: run their whole file.")
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid), state, query FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        for _, state, query in cursor.fetchall():
            print(f"A session was left open, {state} after: {query}", file=sys.stderr)


@pytest.fixture(autouse=True)
def empty_cache() -> Iterator[None]:
    """No test sees what another one left in the cache."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture(scope="session")
def quiet_paysuper() -> Iterator[Sandbox]:
    """A PaySuper with 200 orders that nobody changes: for tests that only read."""
    with Sandbox(orders=200, seed=5, refund_delay=0.05, webhook_url="") as sandbox:
        yield sandbox


@pytest.fixture
def paysuper() -> Iterator[Sandbox]:
    """A PaySuper of the test's own, to change and to break."""
    with Sandbox(orders=60, seed=5, refund_delay=0.05, webhook_url="") as sandbox:
        yield sandbox


def connect(paysuper_id: str, name: str, api_url: str, token: str) -> Merchant:
    """A merchant connected before its first order to this PaySuper, whose refunds leave at once."""
    merchant = setup.connect(
        paysuper_id, name=name, api_url=api_url, api_token=token, time_zone="Europe/Berlin", currency="EUR"
    )
    merchant.created_at = timezone.now() - dt.timedelta(days=365)
    merchant.save(update_fields=["created_at"])
    RefundRules.objects.update_or_create(
        merchant=merchant, defaults={"undo_seconds": 0, "limit_currency": "EUR"}
    )
    return merchant


@pytest.fixture
def lantern(db: None, paysuper: Sandbox) -> Merchant:
    """Lantern Works, connected to the test's own PaySuper, its mirror still empty."""
    merchant = connect(LANTERN, "Lantern Works GmbH", paysuper.url, "sandbox-lantern-owner-token")
    setup.connect_project(merchant, HARBOUR, name="Lantern Harbour", secret_key=HARBOUR_SECRET)
    setup.connect_project(merchant, SNOW, name="Snow Defender", secret_key=SNOW_SECRET)
    return merchant


@pytest.fixture
def mirrored(lantern: Merchant) -> Merchant:
    """Lantern Works with its mirror filled."""
    sync.sync(lantern, full=True)
    return lantern


@pytest.fixture
def copper(db: None, paysuper: Sandbox) -> Merchant:
    """Another merchant at the same PaySuper, its mirror filled."""
    merchant = connect(COPPER, "Copper Kettle Ltd", paysuper.url, "sandbox-copper-owner-token")
    setup.connect_project(merchant, KETTLE, name="Kettle Quest", secret_key=KETTLE_SECRET)
    sync.sync(merchant, full=True)
    return merchant


@pytest.fixture
def harbour(lantern: Merchant) -> Project:
    """The project whose webhooks tests send."""
    return Project.objects.get(paysuper_id=HARBOUR)


def signed_in(user: User, *, minutes_ago: float = 0) -> Browser:
    """A browser in which this person gave the password that long ago."""
    browser = Browser()
    browser.force_login(user)
    session = browser.session
    at = time.time() - 60 * minutes_ago
    session["account_authentication_methods"] = [{"method": "password", "at": at}]
    session["account_authentication_methods_user"] = str(user.pk)
    # As after its first click.
    session["began_at"] = session["seen_at"] = int(time.time())
    session.save()
    return browser


def person(merchant: Merchant, name: str, role: str) -> Person:
    """Somebody of this merchant, signed in."""
    membership = setup.add_member(merchant, f"{name}@example.com", PASSWORD, role)
    return Person(membership, signed_in(membership.user))


@pytest.fixture
def ann(lantern: Merchant) -> Person:
    """The owner of Lantern Works."""
    return person(lantern, "ann", "owner")


@pytest.fixture
def ben(lantern: Merchant) -> Person:
    """Support of Lantern Works."""
    return person(lantern, "ben", "support")


@pytest.fixture
def vera(lantern: Merchant) -> Person:
    """Lantern Works' viewer."""
    return person(lantern, "vera", "view_only")


@pytest.fixture
def cleo(copper: Merchant) -> Person:
    """The owner of the other merchant."""
    return person(copper, "cleo", "owner")
