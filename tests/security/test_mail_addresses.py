"""An address or a name of a file that would break a header is taken nowhere, and leads nowhere."""

import re

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import Client as Browser

from fulfillment import tasks as to_customers
from fulfillment.mailing import begin
from fulfillment.models import MailRule, Message
from merchant import envelope, mailing, tasks as to_people
from merchant.models import Invitation, Mail, User
from tests.conftest import HARBOUR, PASSWORD, signed_in
from tests.fulfillment.desk import fresh
from tests.fulfillment.post_office import we_mail
from tests.security.mail_wire import Wire, checked, wire
from transactions.models import Transaction

__all__ = ["wire"]

ADDRESSES = [
    '"a\x0b\x0bread-this"@example.com',
    '"a\x0cBcc:evil@example.net"@example.com',
    '"a\x1c\x1dX-Evil:1"@example.com',
    '"a\x07\x7f"@example.com',
    "a@example.com\r\nBcc: evil@example.net",
    "a@example.com, evil@example.net",
    "Ann <evil@example.net>",
    "=?utf-8?q?evil=40example.net?=@example.com",
    "a=?utf-8?q?x?=@example.com",
    "mar\u017f@example.com",
    "a@ex\u2028ample.com",
    "\u202ea@example.com",
]


@pytest.mark.parametrize("address", ADDRESSES, ids=range(len(ADDRESSES)))
def test_an_address_that_breaks_a_header_is_taken_nowhere(
    address: str, order: Transaction, people: dict[str, User], signed: Browser, wire: Wire
) -> None:
    rule = we_mail(order)
    forms = {
        "/team/invite/": {"email": address, "role": "support"},
        "/accounts/email/": {"action_add": "", "email": address},
        "/accounts/password/reset/": {"email": address},
        f"/settings/projects/{HARBOUR}/mail/": {"who": "we", "shop_name": "a", "support_email": address},
        f"/transactions/{order.pk}/mail/": {"what": "payment", "address": address, "key": "k" * 16},
    }
    for place, form in forms.items():
        answer = signed.post(place, form)
        assert answer.status_code in (200, 302, 400)
    named = ["--merchant-id", order.merchant.paysuper_id, "--email", address, "--role", "support"]
    with pytest.raises(CommandError):
        call_command("add_member", *named, "--password", PASSWORD)
    assert MailRule.objects.get(pk=rule.pk).support_email == ""
    assert not Invitation.objects.exists()
    assert not Mail.objects.exists()
    assert not Message.objects.exists()
    # What came in before anybody looked, or by another way, leaves as nothing and is not tried for ever.
    Transaction.objects.update(customer_email=address)
    message = begin.write(fresh(order), Message.Kind.PAYMENT, "payment")
    Message.objects.update(state="queued")
    to_customers.send_message(message.pk)
    to_people.send_mail(mailing.keep(None, address, "a", text="b").pk)
    assert (fresh(message).state, Mail.objects.get().state) == ("bounced", "given_up")
    assert wire.sent == []
    MailRule.objects.update(support_email=address)
    begin.write(order, Message.Kind.PAYMENT, "again", recipient="a@example.com")
    to_customers.send_message(Message.objects.latest("pk").pk)
    assert checked(wire, ["a@example.com"]) == 0


@pytest.fixture
def signed(people: dict[str, User]) -> Browser:
    """The owner's browser."""
    return signed_in(people["owner"])


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "a\r\nb.csv", "a/b\\c.csv", '"; filename="x.exe', "\u202egnp.exe"]
)
def test_the_name_of_a_file_leads_nowhere(name: str, settings) -> None:
    mail = envelope.write("a@example.com", "a", "b")
    envelope.attach(mail, name, b"a\nb", "text/csv; charset=utf-8")
    [part] = [each for each in mail.message().walk() if each.get_filename()]
    assert re.fullmatch(r"\w[\w.-]*", str(part.get_filename()))


def test_a_nul_is_in_no_header() -> None:
    mail = envelope.write("a@example.com", "nul\0 \ud800", "b", sender="nul\0 \ud800").message()
    assert (mail["Subject"], "nul <" in mail["From"]) == ("nul", True)
    with pytest.raises(ValidationError):
        envelope.write("a\0@example.com", "a", "b")
