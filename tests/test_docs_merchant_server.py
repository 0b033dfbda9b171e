"""What docs/merchant-server.md tells merchants to do works, word for word."""

import base64
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fulfillment import automatic
from fulfillment.automatic import calling, wire

PAGE = (Path(__file__).parents[1] / "docs" / "merchant-server.md").read_text()
BODY = '{"type":"order.paid","order":{"name":"Ёлка"}}'.encode()


def sample() -> Callable[..., bool]:
    """The function `is_genuine` of the page."""
    names: dict[str, Callable[..., bool]] = {}
    exec(re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)[1], names)
    return names["is_genuine"]


@pytest.fixture
def is_genuine() -> Callable[..., bool]:
    return sample()


def headers(secret: str, sent_at: int | None = None) -> dict[str, str]:
    sent_at = int(time.time()) if sent_at is None else sent_at
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(sent_at),
        "webhook-signature": automatic.signature(secret, "msg_1", sent_at, BODY),
    }


def test_the_sample_knows_our_signature(is_genuine: Callable[..., bool]) -> None:
    secret = automatic.new_secret()
    assert is_genuine(headers(secret), BODY, secret)
    several = headers(secret) | {"webhook-signature": "v1,other " + headers(secret)["webhook-signature"]}
    assert is_genuine(several, BODY, secret)


def test_the_sample_refuses_what_is_not_ours(is_genuine: Callable[..., bool]) -> None:
    secret, good = automatic.new_secret(), headers
    assert not is_genuine(good(secret), BODY + b" ", secret)
    assert not is_genuine(good(secret), BODY, automatic.new_secret())
    assert not is_genuine(good(secret) | {"webhook-id": "msg_2"}, BODY, secret)
    assert not is_genuine(good(secret, int(time.time()) - 301), BODY, secret)
    assert not is_genuine(good(secret) | {"webhook-timestamp": "soon"}, BODY, secret)


def test_the_signature_is_that_of_standard_webhooks() -> None:
    # The example of the specification's own libraries.
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    signed = automatic.signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert len(base64.b64decode(automatic.new_secret().removeprefix("whsec_"))) == 32


def test_the_page_tells_the_pauses_and_limits_that_hold() -> None:
    words = " ".join(PAGE.split())
    assert "after 6 seconds, 30 seconds, 2, 10, 30 minutes, 1, 2, 4, 6 and 10 hours" in words
    assert calling.PAUSES == (0.1, 0.5, 2, 10, 30, 60, 120, 240, 360, 600)
    assert "At most 64 KiB of your answer" in words
    assert wire.ANSWER_AT_MOST == 64 * 1024
