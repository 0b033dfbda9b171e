"""Secrets at rest: text columns that only hold ciphertext (Fernet, rotating keys of ENCRYPTION_KEYS)."""

import functools
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models

SEAL = "sealed:"


@functools.cache
def _box(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def encrypt(text: str) -> str:
    """Ciphertext of `text` under the newest key. The empty text stays empty."""
    return _box(tuple(settings.ENCRYPTION_KEYS)).encrypt(text.encode()).decode() if text else ""


def decrypt(token: str) -> str:
    """The text that was encrypted under any of the keys. Raises cryptography's InvalidToken."""
    return _box(tuple(settings.ENCRYPTION_KEYS)).decrypt(token.encode()).decode() if token else ""


def seal(text: str) -> str:
    """Ciphertext that is told apart from a text, for single texts among others that are none."""
    return f"{SEAL}{encrypt(text)}" if text else ""


def unseal(text: str) -> str:
    """The text that was sealed; what is not sealed as it is. Raises cryptography's InvalidToken."""
    return decrypt(text.removeprefix(SEAL)) if text.startswith(SEAL) else text


def is_newest(token: str) -> bool:
    """Whether a ciphertext was made with the newest key."""
    try:
        _box(tuple(settings.ENCRYPTION_KEYS[:1])).decrypt(token.encode())
    except InvalidToken:
        return False
    return True


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]
    """A text that is encrypted on its way into the database. Cannot be filtered by."""

    def get_prep_value(self, value: Any) -> Any:
        """Encrypt on the way in."""
        return encrypt(super().get_prep_value(value) or "")

    def from_db_value(self, value: str | None, *_: object) -> str:
        """Decrypt on the way out."""
        return decrypt(value or "")


class SealedTextsField(models.JSONField):  # type: ignore[type-arg]
    """JSON with a list `sealed[0]` of objects whose texts `sealed[1]` are sealed, by whoever writes them;
    here only so that `rotate_keys` finds them.
    """

    def __init__(self, *args: Any, sealed: tuple[str, str], **options: Any) -> None:
        super().__init__(*args, **options)
        self.sealed = sealed

    def deconstruct(self) -> Any:
        """What a migration needs to make it again."""
        name, path, args, options = super().deconstruct()
        return name, path, args, {**options, "sealed": self.sealed}
