"""A mail leaves once: whatever the mail server says, and whoever dies."""

from collections.abc import Callable

import pytest
from django.core.management import call_command
from django.utils import timezone

from fulfillment import mailing, tasks
from fulfillment.mailing import sending
from fulfillment.mailing.states import PAUSES
from fulfillment.models import Message
from merchant.models import AuditEvent
from tests.conftest import Person
from tests.fulfillment.desk import Desk, fresh
from tests.fulfillment.post_office import PostOffice, body, office, receipt_of, tried, we_mail
from tests.fulfillment.test_server_calls import news
from tests.fulfillment.test_server_calls_once import at_once
from transactions import sync
from transactions.models import Transaction

__all__ = ["office"]


def test_nothing_is_mailed_by_itself_where_paysuper_mails(order: Transaction, office: PostOffice) -> None:
    news(order)
    tasks.sweep_messages()
    assert (Message.objects.count(), office.mails) == (0, [])


def test_a_payment_is_receipted_to_its_customer(order: Transaction, office: PostOffice) -> None:
    message = tried(receipt_of(order))
    assert (message.state, message.tries, message.outcome) == ("sent", 1, "")
    (mail,) = office.mails
    assert (mail["To"], mail["Auto-Submitted"]) == (order.customer_email, "auto-generated")
    assert mail["From"] == "Lantern Harbour <receipts@pay.example>"
    assert order.transaction_id in body(mail, "plain")
    assert order.transaction_id in body(mail, "html")
    assert AuditEvent.objects.get(event="message.sent").subject == str(order.pk)


def test_repeated_webhooks_and_sweeps_make_one_mail(order: Transaction, office: PostOffice) -> None:
    we_mail(order)
    for event_id in ("a", "a", "b"):
        news(order, event_id=event_id)
    message = tried(Message.objects.get())
    news(order, event_id="c")
    tasks.send_message(message.pk)
    assert (mailing.missed(), Message.objects.count(), len(office.mails)) == ([], 1, 1)


@pytest.mark.django_db(transaction=True)
def test_eight_workers_at_once_write_one_mail_and_send_it_once(
    order: Transaction, office: PostOffice
) -> None:
    we_mail(order)
    at_once(lambda: mailing.after_reading(order.merchant, order.pk), 8)
    message = Message.objects.get()
    at_once(lambda: mailing.run(message.pk), 8)
    assert (len(office.mails), fresh(message).state, fresh(message).tries) == (1, "sent", 1)


def test_a_payment_whose_webhook_was_lost_is_receipted_by_the_clock(
    order: Transaction, office: PostOffice
) -> None:
    we_mail(order)
    (message_id,) = mailing.missed()
    assert mailing.due() == [message_id]
    assert mailing.due() == []  # the bell that was rung has time
    tasks.send_message(message_id)
    assert len(office.mails) == 1


def test_what_was_paid_before_the_switch_is_not_mailed(order: Transaction, office: PostOffice) -> None:
    we_mail(order, mails_since=timezone.now())
    mailing.after_reading(order.merchant, order.pk)
    assert mailing.missed() == []
    assert not Message.objects.exists()


def test_a_refund_is_receipted_and_a_chargeback_is_not(
    order: Transaction, office: PostOffice, desk: Desk
) -> None:
    receipt_of(order)
    desk.charge_back(order.pk)
    sync.sync(order.merchant, full=True)
    mailing.after_reading(order.merchant, order.pk)
    assert [each.kind for each in Message.objects.all()] == ["payment"]


@pytest.mark.parametrize(
    ("answer", "state", "words"),
    [
        ("550 no such person", "bounced", "The mail server said 550 no such person"),
        ("451 come back later", "failed", "The mail server said 451 come back later"),
        ("drop", "failed", "The connection to the mail server broke"),
    ],
)
def test_what_the_mail_server_says_to_the_address(
    order: Transaction, office: PostOffice, answer: str, state: str, words: str
) -> None:
    office.to_recipient = [answer]
    message = tried(receipt_of(order))
    assert (message.state, office.mails) == (state, [])
    assert words in message.outcome
    again = tried(message)
    assert again.state == ("bounced" if state == "bounced" else "sent")


@pytest.mark.parametrize(
    ("answer", "state", "words"),
    [
        ("554 this is spam", "gave_up", "The mail server said 554 this is spam"),
        ("452 no room", "failed", "The mail server said 452 no room"),
        ("drop", "unknown", "did not say whether it took the mail"),
        ("silence", "unknown", "did not say whether it took the mail: no answer in time"),
    ],
)
def test_what_the_mail_server_says_to_the_letter(
    order: Transaction, office: PostOffice, settings, answer: str, state: str, words: str
) -> None:
    settings.EMAIL_TIMEOUT = 0.3
    office.to_letter = [answer]
    message = tried(receipt_of(order))
    assert message.state == state
    assert words in message.outcome


