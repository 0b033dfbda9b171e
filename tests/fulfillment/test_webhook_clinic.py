"""The signature clinic names what is wrong, and keeps nothing of what is pasted."""

import hashlib
import hmac
import json
import logging
from pathlib import Path

import pytest
from django.db import connection

from fulfillment.inbox import clinic
from merchant import projects
from merchant.models import Merchant, Project
from merchant.paysuper.signature import sign
from tests.conftest import HARBOUR, HARBOUR_SECRET, KETTLE, KETTLE_SECRET, SNOW_SECRET, Person

EXAMPLES = Path(__file__).parents[1] / "paysuper" / "examples"
BODY = '{"id":"a1","object":{"amount":11.90,"text":"T\\u0026J \\u003cb\\u003e","who":"Jürgen"}}'
RIGHT = sign(BODY.encode(), HARBOUR_SECRET)
CURRENT, APART = "The signature is right.", "Apart from that it is right"


def said(project: Project, body: str = BODY, header: str = RIGHT) -> str:
    return " ".join(f"{each.title} {each.advice}" for each in clinic.examine(project, body, header))


def test_a_right_signature_is_right(harbour: Project) -> None:
    found = clinic.examine(harbour, BODY, RIGHT)
    assert [(each.title, each.kind) for each in found] == [(CURRENT, "good")]
    assert CURRENT in said(harbour, BODY, f"Authorization: {RIGHT}")


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("webhook.*.json")), ids=lambda path: path.name)
def test_every_example_is_right_with_its_secret_and_wrong_without(harbour: Project, path: Path) -> None:
    example = json.loads(path.read_text())
    body, header = example["raw_body"], example["headers"]["Authorization"]
    assert "No secret that we know" in said(harbour, body, header)
    harbour.secret_key = example["secret"]
    assert said(harbour, body, header).startswith(CURRENT)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (BODY + "\n", "without the line end after it"),
        (BODY + "\r\n", "without the line end after it"),
        (BODY[:-1], "No secret that we know"),
        ("\ufeff" + BODY, "without the byte order mark"),
        ("  " + BODY + " ", "without the blanks around it"),
        (
            json.dumps(json.loads(BODY)).replace("11.9", "11.90"),
            "without blanks between its members, <, > and &",
        ),
        (json.dumps(json.loads(BODY), indent=2).replace("11.9", "11.90"), "<, > and & escaped"),
        (BODY.replace(",", ", ").replace(":", ": "), "without blanks between its members."),
        (json.dumps(json.loads(BODY)), "No secret that we know"),
    ],
)
def test_changed_bytes_are_named(harbour: Project, body: str, words: str) -> None:
    text = said(harbour, body)
    assert words in text
    assert (APART in text) == ("No secret" not in words)


@pytest.mark.parametrize(
    ("signed", "pasted", "words"),
    [
        ("a\nb", "a\r\nb".replace("\r\n", "\n"), CURRENT),
        ("a\r\nb", "a\nb", "CR LF"),
        ("a\nb\n", "a\nb", "with a line end after it"),
        ("\ufeffa", "a", "with a byte order mark"),
        ('{"a":"\\u00fc"}', '{"a": "ü"}', "all but ASCII escaped"),
        ('{"a":"ü/<"}', '{"a":"\\u00fc\\/\\u003c"}', "nothing escaped"),
    ],
)
def test_it_also_finds_what_the_sender_did(harbour: Project, signed: str, pasted: str, words: str) -> None:
    assert words in said(harbour, pasted, sign(signed.encode(), HARBOUR_SECRET))


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("", "There is no signature"),
        (RIGHT.removeprefix("Signature "), "The word Signature is missing"),
        (RIGHT.replace("Signature", "Bearer"), "begins with “Bearer”"),
        (RIGHT.replace("Signature", "signature"), "begins with “signature”"),
        (RIGHT.replace("Signature ", "Signature"), "One blank"),
        (RIGHT.replace(" ", "  "), "One blank"),
        ("Signature " + RIGHT.removeprefix("Signature ").upper(), "in capitals"),
        (RIGHT + " x", "Something follows"),
        ("Signature " + "a" * 40, "a dummy of that length"),
        ("Signature " + "a" * 128, "SHA-512"),
        ("Signature " + "a" * 63, "64 hex digits were expected"),
        ("Signature", "64 hex digits were expected"),
        ("ünïcode \u2028", "64 hex digits were expected"),
    ],
)
def test_a_wrong_form_of_the_header_is_named(harbour: Project, header: str, words: str) -> None:
    text = said(harbour, BODY, header)
    assert words in text
    assert CURRENT not in text
    assert (APART in text) == (RIGHT[-20:] in header.lower())


