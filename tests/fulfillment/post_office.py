"""A mail server on loopback that takes, refuses, delays and drops, and what tests of mails share."""

import asyncio
import base64
import email
import email.policy
import json
import socket
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.utils import timezone

from fulfillment import mailing, tasks
from fulfillment.models import MailRule, Message
from merchant import measures
from tests.fulfillment.desk import Desk, fresh, mirrored_order
from transactions.models import Transaction

TAKEN = "250 taken"


class PostOffice:
    """Answers are consumed one by one; without any, all mails are taken.

    `to_recipient` and `to_letter` hold lines such as "550 no such person", or what to do: "drop", "silence".
    """

    def __init__(self) -> None:
        self.to_recipient: list[str] = []
        self.to_letter: list[str] = []
        self.mails: list[EmailMessage] = []
        self.connections = 0
        self._silent = asyncio.Event()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port)

    async def handle_EHLO(  # noqa: N802 - the library's names
        self, server: Any, session: Any, envelope: Any, hostname: str, lines: Any
    ) -> Any:
        self.connections += 1
        session.host_name = hostname
        return lines

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        answer = await self._say(self.to_recipient, server)
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        answer = self.to_letter[0] if self.to_letter else TAKEN
        # What comes back after a dropped connection may have been kept all the same.
        if answer.startswith("2") or answer == "drop":
            self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return await self._say(self.to_letter, server)

    async def _say(self, answers: list[str], server: Any) -> str:
        answer = answers.pop(0) if answers else TAKEN
        if answer == "drop":
            server.transport.abort()
        elif answer == "silence":
            await self._silent.wait()
        return answer


def connect(settings: Any, post: PostOffice) -> None:
    """Open the mail server, and have the product use it."""
    post.controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", post.port
    settings.EMAIL_TIMEOUT = 5
    settings.DEFAULT_FROM_EMAIL = "receipts@pay.example"


@pytest.fixture
def office(settings: Any) -> Iterator[PostOffice]:
    """The mail server, with the product connected to it."""
    post = PostOffice()
    connect(settings, post)
    yield post
    post.controller.loop.call_soon_threadsafe(post._silent.set)
    post.controller.stop()


def we_mail(order: Transaction, **rule: Any) -> MailRule:
    """From now on, and for this order, the project's mails are ours."""
    values = {"merchant": order.merchant, "mails_since": order.paid_at or order.created_at} | rule
    found, _ = MailRule.objects.update_or_create(project=order.project, defaults=values)
    return found


def receipt_of(order: Transaction) -> Message:
    """The receipt that the order owes, written and not sent."""
    we_mail(order)
    mailing.after_reading(order.merchant, order.pk)
    return Message.objects.get(transaction=order, kind="payment")


def tried(message: Message) -> Message:
    """The mail after another try that is due."""
    Message.objects.filter(pk=message.pk).update(try_at=timezone.now())
    tasks.send_message(message.pk)
    return fresh(message)


def rung() -> list[int]:
    """The mails for which a bell has been rung and not yet heard."""
    messages = [json.loads(each) for each in measures.line().lrange("mail", 0, -1)]
    ours = [each for each in messages if each["headers"]["task"] == tasks.send_message.name]
    return [json.loads(base64.b64decode(each["body"]))[0][0] for each in ours]


def key_order(order: Transaction, desk: Desk, **wish: Any) -> Transaction:
    """A paid order of key products of the same project, which mails."""
    keys = mirrored_order(order.merchant, desk, project_id=order.project.paysuper_id, kind="key", **wish)
    we_mail(keys)
    return keys


def body(mail: EmailMessage, kind: str) -> str:
    """The text or the HTML of a mail that has arrived."""
    part = mail.get_body(preferencelist=(kind,))
    assert part is not None
    return str(part.get_content())
