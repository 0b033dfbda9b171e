"""Signing in, forgotten passwords and other addresses: what guessing gets nobody."""

import re

import pytest
from django.contrib.auth import hashers
from django.core import mail
from django.core.cache import cache
from django.test import Client as Browser

from merchant import mailing, setup
from merchant.middleware import RequestLog
from merchant.models import AuditEvent, Mail, Merchant, User
from tests.conftest import PASSWORD, Person, signed_in

GOOD = "seventeen-grey-otters"


def sign_in(email: str, password: str = PASSWORD, browser: Browser | None = None, **said):
    """What the sign-in page answers."""
    return (browser or Browser()).post("/accounts/login/", {"login": email, "password": password}, **said)


def sent() -> list:
    """The mails sent by now."""
    for mail_id in mailing.due():
        mailing.send(mail_id)
    return mail.outbox


def link(start: str) -> str:
    found = re.search(rf"https?://[^/\s]+({start}\S+)", sent()[-1].body)
    assert found, sent()[-1].body
    return found[1]


def mail_to(email: str) -> str:
    return next(each.body for each in reversed(sent()) if each.to == [email])


def plain(page) -> str:
    """A page without what differs by itself."""
    return re.sub(r'(csrfmiddlewaretoken" value="|X-CSRFToken": ")[^"]+', "", page.content.decode())


def test_after_five_wrong_passwords_the_right_one_has_to_wait(ben: Person) -> None:
    for number in range(5):
        assert sign_in("ben@example.com", f"wrong-{number}").status_code == 200
    page = sign_in("ben@example.com")
    assert "Too many failed login attempts" in page.content.decode()
    assert sign_in("ben@example.com", HTTP_X_FORWARDED_FOR="203.0.113.9").status_code == 200


def test_an_unknown_address_has_to_wait_as_well(ben: Person) -> None:
    pages = []
    for email in ("ben@example.com", "who@example.com"):
        cache.clear()
        pages.append([plain(sign_in(email, f"wrong-{number}")).replace(email, "X") for number in range(7)])
    assert pages[0] == pages[1]
    assert "Too many failed login attempts" in pages[0][6]


def test_many_addresses_from_one_place_have_to_wait(ben: Person) -> None:
    for number in range(10):
        sign_in(f"p{number}@example.com", "wrong")
    assert "Too many failed login attempts" in sign_in("ben@example.com").content.decode()


def test_what_a_client_says_of_its_own_address_does_not_help(ben: Person, settings) -> None:
    for number in range(10):
        sign_in(f"p{number}@example.com", "wrong", HTTP_X_FORWARDED_FOR=f"203.0.113.{number}")
    assert "Too many" in sign_in("ben@example.com", HTTP_X_FORWARDED_FOR="203.0.113.99").content.decode()


def test_behind_a_proxy_of_ours_each_address_counts_for_itself(ben: Person, settings) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    for number in range(10):
        sign_in(f"p{number}@example.com", "wrong", HTTP_X_FORWARDED_FOR="198.51.100.1, 203.0.113.1")
    assert "Too many" in sign_in("ben@example.com", HTTP_X_FORWARDED_FOR="203.0.113.1").content.decode()
    assert sign_in("ben@example.com", HTTP_X_FORWARDED_FOR="203.0.113.1, 203.0.113.2").status_code == 302


def test_a_known_and_an_unknown_address_cost_the_same_work(ben: Person, monkeypatch) -> None:
    worked: list[str] = []
    encode = hashers.MD5PasswordHasher.encode
    monkeypatch.setattr(
        hashers.MD5PasswordHasher,
        "encode",
        lambda self, password, salt: worked.append(password) or encode(self, password, salt),
    )
    counts = []
    for email in ("ben@example.com", "never@example.com"):
        sign_in(email, "wrong")
        counts.append(len(worked))
        worked.clear()
    assert counts == [1, 1]


def test_asking_for_a_new_password_is_the_same_for_known_and_unknown_addresses(ben: Person) -> None:
    answers = []
    for email in ("ben@example.com", "never@example.com"):
        answer = Browser().post("/accounts/password/reset/", {"email": email}, follow=True)
        answers.append(plain(answer))
        assert Mail.objects.filter(recipient=email, merchant=None).count() == 1
    assert answers[0] == answers[1]


def test_a_mail_server_that_is_away_is_no_trouble_of_the_page(ben: Person, settings) -> None:
    settings.EMAIL_BACKEND = "tests.merchant.test_mailing.Refusing"
    answer = Browser().post("/accounts/password/reset/", {"email": "ben@example.com"})
    assert answer["Location"] == "/accounts/password/reset/done/"


def set_password(way: str, password: str):
    browser = Browser()
    browser.get(way, follow=True)
    form = browser.get(way)["Location"]
    return browser.post(form, {"password1": password, "password2": password})


def test_a_forgotten_password_is_set_once_and_ends_every_session(ben: Person) -> None:
    Browser().post("/accounts/password/reset/", {"email": "ben@example.com"}, HTTP_HOST="localhost")
    assert "http://localhost/" not in sent()[-1].body  # our own address, not the one that was asked
    way = link("/accounts/password/reset/key/")
    assert set_password(way, GOOD)["Location"] == "/accounts/password/reset/key/done/"
    assert ben.browser.get("/transactions/").status_code == 302
    assert sign_in("ben@example.com", GOOD).status_code == 302
    assert "This link is over" in Browser().get(way, follow=True).content.decode()
    assert AuditEvent.objects.filter(event="account.password_reset").count() == 1


