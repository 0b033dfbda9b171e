"""Setting up: good input works and may be repeated, bad input is a sentence and changes nothing."""

import io
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from merchant.models import AuditEvent, Membership, Merchant, Project, User
from tests.conftest import COPPER, HARBOUR, KETTLE, LANTERN, PASSWORD, SNOW

pytestmark = pytest.mark.django_db
MERCHANT = {
    "merchant_id": LANTERN,
    "name": "Lantern Works GmbH",
    "api_url": "http://127.0.0.1:8400",
    "api_token": "a-token-of-some-length",
    "owner_email": "ann@example.com",
    "owner_password": PASSWORD,
    "time_zone": "Europe/Berlin",
    "currency": "EUR",
}
PROJECT = {"merchant_id": LANTERN, "project_id": HARBOUR, "name": "Harbour", "secret_key": "webhook-secret"}
MEMBER = {"merchant_id": LANTERN, "email": "ben@example.com", "password": PASSWORD, "role": "support"}


def run(command: str, options: dict[str, str], **changes: str) -> str:
    """What the command says, called as from a shell."""
    arguments = [f"--{name.replace('_', '-')}={value}" for name, value in (options | changes).items()]
    said = io.StringIO()
    call_command(command, *arguments, stdout=said)
    return said.getvalue()


def everything() -> list[Any]:
    """All that setting up writes."""
    models = (Merchant, Project, User, Membership, AuditEvent)
    return [list(model.objects.order_by("pk").values()) for model in models]


@pytest.fixture
def unchanged() -> Iterator[None]:
    """Whatever the test does, it changes nothing."""
    before = everything()
    yield
    assert everything() == before


def refused(command: str, options: dict[str, str], **changes: str) -> str:
    """The sentence with which the command refuses."""
    with pytest.raises(CommandError) as caught, transaction.atomic():
        run(command, options, **changes)
    said = str(caught.value)
    assert said
    assert "Traceback" not in said
    return said


def test_a_merchant_is_connected_with_its_owner() -> None:
    assert run("connect_merchant", MERCHANT) == (
        "Lantern Works GmbH is connected to http://127.0.0.1:8400; owner ann@example.com.\n"
    )
    merchant = Merchant.objects.get(paysuper_id=LANTERN)
    assert (merchant.api_token, merchant.time_zone, merchant.currency) == (
        "a-token-of-some-length",
        "Europe/Berlin",
        "EUR",
    )
    owner = Membership.objects.get(merchant=merchant)
    assert (owner.user.email, owner.role) == ("ann@example.com", "owner")
    assert owner.user.check_password(PASSWORD)
    assert AuditEvent.objects.get().event == "merchant.connected"


def test_a_second_call_updates_the_connection_and_adds_no_second_merchant() -> None:
    run("connect_merchant", MERCHANT)
    run(
        "connect_merchant",
        MERCHANT,
        name="Lantern SE",
        api_url="https://api.example.com/",
        api_token="another",
        owner_password="another-password",
        currency="usd",
    )
    merchant = Merchant.objects.get()
    assert (merchant.name, merchant.api_url, merchant.api_token, merchant.currency) == (
        "Lantern SE",
        "https://api.example.com",
        "another",
        "USD",
    )
    assert User.objects.get().check_password("another-password")
    assert Membership.objects.count() == 1


def test_ids_and_addresses_may_be_written_in_capitals() -> None:
    run("connect_merchant", MERCHANT, merchant_id=LANTERN.upper(), owner_email="Ann@Example.COM")
    assert Merchant.objects.get().paysuper_id == LANTERN
    assert User.objects.get().email == "ann@example.com"


def test_defaults_are_utc_and_no_currency() -> None:
    run(
        "connect_merchant",
        {name: MERCHANT[name] for name in MERCHANT if name not in ("time_zone", "currency")},
    )
    assert (Merchant.objects.get().time_zone, Merchant.objects.get().currency) == ("UTC", "")


RENEWAL = {"refresh_token": "a-refresh-token", "token_url": "https://shop:s3cret@id.example/token/"}
OLD = {"generation": "2019", "api_prefix": "/api/v1/"}


def line_of(merchant: Merchant) -> tuple[str, ...]:
    """What a merchant's line has beside address and token."""
    return merchant.generation, merchant.api_prefix, merchant.refresh_token, merchant.token_url


def test_generation_and_renewal_are_options_that_go_back_when_left_out() -> None:
    run("connect_merchant", MERCHANT, **RENEWAL, **OLD)
    assert line_of(Merchant.objects.get()) == ("2019", "/api/v1", *RENEWAL.values())
    Merchant.objects.update(token_expires_at=timezone.now())
    run("connect_merchant", MERCHANT, api_token="another", refresh_token="", token_url="")
    assert line_of(Merchant.objects.get()) == ("2021", "/admin/api/v1", "", "")
    assert Merchant.objects.get().token_expires_at is None


def test_tokens_and_credentials_are_encrypted_in_the_database() -> None:
    run("connect_merchant", MERCHANT, **RENEWAL)
    with connection.cursor() as cursor:
        cursor.execute("SELECT m::text FROM merchant_merchant m")
        (row,) = cursor.fetchone()
    for text in (MERCHANT["api_token"], "a-refresh-token", "s3cret"):
        assert text not in row


@pytest.mark.parametrize("url", ["http://sandbox:8400", "http://[::1]:8400", "https://api.pay.example/base"])
def test_an_address_may_be_a_name_of_the_local_network(url: str) -> None:
    run("connect_merchant", MERCHANT, api_url=url)
    assert Merchant.objects.get().api_url == url


