"""What the database holds, to be compared: before and after, with and without, ours and the neighbours'."""

from collections.abc import Iterable
from functools import cache

from django.apps import apps
from django.db import connection, models

from merchant.encryption import EncryptedTextField
from merchant.models import AuditEvent, Merchant, Project, User
from transactions.models import Transaction

# Another one each time that the same is done.
_MADE_UP = set(
    "reference token token_hash webhook_id digest previous_digest hash previous secret session_key "
    "last_login key object_hash sessions_ended password request_id".split()
)
_LASTING = (User, Merchant, Project, Transaction)
_CLOCKS = (models.DateTimeField, models.UUIDField)


def tables() -> list[type[models.Model]]:
    """Everything that is kept, but for sessions and what Django keeps of itself."""
    apart = {"sessions", "contenttypes", "auth"}
    return [model for model in apps.get_models() if model._meta.app_label not in apart]


def held() -> dict[str, str]:
    """A hash of each table without what differs by itself: clocks, new ids, tokens, ciphertext."""
    return _asked(_selects())


def held_by(merchant: Merchant) -> dict[str, str]:
    """A hash of all rows of one merchant, by table."""
    mine = [model for model in tables() if "merchant" in _names(model)]
    return _asked(
        f"SELECT '{model._meta.db_table}', md5(string_agg(each::text, '' ORDER BY each::text)) "
        f"FROM {model._meta.db_table} AS each WHERE merchant_id = {merchant.pk}"
        for model in mine
    )


def strays() -> dict[str, str]:
    """References from a row of one merchant to a row of another; there are never any."""
    found = _asked(
        f"SELECT '{model._meta.db_table}.{field.column}', count(*)::text "
        f"FROM {model._meta.db_table} AS child "
        f"JOIN {field.related_model._meta.db_table} AS parent ON parent.{field.target_field.column} = "
        f"child.{field.column} WHERE child.merchant_id <> parent.merchant_id"
        for model in tables()
        if "merchant" in _names(model)
        for field in model._meta.concrete_fields
        if field.is_relation and "merchant" in _names(field.related_model)
    )
    return {place: number for place, number in found.items() if number != "0"}


def ids_of(merchant: Merchant) -> list[str]:
    """The ids of one row of the merchant in each table, as addresses and forms name them."""
    found = {str(merchant.pk), merchant.paysuper_id}
    for model in tables():
        if "merchant" in _names(model) and (row := model._base_manager.filter(merchant=merchant).first()):
            found |= {str(row.pk), str(getattr(row, "paysuper_id", row.pk))}
    return sorted(found)


@cache
def _selects() -> tuple[str, ...]:
    parts = []
    for model in tables():
        apart = ", ".join(f"'{field.column}'" for field in model._meta.concrete_fields if _differs(field))
        table = model._meta.db_table
        row = f"(to_jsonb(each) - ARRAY[{apart}]::text[])::text"
        parts.append(
            f"SELECT '{table}', md5(string_agg(said, '' ORDER BY said)) "
            f"FROM (SELECT {row} AS said FROM {table} AS each) AS held"
        )
    return tuple(parts)


def _differs(field: models.Field) -> bool:
    if field.model is AuditEvent and field.name in ("subject", "data"):
        return True  # ids of what has just been made
    if field.is_relation:
        return field.related_model not in _LASTING
    made_up = field.primary_key or field.name in _MADE_UP or field.name.endswith(("_hash", "_digest"))
    return made_up or isinstance(field, (*_CLOCKS, EncryptedTextField))


def _names(model: type[models.Model]) -> set[str]:
    return {field.name for field in model._meta.concrete_fields}


def _asked(selects: Iterable[str]) -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(selects))
        return dict(cursor.fetchall())
