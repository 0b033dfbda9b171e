"""Real workers send mails, and one of them is killed with a letter in its hands."""

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from fulfillment import mailing, tasks
from fulfillment.models import MailRule, Message
from merchant.celery import ring
from merchant.models import Merchant
from tests.conftest import HARBOUR, LANTERN
from tests.fulfillment.desk import fresh
from tests.fulfillment.post_office import PostOffice, office, receipt_of
from tests.fulfillment.test_worker import Start, kill, start
from tests.merchant.sandbox_receiver import eventually
from transactions.models import Transaction

__all__ = ["office", "start"]


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_with_the_letter_in_its_hands_leaves_one_mail_at_most(
    order: Transaction, office: PostOffice, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMAIL_URL", f"smtp://127.0.0.1:{office.port}")
    office.to_recipient, office.to_letter = ["silence"], ["silence"]
    before = receipt_of(order)
    worker = start()
    ring(tasks.send_message, before.pk)
    eventually(lambda: not office.to_recipient, 45)
    kill(worker)  # before the letter left
    assert (fresh(before).state, fresh(before).handed_over_at) == ("sending", None)
    worker = start()

    def rung() -> bool:
        Message.objects.filter(handed_over_at=None).update(try_at=timezone.now())
        for message_id in mailing.due():
            tasks.send_message.delay(message_id)
        return not office.to_letter

    eventually(rung, 45)
    kill(worker)  # while the mail server thinks about the letter
    message = fresh(before)
    assert (message.state, message.handed_over_at is None) == ("sending", False)
    Message.objects.update(try_at=timezone.now())
    tasks.send_message(message.pk)
    message = fresh(message)
    assert (message.state, mailing.due(), office.mails) == ("unknown", [], [])
    assert message.tries == 2


def test_mails_are_set_up_without_a_browser(lantern: Merchant) -> None:
    who = {"merchant_id": LANTERN, "project_id": HARBOUR}
    call_command("connect_mails", **who, who="we", support_email="help@lantern.example")
    first = MailRule.objects.get()
    call_command("connect_mails", **who, who="we", shop_name="Lantern\nHarbour")
    rule = MailRule.objects.get()
    assert (rule.mails_since, rule.sender, rule.support_email) == (first.mails_since, "Lantern Harbour", "")
    call_command("connect_mails", **who, who="paysuper")
    assert not MailRule.objects.get().we_mail
    with pytest.raises(CommandError, match="not an e-mail"):
        call_command("connect_mails", **who, who="we", support_email="help")
    with pytest.raises(CommandError, match="no such project"):
        call_command("connect_mails", merchant_id=LANTERN, project_id="0" * 24, who="we")
