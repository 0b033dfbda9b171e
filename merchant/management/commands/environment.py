"""Writes the table of environment variables in docs/environment.md, out of the settings themselves."""

import ast
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

PAGE = settings.BASE_DIR / "docs" / "environment.md"
NEEDED = "needed"
# What the settings cannot say themselves; a test sees to it that none is missing and none too many.
MEANINGS = {
    "DATABASE_URL": "PostgreSQL 15 or newer, `postgres://user:password@host/name`",
    "REDIS_URL": "Redis-protocol server for broker, cache and rate limits, `redis://…`",
    "REPLICA_URL": "address of a streaming replica of the database, for lists, cards and exports",
    "REPLICA_MAX_LAG": "seconds that the replica may be behind; else, and after somebody's own action, it is "
    "not read",
    "SECRET_KEY": "long random text for sessions",
    "ENCRYPTION_KEYS": "Fernet keys for secrets at rest, newest first, separated by commas",
    "BASE_URL": "where people and PaySuper reach the dashboard",
    "ALLOWED_HOSTS": "host names, separated by commas",
    "PAYSUPER_API_URL": "address of the API that `connect_merchant` takes when it is told none",
    "EMAIL_URL": "outgoing mail, such as `smtp+tls://user:password@host:587`; printed without it",
    "EMAIL_TIMEOUT": "seconds after which a mail server that is silent is given up",
    "DEFAULT_FROM_EMAIL": "sender of mail",
    "EXPORT_STORAGE_URL": "folder of export files, `file:///…`",
    "EXPORT_PDF_CEILING": "most rows of a PDF",
    "EXPORT_MAIL_ATTACHMENT": "largest file (bytes) that is sent along with a mail",
    "STATIC_ROOT": "where collected static files lie",
    "TRUSTED_PROXIES": "how many proxies stand in front",
    "HSTS_SECONDS": "how long browsers keep to HTTPS; 0 while an installation is being moved",
    "REAUTHENTICATION_TIMEOUT": "seconds after which money asks for the password again",
    "SESSION_IDLE_SECONDS": "seconds after which somebody who does nothing is signed out",
    "SESSION_SECONDS": "seconds after which everybody signs in again",
    "INVITATION_DAYS": "how long an invitation is good",
    "LIST_STATEMENT_TIMEOUT": "seconds that a question of the list may take",
    "ALLOW_PRIVATE_SERVERS": "`true` only to develop: a merchant's server may have a private address",
    "ALLOW_PRIVATE_PAYSUPER": "`true` when PaySuper itself or a sandbox has a private address or no HTTPS",
    "RETENTION_WEBHOOK_DAYS": "days after which webhooks’ bodies are dropped; owners may differ; 0: never",
    "RETENTION_MAIL_DAYS": "the same for the texts of mails to customers",
    "RETENTION_CALL_DAYS": "the same for what merchants' servers were told",
    "METRICS_TOKEN": "who knows it may read `/metrics`, as `Authorization: Bearer …`",
    "METRICS_ADDRESSES": "networks that may read `/metrics`, such as `10.0.0.0/8`, separated by commas",
    "SENTRY_DSN": "where errors are told of; needs requirements-monitoring.txt",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "where traces are sent; needs requirements-monitoring.txt",
    "LOG_LEVEL": "`DEBUG`, `INFO`, `WARNING` …",
    "DEBUG": "`true` only to develop",
}
_IN_WORDS = {"ALLOW_PRIVATE_PAYSUPER": "`true` where `BASE_URL` is the machine itself or `DEBUG` is on"}
_BELOW_THE_PROJECT = {"EXPORT_STORAGE_URL": ".data/exports", "STATIC_ROOT": ".data/static"}
_INTRODUCTION = """\
# Environment

Written by `manage.py environment --write`; do not edit. Each variable can also be read from a file:
`SECRET_KEY_FILE=/run/secrets/secret_key`. A missing or bad value stops the start and says so.

| variable | meaning | default |
|---|---|---|
"""


class Command(BaseCommand):
    """See the module."""

    help = "Print the table of environment variables, or write it into docs/environment.md."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where to."""
        parser.add_argument("--write", action="store_true", help="write docs/environment.md")

    def handle(self, *_: object, **options: Any) -> None:
        """Print or write."""
        if options["write"]:
            PAGE.write_text(page())
        else:
            self.stdout.write(page())


def page() -> str:
    """The whole document."""
    rows = [f"| `{name}` | {MEANINGS[name]} | {_default(name, value)} |" for name, value in read().items()]
    return _INTRODUCTION + "\n".join(rows) + "\n"


def read() -> dict[str, ast.expr | None]:
    """The variables that the settings read, in their order, with the expression of the default."""
    source = ast.parse((settings.BASE_DIR / "merchant" / "settings.py").read_text())
    calls = [each for each in ast.walk(source) if isinstance(each, ast.Call) and _asks_the_environment(each)]
    return {
        str(each.args[0].value): next((word.value for word in each.keywords if word.arg == "default"), None)
        for each in sorted(calls, key=lambda call: call.lineno)
        if isinstance(each.args[0], ast.Constant)
    }


def _asks_the_environment(call: ast.Call) -> bool:
    name = call.func
    return isinstance(name, ast.Attribute) and isinstance(name.value, ast.Name) and name.value.id == "env"


def _default(name: str, value: ast.expr | None) -> str:
    if value is None or name in ("SECRET_KEY", "ENCRYPTION_KEYS"):
        return NEEDED
    if name in _IN_WORDS:
        return _IN_WORDS[name]
    if name in _BELOW_THE_PROJECT:
        return f"`{_BELOW_THE_PROJECT[name]}`"
    found = eval(ast.unparse(value), {"__builtins__": {}})  # noqa: S307 - a constant of our own source
    if isinstance(found, list):
        found = ",".join(found)
    return f"`{str(found).lower() if isinstance(found, bool) else found}`" if found != "" else "–"
