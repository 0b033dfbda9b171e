"""Addresses that somebody can set: the public internet alone, by HTTPS, at the address that was checked."""

import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest

from merchant import outside
from tests.fulfillment.certificates import certificate
from tests.fulfillment.shop import Said, Shop

PUBLIC = "93.184.216.34"


@dataclass
class NameServer:
    """Answers one question after the other; the last answer stays. Remembers who was asked for."""

    answers: list[list[str]]
    asked: list[str] = field(default_factory=list)
    really = staticmethod(socket.getaddrinfo)

    def __call__(self, host: str, port: int, *arguments: object, **named: object) -> list:
        try:
            socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host)
        except OSError:
            self.asked.append(host)
        else:
            return self.really(host, port, *arguments, **named)
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [
            (socket.AF_INET6 if ":" in each else socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port))
            for each in found
        ]


@pytest.fixture
def name_server(monkeypatch: pytest.MonkeyPatch) -> NameServer:
    stand_in = NameServer([[PUBLIC]])
    monkeypatch.setattr("socket.getaddrinfo", stand_in)
    return stand_in


@pytest.fixture
def tls_shop(tmp_path: Path) -> Iterator[tuple[Shop, ssl.SSLContext]]:
    """A server of shop.example, and whom its callers trust."""
    with Shop(tls=certificate("shop.example", tmp_path)) as shop:
        yield shop, ssl.create_default_context(cafile=str(tmp_path / "certificate.pem"))