@pytest.mark.parametrize(
    "password",
    [
        "short-one-1",
        "password2026!",
        "P4ssw0rdP4ssw0rd",
        "passwordpassword",
        "qwertyuiop123",
        "aaaaaaaaaaaaaaaa",
        "abcabcabcabcabc",
        "1234567890123456",
        "ben@example.com",
        "!!!letmein!!!!",
        "Dr@gon123456",
    ],
)
def test_passwords_that_are_tried_first_are_refused_wherever_they_are_set(ben: Person, password: str) -> None:
    changed = {"oldpassword": PASSWORD, "password1": password, "password2": password}
    assert ben.browser.post("/accounts/password/change/", changed).status_code == 200
    Browser().post("/accounts/password/reset/", {"email": "ben@example.com"})
    set_password(link("/accounts/password/reset/key/"), password)
    assert User.objects.get(email="ben@example.com").check_password(PASSWORD)


@pytest.mark.parametrize(
    "password", [GOOD, "correct-horse-battery", "Tr0ubador&3xyzzy", "пять сухих листьев"]
)
def test_unexpected_words_are_taken(ben: Person, password: str) -> None:
    changed = {"oldpassword": PASSWORD, "password1": password, "password2": password}
    assert ben.browser.post("/accounts/password/change/", changed).status_code == 302
    assert User.objects.get(email="ben@example.com").check_password(password)


def test_changing_the_password_ends_the_other_sessions(ben: Person) -> None:
    other = signed_in(ben.membership.user)
    changed = {"oldpassword": PASSWORD, "password1": GOOD, "password2": GOOD}
    ben.browser.post("/accounts/password/change/", changed)
    assert ben.browser.get("/transactions/").status_code == 200
    assert other.get("/transactions/").status_code == 302


def test_signing_in_gives_the_session_a_new_key(ben: Person) -> None:
    browser = Browser()
    browser.get("/invitation/")
    session = browser.session
    session["planted"] = "by somebody else"
    session.save()
    before = session.session_key
    browser.cookies["sessionid"] = before
    sign_in("ben@example.com", browser=browser)
    assert browser.session.session_key != before
    assert Browser(headers={"cookie": f"sessionid={before}"}).get("/transactions/").status_code == 302


def test_a_new_address_counts_once_its_mailbox_has_confirmed_it(ben: Person, vera: Person) -> None:
    ben.browser.post("/accounts/email/", {"action_add": "", "email": "ben.new@example.com"})
    assert sign_in("ben.new@example.com").status_code == 200
    way = link("/accounts/confirm-email/")
    Browser().post("/accounts/password/reset/", {"email": "ben.new@example.com"})
    assert "no account" in mail_to("ben.new@example.com")
    assert "Sign in first" in Browser().get(way).content.decode()
    for stranger in (Browser(), vera.browser):  # it was mistyped, and is the address of somebody else
        stranger.post(way)
    assert ben.browser.get(way).status_code == 200
    assert User.objects.get(pk=ben.membership.user_id).email == "ben@example.com"
    ben.browser.post(way)
    assert User.objects.get(pk=ben.membership.user_id).email == "ben.new@example.com"
    assert sign_in("ben.new@example.com").status_code == 302
    assert sign_in("ben@example.com").status_code == 200
    assert "ben@example.com" in [each.to[0] for each in sent()]  # the old one hears of it


def test_changing_to_an_address_of_somebody_tells_nothing(ben: Person, vera: Person) -> None:
    pages = [
        plain(ben.browser.post("/accounts/email/", {"action_add": "", "email": email}, follow=True)).replace(
            email, "X"
        )
        for email in ("vera@example.com", "free@example.com")
    ]
    assert pages[0] == pages[1]
    assert User.objects.filter(email="vera@example.com").count() == 1


def test_another_address_needs_a_recent_password(ben: Person) -> None:
    browser = signed_in(ben.membership.user, minutes_ago=31)
    answer = browser.post("/accounts/email/", {"action_add": "", "email": "ben.new@example.com"})
    assert answer["Location"].startswith("/accounts/reauthenticate/")


def test_a_closed_account_does_not_sign_in(ben: Person) -> None:
    User.objects.filter(pk=ben.membership.user_id).update(is_active=False)
    assert sign_in("ben@example.com")["Location"] == "/accounts/inactive/"
    assert ben.browser.get("/transactions/").status_code == 302


def test_keys_in_addresses_are_not_logged(rf) -> None:
    for path in ("/accounts/password/reset/key/1-abc-def/", "/accounts/confirm-email/MQ:1x:y/"):
        said = RequestLog.format_request(rf.get(path))
        assert said.endswith("/…/")
        assert "abc" not in said
        assert "MQ" not in said


def test_every_merchant_of_a_person_has_the_sign_in_on_record(ben: Person, copper: Merchant) -> None:
    setup.add_member(copper, "ben@example.com", PASSWORD, "support")
    sign_in("ben@example.com")
    assert AuditEvent.objects.filter(event="account.signed_in").count() == 2
