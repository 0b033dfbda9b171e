"""PaySuper's addresses: refused when a merchant is connected, and again when they are called."""

from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from merchant import line, outside
from merchant.models import Merchant
from merchant.paysuper.errors import NotAllowed
from tests.conftest import COPPER, LANTERN, Person
from tests.merchant.test_outside import PUBLIC, NameServer, name_server
from tests.merchant.token_server import token_server
from transactions import sync

__all__ = ["name_server"]
PRIVATE = "10.1.2.3"
CONNECTION = {
    "merchant_id": COPPER,
    "name": "Copper",
    "api_token": "t",
    "owner_email": "cleo@example.com",
    "owner_password": "correct-horse-battery",
}
RENEWAL = {"refresh_token": "r", "api_url": "https://api.example"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"api_url": "http://api.example"}, "--api-url: The address has to begin with https"),
        ({"api_url": "https://10.0.0.1"}, "--api-url: This address lies in a private network"),
        ({"api_url": "https://inside.example"}, "--api-url: The name of the server leads into a private"),
        (RENEWAL | {"token_url": "https://127.0.0.1/t"}, "--token-url: This address lies in a private"),
        (RENEWAL | {"token_url": "http://id:secret@id.example/t"}, "--token-url: The address has to begin"),
    ],
)
def test_a_merchant_is_not_connected_to_a_private_address(
    db: None, settings: Settings, name_server: NameServer, changes: dict[str, str], words: str
) -> None:
    settings.ALLOW_PRIVATE_PAYSUPER = False
    name_server.answers = [[PRIVATE if "inside" in changes["api_url"] else PUBLIC]]
    with pytest.raises(CommandError, match=words) as refused:
        call_command("connect_merchant", **CONNECTION | changes)
    assert "secret" not in str(refused.value)
    assert not Merchant.objects.exists()


def test_a_merchant_is_connected_to_a_public_address(
    db: None, settings: Settings, name_server: NameServer
) -> None:
    settings.ALLOW_PRIVATE_PAYSUPER = False
    call_command("connect_merchant", **CONNECTION | RENEWAL | {"token_url": "https://id:s@id.example/t"})
    assert Merchant.objects.get().api_url == "https://api.example"
    assert name_server.asked == ["api.example", "id.example"]


def test_paysuper_is_not_called_where_its_name_leads_into_a_private_network(
    lantern: Merchant, settings: Settings, name_server: NameServer
) -> None:
    settings.ALLOW_PRIVATE_PAYSUPER = False
    lantern.api_url = "https://api.example"
    name_server.answers = [[PRIVATE]]
    with line.client(lantern) as client, pytest.raises(NotAllowed, match="private network"):
        client.beginning()
    assert name_server.asked == ["api.example"]  # and is not asked again: trying would not help


def test_nor_does_the_token_of_paysupers_staff_go_there(
    lantern: Merchant, settings: Settings, name_server: NameServer
) -> None:
    settings.ALLOW_PRIVATE_PAYSUPER = False
    lantern.api_url, lantern.staff_token = "https://api.example", "staff"
    name_server.answers = [[PRIVATE]]
    with line.staff(lantern) as client, pytest.raises(NotAllowed, match="private network"):
        client.replace_code(uuid4(), "f" * 24)


def test_a_page_says_why_paysuper_is_not_called(lantern: Merchant, ann: Person, settings: Settings) -> None:
    settings.ALLOW_PRIVATE_PAYSUPER = False
    with pytest.raises(NotAllowed, match="https"):
        sync.sync(lantern, full=True)
    assert outside.NOT_ENCRYPTED in ann.browser.get("/settings/").content.decode()


def test_tokens_are_not_renewed_at_a_private_address(lantern: Merchant, settings: Settings) -> None:
    settings.ALLOW_PRIVATE_PAYSUPER = False
    with token_server(access_token="new") as provider:
        lantern.refresh_token, lantern.token_url = "refresh-1", provider.url.replace("http:", "https:")
        lantern.save()
        with pytest.raises(NotAllowed, match="private network"):
            line.Renewal(lantern)()
    assert provider.bodies == []
    assert Merchant.objects.get(paysuper_id=LANTERN).api_token == lantern.api_token
