"""Reads every line that the product has logged in a run of the tests, and tells which give something away.

Lines of this process are heard as they are written, those of programs that a test starts are read from the
files `*.log` in the tests' own folders, or in those that a test names by `read`. Secrets are those named
below, what looks like one, and every word that the product has encrypted.
"""

import logging
import os
import re
import tempfile
from collections.abc import Iterator
from logging.config import DictConfigurator
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import MultiFernet
from django.conf import settings

# Secrets that the tests work with, from the sandbox's tokens to people's passwords.
SEEDS = (
    "correct-horse-battery",
    "sandbox-lantern-owner-token",
    "sandbox-copper-owner-token",
    "sandbox-harbour-webhook-secret",
    "sandbox-snow-webhook-secret",
    "sandbox-kettle-webhook-secret",
    "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    "4111111111111111",
    "PLANTED-IN-THE-LOG",
)
PATTERNS = {
    "a seeded secret": re.compile("|".join(map(re.escape, SEEDS))),
    "an activation key of the sandbox": re.compile(r"(?<![\w-])[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{5}(?![\w-])"),
    "a secret of a server": re.compile(r"whsec_[\w+/=]{8}"),
    "an authorization": re.compile(r"(?i)\b(bearer|signature) [\w.~+/=-]{20}"),
    "an e-mail address": re.compile(r"[\w.+]{2,}@[\w-]+\.(com|org|net|example)"),
    "ciphertext": re.compile(r"gAAAAA[\w-]{20}"),
}
_LEAKS = pytest.StashKey[list[str]]()
_FILE = pytest.StashKey[Path]()
# What a secret of the product is made of, if it is one: tokens, secrets, keys. Texts of mails are none.
_WORD = re.compile(r"[\w+/=~-]{16,200}")
_ENCRYPTED = set[str]()
_OF_OTHERS = ("postgres.log", "redis.log")
_FOUND: list[str] = []


def lines_with_secrets(path: Path) -> Iterator[str]:
    """What was found, with the line that gives it away."""
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            yield from (f"{what}: {line[:300]}" for what, each in PATTERNS.items() if each.search(line))
            if not _ENCRYPTED.isdisjoint(_WORD.findall(line)):
                yield f"what was encrypted: {line[:300]}"


def read(folder: Path) -> None:
    """Read the logs of programs before their folder goes."""
    for path in sorted(folder.rglob("*.log")):
        if path.name not in _OF_OTHERS:
            _FOUND.extend(f"{path.name}, {each}" for each in lines_with_secrets(path))


def _remember_what_is_encrypted() -> None:
    encrypt = MultiFernet.encrypt

    def encrypted(box: MultiFernet, text: bytes) -> bytes:
        word = text.decode(errors="replace")
        if _WORD.fullmatch(word):
            _ENCRYPTED.add(word)
        return encrypt(box, text)

    MultiFernet.encrypt = encrypted  # type: ignore[method-assign]


def listen(config: pytest.Config) -> None:
    """Write every line of this process, in the product's own form, into a file of its own."""
    number, path = tempfile.mkstemp(prefix="log-of-the-tests-")
    os.close(number)
    configurator = DictConfigurator(settings.LOGGING)
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(configurator.configure_formatter(dict(settings.LOGGING["formatters"]["json"])))
    logging.getLogger().addHandler(handler)
    _remember_what_is_encrypted()
    config.stash[_FILE], config.stash[_LEAKS] = Path(path), []


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A parallel process tells what it has found."""
    found = getattr(node, "workeroutput", {}).get("log_leaks", [])
    node.config.stash[_LEAKS].extend(found)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A run whose log gives something away has failed, whatever its tests say."""
    path, leaks = session.config.stash[_FILE], session.config.stash[_LEAKS]
    if not any(getattr(each, "baseFilename", "") == str(path) for each in logging.getLogger().handlers):
        leaks.append("nobody listened to the log in the end: a test has taken the listener away")
    leaks += lines_with_secrets(path)
    path.unlink()
    read(session.config._tmp_path_factory.getbasetemp())
    leaks += _FOUND
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["log_leaks"] = leaks[:20]
    elif leaks:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Which lines they are."""
    if leaks := config.stash[_LEAKS]:
        terminalreporter.section("The log gives secrets away", red=True)
        for each in leaks[:20]:
            terminalreporter.line(each)
