"""Builds the wall in the database after every migration, so that no new table is ever forgotten.

A table belongs to a merchant by its foreign key to one, or by the required foreign key to a table that does.
Everything is looked up in the catalogue and made only where it is missing.
"""

from typing import Any

from django.core.management.base import CommandError
from django.db import DEFAULT_DB_ALIAS, ProgrammingError, connections, transaction
from django.db.backends.utils import CursorWrapper

from merchant.walls.statements import ROLE, SETTING, VIEWS

POLICY = "own_merchant"
MERCHANTS = "merchant_merchant"
# Read through a view where the list filters it; see walls.own_rows.
VIEWED = "transactions_transaction"
_VIEW = f"{VIEWS}.{VIEWED}"
CURRENT = f"NULLIF(current_setting('{SETTING}', true), '')::bigint"
# The same, and written in another way, for two reasons. Where PostgreSQL takes both for one, the policy of a
# joined table is a barrier before the conditions of this one too. And an equality beside that of the list
# itself would count a merchant's share of the rows twice: the planner then expects eight rows where there are
# ten thousand, and sorts them all. COALESCE is a coin toss to it; the sub-select is asked once a statement.
OWN_IN_VIEW = f"COALESCE(merchant_id = (SELECT {CURRENT}), false)"
_BUILDERS_LOCK = 20_483

_MAKE_ROLE = f"""
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{ROLE}') THEN CREATE ROLE {ROLE} NOLOGIN; END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;  -- another database of this server was faster
END $$
"""
# Since 16 who makes a role is its administrator, and no more than that.
_JOIN_ROLE = f"""
DO $$ BEGIN
    IF NOT pg_has_role(
        current_user, '{ROLE}', CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET'
        ELSE 'MEMBER' END
    ) THEN GRANT {ROLE} TO CURRENT_USER; END IF;
END $$
"""
_BY_HAND = f"""
This database user may not make the role that the dashboard steps down to. Have an administrator run

    CREATE ROLE {ROLE} NOLOGIN;
    GRANT {ROLE} TO %s;

once, then migrate again.
"""
_GRANT = f"""
DO $$
DECLARE
    found record;
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO {ROLE}', current_schema());
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO {ROLE}', current_database());
    FOR found IN
        SELECT relname, relkind FROM pg_class
        WHERE relnamespace = current_schema()::regnamespace AND CASE
            WHEN relkind IN ('r', 'p') THEN NOT has_table_privilege('{ROLE}', oid, 'DELETE')
            WHEN relkind = 'S' THEN NOT has_sequence_privilege('{ROLE}', oid, 'USAGE')
        END
    LOOP
        IF found.relkind = 'S' THEN
            EXECUTE format('GRANT USAGE, SELECT ON SEQUENCE %I TO {ROLE}', found.relname);
        ELSE
            EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO {ROLE}', found.relname);
        END IF;
    END LOOP;
END $$
"""
_REFERENCES = """
SELECT child.relname, field.attname, field.attnotnull, parent.relname, key.attname
FROM pg_constraint AS link
JOIN pg_class AS child ON child.oid = link.conrelid
JOIN pg_class AS parent ON parent.oid = link.confrelid
JOIN pg_attribute AS field ON field.attrelid = child.oid AND field.attnum = link.conkey[1]
JOIN pg_attribute AS key ON key.attrelid = parent.oid AND key.attnum = link.confkey[1]
WHERE link.contype = 'f' AND link.conrelid <> link.confrelid
    AND link.connamespace = current_schema()::regnamespace
ORDER BY child.relname, field.attnum
"""
_POLICIES = f"""
SELECT relname, obj_description(pg_policy.oid, 'pg_policy')
FROM pg_policy JOIN pg_class ON pg_class.oid = polrelid
WHERE polname = '{POLICY}' AND relrowsecurity AND relnamespace = current_schema()::regnamespace
"""
_COLUMNS = """
SELECT array_agg(attname::text ORDER BY attnum), max(obj_description(attrelid, 'pg_class'))
FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped
"""


