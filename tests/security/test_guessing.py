"""Guessing ends soon, whatever a client says of its own address; a planted session is of no use."""

import itertools
from collections.abc import Callable

import pytest
import time_machine
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client as Browser

from merchant import invitations
from merchant.models import Mail
from tests.conftest import Person
from tests.merchant.test_invitations import JOINING
from tests.merchant.test_second_factor import NOON, SECOND, code, password_given, with_app

Ask = Callable[[int, dict[str, str]], HttpResponse]


def sign_in(number: int, said: dict[str, str]) -> HttpResponse:
    return Browser().post(
        "/accounts/login/", {"login": f"p{number}@example.com", "password": "x"}, headers=said
    )


def sign_in_as_ben(number: int, said: dict[str, str]) -> HttpResponse:
    sent = {"login": "ben@example.com", "password": f"wrong-{number}"}
    return Browser().post("/accounts/login/", sent, headers=said)


def forget(number: int, said: dict[str, str]) -> HttpResponse:
    return Browser().post("/accounts/password/reset/", {"email": f"p{number}@example.com"}, headers=said)


def forget_ben(_: int, said: dict[str, str]) -> HttpResponse:
    return Browser().post("/accounts/password/reset/", {"email": "ben@example.com"}, headers=said)


def reset(number: int, said: dict[str, str]) -> HttpResponse:
    return Browser().post(f"/accounts/password/reset/key/1-guess{number}/", headers=said)


def invitation(number: int, said: dict[str, str]) -> HttpResponse:
    return Browser().get("/invitation/", {"token": f"guess-{number}"}, headers=said)


def receipt(number: int, said: dict[str, str]) -> HttpResponse:
    return Browser().get(f"/receipts/guess-{number}/", headers=said)


def return_page(number: int, said: dict[str, str]) -> HttpResponse:
    return Browser().get(f"/thanks/guess{number}/token-{number}/", headers=said)


# How many guesses are answered from one address in a moment, at most.
DOORS: dict[Ask, int] = {
    sign_in: 10,
    sign_in_as_ben: 5,
    forget: 20,
    forget_ben: 5,
    reset: 20,
    invitation: 30,
    receipt: 60,
    return_page: 120,
}


def is_stopped(answer: HttpResponse) -> bool:
    return answer.status_code == 429 or b"Too many failed login attempts" in answer.content


@pytest.mark.parametrize("proxies", [0, 2])
@pytest.mark.parametrize("ask", DOORS)
def test_guessing_is_stopped_whatever_stands_before_what_our_proxies_say(
    ask: Ask, proxies: int, ben: Person, settings
) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    with time_machine.travel(NOON, tick=False):
        for number in itertools.count():
            ours = ["203.0.113.9", "10.0.0.1"][:proxies]
            claimed = [f"198.51.{number}.{each}" for each in range(number % 3)]
            said = {"X-Forwarded-For": ", ".join(claimed + ours)} if claimed or ours else {}
            if is_stopped(ask(number, said)):
                break
            assert number < DOORS[ask], "still answered"
    assert number >= DOORS[ask] // 2


def test_codes_of_the_second_factor_are_guessed_from_no_number_of_browsers(ben: Person) -> None:
    with time_machine.travel(NOON, tick=False):
        secret = with_app(ben)
    with time_machine.travel("2026-11-23T12:01:05+00:00", tick=False):
        browsers = [password_given("ben@example.com") for _ in range(4)]
        answers = [
            browser.post(
                f"{SECOND}authenticate/",
                {"code": f"{number}{place}0000"},
                headers={"X-Forwarded-For": f"198.51.100.{number}{place}"},
            )
            for number in range(3)
            for place, browser in enumerate(browsers)
        ]
        assert sum(not is_stopped(answer) for answer in answers) <= 5
        assert is_stopped(browsers[0].post(f"{SECOND}authenticate/", {"code": code(secret)}))
        assert browsers[0].get("/transactions/").status_code == 302


def planted(browser: Browser) -> str:
    """The key of a session that somebody else knows as well."""
    session = browser.session
    session["planted"] = "by somebody else"
    session.save()
    browser.cookies["sessionid"] = session.session_key
    return session.session_key


def leads_in(key: str) -> bool:
    return Browser(headers={"cookie": f"sessionid={key}"}).get("/transactions/").status_code == 200


def test_neither_half_of_signing_in_leaves_a_key_that_somebody_else_knows(ben: Person) -> None:
    with time_machine.travel(NOON, tick=False):
        secret = with_app(ben)
    with time_machine.travel("2026-11-23T12:01:05+00:00", tick=False):
        browser = Browser()
        keys = [planted(browser)]
        browser.post("/accounts/login/", {"login": "ben@example.com", "password": "correct-horse-battery"})
        keys.append(planted(browser))
        browser.post(f"{SECOND}authenticate/", {"code": code(secret)})
        assert browser.get("/transactions/").status_code == 200
        assert browser.session.session_key not in keys
        assert [leads_in(key) for key in keys] == [False, False]


def test_joining_leaves_no_key_that_somebody_else_knows(ann: Person) -> None:
    invitations.invite(ann.membership.merchant, "new@example.com", "support", ann.membership.user)
    browser = Browser()
    browser.get("/invitation/", {"token": Mail.objects.get().text.partition("?token=")[2].split()[0]})
    key = planted(browser)
    browser.post("/invitation/", JOINING)
    assert browser.get("/transactions/").status_code == 200
    assert browser.session.session_key != key
    assert not leads_in(key)


def test_signing_out_and_a_changed_password_end_what_the_key_opened(ben: Person) -> None:
    key = ben.browser.session.session_key
    new = {"oldpassword": "correct-horse-battery", "password1": "seventeen-grey-otters"}
    ben.browser.post("/accounts/password/change/", new | {"password2": new["password1"]})
    cache.clear()
    assert not leads_in(key)
    key = ben.browser.session.session_key
    assert leads_in(key)
    ben.browser.post("/accounts/logout/")
    assert not leads_in(key)
