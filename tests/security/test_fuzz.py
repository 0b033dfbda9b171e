"""Whatever is sent to whatever address by whomever: it is answered, never with an error of ours.

FUZZ_REQUESTS says how many; `make fuzz REQUESTS=50000` asks for many and prints what was answered.
"""

import os
import re
from collections import Counter
from urllib.parse import urlsplit

import pytest
from django.core.cache import cache
from django.db import transaction
from django.http import HttpResponseBase
from django.test import Client as Browser
from django.urls import get_resolver
from hypothesis import HealthCheck, Phase, given, seed, settings as hypothesis_settings

from fulfillment.models import TestPayment
from merchant.models import User
from tests.conftest import signed_in
from tests.security.requests import Request, form_fields, requests
from tests.test_access import WHO, walk

NUMBER = int(os.environ.get("FUZZ_REQUESTS", "0"))
SHORT = 250
# Not an error: something that the page leans on is away, which tests do not run.
AWAY = {"/readyz", "/webhooks/paysuper/<slug:project_id>/", "/webhooks/paysuper/<slug:project_id>"}
PIECES = 1 if not NUMBER else max(1, NUMBER // 2500)


@pytest.fixture
def browsers(people: dict[str, User]) -> dict[str, Browser]:
    return {who: signed_in(people[who]) if who in people else Browser() for who in WHO}


@pytest.fixture
def patterns(things: dict[str, object]) -> dict[str, dict[str, str]]:
    """Every address, with the parts of it and what the owner's merchant has for them."""
    TestPayment.objects.update(return_token="t" * 22)
    return {
        pattern: {part: str(thing) for part, thing in things.items() if part in pattern}
        for pattern in set(walk(get_resolver()))
    }


@pytest.fixture
def fields(patterns: dict[str, dict[str, str]], browsers: dict[str, Browser]) -> list[str]:
    """What the forms of all pages send."""
    found = set()
    for pattern, parts in patterns.items():
        for who in ("owner", "anonymous"):
            answer = Request(who, "GET", pattern, parts).send(browsers[who])
            content = read(answer)
            if "html" in answer.get("Content-Type", ""):
                found |= form_fields(content.decode())
    assert len(found) > 50
    return sorted(found)


@pytest.mark.parametrize("piece", range(PIECES))
def test_no_request_ends_in_an_error_of_ours(
    piece: int,
    patterns: dict[str, dict[str, str]],
    browsers: dict[str, Browser],
    fields: list[str],
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    answers, known = Counter(), sorted({value for parts in patterns.values() for value in parts.values()})
    caplog.set_level("CRITICAL")

    @seed(piece)
    @hypothesis_settings(
        max_examples=NUMBER // PIECES or SHORT,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(requests(patterns, [*WHO, "owner", "owner", "owner"], fields, known))
    def ask(request: Request) -> None:
        status = answered(request, browsers[request.who])
        answers[status] += 1
        assert status < 500 or (status == 503 and request.pattern in AWAY)

    ask()
    assert sum(answers.values()) >= (NUMBER // PIECES or SHORT) * 0.9
    if NUMBER:
        with capsys.disabled():
            told = ", ".join(f"{status}: {count:,}" for status, count in sorted(answers.items()))
            print(f"\n{sum(answers.values()):,} requests; {told}", flush=True)


def read(answer: HttpResponseBase) -> bytes:
    """The whole answer; the file behind it is closed, also where only its headers were asked for."""
    content = answer.getvalue()
    for close in answer._resource_closers:
        close()
    return content


def goes_nowhere_else(location: str) -> bool:
    """Whether a browser that follows stays here."""
    target = urlsplit(location.replace("\\", "/"))
    return target.netloc in ("", "testserver") and target.scheme in ("", "http") and location[:2] != "//"


def answered(request: Request, browser: Browser) -> int:
    """The status. Everything is as it was afterwards, so that every request finds the same."""
    cookies = browser.cookies.output()
    with transaction.atomic():
        answer = request.send(browser)
        content = read(answer)
        transaction.set_rollback(True)
    if "html" in answer.get("Content-Type", ""):
        assert b"<script>alert(1)" not in content
    assert goes_nowhere_else(answer.get("Location", ""))
    if browser.cookies.output() != cookies:
        browser.cookies.load(re.sub(r"(?m)^Set-Cookie: ", "", cookies))
    cache.clear()
    return int(answer.status_code)
