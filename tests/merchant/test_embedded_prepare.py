import os
import subprocess
import sys

import pytest

from merchant.embedded import prepare


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project without requirements and a package index that is not there."""
    for name in prepare.REQUIREMENTS["test"]:
        (tmp_path / name).write_text("")
    monkeypatch.setattr(prepare, "PROJECT", tmp_path)
    monkeypatch.setattr(prepare, "VENV", tmp_path / ".venv")
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setattr(prepare, "PIP", (*prepare.PIP, "--retries", "1"))
    monkeypatch.setattr(prepare, "NEEDS", {"run": ()})
    return tmp_path


def test_packages_are_installed_when_needed_and_a_half_made_venv_is_made_anew(project, capsys, monkeypatch):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", project / ".venv"], check=True)
    prepare.prepare("run")
    assert capsys.readouterr().out.startswith("Making .venv")

    prepare.prepare("run")
    assert capsys.readouterr().out == ""

    (project / "requirements-demo.txt").write_text("a-package-that-is-not-installed==1.0\n")
    with pytest.raises(prepare.Trouble, match="could not be fetched: connect to the internet"):
        prepare.prepare("run")
    assert capsys.readouterr().out.startswith("Installing Python packages")

    # Nobody knows what an installation that did not end has left behind.
    made = []
    monkeypatch.setattr(prepare, "_make_venv", lambda: made.append("anew"))
    (project / "requirements-demo.txt").write_text("")
    prepare.prepare("run")
    assert made == ["anew"]


def test_an_old_python_goes_on_with_a_newer_one_beside_it(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 9, 2, "final", 0))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(prepare.Trouble, match=r"Python 3\.11 or newer, but python3 is 3\.9"):
        prepare._check_python()
    newer = tmp_path / "python3.12"
    newer.write_text("#!/bin/sh\n")
    newer.chmod(0o755)
    started = []
    monkeypatch.setattr(os, "execv", lambda *command: started.append(command))
    with pytest.raises(prepare.Trouble):
        prepare._check_python()
    assert started[0][0] == str(newer)


def test_a_missing_library_is_named_when_we_may_not_install(monkeypatch):
    missing = prepare.Need("libpango-1.0-0", prepare._library("no-such-library.so.0"))
    font = prepare.Need("a-font", lambda: False, optional=True)
    monkeypatch.setattr(prepare, "NEEDS", {"run": (missing, font)})
    monkeypatch.setattr(prepare, "_as_root", lambda: None)
    with pytest.raises(
        prepare.Trouble, match=r"^Install the system packages libpango-1\.0-0 and try again\.$"
    ):
        prepare._system("run")


@pytest.mark.parametrize("purpose", ["run", "test"])
def test_optional_things_alone_stop_nobody(monkeypatch, purpose):
    monkeypatch.setattr(prepare, "NEEDS", {purpose: (prepare.Need("a-font", lambda: False, optional=True),)})
    monkeypatch.setattr(prepare, "_as_root", lambda: None)
    prepare._system(purpose)


def test_what_is_here_is_seen():
    assert prepare._program("sh")()
    assert not prepare._program("no-such-program")()
    assert prepare._library("no-such-library.so.0", "libc.so.6")()
