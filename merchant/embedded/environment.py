"""The environment of the processes: secrets that are made once, addresses, and the programs of .venv."""

import base64
import os
import secrets
import sys
from pathlib import Path

from merchant.embedded import PROJECT, Trouble

DATA = PROJECT / ".data"
OWNER = "owner@lantern.example"

# What a person may set for the product; the tests must not see it.
OF_THE_PRODUCT = {
    *("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "ENCRYPTION_KEYS", "DEBUG", "ALLOWED_HOSTS", "BASE_URL"),
    *("PAYSUPER_API_URL", "EMAIL_URL", "EXPORT_STORAGE_URL", "STATIC_ROOT", "SENTRY_DSN"),
    *("TRUSTED_PROXIES", "LOG_LEVEL", "DEFAULT_FROM_EMAIL", "EXPORT_PDF_CEILING", "LIST_STATEMENT_TIMEOUT"),
    *("EXPORT_MAIL_ATTACHMENT", "REAUTHENTICATION_TIMEOUT", "ALLOW_PRIVATE_SERVERS"),
    *("ALLOW_PRIVATE_PAYSUPER", "RETENTION_WEBHOOK_DAYS", "RETENTION_MAIL_DAYS", "RETENTION_CALL_DAYS"),
    *("DJANGO_SETTINGS_MODULE", "EMAIL_TIMEOUT", "HSTS_SECONDS", "INVITATION_DAYS"),
    *("SESSION_IDLE_SECONDS", "SESSION_SECONDS"),
    *("METRICS_TOKEN", "METRICS_ADDRESSES", "OTEL_EXPORTER_OTLP_ENDPOINT"),
    *("REPLICA_URL", "REPLICA_MAX_LAG"),
}


def clean() -> dict[str, str]:
    """Return our environment without the product's settings."""
    return {name: value for name, value in with_programs().items() if name not in OF_THE_PRODUCT}


def with_programs() -> dict[str, str]:
    """Return our environment with the programs of .venv first."""
    programs = Path(sys.executable).parent
    return {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}


def new_secrets() -> dict[str, str]:
    """Return a fresh set of secrets."""
    return {
        "SECRET_KEY": secrets.token_urlsafe(48),
        # A Fernet key is 32 random bytes in this alphabet.
        "ENCRYPTION_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "OWNER_PASSWORD": f"{secrets.token_hex(4)}-{secrets.token_hex(4)}",
    }


def kept_secrets(file: Path) -> dict[str, str]:
    """Return the secrets of the file, making it (readable by us alone) at the first start."""
    if not file.exists():
        half = file.with_suffix(".new")
        half.unlink(missing_ok=True)
        half.touch(mode=0o600)
        half.write_text("".join(f"{name}={value}\n" for name, value in new_secrets().items()))
        half.rename(file)
    pairs = dict(line.split("=", 1) for line in file.read_text().splitlines() if "=" in line)
    if missing := new_secrets().keys() - pairs.keys():
        raise Trouble(
            f"{file} lacks {', '.join(sorted(missing))}: put it back, "
            "or move the folder .data away to start with an empty database."
        )
    return pairs
