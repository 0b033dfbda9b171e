"""A second factor: set up, asked for at every sign-in, good once, encrypted, and required by role."""

import io
import time

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, generate_totp_secret, hotp_value
from cryptography.fernet import Fernet, InvalidToken
from django.core.management import call_command
from django.db import connection
from django.test import Client as Browser

from merchant import setup
from merchant.encryption import decrypt, encrypt
from merchant.models import AuditEvent, Mail, Merchant, User
from tests.conftest import PASSWORD, Person, person, signed_in

SECOND = "/accounts/second-factor/"
NOON = "2026-11-23T12:00:05+00:00"


def code(secret: str, *, steps_ahead: int = 0) -> str:
    """What an app shows now, or some half minutes later."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps_ahead))


def with_app(who: Person) -> str:
    """The secret of an authenticator app that this person has set up on the pages."""
    browser = signed_in(who.membership.user)
    page = browser.get(f"{SECOND}totp/activate/")
    secret: str = page.context["form"].secret
    answer = browser.post(f"{SECOND}totp/activate/", {"code": code(secret)})
    assert answer["Location"] == f"{SECOND}recovery-codes/"
    return secret


def password_given(email: str) -> Browser:
    """A browser in which the password is given, and nothing else."""
    browser = Browser()
    answer = browser.post("/accounts/login/", {"login": email, "password": PASSWORD})
    assert answer["Location"] == f"{SECOND}authenticate/"
    return browser


def gives(browser: Browser, text: str) -> bool:
    """Whether this code signs in."""
    browser.post(f"{SECOND}authenticate/", {"code": text})
    return browser.get("/transactions/").status_code == 200


def rows() -> str:
    """All that the database holds of second factors and sessions."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT data FROM mfa_authenticator")
        return str(cursor.fetchall())


def test_the_password_alone_does_not_sign_in_and_the_code_does(ben: Person) -> None:
    with time_machine.travel(NOON, tick=False):
        secret = with_app(ben)
    with time_machine.travel("2026-11-23T12:01:05+00:00", tick=False):
        browser = password_given("ben@example.com")
        assert browser.get("/transactions/")["Location"].startswith("/accounts/login/")
        assert not gives(browser, "000000")
        assert gives(browser, code(secret))
    assert AuditEvent.objects.filter(event="account.signed_in").count() == 1


def test_a_code_is_good_once_also_the_one_that_has_set_the_app_up(ben: Person) -> None:
    with time_machine.travel(NOON, tick=False):
        secret = with_app(ben)
        assert not gives(password_given("ben@example.com"), code(secret))
    with time_machine.travel("2026-11-23T12:01:05+00:00", tick=False):
        assert gives(password_given("ben@example.com"), code(secret))
        assert not gives(password_given("ben@example.com"), code(secret))
        assert not gives(password_given("ben@example.com"), f"{code(secret)[:3]} {code(secret)[3:]}")


@pytest.mark.parametrize("steps", [-2, -1, 1, 2, 100])
def test_a_code_of_another_time_is_none(ben: Person, steps: int) -> None:
    with time_machine.travel(NOON, tick=False):
        secret = with_app(ben)
        assert not gives(password_given("ben@example.com"), code(secret, steps_ahead=steps))


def test_guessing_codes_ends_soon(ben: Person) -> None:
    with time_machine.travel(NOON, tick=False):
        secret = with_app(ben)
    with time_machine.travel("2026-11-23T12:01:05+00:00", tick=False):
        browser = password_given("ben@example.com")
        for number in range(6):
            gives(browser, f"{number:06}")
        assert not gives(browser, code(secret))
        page = browser.post(f"{SECOND}authenticate/", {"code": code(secret)}).content.decode()
    assert "Too many failed login attempts" in page


def test_recovery_codes_are_shown_once_and_sign_in_once_each(ben: Person) -> None:
    with_app(ben)
    shown = ben.browser.get(f"{SECOND}recovery-codes/")
    codes = shown.context["unused_codes"]
    assert len(set(codes)) == 10
    assert codes[0] in shown.content.decode()
    assert codes[0] not in ben.browser.get(f"{SECOND}recovery-codes/").content.decode()
    assert ben.browser.get(f"{SECOND}recovery-codes/download/").status_code == 403
    assert gives(password_given("ben@example.com"), codes[0])
    assert not gives(password_given("ben@example.com"), codes[0])
    assert gives(password_given("ben@example.com"), codes[1])


def test_secrets_are_encrypted_in_the_database_and_while_they_wait_in_the_session(ben: Person) -> None:
    page = ben.browser.get(f"{SECOND}totp/activate/")
    secret = page.context["form"].secret
    assert decrypt(ben.browser.session["mfa.totp.secret"]) == secret
    assert secret not in str(dict(ben.browser.session))
    ben.browser.post(f"{SECOND}totp/activate/", {"code": "000000"})  # a wrong code keeps the secret
    assert decrypt(ben.browser.session["mfa.totp.secret"]) == secret
    ben.browser.post(f"{SECOND}totp/activate/", {"code": code(secret)})
    stored = Authenticator.objects.get(type="totp").data["secret"]
    assert decrypt(stored) == secret
    seed = decrypt(Authenticator.objects.get(type="recovery_codes").data["seed"])
    assert secret not in rows()
    assert seed not in rows()
    assert "mfa.totp.secret" not in ben.browser.session


