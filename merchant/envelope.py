"""The one door through which mails leave: what people choose adds no header, no recipient and no broken line.

Subjects, names and addresses come from strangers. Django refuses line ends in headers, but not the other
signs at which Python's own mail library ends lines, such as a vertical tab in a quoted address.
"""

import re
import unicodedata
from collections.abc import Mapping
from email.charset import QP, Charset
from email.encoders import encode_base64
from email.header import Header
from email.mime.base import MIMEBase
from email.utils import formataddr, parseaddr

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives
from django.core.validators import validate_email

LONGEST_LINE = 200
# Signs that turn the direction of all that follows, beside those that only controls and halves of pairs are.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e")
_INVISIBLE = ("Cc", "Cs")
# Texts never have lines that are too long for a mail server, and need none that takes eight bits.
_BODY = Charset("utf-8")
_BODY.body_encoding = QP


def one_line(text: str) -> str:
    """A text of people as it may stand in a header: one line, nothing that only machines see."""
    seen = "".join(sign for sign in " ".join(text.split()) if _is_seen(sign))
    return " ".join(seen.split())[:LONGEST_LINE]


def check_address(text: str) -> None:
    """Raise ValidationError for what is no e-mail address, or none that a header can carry."""
    validate_email(text)
    mailbox, _, domain = text.rpartition("@")
    is_plain = mailbox.isascii() and text.isprintable() and "=?" not in text
    if not (is_plain and _has_name(domain)):
        raise ValidationError("Enter a valid email address.", code="invalid")


def is_address(text: str) -> bool:
    """Whether mails can go to, and name, this address."""
    try:
        check_address(text)
    except ValidationError:
        return False
    return True


def write(
    recipient: str,
    subject: str,
    text: str,
    html: str = "",
    *,
    sender: str = "",
    answers_to: str = "",
    headers: Mapping[str, str] | None = None,
) -> EmailMultiAlternatives:
    """A mail to one recipient; `sender` is a name beside our own address, `headers` are ours.

    Raises ValidationError where the recipient is no address. One for answers that is none is left out.
    """
    check_address(recipient)
    mail = EmailMultiAlternatives(
        _encoded(one_line(subject)),
        text,
        _from(sender),
        [recipient],
        reply_to=[answers_to] if is_address(answers_to) else None,
        headers=dict(headers or {}),
    )
    mail.encoding = _BODY
    if html:
        mail.attach_alternative(html, "text/html")
    return mail


def attach(mail: EmailMultiAlternatives, name: str, content: bytes, content_type: str) -> None:
    """Attach a file to the byte: as a text its line ends would be changed on the way."""
    kind, _, more = content_type.partition(";")
    part = MIMEBase(*kind.split("/", 1))
    if more:
        name_of, _, value = more.strip().partition("=")
        part.set_param(name_of, value)
    part.set_payload(content)
    encode_base64(part)
    part.add_header("Content-Disposition", "attachment", filename=re.sub(r"[^\w.-]", "_", name).lstrip("."))
    mail.attach(part)


def _from(name: str) -> str:
    address = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    return formataddr((_encoded(one_line(name), "utf-8"), address)) if name else settings.DEFAULT_FROM_EMAIL


def _encoded(text: str, charset: str = "") -> str:
    """The text as a header; what looks like an encoded word already is not to be read as one."""
    if "=?" in text or (charset and not text.isascii()):
        return Header(text, charset or "utf-8").encode(linesep="")
    return text


def _is_seen(sign: str) -> bool:
    return sign not in _TURNING and unicodedata.category(sign) not in _INVISIBLE


def _has_name(domain: str) -> bool:
    try:
        return bool(domain.encode("idna"))
    except UnicodeError:
        return domain.startswith("[")