@pytest.fixture
def only_one_is_public(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of this machine's addresses the tests may call one; it plays the public one."""
    monkeypatch.setattr(outside, "is_public", lambda address: address == "127.0.0.1")


def post(transport: httpx2.BaseTransport, url: str) -> httpx2.Response:
    with httpx2.Client(transport=transport) as client:
        return client.post(url, content=b"{}")


def test_a_name_that_turns_private_after_the_check_leads_nowhere(
    name_server: NameServer, tls_shop: tuple[Shop, ssl.SSLContext], only_one_is_public: None
) -> None:
    shop, trusted = tls_shop
    name_server.answers = [["127.0.0.1"], ["127.0.0.2"]]
    answer = post(outside.Outside(verify=trusted), f"https://shop.example:{shop.port}/")
    assert (answer.status_code, len(shop.heard)) == (200, 1)
    # Asked once: what was checked is what was called, under its own name.
    assert name_server.asked == ["shop.example"]
    assert shop.heard[0].headers["host"] == f"shop.example:{shop.port}"


def test_the_next_connection_is_checked_anew(
    name_server: NameServer, tls_shop: tuple[Shop, ssl.SSLContext], only_one_is_public: None
) -> None:
    shop, trusted = tls_shop
    name_server.answers = [["127.0.0.1"], ["127.0.0.2"]]
    post(outside.Outside(verify=trusted), f"https://shop.example:{shop.port}/")
    with pytest.raises(outside.Barred, match="private network"):
        post(outside.Outside(verify=trusted), f"https://shop.example:{shop.port}/")
    assert len(shop.heard) == 1


def test_one_private_address_among_public_ones_is_enough_to_be_refused(
    name_server: NameServer, tls_shop: tuple[Shop, ssl.SSLContext], only_one_is_public: None
) -> None:
    shop, trusted = tls_shop
    name_server.answers = [["127.0.0.1", "127.0.0.2"]]
    with pytest.raises(outside.Barred, match="private network"):
        post(outside.Outside(verify=trusted), f"https://shop.example:{shop.port}/")
    assert shop.heard == []


def test_certificates_are_checked_against_the_name(
    name_server: NameServer, tls_shop: tuple[Shop, ssl.SSLContext], only_one_is_public: None
) -> None:
    shop, trusted = tls_shop
    name_server.answers = [["127.0.0.1"]]
    with pytest.raises(httpx2.ConnectError, match="certificate"):
        post(outside.Outside(verify=trusted), f"https://other.example:{shop.port}/")
    assert shop.heard == []


def test_redirects_are_not_followed_to_private_addresses(
    name_server: NameServer, tls_shop: tuple[Shop, ssl.SSLContext], only_one_is_public: None
) -> None:
    shop, trusted = tls_shop
    shop.answers = [Said(302, location="https://127.0.0.2/")]
    name_server.answers = [["127.0.0.1"]]
    answer = post(outside.Outside(verify=trusted), f"https://shop.example:{shop.port}/")
    assert (answer.status_code, len(shop.heard)) == (302, 1)


def test_nothing_goes_out_in_clear() -> None:
    with Shop() as shop, pytest.raises(outside.Barred, match="https"):
        post(outside.Outside(), shop.url)
    assert shop.heard == []


def test_addresses_are_tried_one_after_the_other(
    name_server: NameServer, tls_shop: tuple[Shop, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, trusted = tls_shop
    monkeypatch.setattr(outside, "is_public", lambda _: True)
    name_server.answers = [["::1", "127.0.0.1"]]  # nobody listens on the first
    assert post(outside.Outside(verify=trusted), f"https://shop.example:{shop.port}/").status_code == 200
    name_server.answers = [["::1"]]
    with pytest.raises(httpx2.ConnectError):
        post(outside.Outside(verify=trusted), f"https://shop.example:{shop.port}/")


def test_many_requests_share_a_connection_and_one_question(
    name_server: NameServer, tls_shop: tuple[Shop, ssl.SSLContext], only_one_is_public: None
) -> None:
    shop, trusted = tls_shop
    name_server.answers = [["127.0.0.1"]]
    shop.server.RequestHandlerClass.protocol_version = "HTTP/1.1"
    with httpx2.Client(transport=outside.Outside(verify=trusted)) as client:
        for _ in range(3):
            client.post(f"https://shop.example:{shop.port}/", content=b"{}")
    assert (len(shop.heard), name_server.asked) == (3, ["shop.example"])


EVERY_FORM = """0.0.0.0 10.1.2.3 100.64.0.1 127.0.0.1 169.254.169.254 172.16.0.1 192.168.1.1 198.18.0.1
    224.0.0.1
    192.88.99.1 255.255.255.255 :: ::1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 64:ff9b::7f00:1 2002:7f00:1::
    2001:0:1::1 fe80::1 fe80::1%eth0 fec0::1 ::127.0.0.1 fd00::1 ff02::1""".split()


@pytest.mark.parametrize("address", EVERY_FORM)
def test_private_addresses_are_known_in_every_form(address: str) -> None:
    assert not outside.is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2001:4860:4860::8888"])
def test_public_addresses_are_allowed(address: str) -> None:
    assert outside.is_public(address)


def lines() -> list[tuple[str, str]]:
    private = """127.0.0.1 127.1 0x7f000001 2130706433 0177.0.0.1 10.0.0.1 169.254.169.254 192.168.1.1
    100.64.0.1
    0.0.0.0 [::1] [::ffff:10.0.0.1] [64:ff9b::a00:1] [64:ff9b:1::1] [2002:a00:1::] [2001::1] [fe80::1]
    [fc00::1] [fec0::1] [ff02::1] [::] 192.0.2.1 192.88.99.1 198.18.0.1 224.0.0.1 240.0.0.1 localhost
    localhost. db intranet printer.local metadata.google.internal router.home.arpa app.localhost""".split()
    return [(f"https://{each}/", outside.PRIVATE) for each in private]


@pytest.mark.parametrize(
    ("address", "words"),
    [
        *lines(),
        ("http://shop.example/", outside.NOT_ENCRYPTED),
        ("ftp://shop.example/", outside.NOT_ENCRYPTED),
        ("file:///etc/passwd", outside.NO_ADDRESS),
        ("https://", outside.NO_ADDRESS),
        ("https://[::1", outside.NO_ADDRESS),
        ("https://a b/", outside.NO_ADDRESS),
        ("https://shop.example:99999/", outside.NO_ADDRESS),
        ("https://shop.example:0/", outside.NO_ADDRESS),
        ("https://me:secret@shop.example/", "Leave out names"),
        ("https://shop.example/#part", "Leave out names"),
    ],
)
def test_what_must_not_be_called_is_refused_when_it_is_entered(address: str, words: str) -> None:
    assert words in outside.trouble(address, private=False)


@pytest.mark.parametrize(
    "address", ["", "https://shop.example/a?b=c", "https://8.8.8.8/", "https://[2a00::1]:8443/"]
)
def test_public_addresses_may_be_entered(address: str) -> None:
    assert outside.trouble(address, private=False) == ""


def test_credentials_may_stand_in_the_address_of_tokens_alone() -> None:
    assert outside.trouble("https://id:secret@id.example/", private=False, credentials=True) == ""
