"""A backup is brought back into an empty server, and every table is what it was."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from merchant import audit, backups
from merchant.embedded import postgres
from merchant.models import Merchant

pytestmark = pytest.mark.django_db(transaction=True)
_NAMES = """
SELECT 'index ' || tablename || indexname FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT 'constraint ' || conrelid::regclass || conname || contype::text
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT 'trigger ' || tgrelid::regclass || tgname FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'policy ' || tablename || policyname || qual FROM pg_policies
UNION ALL SELECT 'sequence ' || sequencename || coalesce(last_value, 0) FROM pg_sequences
UNION ALL SELECT 'grant ' || table_name || privilege_type FROM information_schema.role_table_grants
    WHERE grantee = 'paysuper_member'
UNION ALL SELECT 'extension ' || extname FROM pg_extension
ORDER BY 1
"""


def contents(address: str) -> dict[str, object]:
    """The sum of each table's rows, and everything around them."""
    with psycopg.connect(address) as line:
        tables = line.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        found: dict[str, object] = {
            name: line.execute(
                f"SELECT count(*), md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {name} t"
            ).fetchone()
            for (name,) in tables.fetchall()
        }
        return found | {"around": [row[0] for row in line.execute(_NAMES).fetchall()]}


def here() -> str:
    values = connection.settings_dict
    place = f"{values['USER']}:{values['PASSWORD']}@{values['HOST']}:{values['PORT']}"
    return f"postgres://{place}/{values['NAME']}"


def test_what_is_brought_back_is_what_was(mirrored: Merchant, tmp_path: Path, ann) -> None:
    audit.record(mirrored, ann.membership.user, "note.written", "x", text="€ \u0130")
    file = tmp_path / "all.dump"
    call_command("backup", str(file))
    assert file.stat().st_mode & 0o777 == 0o600
    folder = tmp_path / "server"
    tmp_path.chmod(0o711)
    with postgres.server(folder, durable=False) as address:
        environment = os.environ | {"DATABASE_URL": address, "REDIS_URL": settings.REDIS_URL}

        def manage(*words: str) -> subprocess.CompletedProcess[str]:
            command = [sys.executable, "manage.py", *words]
            return subprocess.run(
                command, env=environment, cwd=settings.BASE_DIR, capture_output=True, text=True, check=False
            )

        done = manage("restore", str(file))
        assert done.returncode == 0, done.stderr
        there, before = contents(address), contents(here())
        assert set(there.pop("around")) ^ set(before.pop("around")) == set()
        assert there == before
        assert manage("verify_audit").returncode == 0
        again = manage("restore", str(file))
        assert again.returncode == 1
        assert "not empty" in again.stderr


def test_a_backup_never_writes_over_another(tmp_path: Path) -> None:
    (tmp_path / "all.dump").write_text("precious")
    with pytest.raises(CommandError, match="exists"):
        call_command("backup", str(tmp_path / "all.dump"))
    assert (tmp_path / "all.dump").read_text() == "precious"


def test_a_backup_that_fails_leaves_nothing(tmp_path: Path, monkeypatch) -> None:
    connection.ensure_connection()
    monkeypatch.setitem(connection.settings_dict, "USER", "nobody-of-this-name")
    with pytest.raises(CommandError, match="pg_dump failed"):
        call_command("backup", str(tmp_path / "all.dump"))
    assert list(tmp_path.iterdir()) == []


def test_without_programs_of_the_servers_version_it_says_what_to_install(monkeypatch) -> None:
    monkeypatch.setattr(backups, "_major", lambda path: 9)
    with pytest.raises(CommandError, match="postgresql-client-"):
        backups.program("pg_dump")
