"""One mail to the mail server, and what is known of it afterwards."""

import contextlib
import smtplib
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.smtp import EmailBackend

_PERMANENT = range(500, 600)


class NotSent(Exception):
    """The mail server has surely not taken the mail, and may take it another time."""


class Bounced(Exception):
    """The mail server does not take mails to this address."""


class Refused(Exception):
    """The mail server does not take this letter."""


class Uncertain(Exception):
    """The letter left, and no answer came: the mail server may have taken it."""


class Overtaken(Exception):
    """The try is not ours any more: nothing was handed over."""


def deliver(mail: EmailMessage, hand_over: Callable[[], bool]) -> None:
    """Hand one mail with one recipient to the mail server; `hand_over` is asked right before it leaves.

    Returns when the server has taken it. Raises NotSent, Bounced, Refused, Uncertain and Overtaken.
    """
    if settings.EMAIL_BACKEND == "django.core.mail.backends.smtp.EmailBackend":
        _deliver_by_smtp(mail, hand_over)
        return
    if not hand_over():
        raise Overtaken
    try:
        get_connection().send_messages([mail])
    except OSError as error:
        raise NotSent(f"The mail could not be written: {error.strerror or error}") from error


class _Watched(smtplib.SMTP):
    """Asks before the letter leaves, and knows when it has."""

    hand_over: Callable[[], bool]
    has_left = False

    def send(self, s: Any) -> None:
        """Commands are texts, the letter alone is bytes."""
        if not isinstance(s, bytes):
            super().send(s)
            return
        if not self.hand_over():
            raise Overtaken
        super().send(s)
        self.has_left = True


class _WatchedTls(_Watched, smtplib.SMTP_SSL):
    """The same over TLS from the first byte."""


class _Backend(EmailBackend):
    """Django's way to the mail server, over a connection that is watched."""

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        """The kind of connection."""
        return _WatchedTls if self.use_ssl else _Watched


def _deliver_by_smtp(mail: EmailMessage, hand_over: Callable[[], bool]) -> None:
    backend = _Backend(timeout=settings.EMAIL_TIMEOUT)
    try:
        _open(backend)
        connection: Any = backend.connection
        connection.hand_over = hand_over
        _send(backend, mail)
    finally:
        # Without farewell: the server has answered already, or something is wrong with it.
        if isinstance(backend.connection, smtplib.SMTP):
            with contextlib.suppress(OSError):
                backend.connection.close()


def _open(backend: EmailBackend) -> None:
    """Whatever is wrong here is wrong with the mail server or its settings, and not with this mail."""
    try:
        backend.open()
    except smtplib.SMTPAuthenticationError as error:
        raise NotSent("The mail server does not take our name and password.") from error
    except (smtplib.SMTPException, OSError) as error:
        raise NotSent(f"The mail server could not be reached: {_said(error)}") from error


def _send(backend: EmailBackend, mail: EmailMessage) -> None:
    connection: Any = backend.connection
    try:
        backend.send_messages([mail])
    except smtplib.SMTPRecipientsRefused as error:
        code, answer = next(iter(error.recipients.values()))
        _refused(code, answer, Bounced)
    except smtplib.SMTPSenderRefused as error:
        raise NotSent(f"The mail server refuses our own address: {_answer(error)}") from error
    except smtplib.SMTPDataError as error:
        _refused(error.smtp_code, error.smtp_error, Refused)
    except smtplib.SMTPNotSupportedError as error:
        raise Bounced("The mail server cannot send to addresses with such letters.") from error
    except (smtplib.SMTPException, OSError) as error:
        if connection.has_left:
            words = f"The mail server did not say whether it took the mail: {_said(error)}"
            raise Uncertain(words) from error
        raise NotSent(f"The connection to the mail server broke: {_said(error)}") from error


def _refused(code: int, answer: bytes | str, permanent: type[Exception]) -> None:
    words = f"The mail server said {code} {_text(answer)}"
    raise (permanent if code in _PERMANENT else NotSent)(words)


def _answer(error: smtplib.SMTPResponseException) -> str:
    return f"{error.smtp_code} {_text(error.smtp_error)}"


def _said(error: Exception) -> str:
    # A silence in the middle comes as SMTPServerDisconnected, raised from nothing.
    if isinstance(error, TimeoutError) or "timed out" in str(error):
        return "no answer in time"
    if isinstance(error, smtplib.SMTPResponseException):
        return _answer(error)
    return str(getattr(error, "strerror", None) or error) or type(error).__name__


def _text(answer: bytes | str) -> str:
    text = answer.decode(errors="replace") if isinstance(answer, bytes) else str(answer)
    return " ".join(text.replace("\0", "").split())
