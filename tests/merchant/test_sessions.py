"""How long somebody stays signed in, where, and how that ends."""

import datetime as dt

import pytest
import time_machine
from allauth.usersessions.models import UserSession
from django.test import Client as Browser

from merchant.sessions import Place
from tests.conftest import PASSWORD, Person

MORNING = dt.datetime(2026, 11, 23, 8, 0, tzinfo=dt.UTC)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"


def sign_in(agent: str = FIREFOX) -> Browser:
    browser = Browser(headers={"user-agent": agent})
    browser.post("/accounts/login/", {"login": "ben@example.com", "password": PASSWORD})
    assert is_in(browser)
    return browser


def is_in(browser: Browser) -> bool:
    return browser.get("/exports/").status_code == 200


@pytest.mark.parametrize(("minutes", "stays"), [(119, True), (122, False)])
def test_who_does_nothing_for_two_hours_is_signed_out(ben: Person, minutes: int, stays: bool) -> None:
    with time_machine.travel(MORNING, tick=False) as clock:
        browser = sign_in()
        clock.shift(dt.timedelta(minutes=minutes))
        assert is_in(browser) == stays
        assert is_in(browser) == stays


def test_everybody_is_signed_out_after_twelve_hours_of_work(ben: Person) -> None:
    with time_machine.travel(MORNING, tick=False) as clock:
        browser = sign_in()
        for _ in range(12):
            clock.shift(dt.timedelta(minutes=59))
            assert is_in(browser)
        clock.shift(dt.timedelta(minutes=15))
        assert not is_in(browser)


def test_every_click_counts_as_doing_something(ben: Person) -> None:
    with time_machine.travel(MORNING, tick=False) as clock:
        browser = sign_in()
        for _ in range(4):
            clock.shift(dt.timedelta(minutes=90))
            assert is_in(browser)
        assert UserSession.objects.get().last_seen_at == MORNING + dt.timedelta(hours=6)


def test_a_session_that_has_timed_out_is_gone_not_only_hidden(ben: Person) -> None:
    with time_machine.travel(MORNING, tick=False) as clock:
        browser = sign_in()
        clock.shift(dt.timedelta(hours=3))
        is_in(browser)
        clock.shift(dt.timedelta(hours=-3))
        assert not is_in(browser)


def test_one_sees_where_one_is_signed_in_and_ends_one_of_them(ben: Person) -> None:
    here, there = sign_in(), sign_in("Mozilla/5.0 (iPhone) Safari/604.1 <b>")
    page = here.get("/account/sessions/").content.decode()
    assert "Firefox on Linux" in page
    assert "Safari on iPhone" in page
    assert "<b>" not in page
    assert page.count("This one") == 1
    foreign = UserSession.objects.get(user_agent__contains="iPhone")
    here.post(f"/account/sessions/{foreign.pk}/end/")
    assert is_in(here)
    assert not is_in(there)


def test_ending_the_session_one_is_in_signs_out_here(ben: Person) -> None:
    here = sign_in()
    assert (
        here.post(f"/account/sessions/{UserSession.objects.get().pk}/end/")["Location"] == "/accounts/login/"
    )
    assert not is_in(here)


def test_everywhere_else_means_also_what_no_list_knows(ben: Person) -> None:
    here, there = sign_in(), sign_in()
    UserSession.objects.exclude(session_key=here.session.session_key).delete()
    here.post("/account/sessions/end-others/")
    assert is_in(here)
    assert not is_in(there)
    assert not is_in(ben.browser)
    assert here.get("/account/sessions/").content.decode().count("This one") == 1


def test_the_sessions_of_others_do_not_exist(ben: Person, vera: Person) -> None:
    sign_in()
    session = UserSession.objects.get()
    assert vera.browser.post(f"/account/sessions/{session.pk}/end/").status_code == 404
    assert UserSession.objects.exists()
    assert "Firefox" not in vera.browser.get("/account/sessions/").content.decode()


@pytest.mark.parametrize(
    ("said", "browser"),
    [
        (FIREFOX, "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/156.0 Safari/537.36 Edg/156.0", "Edge on Windows"),
        ("Mozilla/5.0 (Linux; Android 16) Chrome/156.0 Mobile Safari/537.36", "Chrome on Android"),
        ("curl/8.0", "Another browser"),
        ("", "Another browser"),
    ],
)
def test_a_browser_is_named_as_far_as_it_says(said: str, browser: str) -> None:
    assert Place(UserSession(user_agent=said), is_this_one=False).browser == browser
