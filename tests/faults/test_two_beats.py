"""Of two beats one rings; the other takes over when it dies, and at once when it is stopped."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings

from merchant import beat, measures
from tests.fulfillment.test_worker import kill
from tests.merchant.sandbox_receiver import eventually

# `python -m celery` with a lease so short that a test need not wait for it.
HURRIED = """
from merchant import beat
beat.LEASE, beat.LOOK = 2.0, 0.2
from celery.__main__ import main
main()
"""
PATIENCE = 45
Start = Callable[[str], subprocess.Popen[bytes]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a beat by name; none outlives the test."""
    beats: list[subprocess.Popen[bytes]] = []

    def start(name: str) -> subprocess.Popen[bytes]:
        options = ["-A", "merchant", "beat", "--schedule", str(tmp_path / name), "--pidfile=", "-l", "INFO"]
        with (tmp_path / f"{name}.log").open("w") as log:
            beats.append(
                subprocess.Popen(
                    [sys.executable, "-c", HURRIED, *options],
                    env=os.environ | {"REDIS_URL": settings.REDIS_URL},
                    cwd=settings.BASE_DIR,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            )
        return beats[-1]

    yield start
    for each in beats:
        kill(each)


def test_the_second_beat_stands_by_and_takes_over(start: Start, tmp_path: Path) -> None:
    def rang(name: str) -> int:
        return (tmp_path / f"{name}.log").read_text().count("Sending due task")

    def leads(name: str) -> bool:
        return "beat_leads" in (tmp_path / f"{name}.log").read_text()

    first = start("first")
    eventually(lambda: leads("first") and rang("first") > 0, PATIENCE)
    second = start("second")
    eventually(lambda: "beat: Starting" in (tmp_path / "second.log").read_text(), PATIENCE)
    rung = rang("first")
    eventually(lambda: rang("first") > rung, PATIENCE)
    assert not leads("second")
    assert rang("second") == 0
    kill(first)
    eventually(lambda: leads("second"), PATIENCE)
    start("third")
    eventually(lambda: "beat: Starting" in (tmp_path / "third.log").read_text(), PATIENCE)
    assert not leads("third")
    second.send_signal(signal.SIGTERM)
    second.wait(PATIENCE)
    eventually(lambda: leads("third"), PATIENCE)


def test_a_beat_that_was_thought_dead_stands_by(tmp_path: Path) -> None:
    from merchant.celery import app

    one, other = (beat.Scheduler(app, schedule_filename=str(tmp_path / name), lazy=True) for name in "ab")
    assert one._has_the_lease()
    assert not other._has_the_lease()
    measures.line().delete("beat")  # its lease ended while it was stopped
    assert other._has_the_lease()
    assert not one._has_the_lease()


def test_without_redis_nobody_leads_and_nobody_breaks(tmp_path: Path, settings) -> None:
    from merchant.celery import app

    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    scheduler = beat.Scheduler(app, schedule_filename=str(tmp_path / "a"), lazy=True)
    assert scheduler.tick() == beat.LOOK
    scheduler.leads = True
    assert not scheduler._has_the_lease()
