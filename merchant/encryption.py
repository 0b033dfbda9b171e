"""Secrets at rest: text columns that only hold ciphertext (Fernet, rotating keys of ENCRYPTION_KEYS)."""

import functools
from typing import Any

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.db import models


@functools.cache
def _box(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def encrypt(text: str) -> str:
    """Ciphertext of `text` under the newest key. The empty text stays empty."""
    return _box(tuple(settings.ENCRYPTION_KEYS)).encrypt(text.encode()).decode() if text else ""


def decrypt(token: str) -> str:
    """The text that was encrypted under any of the keys. Raises cryptography's InvalidToken."""
    return _box(tuple(settings.ENCRYPTION_KEYS)).decrypt(token.encode()).decode() if token else ""


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]
    """A text that is encrypted on its way into the database. Cannot be filtered by."""

    def get_prep_value(self, value: Any) -> Any:
        """Encrypt on the way in."""
        return encrypt(super().get_prep_value(value) or "")

    def from_db_value(self, value: str | None, *_: object) -> str:
        """Decrypt on the way out."""
        return decrypt(value or "")
