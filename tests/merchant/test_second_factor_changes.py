"""Changes of second factors are on record together with them; a lost one is reset by a command."""

import io

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import CommandError, call_command
from django.test import Client as Browser

from merchant.models import AuditEvent, Mail, Merchant
from tests.conftest import PASSWORD, Person, person, signed_in
from tests.merchant.test_second_factor import SECOND, code, with_app

NOTED = {
    "account.totp_activated",
    "account.recovery_codes_generated",
    "account.second_factor_reset",
    "account.totp_deactivated",
    "account.recovery_codes_removed",
}


def noted(who: Person) -> dict[str, object]:
    """What the audit says about this person's account, and who did it."""
    found = AuditEvent.objects.filter(subject=str(who.membership.user.pk), merchant=who.membership.merchant)
    return {event: by for event, by in found.values_list("event", "user") if event in NOTED}


def test_a_change_is_noted_together_with_it_and_once(ben: Person) -> None:
    with_app(ben)  # nothing is committed in a test: what comes after a commit has not happened
    user = ben.membership.user.pk
    assert noted(ben) == {"account.totp_activated": user, "account.recovery_codes_generated": user}
    ben.browser.post(f"{SECOND}recovery-codes/generate/")
    events = list(AuditEvent.objects.filter(user=user).order_by("pk").values_list("event", flat=True))
    assert events[-2:] == ["account.recovery_codes_removed", "account.recovery_codes_generated"]
    ben.browser.post(f"{SECOND}totp/deactivate/")
    assert AuditEvent.objects.filter(event="account.totp_deactivated").count() == 1


def test_a_change_that_cannot_be_noted_does_not_happen(ben: Person, monkeypatch) -> None:
    Authenticator.objects.create(user=ben.membership.user, type="webauthn", data={"name": "Key"})
    key = Authenticator.objects.get().pk

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("merchant.audit.record", fail)
    browser = signed_in(ben.membership.user)
    browser.raise_request_exception = False
    secret = browser.get(f"{SECOND}totp/activate/").context["form"].secret
    assert browser.post(f"{SECOND}totp/activate/", {"code": code(secret)}).status_code == 500
    assert browser.post(f"{SECOND}webauthn/keys/{key}/remove/").status_code == 500
    assert [each.pk for each in Authenticator.objects.all()] == [key]


def test_a_lost_one_is_reset_by_a_command(
    ben: Person, copper: Merchant, django_capture_on_commit_callbacks
) -> None:
    with_app(ben)
    user = person(copper, "ben", "view_only").membership.user
    browser = signed_in(user)
    assert browser.get("/transactions/").status_code == 200
    said = io.StringIO()
    with django_capture_on_commit_callbacks(execute=True):
        call_command("reset_second_factor", user.email.upper(), stdout=said)
    assert "signs in with the password alone" in said.getvalue()
    assert not Authenticator.objects.exists()
    assert browser.get("/transactions/").status_code == 302
    assert Mail.objects.latest("pk").recipient == user.email
    assert Mail.objects.latest("pk").subject == "Your second factor was reset"
    assert noted(ben)["account.second_factor_reset"] is None
    assert AuditEvent.objects.filter(event="account.second_factor_reset", merchant=copper).exists()
    again = Browser()
    again.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    assert again.get("/transactions/").status_code == 200


@pytest.mark.parametrize("who", ["ben@example.com", "nobody@example.com", "nonsense", ""])
def test_nothing_is_reset_that_is_not_there(ben: Person, who: str) -> None:
    with pytest.raises(CommandError):
        call_command("reset_second_factor", who)
    assert not Mail.objects.exists()
    assert not AuditEvent.objects.filter(event="account.second_factor_reset").exists()
