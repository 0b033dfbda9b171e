"""New migrations run while the old version serves: nothing in them blocks it or takes away what it uses.

Make a table or a column that may be empty or has a `db_default`; fill it in tasks; use it; only in a later
version take the old one away, which is then named below with its reason. An index is made by
AddIndexConcurrently in a migration of its own (`atomic = False`), a constraint by AddConstraintNotValid and
ValidateConstraint.
"""

from collections.abc import Iterator

import pytest
from django.contrib.postgres.operations import AddConstraintNotValid, AddIndexConcurrently
from django.db import models
from django.db.migrations import Migration, operations as op
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation

OURS = ("merchant", "transactions", "fulfillment")
# Of the first release: nobody ran a version before these.
FIRST = {"merchant": "0008", "transactions": "0016", "fulfillment": "0009"}
# What blocks for a moment or takes away on purpose: migration → why that does no harm.
REASONED: dict[tuple[str, str], str] = {}
_TAKE_AWAY = (op.RemoveField, op.DeleteModel, op.RenameField, op.RenameModel, op.AlterModelTable)


def blocking(migration: Migration) -> Iterator[str]:
    """What the migration does that the old version would feel, in words."""
    new = {each.name.lower() for each in migration.operations if isinstance(each, op.CreateModel)}
    for each in migration.operations:
        if getattr(each, "model_name", "").lower() in new:
            continue
        if isinstance(each, _TAKE_AWAY):
            yield f"{each.describe()}: the old version still uses it"
        elif isinstance(each, op.AlterField):
            yield f"{each.describe()}: may write the table anew, and look at every row"
        elif isinstance(each, op.AddField) and not _adds_quietly(each.field):
            yield f"{each.describe()}: the old version does not fill it; allow null, or give a db_default"
        elif isinstance(each, op.AddIndex) and not isinstance(each, AddIndexConcurrently):
            yield f"{each.describe()}: nobody writes meanwhile; use AddIndexConcurrently"
        elif isinstance(each, op.AddConstraint) and not isinstance(each, AddConstraintNotValid):
            yield f"{each.describe()}: looks at every row; use AddConstraintNotValid"
        elif isinstance(each, op.RunPython) and migration.atomic:
            yield "RunPython inside of one transaction: what it writes is locked until the end"


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
        (op.AddIndex("new", INDEX), True),
        (op.AddField("new", "name", TEXT), True),
    ],
)
def test_what_blocks_is_told_from_what_does_not(operation: Operation, is_harmless: bool) -> None:
    migration = Migration("0001", "app")
    migration.operations = [op.CreateModel("New", []), operation]
    assert (not list(blocking(migration))) == is_harmless
