"""No secret, key, card number or address of a person gets into the log, whoever writes the line."""

import json
import logging
from logging.config import DictConfigurator
from pathlib import Path

import pytest
import structlog
from django.conf import settings

from merchant.encryption import encrypt
from merchant.logged import MASK, masked
from tests import log_leaks
from tests.log_leaks import SEEDS, lines_with_secrets


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Authorization: Bearer abc.def-123456789", "Authorization: Bearer ******"),
        ("Authorization: Signature 9f2c9f2c9f2c9f2c", "Authorization: Signature ******"),
        ("GET https://user:pass@api.example/x", "GET https://******@api.example/x"),
        ("GET /oauth?client_secret=abcd&scope=all", "GET /oauth?client_secret=******&scope=all"),
        ("GET /transactions/?q=mara@example.com&page=2", "GET /transactions/?q=******&page=2"),
        ("GET /receipts/Zx9_aB3dE5fG7hI9jK1lM3nO5pQ7rS9t/", "GET /receipts/******/"),
        (
            "GET /accounts/password/reset/key/1-c8x2wd-39dd0e6f7a8b9c0d1e2f3a4b5c6d/",
            "GET /accounts/password/reset/key/******/",
        ),
        ("key GHJ7K-QW3RT-9ZXCV handed out", "key ****** handed out"),
        ("card 4111 1111 1111 1111 declined", "card ***1111 declined"),
        ("card 4111111111111111", "card ***1111"),
        ("{'api_token': 'abcdefgh', 'name': 'x'}", "{'api_token': '******', 'name': 'x'}"),
        ("password=hunter22 for x", "password=****** for x"),
        ("secret whsec_AAAABBBBCCCC", "secret ******"),
        ("Mail to mara.lind+x@example.com failed", "Mail to ***@example.com failed"),
        ("bad row\nDETAIL: Failing row contains (1, Mara Lind)", "bad row\nDETAIL: ******"),
    ],
)
def test_what_gives_something_away_is_masked(text: str, left: str) -> None:
    assert masked(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "GET /transactions/9b1c7f7e-6f0a-4b57-9d3c-0a4f6f1f2a11/refund/",
        "GET /settings/projects/5f8a1d2b9b3d4e0001a7c2f0/webhooks/",
        "2026-11-23T19:20:23.692362Z",
        "order 1234567890123456 of 2026-11-23, 17:20:33",
        "5:9f4211fd7132fa6acbb6f543d0bb004948eaaf7a97968d24cc5d877cfe1eee63",
        "transactions.tasks.sync_all took 0.123456789012345 s",
        "/tmp/some-folder-with-a-long-name/without-digits-in-it",
    ],
)
def test_what_people_need_to_find_their_way_stays(text: str) -> None:
    assert masked(text) == text


def test_members_by_their_names_however_deep() -> None:
    inside, left = (
        {"secret_key": "a", "Cookie": "b", "count": 3},
        {"secret_key": MASK, "Cookie": MASK, "count": 3},
    )
    event = {"event": "x", "code": 200}
    assert masked({**event, "nested": [inside]}) == {**event, "nested": [left]}


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """What the product's own handler writes, in a file."""
    path = tmp_path / "log"
    handler = logging.FileHandler(path, encoding="utf-8")
    json_form = dict(settings.LOGGING["formatters"]["json"])
    handler.setFormatter(DictConfigurator(settings.LOGGING).configure_formatter(json_form))
    logging.getLogger().addHandler(handler)
    yield path
    logging.getLogger().removeHandler(handler)
    handler.close()


def test_no_way_of_logging_gets_past(written: Path) -> None:
    card, mail = "4111111111111111", "mara@example.com"
    ours, theirs = structlog.get_logger("ours"), logging.getLogger("theirs")
    ours.warning("thing_happened", card=card, token=SEEDS[0], mail=mail)
    theirs.warning("card %s of %s", card, mail)
    try:
        int(f"card {card} with Bearer {SEEDS[1]}")
    except ValueError:
        ours.exception("failed")
        theirs.exception("failed")
    lines = [json.loads(line) for line in written.read_text().splitlines()]
    assert [line["event"] for line in lines][:2] == ["thing_happened", "card ***1111 of ***@example.com"]
    assert len(lines) == 4
    assert all("***1111" in str(line) for line in lines)
    assert list(lines_with_secrets(written)) == []


def test_the_reader_of_the_log_finds_what_was_not_masked(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("fine\nGHJ7K-QW3RT-9ZXCV\ncorrect-horse-battery\nmara@example.com\n")
    assert [found.split(":")[0] for found in lines_with_secrets(path)] == [
        "an activation key of the sandbox",
        "a seeded secret",
        "an e-mail address",
    ]


def test_whatever_the_product_has_encrypted_is_looked_for(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("fine\n{'event': 'called', 'with': 'never-heard-of-before-7'}\n")
    assert list(lines_with_secrets(path)) == []
    encrypt("never-heard-of-before-7")
    assert [found.split(":")[0] for found in lines_with_secrets(path)] == ["what was encrypted"]


def test_the_logs_of_programs_are_read_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_leaks, "_FOUND", found := [])
    (tmp_path / "below").mkdir()
    for name, text in [("worker.log", "mara@example.com"), ("web.log", "fine"), ("postgres.log", "a@b.com")]:
        (tmp_path / "below" / name).write_text(f"{text}\n")
    log_leaks.read(tmp_path)
    assert found == ["worker.log, an e-mail address: mara@example.com\n"]
    (tmp_path / "below" / "worker.log").unlink()
