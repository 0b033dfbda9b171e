"""Whatever is sent to whatever address by whomever: it is answered, never with an error of ours.

Nobody is shown anything of another merchant's by it, or changes it. FUZZ_REQUESTS says how many;
`make fuzz REQUESTS=50000` asks for many, in several processes, and says what was answered.
"""

import logging
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client as Browser
from hypothesis import HealthCheck, Phase, given, seed, settings as hypothesis_settings

from merchant.models import Merchant
from tests.security import rows
from tests.security.places import OURS, THEIRS, read
from tests.security.requests import Place, Request, requests
from tests.test_access import WHO

NUMBER = int(os.environ.get("FUZZ_REQUESTS", "0"))
SHORT, PIECE = 250, 1250
PIECES = 1 if not NUMBER else max(1, NUMBER // PIECE)
# Not an error: something that the page leans on is away, which tests do not run.
AWAY = {"/readyz", "/webhooks/paysuper/<slug:project_id>/", "/webhooks/paysuper/<slug:project_id>"}
# Open to whoever has the address.
OPEN = ("/receipts/", "/thanks/", "/sorry/")


@pytest.fixture
def errors() -> Iterator[list[str]]:
    """What is logged as an error of ours."""
    found: list[str] = []
    listener, root = logging.Handler(logging.ERROR), logging.getLogger()
    listener.emit = lambda record: found.append(record.getMessage())
    before = root.level
    root.addHandler(listener)
    root.setLevel(logging.ERROR)
    yield found
    root.removeHandler(listener)
    root.setLevel(before)


@pytest.fixture
def unharmed(neighbours: Merchant) -> Callable[[Request], None]:
    """Fails when a request has changed what is not of the merchant of whoever sent it."""
    before = rows.held_by(neighbours)

    def look(request: Request) -> None:
        assert rows.strays() == {}
        if request.who != "stranger":
            assert rows.held_by(neighbours) == before

    return look


@pytest.mark.parametrize("piece", range(PIECES))
def test_no_request_ends_in_an_error_of_ours_or_in_rows_of_others(
    piece: int,
    places: list[Place],
    neighbours: Merchant,
    browsers: dict[str, Browser],
    errors: list[str],
    unharmed: Callable[[Request], None],
    record_property: Callable[[str, object], None],
) -> None:
    answers: Counter[str] = Counter()
    known = sorted({*rows.ids_of(neighbours), *(each for place in places for each in place.parts.values())})

    @seed(piece)
    @hypothesis_settings(
        max_examples=NUMBER // PIECES or SHORT,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(requests(places, [*WHO, "owner", "owner", "owner"], known))
    def ask(request: Request) -> None:
        errors.clear()
        status = answered(request, browsers[request.who], unharmed)
        answers[f"{request.method} {status}"] += 1
        is_away = status == 503 and request.pattern in AWAY
        assert is_away or (status < 500 and errors == [])

    ask()
    assert sum(answers.values()) >= (NUMBER // PIECES or SHORT) * 0.9
    record_property("fuzz", dict(answers))


def goes_nowhere_else(location: str) -> bool:
    """Whether a browser that follows stays here."""
    target = urlsplit(location.replace("\\", "/"))
    return target.netloc in ("", "testserver") and target.scheme in ("", "http") and location[:2] != "//"


def foreign_mark(request: Request) -> str:
    """What would stand in an answer only if somebody were shown the orders of others."""
    if request.who == "stranger":
        return "" if request.pattern.startswith(OPEN) else OURS
    return THEIRS


def answered(request: Request, browser: Browser, unharmed: Callable[[Request], None]) -> int:
    """The status. Everything is as it was afterwards, so that every request finds the same."""
    cookies = browser.cookies.output()
    with transaction.atomic():
        answer = request.send(browser)
        content = read(answer)
        if request.method == "POST" and answer.status_code < 400:
            unharmed(request)
        transaction.set_rollback(True)
    if "html" in answer.get("Content-Type", ""):
        assert b"<script>alert(1)" not in content
    if mark := foreign_mark(request):
        assert mark.encode() not in content
    assert goes_nowhere_else(answer.get("Location", ""))
    if browser.cookies.output() != cookies:
        browser.cookies.load(re.sub(r"(?m)^Set-Cookie: ", "", cookies))
    cache.clear()
    return int(answer.status_code)
