"""docs/sandbox.md names every option, path, fault and card, and nothing that does not exist."""

import re
from pathlib import Path
from typing import get_args, get_type_hints

from merchant.management.commands.sandbox import Command
from merchant.paysuper.sandbox import Sandbox
from merchant.paysuper.sandbox.catalogue import TOKENS
from merchant.paysuper.sandbox.faults import Fault, RefundOutcome, WebhookFault
from merchant.paysuper.sandbox.own_routes import _ROUTES
from merchant.paysuper.sandbox.pages.cards import CARDS, grouped

TEXT = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text()


def section(title: str) -> str:
    return TEXT.split(f"## {title}\n")[1].split("\n## ")[0]


def first_column(title: str) -> set[str]:
    return set(re.findall(r"^\| `([a-z_-]+)` \|", section(title), re.MULTILINE))


def test_options_are_those_of_the_command_and_of_the_class() -> None:
    parser = Command().create_parser("manage.py", "sandbox")
    named = first_column("Options")
    assert {name.removeprefix("--").replace("-", "_") for name in named} == set(Sandbox.option_names())
    assert named <= set(parser._option_string_actions)


def test_control_calls_are_those_of_the_routes() -> None:
    documented = set(re.findall(r"`(GET|POST|DELETE) (/sandbox/[^`]*)`", section("Control API")))
    pages = ("/sandbox/style.css", "/sandbox/control", "/sandbox/checkout")
    routes = {
        (method, path.replace("[^/]+", "{uuid}")) for method, path, _ in _ROUTES if not path.startswith(pages)
    }
    assert documented == routes


def test_faults_and_outcomes_are_those_of_the_code() -> None:
    kinds = [get_args(get_type_hints(fault)["kind"]) for fault in (Fault, WebhookFault)]
    assert first_column("Control API") == {kind for known in kinds for kind in known}
    for outcome in get_args(get_type_hints(RefundOutcome)["outcome"]):
        assert outcome in section("Control API")


def test_cards_and_tokens_are_those_of_the_code() -> None:
    cards = set(re.findall(r"^\| (\d{4} \d{4} \d{4} \d{4}) \|", section("Pages"), re.MULTILINE))
    assert cards == {grouped(digits) for digits in CARDS}
    for token in TOKENS:
        assert token.removeprefix("sandbox-lantern") in section("Who is there")