def test_the_old_secret_is_named_while_it_is_good_and_afterwards(harbour: Project) -> None:
    projects.take_secret(harbour, "the-new-one")
    assert "signed with the previous secret. It is taken until" in said(harbour)
    harbour.previous_secret_until = harbour.secret_since
    assert "signed with the previous secret. It is taken no longer" in said(harbour)


def test_another_projects_secret_is_named_but_never_another_merchants(
    harbour: Project, copper: Merchant
) -> None:
    assert "“Snow Defender”" in said(harbour, BODY, sign(BODY.encode(), SNOW_SECRET))
    text = said(harbour, BODY, sign(BODY.encode(), KETTLE_SECRET))
    assert "Kettle" not in text
    assert "No secret that we know" in text


@pytest.mark.parametrize(
    ("digest", "words"),
    [
        (hmac.new(HARBOUR_SECRET.encode(), BODY.encode(), hashlib.sha256).hexdigest(), "HMAC"),
        (hashlib.sha256((HARBOUR_SECRET + BODY).encode()).hexdigest(), "secret before the body"),
        (hashlib.sha256(BODY.encode()).hexdigest(), "without any secret"),
    ],
)
def test_another_method_is_named(harbour: Project, digest: str, words: str) -> None:
    assert words in said(harbour, BODY, f"Signature {digest}")


@pytest.mark.parametrize(
    "body", ["", "[" * 20_000, '"' + '\\"' * 200_000, "\ud800", "{" + " " * 500_000 + "}"]
)
def test_hostile_bodies_are_answered_soon(harbour: Project, body: str) -> None:
    assert "No secret that we know" in said(harbour, body)


def test_a_project_without_a_secret_is_told(harbour: Project) -> None:
    harbour.secret_key = ""
    assert "No secret is known" in said(harbour)


def test_the_page_says_the_same_and_keeps_and_logs_nothing(
    ann: Person, harbour: Project, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    pasted = {"project": HARBOUR, "header": RIGHT, "body": BODY.replace("Jürgen", "Mara-Unseen")}
    page = ann.browser.post("/webhooks/signature/", pasted)
    assert "No secret that we know" in page.content.decode()
    page = ann.browser.post("/webhooks/signature/", pasted | {"body": BODY})
    assert CURRENT in page.content.decode()
    assert "Mara-Unseen" not in caplog.text
    assert RIGHT[-20:] not in caplog.text
    assert "Mara-Unseen" not in everything_stored()


def everything_stored() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT query_to_xml('SELECT * FROM merchant_auditevent', true, true, '')::text")
        audited = cursor.fetchone()[0]
        cursor.execute("SELECT count(*) FROM fulfillment_refuseddelivery")
        assert cursor.fetchone()[0] == 0
    return str(audited)


@pytest.mark.parametrize("header", ["\0", "x" * 2001])
@pytest.mark.parametrize("project", [HARBOUR, KETTLE, "\0", ""])
def test_bad_input_is_told_and_a_foreign_project_does_not_exist(
    ann: Person, copper: Merchant, harbour: Project, project: str, header: str
) -> None:
    page = ann.browser.post("/webhooks/signature/", {"project": project, "header": header, "body": "\0"})
    assert page.status_code == 200
    assert "errorlist" in page.content.decode()
