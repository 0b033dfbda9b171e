"""Every command in the documents works: it is run here as it stands there, in the order of its page."""

import argparse
import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command, get_commands, load_command_class

from merchant import setup
from merchant.audit import chain
from merchant.management.commands import environment
from merchant.models import Merchant
from merchant.paysuper.sandbox import Sandbox
from tests.conftest import HARBOUR, HARBOUR_SECRET, LANTERN, PASSWORD
from tests.doc_commands import PAGES, ROOT, commands, options, words

# A backup is a program of its own: it sees only what was committed.
DOCUMENTS = [
    pytest.param(
        page,
        id=page.name,
        marks=pytest.mark.django_db(transaction="manage.py backup FILE" in commands(page)),
    )
    for page in PAGES
    if commands(page)
]
# What is not run here, and why.
NOT_RUN = {
    r"make [a-z]+( .*)?": "this suite is a part of them; that make knows the target is looked at",
    r"SCALE=full make bench": "as above",
    r"\.venv/bin/pre-commit install": "would change the hooks of this clone",
    r"docker compose up --detach": "needs Docker; tests/test_deployment.py reads compose.yaml",
    r"docker compose exec web python manage\.py": "a way to write what stands on the page",
    r"systemctl enable --now dashboard\.target": "needs systemd; tests/test_deployment.py reads the units",
    r"manage\.py restore FILE": "needs an empty server, which tests/merchant/test_backup.py gives it",
}
# Commands whose example cannot be anybody's: this is what they answer.
ANSWERS = {
    "mail_bounced": "none of ours",
    "erase_customer": "cannot be undone",
    "reset_second_factor": "has no second factor",
}


@pytest.fixture
def values(mirrored: Merchant, paysuper: Sandbox, tmp_path: Path) -> dict[str, Callable[[], str]]:
    """What a person would write in the place of a page's blanks."""
    token = "sandbox-lantern-owner-token"
    setup.add_member(mirrored, "me@example.com", PASSWORD, "owner")
    customer = mirrored.transactions.exclude(customer_email="").latest("created_at").customer_email
    fixed = {
        "--merchant-id": LANTERN,
        "--project-id": HARBOUR,
        "--name": "Lantern",
        "--api-url": paysuper.url,
        "--api-token": token,
        "--refresh-token": "sandbox-lantern-owner-refresh-token",
        "--token-url": f"{paysuper.url}/sandbox/token",
        "--owner-password": PASSWORD,
        "--password": PASSWORD,
        "--email": "colleague@example.com",
        "--support-email": "help@example.com",
        "--shop-name": "Lantern",
        "--secret-key": HARBOUR_SECRET,
        "--customer": customer,
        "--message-id": "<123.4f@pay.example>",
        "EMAIL": "me@example.com",
        "FILE": str(tmp_path / "whole.dump"),
    }
    return {name: lambda value=value: value for name, value in fixed.items()} | {
        "--expect": lambda: chain.head(mirrored)
    }


def manage(arguments: list[str], values: dict[str, Callable[[], str]]) -> None:
    """Run a command of ours with the blanks filled in. Only a mere mention may lack what it needs."""
    name, *rest = arguments
    filled = [
        values[option]() if is_blank(word) and option in values else word
        for option, word in zip(["", *rest], rest, strict=False)
    ]
    filled = [values[word]() if word in values and is_blank(word) else word for word in filled]
    if "--help" in filled:
        assert (
            "usage:" in load_command_class(get_commands()[name], name).create_parser("", name).format_help()
        )
        return
    try:
        call_command(name, *filled, **({"interactive": False} if name == "collectstatic" else {}))
    except CommandError as error:
        is_mention = not rest and "arguments are required" in str(error)
        if not is_mention and ANSWERS.get(name, "no answer") not in str(error):
            raise


def is_blank(word: str) -> bool:
    """Whether something of the reader's own belongs there."""
    return bool(re.search(r"…|\$", word) or re.fullmatch(r"[A-Z0-9:-]*[A-Z][A-Z0-9:-]*", word))


def shell(command: str, folder: Path, **variables: str) -> str:
    """What a line of a shell prints."""
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def sandbox_answers(arguments: list[str]) -> None:
    """Start a sandbox, on a port that is free, until it says where it is."""
    free = re.sub(r"--port \d+", "--port 0", " ".join(arguments)).split()
    with subprocess.Popen([sys.executable, *free], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert "ready at http://" in process.stdout.readline()
        process.terminate()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_of_a_page_does_what_it_is_for(
    document: Path,
    values: dict[str, Callable[[], str]],
    paysuper: Sandbox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    settings,
) -> None:
    monkeypatch.setattr(environment, "PAGE", tmp_path / "environment.md")
    settings.STATIC_ROOT = str(tmp_path / "static")
    for command in commands(document):
        if any(re.fullmatch(pattern, command) for pattern in NOT_RUN):
            continue
        line = command.removeprefix("docker compose exec web python ")
        match words(line)[0]:
            case "manage.py":
                manage(words(line)[1:], values)
            case "python":
                sandbox_answers(words(line)[1:])
            case "curl":
                token = values["--api-token"]()
                assert LANTERN in shell(line, tmp_path, TOKEN=token, API_URL=paysuper.url)
            case "printf" if ".env" in line:
                shell(line, tmp_path)
                assert "ENCRYPTION_KEYS=" in (tmp_path / ".env").read_text()
            case "printf":
                signed = shell(line, tmp_path, BODY='{"id":"a1"}', SECRET="topsecret")
                assert signed.split()[0] == hashlib.sha256(b'{"id":"a1"}topsecret').hexdigest()
            case unknown:
                pytest.fail(f"Nobody runs {unknown}: {command}")


def test_nothing_is_left_out_that_no_page_has() -> None:
    known = [command for page in PAGES for command in commands(page)]
    for pattern in NOT_RUN:
        assert any(re.fullmatch(pattern, command) for command in known), pattern
    reasons = " ".join(NOT_RUN.values())
    assert all((ROOT / name).exists() for name in re.findall(r"tests/\S+\.py|compose\.yaml", reasons))


def test_make_knows_every_target_that_the_pages_name() -> None:
    targets = {
        words(each)[words(each).index("make") + 1]
        for page in PAGES
        for each in commands(page)
        if "make " in each
    }
    done = subprocess.run(["make", "--dry-run", *sorted(targets)], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_option_that_a_page_names_is_one_of_a_command() -> None:
    known = {"--detach", "--now"}
    for name, application in get_commands().items():
        if application.startswith(("merchant", "transactions", "fulfillment", "django.core")):
            parser: argparse.ArgumentParser = load_command_class(application, name).create_parser("", name)
            known |= set(parser._option_string_actions)
    assert {name for page in PAGES for name in options(page)} <= known
