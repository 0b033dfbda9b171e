"""The keys that encrypt can be changed, and afterwards the old one is of no use and no need."""

import io
from collections.abc import Iterator

import pytest
from cryptography.fernet import Fernet, InvalidToken
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import CharField, JSONField, TextField

from merchant import rotation
from merchant.encryption import EncryptedTextField, SealedTextsField, decrypt, encrypt, seal, unseal
from merchant.models import Merchant, Project
from tests.conftest import HARBOUR_SECRET
from transactions import activation_keys, card
from transactions.models import RawOrder

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
# Names that look like a secret, and why what they hold is none or is no text of ours.
HARMLESS = {
    "merchant.User.password": "a hash of the password",
    "sessions.Session.session_key": "looked up by it; good for twelve hours",
    "usersessions.UserSession.session_key": "names a row of the table of sessions, which is looked up by it",
    "account.EmailConfirmation.key": "never stored: confirmations are signed",
    "fulfillment.Batch.key": "a hash of a form",
    "fulfillment.Message.key": "tells one mail from another",
    "fulfillment.ReceiptPage.token": "looked up by it; opens what whoever reads the table can read anyway",
    "merchant.Invitation.token_hash": "a hash",
    "transactions.Connection.token_merchant": "the merchant whose token it is",
}
SECRET_WORDS = ("secret", "token", "password", "key", "credential", "body", "passphrase", "private")


@pytest.fixture
def old_key(settings) -> None:
    settings.ENCRYPTION_KEYS = [OLD]


@pytest.fixture
def world(old_key: None, lantern: Merchant, mirrored: Merchant) -> Merchant:
    """A mirrored merchant whose secrets were encrypted with the old key."""
    return mirrored


def rotated() -> str:
    said = io.StringIO()
    call_command("rotate_keys", stdout=said, stderr=said)
    return said.getvalue()


def ciphertexts() -> Iterator[str]:
    for place in rotation.places():
        for _, found in place.rows(None):
            yield from found.values()


def keys_of_all() -> list[str]:
    documents = RawOrder.objects.order_by("pk").values_list("document", flat=True)
    items = [item for document in documents for item in document["items"] or []]
    return [key for item in items if (key := activation_keys.opened(item))]


def test_after_a_rotation_the_old_key_can_be_removed(world: Merchant, settings) -> None:
    keys = keys_of_all()
    assert len(keys) > 3
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    assert "Everything is under the newest key" in rotated()
    settings.ENCRYPTION_KEYS = [NEW]
    assert Merchant.objects.get().api_token == "sandbox-lantern-owner-token"
    assert HARBOUR_SECRET in {project.secret_key for project in Project.objects.all()}
    assert keys_of_all() == keys
    settings.ENCRYPTION_KEYS = [OLD]
    found = list(ciphertexts())
    assert len(found) > len(keys) + 2
    for token in found:
        with pytest.raises(InvalidToken):
            decrypt(token)


def test_a_second_run_changes_nothing_and_a_stopped_one_goes_on(world: Merchant, settings) -> None:
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    next(rotation.rotate(next(each for each in rotation.places() if "raworder" in each.table)))
    done = list(ciphertexts())
    rotated()
    after = list(ciphertexts())
    assert set(done) & set(after)
    assert "encrypted anew" in rotated()
    assert list(ciphertexts()) == after


def test_amounts_beside_a_key_stay_as_they_are_written(world: Merchant, settings) -> None:
    before = dict(RawOrder.objects.values_list("pk", "document"))
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    rotated()
    for pk, document in RawOrder.objects.values_list("pk", "document"):
        ours, theirs = document.pop("items"), before[pk].pop("items")
        assert repr(document) == repr(before[pk])
        without = [[{**item, "code": ""} for item in some or []] for some in (ours, theirs)]
        assert repr(without[0]) == repr(without[1])


def test_what_changes_meanwhile_is_left_to_who_changes_it(world: Merchant, settings) -> None:
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    place = next(each for each in rotation.places() if each.column == "api_token")
    [(key, found)] = place.rows(None)
    Merchant.objects.update(api_token="changed-meanwhile")
    assert place.write(None, [(key, found[None], encrypt("sandbox-lantern-owner-token"))]) == 0
    assert Merchant.objects.get().api_token == "changed-meanwhile"


def test_a_missing_key_is_told_and_nothing_is_lost(world: Merchant, settings) -> None:
    settings.ENCRYPTION_KEYS = [NEW]
    with pytest.raises(CommandError, match=r"No key opens .* of merchant_merchant\.api_token, "):
        rotated()
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    rotated()
    settings.ENCRYPTION_KEYS = [NEW]
    assert Merchant.objects.get().api_token == "sandbox-lantern-owner-token"


def test_no_key_lies_in_a_document_and_the_card_still_shows_it(mirrored: Merchant) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT document::text FROM transactions_raworder")
        stored = " ".join(text for (text,) in cursor.fetchall())
    keys = keys_of_all()
    assert keys
    assert not [key for key in keys if key in stored]
    raw = next(raw for raw in RawOrder.objects.all() if '"sealed:' in str(raw.document).replace("'", '"'))
    assert any(card.key_of(raw.document, position) in keys for position in range(len(raw.document["items"])))


def test_what_looks_sealed_at_paysuper_is_sealed_once_more(mirrored: Merchant) -> None:
    assert unseal(seal("sealed:gAAAA-not-ours")) == "sealed:gAAAA-not-ours"
    assert seal("") == ""


def test_every_field_that_looks_like_a_secret_is_encrypted() -> None:
    texts = (CharField, TextField, JSONField)
    fields = {
        f"{model._meta.label}.{field.name}": field
        for model in apps.get_models()
        for field in model._meta.local_fields
        if isinstance(field, texts) and any(word in field.name.split("_") for word in SECRET_WORDS)
    }
    known = {
        name for name, field in fields.items() if isinstance(field, EncryptedTextField | SealedTextsField)
    }
    assert set(fields) - known == set(HARMLESS) & set(fields)
    assert {"merchant.Merchant.api_token", "fulfillment.WebhookEvent.body"} <= known
