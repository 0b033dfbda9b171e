"""Headers, cookies and settings: what is unsafe does not start."""

import os
import re
import subprocess
import sys

import pytest
from django.conf import settings
from django.test import Client as Browser

from merchant import safety
from tests.conftest import Person

SAFE = {
    "debug": False,
    "secret_key": "kT3-9vQx7LmPz2WcR8nYb5JhD4sFg6Ae1UoKi0_VtXwq",
    "encryption_keys": ["MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="],
    "base_url": "https://pay.example.com",
    "hosts": ["pay.example.com"],
}


def test_safe_settings_are_no_trouble() -> None:
    assert safety.troubles(**SAFE) == []
    assert safety.troubles(**SAFE | {"hosts": [".example.com"]}) == []
    assert safety.troubles(**SAFE | {"debug": True, "secret_key": "short", "encryption_keys": ["none"]}) == []
    for own in ("http://127.0.0.1:8000", "http://localhost", "http://[::1]:8000"):
        assert safety.troubles(**SAFE | {"base_url": own}) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"secret_key": "short"}, "SECRET_KEY"),
        ({"encryption_keys": ["no-key"]}, "ENCRYPTION_KEYS"),
        ({"encryption_keys": [*SAFE["encryption_keys"], "x"]}, "ENCRYPTION_KEYS"),
        ({"hosts": ["*"]}, "ALLOWED_HOSTS"),
        ({"hosts": ["other.example.com"]}, "lacks pay.example.com"),
        ({"base_url": "http://pay.example.com"}, "BASE_URL"),
        ({"base_url": "http://10.0.0.5"}, "BASE_URL"),
    ],
)
def test_unsafe_settings_are_named(change: dict[str, object], said: str) -> None:
    assert said in " ".join(safety.troubles(**SAFE | change))


def started(**changes: str) -> "subprocess.CompletedProcess[str]":
    environment = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "SECRET_KEY": str(SAFE["secret_key"]) + "-and-some-more",
        "ENCRYPTION_KEYS": SAFE["encryption_keys"][0],
        "BASE_URL": "https://pay.example.com",
        "ALLOWED_HOSTS": "pay.example.com",
        "TRUSTED_PROXIES": "1",
    }
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    return subprocess.run(
        command, cwd=settings.BASE_DIR, env=environment | changes, capture_output=True, text=True, check=False
    )


def test_the_check_before_deployment_has_nothing_to_say() -> None:
    checked = started()
    assert (checked.returncode, "no issues" in checked.stdout) == (0, True), checked.stderr


def test_the_check_before_deployment_warns_of_open_doors() -> None:
    checked = started(ALLOW_PRIVATE_SERVERS="true")
    assert checked.returncode != 0
    assert "merchant.W001" in checked.stderr


def test_there_is_no_admin_beside_our_own_pages() -> None:
    assert "django.contrib.admin" not in settings.INSTALLED_APPS


def test_every_promise_names_tests_that_are_there() -> None:
    page = (settings.BASE_DIR / "SECURITY.md").read_text()
    promises = page[page.index("## What is promised") : page.index("## The audit")]
    rows = [line for line in promises.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 20
    for row in rows:
        folder = ""
        named = re.findall(r"`([\w/]+\.py)`", row)
        assert named, row
        for name in named:
            folder = name.rpartition("/")[0] or folder
            assert (settings.BASE_DIR / folder / name.rpartition("/")[2]).is_file(), name


def test_an_unsafe_installation_does_not_start() -> None:
    refused = started(ALLOWED_HOSTS="*", SECRET_KEY="short")
    assert refused.returncode != 0
    assert "ALLOWED_HOSTS: name the hosts" in refused.stderr
    assert "SECRET_KEY: take a random text" in refused.stderr


def test_every_answer_carries_its_policies(ann: Person) -> None:
    for address in ("/transactions/", "/accounts/login/", "/no-such-page", "/healthz"):
        answer = ann.browser.get(address)
        assert answer["X-Frame-Options"] == "DENY"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
        assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "camera=()" in answer["Permissions-Policy"]
        policy = answer["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy


def test_browsers_are_told_to_stay_with_https(db: None, settings) -> None:
    settings.SECURE_HSTS_SECONDS = 365 * 24 * 3600
    assert Browser().get("/accounts/login/", secure=True)["Strict-Transport-Security"] == "max-age=31536000"


def test_another_host_is_not_answered(db: None) -> None:
    assert Browser().get("/accounts/login/", headers={"Host": "evil.example"}).status_code == 400


@pytest.mark.parametrize(
    "onwards", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example"]
)
def test_signing_in_leads_to_no_other_site(ann: Person, onwards: str) -> None:
    answer = ann.browser.get("/accounts/login/", {"next": onwards})
    assert "evil" not in answer.headers.get("Location", "")
    assert "alert" not in answer.headers.get("Location", "")


def test_too_much_is_not_taken(ann: Person) -> None:
    many = {f"field-{number}": "" for number in range(settings.DATA_UPLOAD_MAX_NUMBER_FIELDS + 1)}
    assert ann.browser.post("/transactions/display/", many).status_code == 400
    large = "x" * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
    form = "application/x-www-form-urlencoded"
    assert ann.browser.post("/transactions/display/", f"a={large}", content_type=form).status_code == 400
