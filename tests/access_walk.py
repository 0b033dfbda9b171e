"""How the table of addresses is walked: each address with what a merchant has in it, each form filled in."""

from collections.abc import Iterator

from django.http import HttpResponse
from django.test import Client as Browser
from django.urls import URLResolver

from fulfillment.forms import REASONS
from merchant import pulse
from merchant.models import User
from merchant.settings import QUEUES
from tests.conftest import PASSWORD, signed_in


def walk(resolver: URLResolver, before: str = "/") -> Iterator[str]:
    for each in resolver.url_patterns:
        here = before + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from walk(each, here)
        else:
            yield here


def asked(who: str, method: str, pattern: str, people: dict[str, User], things: dict[str, object]) -> str:
    """What this person gets at this address, freshly signed in."""
    if who in people:
        people[who].refresh_from_db()  # one of the addresses ends all sessions
    browser = signed_in(people[who]) if who in people else Browser()
    return asked_by(browser, method, address_of(pattern, things))


def asked_by(browser: Browser, method: str, address: str) -> str:
    """What is answered; forms are sent filled in."""
    send_ = getattr(browser, method.lower())
    pulse.beat(*QUEUES, pulse.BEAT)
    answer = send_(address, FILLED_IN) if method == "POST" else send_(address)
    answer.getvalue()  # a file is closed when it has been read
    return said(answer)


def address_of(pattern: str, things: dict[str, object]) -> str:
    """The address with what the merchant has in its place."""
    for part, thing in things.items():
        pattern = pattern.replace(part, str(thing))
    return pattern


FILLED_IN = {
    "note": "a reason",
    "text": "a remark",
    "format": "csv",
    "reason": REASONS[0],
    "seen_amount": "1.00",
    "seen_currency": "EUR",
    "decision": "reject",
    "undo_seconds": "10",
    "email": "somebody@example.com",
    "password1": PASSWORD,
    "promise_hours": "24",
    "claim_minutes": "15",
    "secret": "a-new-secret",
    "admits_customers": "yes",
    "case": "correct_payment",
    "taken_on": "2026-01-31",
    "place": "the safe",
    "is_open": "on",
    "what": "payment",
    "address": "somebody@example.com",
    "key": "of-this-form",
    "who": "paysuper",
    "role": "support",
}


def said(answer: HttpResponse) -> str:
    if answer.status_code == 302 and answer["Location"].startswith("/accounts/login/?next="):
        return "login"
    return str(answer.status_code)
