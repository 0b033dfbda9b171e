import fcntl
import os
import re
import signal
import socket
import subprocess
import sys
import time

import pytest
from django.conf import settings

from merchant.embedded import PROJECT, Trouble, demo, environment, ports, processes
from merchant.embedded.supervisor import Supervisor, procfile


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A folder in place of the project's .data."""
    monkeypatch.setattr(demo, "DATA", tmp_path)
    return tmp_path


@pytest.fixture
def supervisor(tmp_path):
    with Supervisor(tmp_path / "log", tmp_path, dict(os.environ)) as supervisor:
        supervisor.PATIENCE = 1.0
        yield supervisor


def alive(pid):
    return processes.command_of(pid) != ""


def wait_until(true, patience=5):
    deadline = time.monotonic() + patience
    while not true() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert true()


# Ports and addresses ------------------------------------------------------------------------------


def test_a_busy_port_is_a_sentence_with_a_way_out(monkeypatch):
    with socket.create_server((ports.HOST, 0)) as stranger:
        port = stranger.getsockname()[1]
        monkeypatch.setenv("PORT", str(port))
        with pytest.raises(Trouble, match=rf"Port {port} is in use.* make run PORT={port + 10}"):
            demo._port("PORT", 8000)


@pytest.mark.parametrize("text", ["eighty", "0", "70000", "-1"])
def test_a_port_that_is_none_is_a_sentence(monkeypatch, text):
    monkeypatch.setenv("PORT", text)
    with pytest.raises(Trouble, match=f"PORT={text} is no port"):
        demo._port("PORT", 8000)


def test_a_second_run_in_the_same_folder_is_a_sentence(data):
    with (data / "run.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write("4711")
        lock.flush()
        with pytest.raises(Trouble, match=r"runs already \(process 4711\)"):
            demo.run()


def test_addresses_of_the_person_are_used(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", os.environ["DATABASE_URL"])
    with demo._database() as database, demo._broker() as broker:
        assert (database, broker) == (os.environ["DATABASE_URL"], os.environ["REDIS_URL"])


@pytest.mark.parametrize(
    ("name", "address", "use"),
    [
        ("DATABASE_URL", "postgres://a:b@127.0.0.1:9/c", demo._database),
        ("REDIS_URL", "redis://127.0.0.1:9/0", demo._broker),
        ("REDIS_URL", "nonsense", demo._broker),
    ],
)
def test_an_address_where_nobody_answers_is_a_sentence(monkeypatch, name, address, use):
    monkeypatch.setenv(name, address)
    with pytest.raises(Trouble, match=f"{name} is set, but"):
        use().__enter__()


# Secrets and environment --------------------------------------------------------------------------


def test_secrets_are_made_once_and_closed_to_others(tmp_path):
    first = environment.kept_secrets(tmp_path / "secrets.env")
    assert environment.kept_secrets(tmp_path / "secrets.env") == first
    assert (tmp_path / "secrets.env").stat().st_mode & 0o777 == 0o600
    assert first.keys() == {"SECRET_KEY", "ENCRYPTION_KEYS", "OWNER_PASSWORD"}


def test_a_lost_secret_is_a_sentence_and_not_a_new_secret(tmp_path):
    (tmp_path / "secrets.env").write_text("SECRET_KEY=x\nOWNER_PASSWORD=y\n")
    with pytest.raises(Trouble, match="lacks ENCRYPTION_KEYS"):
        environment.kept_secrets(tmp_path / "secrets.env")


def test_what_the_person_sets_wins(data, monkeypatch):
    monkeypatch.setenv("EMAIL_URL", "consolemail://")
    monkeypatch.setenv("ALLOWED_HOSTS", "shop.example")
    variables = demo._variables(8000, 8077, "postgres://d", "redis://b")
    assert variables["EMAIL_URL"] == "consolemail://"
    assert variables["ALLOWED_HOSTS"] == "127.0.0.1,localhost,shop.example"
    assert variables["DATABASE_URL"] == "postgres://d"


def test_tests_do_not_see_the_persons_settings(monkeypatch):
    monkeypatch.setenv("BASE_URL", "https://production.example")
    assert "BASE_URL" not in environment.clean()


# Processes ----------------------------------------------------------------------------------------


def test_the_procfile_names_what_a_dashboard_needs():
    commands = procfile(PROJECT / "Procfile")
    assert commands.keys() == {"web", "worker", "inbox", "syncer", "mailer", "exporter", "beat", "sandbox"}


def test_every_queue_has_exactly_one_kind_of_worker():
    listening = re.findall(r"--queues (\S+)", (PROJECT / "Procfile").read_text())
    queues = [queue for each in listening for queue in each.split(",")]
    routed = {route["queue"] for route in settings.CELERY_TASK_ROUTES.values()}
    assert sorted(queues) == sorted(settings.QUEUES)
    assert routed <= set(queues)


def test_a_process_that_ends_is_trouble_with_the_end_of_its_log(supervisor):
    supervisor.start("steady", "sleep 60")
    supervisor.start("web", "sh -c 'echo no luck; exit 3'")
    with pytest.raises(Trouble, match=r"process web ended with exit code 3(.|\n)*    no luck"):
        supervisor.watch()


def test_a_command_that_fails_is_trouble_and_one_that_works_is_not(supervisor):
    supervisor.start("good", "true")
    supervisor.finish("good")
    supervisor.start("bad", "false")
    with pytest.raises(Trouble, match="process bad ended with exit code 1"):
        supervisor.finish("bad")


def test_the_log_of_the_last_run_is_kept(supervisor):
    for word in ("first", "second"):
        supervisor.start("web", f"echo {word}")
        supervisor.finish("web")
    assert (supervisor.logs / "web.log").read_text() == "second\n"
    assert (supervisor.logs / "web.log.1").read_text() == "first\n"


def test_stopping_lets_a_process_say_goodbye(supervisor):
    supervisor.start(
        "worker", "sh -c 'trap \"echo bye; exit\" TERM; echo ready; while :; do sleep 0.1; done'"
    )
    log = supervisor.logs / "worker.log"
    wait_until(lambda: "ready" in log.read_text())
    supervisor.stop()
    assert log.read_text() == "ready\nbye\n"


def test_stopping_kills_the_deaf_and_all_children(supervisor):
    supervisor.start("deaf", "sh -c 'trap \"\" TERM; sleep 60 & echo $!; wait'")
    log = supervisor.logs / "deaf.log"
    wait_until(lambda: log.read_text().strip())
    process, child = supervisor.running["deaf"], int(log.read_text())
    supervisor.stop()
    assert process.returncode == -signal.SIGKILL
    wait_until(lambda: not alive(child))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent died")
def test_when_we_are_killed_our_processes_end_too(tmp_path):
    program = (
        "import pathlib, time; from merchant.embedded import processes;"
        f"print(processes.start(['sleep', '60'], pathlib.Path({str(tmp_path / 'log')!r})).pid, flush=True);"
        "time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], cwd=PROJECT, stdout=subprocess.PIPE) as parent:
        child = int(parent.stdout.readline())
        assert alive(child)
        parent.kill()
    wait_until(lambda: not alive(child))


def test_the_first_stop_signal_stops_and_later_ones_do_not_disturb(tmp_path):
    program = """
import os, signal, time
from merchant.embedded import processes
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # who started the tests may have it ignored
processes.listen_for_stop()
try:
    os.kill(os.getpid(), signal.SIGHUP)
    time.sleep(10)
except processes.Stopped:
    os.kill(os.getpid(), signal.SIGINT)
    print("cleaned up")
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "cleaned up\n"
