"""PaySuper's signature: exact bytes, exact form, this project's secret."""

import pytest

from merchant.paysuper import signature
from tests.merchant.examples import load, named

BODY, SECRET = b'{"id":"a1","event":"payment.success"}', "topsecret"
HEADER = "Signature af1a97fbb0c364c29ed1771b0c42943ec54a60d3eb8cfdcb5aded0ca1d50523c"


def test_the_worked_example_of_the_contract_is_reproduced() -> None:
    assert signature.sign(BODY, SECRET) == HEADER
    assert signature.is_valid(BODY, HEADER, SECRET)


@pytest.mark.parametrize("name", named("WebhookExample"))
def test_every_webhook_of_the_contract_verifies(name: str) -> None:
    webhook = load(name)
    body, header = webhook["raw_body"].encode(), webhook["headers"]["Authorization"]
    assert signature.is_valid(body, header, webhook["secret"])
    assert not signature.is_valid(body + b"\n", header, webhook["secret"])
    assert not signature.is_valid(body, header, webhook["secret"] + "x")


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Signature",
        "Signature ",
        HEADER.upper(),
        "Signature " + HEADER.removeprefix("Signature ").upper(),
        HEADER.removeprefix("Signature "),
        HEADER.replace("Signature", "signature"),
        HEADER.replace("Signature", "Bearer"),
        HEADER.replace(" ", "  "),
        f" {HEADER}",
        f"{HEADER} ",
        HEADER[:-1],
        HEADER + "0",
        HEADER.replace("a", "\uff41"),
        "Signature \ud800",
    ],
)
def test_any_other_form_of_the_header_is_refused(header: str) -> None:
    assert not signature.is_valid(BODY, header, SECRET)


def test_another_secret_is_refused() -> None:
    assert not signature.is_valid(BODY, HEADER, "Topsecret")
    assert not signature.is_valid(BODY, HEADER, "topsecret ")


def test_an_empty_secret_signs_nothing() -> None:
    assert not signature.is_valid(BODY, signature.sign(BODY, ""), "")


def test_a_part_of_the_body_cannot_move_into_the_secret() -> None:
    assert not signature.is_valid(BODY[:-1], HEADER, SECRET)
    assert signature.sign(b"ab", "c") == signature.sign(b"a", "bc"), (
        "no separator: the contract's own weakness"
    )
