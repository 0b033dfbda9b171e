"""What the tests of schedules share: schedules, a clock, and a mail server that can be in trouble."""

import contextlib
import datetime as dt
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import time_machine
from django.conf import settings as live

from merchant.models import Merchant, User
from tests.conftest import Person
from transactions import tasks
from transactions.models import Schedule, ScheduleMail, ScheduleRecipient, ScheduleRun

SIX = dt.time(6)
# A Thursday, at noon in Berlin.
START = dt.datetime(2026, 10, 1, 10, tzinfo=dt.UTC)


@pytest.fixture
def folder(tmp_path: Path, settings) -> Path:
    """Where finished files lie."""
    place = live.STORAGES["exports"]
    options = {"location": str(tmp_path / "kept"), "base_url": None}
    settings.STORAGES = live.STORAGES | {"exports": place | {"OPTIONS": options}}
    return tmp_path / "kept"


def daily(merchant: Merchant, owner: User, *recipients: User, **values: object) -> Schedule:
    """A schedule of yesterday's payments every morning at six, made at START."""
    usual = {
        "name": "Yesterday",
        "query": "period=yesterday",
        "format": "csv",
        "every": "daily",
        "at": SIX,
        "begun_until": START,
    }
    schedule = Schedule.objects.create(merchant=merchant, owner=owner, **usual | values)
    for user in recipients:
        ScheduleRecipient.objects.create(merchant=merchant, schedule=schedule, user=user)
    return schedule


def clock(*numbers: int) -> time_machine.travel:
    """A clock that stands at this instant."""
    return time_machine.travel(dt.datetime(*numbers, tzinfo=dt.UTC), tick=False)


def work() -> None:
    """What beat and the workers do in a minute, one after the other."""
    tasks.sweep_schedules()
    for run in ScheduleRun.objects.filter(export__state="waiting"):
        tasks.make_export(str(run.export_id))
    tasks.sweep_schedules()
    for mail in ScheduleMail.objects.all():
        tasks.send_schedule_mail(mail.pk)


def states() -> dict[str, str]:
    """What became of the mails, by address."""
    return dict(ScheduleMail.objects.values_list("user__email", "state"))


def form(*recipients: Person, **changes: object) -> dict[str, object]:
    """A filled-in form of a schedule."""
    usual = {
        "name": "Month end",
        "query": "status=processed",
        "rows": "",
        "period": "last_month",
        "file": "csv",
        "dialect": "semicolon-comma",
        "every": "monthly",
        "weekday": "0",
        "day": "1",
        "at": "07:30",
        "recipients": [each.membership.user_id for each in recipients],
    }
    return usual | changes


class Postbox(socketserver.ThreadingTCPServer):
    """A mail server that says `answer` to every recipient, and keeps what it took."""

    allow_reuse_address = daemon_threads = True

    def __init__(self) -> None:
        self.answer, self.taken = "250 welcome", list[str]()
        super().__init__(("127.0.0.1", 0), _Talk)


class _Talk(socketserver.StreamRequestHandler):
    server: Postbox

    def handle(self) -> None:
        self.say("220 ready")
        for line in self.rfile:
            word = line[:4].upper()
            if word == b"RCPT":
                self.say(self.server.answer)
            elif word == b"DATA":
                self.say("354 go on")
                lines = iter(self.rfile.readline, b".\r\n")
                self.server.taken.append(b"".join(lines).decode())
                self.say("250 taken")
            else:
                self.say("221 bye" if word == b"QUIT" else "250 well")

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@contextlib.contextmanager
def serving() -> Iterator[Postbox]:
    """A mail server while it is needed."""
    with Postbox() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def postbox(settings) -> Iterator[Postbox]:
    """The mail server that the product uses."""
    with serving() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.server_address[:2]
        yield server
