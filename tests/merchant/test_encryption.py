"""Secrets are ciphertext in the database, and keys can be changed."""

import pytest
from cryptography.fernet import Fernet, InvalidToken
from django.db import connection

from merchant.encryption import decrypt, encrypt
from merchant.models import Merchant, Project
from tests.conftest import HARBOUR, HARBOUR_SECRET


def stored(table: str, column: str, paysuper_id: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {table} WHERE paysuper_id = %s", [paysuper_id])
        return cursor.fetchone()[0]


def test_a_text_comes_back_and_no_two_ciphertexts_are_equal() -> None:
    text = "sëcret 🔑 " * 50
    assert decrypt(encrypt(text)) == text
    assert encrypt(text) != encrypt(text)
    assert "cret" not in encrypt(text)


def test_the_empty_text_stays_empty() -> None:
    assert encrypt("") == decrypt("") == ""


def test_the_database_holds_only_ciphertext(lantern: Merchant) -> None:
    token = stored("merchant_merchant", "api_token", lantern.paysuper_id)
    secret = stored("merchant_project", "secret_key", HARBOUR)
    assert "sandbox-lantern-owner-token" not in token
    assert HARBOUR_SECRET not in secret
    assert decrypt(token) == Merchant.objects.get().api_token == "sandbox-lantern-owner-token"
    assert decrypt(secret) == Project.objects.get(paysuper_id=HARBOUR).secret_key == HARBOUR_SECRET


def test_a_bulk_update_encrypts_too(lantern: Merchant) -> None:
    Merchant.objects.update(api_token="another-token")
    assert "another-token" not in stored("merchant_merchant", "api_token", lantern.paysuper_id)
    lantern.refresh_from_db()
    assert lantern.api_token == "another-token"


def test_a_new_key_reads_what_the_old_one_wrote_and_writes_with_itself(settings) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.ENCRYPTION_KEYS = [old]
    before = encrypt("secret")
    settings.ENCRYPTION_KEYS = [new, old]
    assert decrypt(before) == "secret"
    after = encrypt("secret")
    settings.ENCRYPTION_KEYS = [new]
    assert decrypt(after) == "secret"
    with pytest.raises(InvalidToken):
        decrypt(before)


def test_a_damaged_ciphertext_is_an_error_and_not_a_text() -> None:
    token = encrypt("secret")
    with pytest.raises(InvalidToken):
        decrypt(token[:-2] + ("AA" if token[-2:] != "AA" else "BB"))