def build(using: str = DEFAULT_DB_ALIAS, **_: Any) -> None:
    """Make the role, its grants, the policies and the view as far as they are missing.

    Raises CommandError when the database user may not.
    """
    connection = connections[using]
    if MERCHANTS not in connection.introspection.table_names():
        return
    with transaction.atomic(using=using), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_BUILDERS_LOCK])
        _role(cursor, connection.settings_dict["USER"])
        cursor.execute(_GRANT)
        _policies(cursor)
        _view(cursor)


def make_role(using: str = DEFAULT_DB_ALIAS) -> None:
    """Make the role alone, before policies that name it are brought back. Raises CommandError."""
    connection = connections[using]
    with transaction.atomic(using=using), connection.cursor() as cursor:
        _role(cursor, connection.settings_dict["USER"])


def make_way(using: str = DEFAULT_DB_ALIAS, plan: object = (), **_: Any) -> None:
    """Before a migration: take the view away, which would forbid changes of its table's columns.

    Until it is back, transactions are read below the policy: the same rows, more slowly.
    """
    if plan:
        with connections[using].cursor() as cursor:
            cursor.execute(f"DROP VIEW IF EXISTS {_VIEW}")


def conditions(cursor: CursorWrapper) -> dict[str, str]:
    """What makes a row the current merchant's, for every table that belongs to merchants."""
    cursor.execute(_REFERENCES)
    references = cursor.fetchall()
    found = {MERCHANTS: f"id = {CURRENT}"}
    for table, field, required, parent, _ in references:
        if parent == MERCHANTS:
            # What belongs to no merchant is seen where there is none.
            own, none = f"{field} = {CURRENT}", f"({field} IS NULL AND {CURRENT} IS NULL)"
            found.setdefault(table, own if required else f"{own} OR {none}")
    while True:
        inherited = {
            table: f"EXISTS (SELECT FROM {parent} WHERE {parent}.{key} = {table}.{field})"
            for table, field, required, parent, key in reversed(references)
            if required and parent in found and table not in found
        }
        if not inherited:
            return found
        found |= inherited


def _role(cursor: CursorWrapper, user: str) -> None:
    try:
        with transaction.atomic(using=cursor.db.alias):
            cursor.execute(_MAKE_ROLE)
            cursor.execute(_JOIN_ROLE)
    except ProgrammingError as error:
        raise CommandError(_BY_HAND % (user or "the user of DATABASE_URL")) from error


def _policies(cursor: CursorWrapper) -> None:
    wanted = conditions(cursor)
    cursor.execute(_POLICIES)
    there = dict(cursor.fetchall())
    for table, condition in wanted.items():
        if there.get(table) == condition:
            continue
        cursor.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        cursor.execute(f"DROP POLICY IF EXISTS {POLICY} ON {table}")
        cursor.execute(f"CREATE POLICY {POLICY} ON {table} TO {ROLE} USING ({condition})")
        cursor.execute(f"COMMENT ON POLICY {POLICY} ON {table} IS %s", [condition])


def _view(cursor: CursorWrapper) -> None:
    cursor.execute(_COLUMNS, [VIEWED])
    columns, _ = cursor.fetchone()
    cursor.execute(_COLUMNS, [_VIEW])
    if columns is None or cursor.fetchone() == (columns, OWN_IN_VIEW):
        return
    cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {VIEWS}")
    cursor.execute(f"GRANT USAGE ON SCHEMA {VIEWS} TO {ROLE}")
    cursor.execute(f"DROP VIEW IF EXISTS {_VIEW}")
    cursor.execute(f"CREATE VIEW {_VIEW} AS SELECT * FROM {VIEWED} WHERE {OWN_IN_VIEW}")
    cursor.execute(f"COMMENT ON VIEW {_VIEW} IS %s", [OWN_IN_VIEW])
    cursor.execute(f"GRANT SELECT ON {_VIEW} TO {ROLE}")