def test_blanks_around_a_token_are_not_part_of_it() -> None:
    run("connect_merchant", MERCHANT, api_token=" a-token-of-some-length\n")
    assert Merchant.objects.get().api_token == "a-token-of-some-length"


@pytest.mark.parametrize(
    "changes",
    [
        {"merchant_id": "12"},
        {"merchant_id": LANTERN[:-1] + "g"},
        {"merchant_id": LANTERN + "0"},
        {"merchant_id": ""},
        {"name": ""},
        {"name": "x" * 201},
        {"api_url": "api.paysuper.example"},
        {"api_url": "ftp://api.paysuper.example"},
        {"api_url": "http://"},
        {"api_url": "http://[::1"},
        {"api_url": "http://a b"},
        {"api_url": "http://example.com:99999"},
        {"api_url": "https://example.com/" + "x" * 500},
        {"api_url": ""},
        {"api_token": ""},
        {"api_token": "  "},
        {"api_token": "tökén"},
        {"api_token": "two\nlines"},
        {"refresh_token": "a-token"},
        {"token_url": "https://id.example/token"},
        {"refresh_token": "two words", "token_url": "https://id.example/token"},
        {"refresh_token": "a-token", "token_url": "id.example"},
        {"generation": "2020"},
        {"generation": ""},
        {"api_prefix": ""},
        {"api_prefix": "api/v1"},
        {"api_prefix": "/"},
        {"api_prefix": "/a?b"},
        {"api_prefix": "/a" * 51},
        {"owner_email": "ann"},
        {"owner_email": "ann@example.com\n"},
        {"owner_email": "a" * 300 + "@example.com"},
        {"owner_email": ""},
        {"owner_password": ""},
        {"time_zone": "Mars/Olympus"},
        {"time_zone": "../etc/passwd"},
        {"time_zone": ""},
        {"currency": "EURO"},
        {"currency": "E1R"},
        {"currency": "ÄÖÜ"},
    ],
)
def test_a_bad_connection_is_refused_in_words(unchanged: None, changes: dict[str, str]) -> None:
    refused("connect_merchant", MERCHANT, **changes)


@pytest.mark.parametrize(
    "missing", [name for name in MERCHANT if name not in ("api_url", "time_zone", "currency")]
)
def test_every_part_of_a_connection_is_needed(unchanged: None, missing: str) -> None:
    refused("connect_merchant", {name: MERCHANT[name] for name in MERCHANT if name != missing})


def test_no_command_says_a_secret() -> None:
    said = run("connect_merchant", MERCHANT, **RENEWAL)
    said += run("connect_project", PROJECT) + run("add_member", MEMBER)
    for secret in (MERCHANT["api_token"], PASSWORD, PROJECT["secret_key"], "a-refresh-token", "s3cret"):
        assert secret not in said
        assert not AuditEvent.objects.filter(data__icontains=secret).exists()


def test_a_project_is_connected_and_says_its_webhook_address() -> None:
    run("connect_merchant", MERCHANT)
    assert f"/webhooks/paysuper/{HARBOUR}/" in run("connect_project", PROJECT)
    run("connect_project", PROJECT, name="Harbour II", secret_key="new-secret")
    project = Project.objects.get()
    assert (project.name, project.secret_key, project.merchant.paysuper_id) == (
        "Harbour II",
        "new-secret",
        LANTERN,
    )


def test_a_project_of_another_merchant_is_left_alone() -> None:
    run("connect_merchant", MERCHANT)
    run("connect_merchant", MERCHANT, merchant_id=COPPER, owner_email="cleo@example.com")
    run("connect_project", PROJECT, merchant_id=COPPER, project_id=KETTLE)
    before = everything()
    assert "another merchant" in refused("connect_project", PROJECT, project_id=KETTLE)
    assert everything() == before


@pytest.mark.parametrize(
    "changes",
    [{"merchant_id": COPPER}, {"project_id": "x"}, {"name": ""}, {"name": "x" * 201}, {"secret_key": ""}],
)
def test_a_bad_project_is_refused_in_words(changes: dict[str, str]) -> None:
    run("connect_merchant", MERCHANT)
    run("connect_project", PROJECT, project_id=SNOW)
    before = everything()
    refused("connect_project", PROJECT, **changes)
    assert everything() == before


def test_a_member_is_added_and_a_second_call_changes_role_and_password() -> None:
    run("connect_merchant", MERCHANT)
    assert run("add_member", MEMBER) == "ben@example.com is Support of Lantern Works GmbH.\n"
    run("add_member", MEMBER, role="view_only", password="another-password")
    ben = Membership.objects.get(user__email="ben@example.com")
    assert ben.role == "view_only"
    assert ben.user.check_password("another-password")
    assert Membership.objects.count() == 2


def test_a_person_may_work_for_two_merchants() -> None:
    run("connect_merchant", MERCHANT)
    run("connect_merchant", MERCHANT, merchant_id=COPPER, owner_email="cleo@example.com")
    run("add_member", MEMBER)
    run("add_member", MEMBER, merchant_id=COPPER, role="accounting")
    roles = Membership.objects.filter(user__email="ben@example.com").values_list("role", flat=True)
    assert sorted(roles) == ["accounting", "support"]
    assert User.objects.filter(email="ben@example.com").count() == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"merchant_id": COPPER},
        {"merchant_id": "nobody"},
        {"email": "ben"},
        {"email": "b" * 300 + "@example.com"},
        {"password": ""},
        {"role": "king"},
        {"role": "merchant_owner"},
        {"role": ""},
    ],
)
def test_a_bad_member_is_refused_in_words(changes: dict[str, str]) -> None:
    run("connect_merchant", MERCHANT)
    before = everything()
    refused("add_member", MEMBER, **changes)
    assert everything() == before