def test_changing_the_keys_that_encrypt_locks_nobody_out(ben: Person, settings) -> None:
    secret, old = with_app(ben), settings.ENCRYPTION_KEYS
    codes = ben.browser.get(f"{SECOND}recovery-codes/").context["unused_codes"]
    new = Fernet.generate_key().decode()
    settings.ENCRYPTION_KEYS = [new, *old]
    call_command("rotate_keys", stdout=io.StringIO())
    settings.ENCRYPTION_KEYS = [new]
    assert decrypt(Authenticator.objects.get(type="totp").data["secret"]) == secret
    assert gives(password_given("ben@example.com"), codes[3])
    settings.ENCRYPTION_KEYS = old
    with pytest.raises(InvalidToken):
        decrypt(Authenticator.objects.get(type="totp").data["secret"])


def test_the_code_to_scan_is_part_of_the_page(ben: Person) -> None:
    page = ben.browser.get(f"{SECOND}totp/activate/").content.decode()
    assert "<svg" in page
    assert "data:image" not in page
    assert "<?xml" not in page


def test_changes_are_told_by_mail_and_noted(ben: Person, django_capture_on_commit_callbacks) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        with_app(ben)
    assert Mail.objects.get().subject == "Authenticator App Activated"
    assert AuditEvent.objects.filter(event="account.totp_activated", user=ben.membership.user).exists()
    ben.browser.post(f"{SECOND}totp/deactivate/")
    assert AuditEvent.objects.filter(event="account.totp_deactivated").exists()
    assert not Authenticator.objects.exists()


@pytest.mark.parametrize("page", ["totp/activate/", "webauthn/add/", "recovery-codes/generate/"])
def test_changing_it_asks_for_the_password_again(ben: Person, page: str) -> None:
    browser = signed_in(ben.membership.user, minutes_ago=31)
    assert browser.get(f"{SECOND}{page}")["Location"].startswith("/accounts/reauthenticate/")


def asked_of(merchant: Merchant, *roles: str) -> None:
    merchant.second_factor_roles = list(roles)
    merchant.save()


def test_who_must_have_one_is_led_to_set_it_up_before_anything_else(ben: Person, lantern: Merchant) -> None:
    asked_of(lantern, "support")
    for address in ("/", "/transactions/", "/exports/", "/to-fulfil/", "/team/", "/nowhere/"):
        assert ben.browser.get(address)["Location"] == SECOND
    assert "asks for a second factor" in ben.browser.get(SECOND).content.decode()
    part = ben.browser.get("/transactions/", headers={"HX-Request": "true"})
    assert part["HX-Redirect"] == SECOND
    with_app(ben)
    assert ben.browser.get("/transactions/").status_code == 200


def test_other_roles_and_other_merchants_are_not_asked(
    ben: Person, vera: Person, lantern: Merchant, copper: Merchant
) -> None:
    asked_of(lantern, "support", "owner")
    assert vera.browser.get("/transactions/").status_code == 200
    copper.memberships.create(user=ben.membership.user, role="support")
    ben.browser.post("/account/merchant/", {"merchant": copper.pk})
    assert ben.browser.get("/transactions/").status_code == 200


def test_an_owner_asks_roles_for_it_and_is_not_locked_out(
    ann: Person, ben: Person, lantern: Merchant
) -> None:
    page = ann.browser.post("/team/second-factor/", {"roles": ["owner", "support"]}, follow=True)
    assert "set up your own second factor first" in page.content.decode()
    lantern.refresh_from_db()
    assert lantern.second_factor_roles == []
    assert ann.browser.post("/team/second-factor/", {"roles": ["support"]})["Location"] == "/team/"
    assert ben.browser.get("/transactions/")["Location"] == SECOND
    with_app(ann)
    ann.browser.post("/team/second-factor/", {"roles": ["owner", "support", "king"]})
    ann.browser.post("/team/second-factor/", {"roles": ["owner", "support"]})
    ann.browser.post("/team/second-factor/", {})
    noted = AuditEvent.objects.filter(event="second_factor.roles_changed").order_by("pk")
    assert [each.data["after"] for each in noted] == ["support", "owner, support", ""]
    assert ben.browser.get("/transactions/").status_code == 200


def test_asking_for_it_needs_a_recent_password(ann: Person, lantern: Merchant) -> None:
    browser = signed_in(ann.membership.user, minutes_ago=31)
    answer = browser.post("/team/second-factor/", {"roles": ["support"]})
    assert answer["Location"].startswith("/accounts/reauthenticate/")
    lantern.refresh_from_db()
    assert lantern.second_factor_roles == []


def test_owners_see_who_has_one(ann: Person, ben: Person) -> None:
    assert ann.browser.get("/team/").context["with_second_factor"] == set()
    with_app(ben)
    assert ann.browser.get("/team/").context["with_second_factor"] == {ben.membership.user_id}


def test_the_second_factor_of_somebody_else_is_of_no_use(ben: Person, lantern: Merchant) -> None:
    otto = person(lantern, "otto", "support")
    secret = generate_totp_secret()
    for who in (ben, otto):
        own = secret if who is otto else generate_totp_secret()
        Authenticator.objects.create(user=who.membership.user, type="totp", data={"secret": encrypt(own)})
    assert not gives(password_given("ben@example.com"), code(secret))
    assert gives(password_given("otto@example.com"), code(secret))


def test_setting_a_forgotten_password_does_not_go_around_it(ben: Person) -> None:
    with_app(ben)
    user = User.objects.get(pk=ben.membership.user_id)
    user.set_password("a-new-and-longer-one")
    user.save()
    browser = Browser()
    answer = browser.post(
        "/accounts/login/", {"login": "ben@example.com", "password": "a-new-and-longer-one"}
    )
    assert answer["Location"] == f"{SECOND}authenticate/"


def test_a_person_made_by_the_command_is_not_asked(lantern: Merchant) -> None:
    setup.add_member(lantern, "new@example.com", PASSWORD, "owner")
    browser = Browser()
    browser.post("/accounts/login/", {"login": "new@example.com", "password": PASSWORD})
    assert browser.get("/transactions/").status_code == 200