def test_what_the_mail_server_says_tells_nobody_the_address(order: Transaction, office: PostOffice) -> None:
    office.to_recipient = [f"550 <{order.customer_email.upper()}> is not known here"]
    message = tried(receipt_of(order))
    assert "a…@example.com" in message.outcome
    assert order.customer_email not in message.outcome.lower()


def test_nobody_repeats_by_itself_what_may_have_been_sent(order: Transaction, office: PostOffice) -> None:
    office.to_letter = ["drop"]
    message = tried(tried(receipt_of(order)))
    assert (message.state, len(office.mails), mailing.due()) == ("unknown", 1, [])


def test_a_mail_server_that_is_down_is_tried_again_over_a_day(
    order: Transaction, office: PostOffice, settings
) -> None:
    settings.EMAIL_PORT = 1  # nobody listens there
    message, pauses = receipt_of(order), []
    for _ in PAUSES:
        message = tried(message)
        assert message.state == "failed"
        pauses.append((message.try_at - message.changed_at).total_seconds() / 60)
    assert pauses == pytest.approx(PAUSES, abs=0.01)
    assert 20 * 60 < sum(pauses) < 26 * 60
    message = tried(message)
    assert (message.state, message.tries) == ("gave_up", 9)
    assert "could not be reached" in message.outcome


def test_every_try_is_the_same_mail(order: Transaction, office: PostOffice) -> None:
    office.to_letter = ["452 no room", "drop"]
    message = tried(receipt_of(order))
    Transaction.objects.filter(pk=order.pk).update(product="something else")
    order.project.name = "Another name"
    text = message.text
    message = tried(message)
    assert (message.text, message.tries) == (text, 2)
    assert office.mails[0]["Message-ID"].startswith(f"<{message.pk}.")


def test_an_order_without_a_readable_address_says_so(order: Transaction, office: PostOffice) -> None:
    Transaction.objects.filter(pk=order.pk).update(customer_email="")
    message = receipt_of(order)
    assert (message.state, message.outcome) == ("bounced", "The order has no e-mail address.")


def dead(message: Message, **values: object) -> Message:
    """A try whose worker has died."""
    Message.objects.filter(pk=message.pk).update(state="sending", tries=1, **values)
    return fresh(message)


def test_a_worker_that_died_before_the_letter_left_is_followed_by_another(
    order: Transaction, office: PostOffice
) -> None:
    message = dead(receipt_of(order), try_at=timezone.now() + sending.TRY_AT_MOST)
    tasks.send_message(message.pk)
    assert fresh(message).state == "sending"  # too early to take it for dead
    message = tried(message)
    assert (message.state, message.outcome) == ("failed", "The worker stopped before the mail left.")
    assert (tried(message).state, len(office.mails)) == ("sent", 1)


def test_a_worker_that_died_while_the_letter_left_leaves_it_unknown(
    order: Transaction, office: PostOffice
) -> None:
    message = tried(dead(receipt_of(order), handed_over_at=timezone.now()))
    assert (message.state, office.mails) == ("unknown", [])
    assert "may have been sent" in message.outcome


def test_a_worker_that_was_taken_for_dead_hands_nothing_over(order: Transaction, office: PostOffice) -> None:
    late = receipt_of(order)
    assert sending._claimed(late)
    tried(late)
    sending._send(late)
    assert (fresh(late).state, office.mails) == ("failed", [])


def test_the_late_answer_of_a_mail_that_was_thought_unknown_counts(
    order: Transaction, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = receipt_of(order)
    assert sending._claimed(late)
    deliver: Callable[..., None] = sending.wire.deliver

    def slowly(*arguments: object) -> None:
        deliver(*arguments)
        assert tried(late).state == "unknown"

    monkeypatch.setattr(sending.wire, "deliver", slowly)
    sending._send(late)
    assert fresh(late).state == "sent"


def test_a_mail_that_breaks_its_worker_ends_with_words(
    order: Transaction, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending.writing, "letter", lambda *_: {}["a secret"])
    message = receipt_of(order)
    for _ in range(9):
        message = tried(message)
    assert (message.state, message.outcome) == ("gave_up", "The mail could not be written (KeyError).")


def test_a_bounce_that_comes_later_is_noted(order: Transaction, office: PostOffice, ben: Person) -> None:
    message = tried(receipt_of(order))
    sent_as = office.mails[0]["Message-ID"]
    call_command("mail_bounced", message_id=sent_as, reason="mailbox full")
    assert (fresh(message).state, fresh(message).outcome) == ("bounced", "mailbox full")
    for unknown in ("<1.abc@x>", f"<{message.pk}.{'0' * 24}@pay.example>"):
        with pytest.raises(Exception, match="none of ours"):
            call_command("mail_bounced", message_id=unknown, reason="")
