"""New migrations run while the old version serves: nothing in them blocks it or takes away what it uses.

Make a table or a column that may be empty or has a `db_default`; fill it in tasks; use it; only in a later
version take the old one away, which is then named below with its reason. An index is made by
AddIndexConcurrently in a migration of its own (`atomic = False`), a constraint by AddConstraintNotValid and
ValidateConstraint.
"""

from collections.abc import Iterable, Iterator

import pytest
from django.contrib.postgres.operations import (
    AddConstraintNotValid,
    AddIndexConcurrently,
    RemoveIndexConcurrently,
)
from django.db import models
from django.db.migrations import Migration, operations as op
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation

OURS = ("merchant", "transactions", "fulfillment")
# Of the first release: nobody ran a version before these.
FIRST = {"merchant": "0008", "transactions": "0016", "fulfillment": "0009"}
# What blocks for a moment or takes away on purpose: migration → why that does no harm.
REASONED: dict[tuple[str, str], str] = {
    ("transactions", "0018_searched_texts"): "a setting of the planner: readers and writers go on",
}
_TAKE_AWAY = (op.RemoveField, op.DeleteModel, op.RenameField, op.RenameModel, op.AlterModelTable)


def blocking(migration: Migration) -> Iterator[str]:
    """What the migration does that the old version would feel, in words."""
    operations = list(_opened(migration.operations))
    new = {each.name.lower() for each in operations if isinstance(each, op.CreateModel)}
    for each in operations:
        is_known = getattr(each, "model_name", "").lower() not in new
        if is_known and (words := _felt(each, atomic=migration.atomic)):
            yield f"{each.describe()}: {words}"


def _felt(each: Operation, *, atomic: bool) -> str:
    if isinstance(each, _TAKE_AWAY):
        return "the old version still uses it"
    if isinstance(each, op.AlterField):
        return "may write the table anew, and look at every row"
    if isinstance(each, op.AddField) and not _adds_quietly(each.field):
        return "the old version does not fill it; allow null, or give a db_default"
    if isinstance(each, op.AddField) and each.field.remote_field and each.field.db_constraint:
        return "its index and constraint look at every row; add them afterwards"
    if isinstance(each, op.AddIndex) and not isinstance(each, AddIndexConcurrently):
        return "nobody writes meanwhile; use AddIndexConcurrently"
    if isinstance(each, op.RemoveIndex) and not isinstance(each, RemoveIndexConcurrently):
        return "waits for everybody and lets nobody pass; use RemoveIndexConcurrently"
    if isinstance(each, op.AddConstraint) and not isinstance(each, AddConstraintNotValid):
        return "looks at every row; use AddConstraintNotValid"
    if isinstance(each, op.RunSQL):
        return "SQL of our own; say in REASONED what it does not block"
    if isinstance(each, op.RunPython) and atomic:
        return "inside of one transaction: what it writes is locked until the end"
    return ""


def _opened(operations: Iterable[Operation]) -> Iterator[Operation]:
    """Also what stands inside of SeparateDatabaseAndState and reaches the database."""
    for each in operations:
        if isinstance(each, op.SeparateDatabaseAndState):
            yield from _opened(each.database_operations)
        else:
            yield each


def _adds_quietly(field: models.Field) -> bool:
    return field.null or field.has_db_default() or field.many_to_many


def test_new_migrations_disturb_nobody() -> None:
    found = {
        key: list(blocking(migration))
        for key, migration in MigrationLoader(None).disk_migrations.items()
        if key[0] in OURS and key[1][:4] > FIRST[key[0]] and key not in REASONED
    }
    assert {key: words for key, words in found.items() if words} == {}


INDEX = models.Index(fields=["name"], name="i")
TEXT = models.TextField(default="")
LOOSE = models.ForeignKey("Shop", models.CASCADE, null=True, db_constraint=False, db_index=False)


@pytest.mark.parametrize(
    ("operation", "is_harmless"),
    [
        (op.AddField("order", "name", models.TextField(null=True)), True),
        (op.AddField("order", "name", models.TextField(db_default="")), True),
        (op.AddField("order", "name", TEXT), False),
        (op.AlterField("order", "name", TEXT), False),
        (op.RemoveField("order", "name"), False),
        (op.RenameField("order", "name", "title"), False),
        (op.DeleteModel("order"), False),
        (op.AddIndex("order", INDEX), False),
        (AddIndexConcurrently("order", INDEX), True),
        (op.AddConstraint("order", models.UniqueConstraint(fields=["name"], name="c")), False),
        (AddConstraintNotValid("order", models.CheckConstraint(condition=models.Q(a=1), name="c")), True),
        (op.RunPython(op.RunPython.noop), False),
        (op.RunSQL("UPDATE orders SET name = 'x'"), False),
        (op.RemoveIndex("order", "i"), False),
        (RemoveIndexConcurrently("order", "i"), True),
        (op.AddField("order", "shop", models.ForeignKey("Shop", models.CASCADE, null=True)), False),
        (op.AddField("order", "shop", LOOSE), True),
        (op.SeparateDatabaseAndState([op.AddIndex("order", INDEX)]), False),
        (op.SeparateDatabaseAndState([], [op.AddIndex("order", INDEX)]), True),
        (op.AddIndex("new", INDEX), True),
        (op.AddField("new", "name", TEXT), True),
    ],
)
def test_what_blocks_is_told_from_what_does_not(operation: Operation, is_harmless: bool) -> None:
    migration = Migration("0001", "app")
    migration.operations = [op.CreateModel("New", []), operation]
    assert (not list(blocking(migration))) == is_harmless
