"""Encrypting everything anew under the newest of ENCRYPTION_KEYS, so that the older ones can go.

Works in small steps on what lies in the database, in any number of goes: what is under the newest key
already is only looked at. What somebody changes meanwhile is left to them: they encrypt with the newest key.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from allauth.mfa.models import Authenticator
from cryptography.fernet import InvalidToken
from django.apps import apps
from django.db import connection

from merchant.encryption import SEAL, EncryptedTextField, SealedTextsField, decrypt, encrypt, is_newest

_AT_ONCE = 500
# A text, or the text of an object in a list, by the object's position.
Spot = int | None


@dataclass(frozen=True)
class Place:
    """A column that holds ciphertext: as a whole, or in a member of the objects of a list."""

    table: str
    key: str
    key_type: str
    column: str
    sealed: tuple[str, str] | None = None

    def __str__(self) -> str:
        return f"{self.table}.{self.column}"

    def rows(self, last: Any) -> list[tuple[object, dict[Spot, str]]]:
        """The next rows after the key `last` (None: the first ones), with their ciphertexts."""
        value, condition = f'"{self.column}"', f"\"{self.column}\" <> ''"
        if self.sealed:
            value = f"(\"{self.column}\" -> '{self.sealed[0]}')::text"
            condition = (
                f'"{self.column}" @? \'$.{self.sealed[0]}[*].{self.sealed[1]} ? (@ starts with "{SEAL}")\''
            )
        beyond = f'AND "{self.key}" > %(last)s' if last is not None else ""
        with connection.cursor() as cursor:
            cursor.execute(
                f'SELECT "{self.key}", {value} FROM "{self.table}" WHERE {condition} {beyond} '
                f'ORDER BY "{self.key}" LIMIT {_AT_ONCE}',
                {"last": last},
            )
            return [(key, self._ciphertexts(text)) for key, text in cursor.fetchall()]

    def write(self, spot: Spot, changes: list[tuple[object, str, str]]) -> int:
        """Replace old by new ciphertexts, by key, where they still stand; how many were replaced."""
        old, new = f'stored."{self.column}"', "change.new"
        if self.sealed:
            path = f"'{{{self.sealed[0]},{spot},{self.sealed[1]}}}'"
            old, new = f"{old} #>> {path}", f"jsonb_set({old}, {path}, to_jsonb('{SEAL}' || change.new))"
        keys, olds, news = zip(*changes, strict=True)
        with connection.cursor() as cursor:
            cursor.execute(
                f'UPDATE "{self.table}" AS stored SET "{self.column}" = {new} '
                f"FROM unnest(%s::{self.key_type}[], %s::text[], %s::text[]) AS change(key, old, new) "
                f'WHERE stored."{self.key}" = change.key AND {old} = %s || change.old',
                [list(keys), list(olds), list(news), SEAL if self.sealed else ""],
            )
            return int(cursor.rowcount)

    def _ciphertexts(self, text: str) -> dict[Spot, str]:
        if not self.sealed:
            return {None: text}
        items = json.loads(text)
        found: dict[Spot, str] = {}
        for spot, item in enumerate(items if isinstance(items, list) else []):
            value = item.get(self.sealed[1]) if isinstance(item, dict) else None
            if isinstance(value, str) and value.startswith(SEAL):
                found[spot] = value.removeprefix(SEAL)
        return found


@dataclass(frozen=True)
class SecondFactorPlace(Place):
    """A member of what allauth keeps of second factors: the secrets of apps, the seeds of recovery codes."""

    member: str = ""

    def __str__(self) -> str:
        return f"{self.table}.{self.column}.{self.member}"

    def rows(self, last: Any) -> list[tuple[object, dict[Spot, str]]]:
        """The next rows after the key `last` (None: the first ones), with their ciphertexts."""
        with connection.cursor() as cursor:
            cursor.execute(
                f'SELECT "{self.key}", "{self.column}" ->> %(member)s FROM "{self.table}" '
                f"WHERE \"{self.column}\" ->> %(member)s <> '' "
                f'AND (%(last)s::{self.key_type} IS NULL OR "{self.key}" > %(last)s) '
                f'ORDER BY "{self.key}" LIMIT {_AT_ONCE}',
                {"member": self.member, "last": last},
            )
            return [(key, {None: text}) for key, text in cursor.fetchall()]

    def write(self, spot: Spot, changes: list[tuple[object, str, str]]) -> int:  # noqa: ARG002 - one a row
        """Replace old by new ciphertexts, by key, where they still stand; how many were replaced."""
        keys, olds, news = zip(*changes, strict=True)
        with connection.cursor() as cursor:
            cursor.execute(
                f'UPDATE "{self.table}" AS stored '
                f'SET "{self.column}" = jsonb_set(stored."{self.column}", %s, to_jsonb(change.new)) '
                f"FROM unnest(%s::{self.key_type}[], %s::text[], %s::text[]) AS change(key, old, new) "
                f'WHERE stored."{self.key}" = change.key AND stored."{self.column}" ->> %s = change.old',
                [[self.member], list(keys), list(olds), list(news), self.member],
            )
            return int(cursor.rowcount)


@dataclass
class Count:
    """How far the work on a place has come: ciphertexts looked at, renewed, and beyond every key."""

    looked_at: int = 0
    renewed: int = 0
    unreadable: int = 0


def places() -> list[Place]:
    """Every column of the product that holds ciphertext."""
    second_factors = [
        SecondFactorPlace(
            table=Authenticator._meta.db_table,
            key=str(Authenticator._meta.pk.column),
            key_type=str(Authenticator._meta.pk.rel_db_type(connection)),
            column="data",
            member=member,
        )
        for member in ("secret", "seed")
    ]
    return second_factors + [
        Place(
            table=model._meta.db_table,
            key=str(model._meta.pk.column),
            key_type=str(model._meta.pk.rel_db_type(connection)),
            column=str(field.column),
            sealed=field.sealed if isinstance(field, SealedTextsField) else None,
        )
        for model in apps.get_models()
        for field in model._meta.local_fields
        if isinstance(field, EncryptedTextField | SealedTextsField)
    ]


def rotate(place: Place) -> Iterator[Count]:
    """Encrypt a place anew, step by step; the count so far after each step, also when there was nothing."""
    count, last = Count(), None
    while rows := place.rows(last):
        changes: dict[Spot, list[tuple[object, str, str]]] = defaultdict(list)
        for key, ciphertexts in rows:
            for spot, old in ciphertexts.items():
                count.looked_at += 1
                new = _renewed(old)
                count.unreadable += new is None
                if new and new != old:
                    changes[spot].append((key, old, new))
        count.renewed += sum(place.write(spot, some) for spot, some in changes.items())
        last = rows[-1][0]
        yield count
    yield count


def _renewed(token: str) -> str | None:
    """The ciphertext under the newest key; the same when it is already, None when no key opens it."""
    try:
        return token if is_newest(token) else encrypt(decrypt(token))
    except InvalidToken:
        return None
