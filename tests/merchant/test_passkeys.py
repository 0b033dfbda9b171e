"""What is sent in place of a passkey lets nobody in and breaks nothing."""

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client as Browser

from merchant.encryption import encrypt
from tests.conftest import PASSWORD, Person, signed_in

SECOND = "/accounts/second-factor/"
PARTS = '{"id": "YQ", "rawId": "YQ", "type": "public-key", "clientExtensionResults": {}, "response": %s}'
RUBBISH = [
    "",
    "[]",
    "1",
    '"x"',
    "null",
    "{}",
    "{",
    '{"response": 1}',
    '{"response": {"userHandle": "AA"}}',
    '{"response": {"userHandle": 7}}',
    PARTS % "{}",
    PARTS % "[]",
    PARTS % '{"userHandle": "MQ", "clientDataJSON": "e30", "authenticatorData": "AA", "signature": "AA"}',
    PARTS % '{"clientDataJSON": "e30", "attestationObject": "AA"}',
    PARTS % '{"clientDataJSON": "%%%", "attestationObject": "%%%"}',
    '{"a": ' * 2000 + "1" + "}" * 2000,
]


@pytest.mark.parametrize("sent", RUBBISH)
def test_nothing_else_is_a_passkey(ben: Person, sent: str) -> None:
    stranger = Browser()
    stranger.get(f"{SECOND}webauthn/login/", headers={"accept": "application/json"})
    assert stranger.post(f"{SECOND}webauthn/login/", {"credential": sent}).status_code == 302
    assert stranger.get("/transactions/").status_code == 302
    ben.browser.get(f"{SECOND}webauthn/add/")
    assert ben.browser.post(f"{SECOND}webauthn/add/", {"credential": sent}).status_code == 200
    assert not Authenticator.objects.exists()


@pytest.mark.parametrize("sent", RUBBISH)
def test_after_the_password_nothing_else_is_one_either(ben: Person, sent: str) -> None:
    user = ben.membership.user
    Authenticator.objects.create(user=user, type="totp", data={"secret": encrypt("GEZDGNBVGY3TQOJQ")})
    browser = Browser()
    browser.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    browser.get(f"{SECOND}authenticate/")
    assert browser.post(f"{SECOND}authenticate/", {"credential": sent}).status_code == 200
    assert browser.get("/transactions/").status_code == 302


def test_tries_of_passkeys_are_counted(db: None) -> None:
    browser = Browser()
    answers = [browser.post(f"{SECOND}webauthn/login/", {"credential": "{}"}).status_code for _ in range(12)]
    assert answers[-1] == 429


def test_the_page_that_asks_once_more_offers_the_other_ways(ben: Person) -> None:
    user = ben.membership.user
    Authenticator.objects.create(user=user, type="totp", data={"secret": encrypt("GEZDGNBVGY3TQOJQ")})
    page = signed_in(user).get("/accounts/reauthenticate/?next=/team/").content.decode()
    assert f"{SECOND}reauthenticate/?next=%2Fteam%2F" in page
