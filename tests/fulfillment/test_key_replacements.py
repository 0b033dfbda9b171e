"""PaySuper's staff replaces a key: once, whatever happens to the answer, and the customer has it by mail."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from fulfillment import actions, erasing, replacing, rules, tasks, timeline
from fulfillment.forms.replacing import PHRASE
from fulfillment.models import KeyReplacement, MailRule, Message
from merchant.access import Right, roles_with
from merchant.models import AuditEvent, Merchant
from tests.conftest import Person
from tests.fulfillment.desk import Desk, ask, fresh
from tests.fulfillment.post_office import PostOffice, body, key_order, office, tried
from transactions import card
from transactions.models import Transaction

__all__ = ["office"]
State = KeyReplacement.State
PATH = "replace_code$"
FILLED = {"note": "The key was used already", "typed": PHRASE}


@pytest.fixture
def keys(order: Transaction, desk: Desk) -> Transaction:
    """A paid order of a merchant who has a token of PaySuper's staff, with one key."""
    Merchant.objects.filter(pk=order.merchant_id).update(staff_token="sandbox-staff-token")
    found = key_order(fresh(order), desk)
    while found.items.count() > 1:  # as it comes: one or two
        found = key_order(fresh(order), desk)
    return found


def key(order: Transaction, position: int = 0) -> str:
    return card.key_of(fresh(order).raw_order.document, position)


def product(order: Transaction) -> str:
    return replacing.choices(order)[0][0]


def asked(order: Transaction, person: Person) -> KeyReplacement:
    return replacing.ask(fresh(order), person.membership, product(order), "The key was used already")


def ran(replacement: KeyReplacement) -> KeyReplacement:
    """The replacement after the worker has heard its bell."""
    tasks.run_key_replacement(replacement.pk)
    return fresh(replacement)


def earlier(replacement: KeyReplacement, **ago: int) -> KeyReplacement:
    """As if it had all begun that much earlier, and were due."""
    past = timezone.now() - dt.timedelta(**ago)
    dated = {"requested_at": past, "look_at": past} | ({"sent_at": past} if replacement.sent_at else {})
    KeyReplacement.objects.filter(pk=replacement.pk).update(**dated)
    return fresh(replacement)


def puts(desk: Desk, order: Transaction) -> int:
    """How often PaySuper was asked for another key."""
    path = f"{order.pk}/{PATH}"
    return int(desk.api.get("/sandbox/requests", params={"path": path, "method": "PUT"}).json()["count"])


def test_a_replaced_key_is_in_the_mirror_and_in_one_mail_and_ends_the_chance_of_a_refund(
    keys: Transaction, office: PostOffice, ann: Person, desk: Desk
) -> None:
    actions.fulfil(keys, ann.membership, "")
    before = key(keys)
    replacement = ran(asked(keys, ann))
    assert (replacement.state, replacement.keys_before, puts(desk, keys)) == (State.DONE, "", 1)
    assert key(keys) not in ("", before)
    assert rules.refund_blocker(fresh(keys), ann.membership) == (
        "An activation key of this order was replaced: PaySuper refunds it no more."
    )
    for _ in range(2):  # bells that ring again bring neither a key nor a mail
        ran(replacement)
    message = Message.objects.get(transaction=keys, key__contains=":replaced:")
    assert tried(message).state == "sent"
    assert key(keys) in body(office.mails[-1], "plain")
    assert before not in body(office.mails[-1], "plain")
    assert "Dieser Schlüssel ersetzt den" in body(office.mails[-1], "plain")
    assert key(keys) not in fresh(message).text + fresh(message).html  # only a mark of it is kept there
    assert puts(desk, keys) == 1
    events = AuditEvent.objects.filter(subject=str(keys.pk), event__startswith="key_replacement.")
    told = [(each.event, each.user_id is not None) for each in events.order_by("pk")]
    assert told == [
        ("key_replacement.requested", True),
        ("key_replacement.sending", False),
        ("key_replacement.accepted", False),
        ("key_replacement.done", False),
    ]
    lines = [f"{each.title} {each.detail} {each.who}" for each in timeline.events(fresh(keys))]
    assert any(line.startswith("Activation key: Replaced The new key is mailed") for line in lines)
    assert any("New activation key requested" in line and "used already" in line for line in lines)


@pytest.mark.parametrize("fault", ["lost_answer", "truncated"])
def test_a_lost_answer_is_settled_by_reading_and_no_second_key_is_taken(
    keys: Transaction, ann: Person, desk: Desk, fault: str
) -> None:
    before = key(keys)
    desk.fault(fault, method="PUT", path=PATH)
    replacement = ran(asked(keys, ann))
    assert (replacement.state, puts(desk, keys)) == (State.DONE, 1)
    assert key(keys) != before


@pytest.mark.parametrize(
    "answer", [(500, '{"code":"ks000005","message":"x"}'), (502, "<html>"), (408, ""), (302, "")]
)
def test_an_answer_that_proves_nothing_ends_with_a_person_and_is_never_sent_again(
    keys: Transaction, ann: Person, desk: Desk, answer: tuple[int, str]
) -> None:
    desk.refuse(*answer, method="PUT", path=PATH)
    replacement = ran(asked(keys, ann))
    assert replacement.state == State.UNKNOWN
    assert ran(earlier(replacement, minutes=9)).state == State.UNKNOWN
    replacement = ran(earlier(replacement, minutes=11))
    assert (replacement.state, puts(desk, keys)) == (State.NEEDS_PERSON, 1)
    assert "may have been used up" in replacement.outcome
    assert "is being replaced" in rules.refund_blocker(fresh(keys), ann.membership)
    with pytest.raises(actions.Blocked):
        asked(keys, ann)
    replacing.close(replacement, ann.membership, "PaySuper's support says so")
    assert (ran(replacement).state, puts(desk, keys)) == (State.REFUSED, 1)
    assert rules.refund_blocker(fresh(keys), ann.membership) == ""
    assert not Message.objects.filter(key__contains=":replaced:").exists()


def test_a_worker_that_dies_over_the_call_is_found_out_by_reading(
    keys: Transaction, ann: Person, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    replacement = asked(keys, ann)
    with monkeypatch.context() as patched:
        patched.setattr("fulfillment.replacing.sending._send", lambda *_: (_ for _ in ()).throw(SystemExit))
        with pytest.raises(SystemExit):
            tasks.run_key_replacement(replacement.pk)
    assert ran(replacement).state == State.SENDING  # its time is not over
    KeyReplacement.objects.filter(pk=replacement.pk).update(look_at=timezone.now() - dt.timedelta(seconds=1))
    assert replacing.due() == [replacement.pk]
    assert (ran(replacement).state, puts(desk, keys)) == (State.UNKNOWN, 0)


@pytest.mark.parametrize(("status", "trouble"), [(401, "token of its staff"), (403, "token of its staff")])
def test_what_never_reached_the_handler_is_tried_again_for_an_hour(
    keys: Transaction, ann: Person, desk: Desk, status: int, trouble: str
) -> None:
    desk.refuse(status, '{"message":"no"}', method="PUT", path=PATH, count=2)
    replacement = ran(asked(keys, ann))
    assert replacement.state == State.REQUESTED
    assert trouble in replacement.outcome
    assert ran(earlier(replacement, minutes=61)).state == State.REFUSED
    assert fresh(keys).refund_state == ""


def test_paysupers_no_is_told_and_leaves_the_refund_possible(
    keys: Transaction, ann: Person, desk: Desk
) -> None:
    desk.refuse(400, '{"code":"ks000006","message":"x"}', method="PUT", path=PATH)
    replacement = ran(asked(keys, ann))
    assert (replacement.state, fresh(keys).refund_state) == (State.REFUSED, "")
    assert "no key of this product is left" in replacement.outcome


def test_a_refund_and_a_replacement_stand_in_each_others_way(
    keys: Transaction, ann: Person, desk: Desk
) -> None:
    desk.plan("stuck_at_2")
    replacement = asked(keys, ann)
    with pytest.raises(actions.Blocked, match="is being replaced"):
        ask(fresh(keys), ann)
    desk.refund_elsewhere(keys.pk)
    replacement = ran(replacement)
    assert (replacement.state, puts(desk, keys)) == (State.REFUSED, 0)
    assert "PaySuper has a refund" in replacement.outcome
    ask(fresh(keys), ann)
    with pytest.raises(actions.Blocked, match="refund of this order is under way"):
        asked(keys, ann)


def test_who_may_no_longer_replace_keys_replaces_none(keys: Transaction, ann: Person, desk: Desk) -> None:
    replacement = asked(keys, ann)
    ann.membership.role = "support"
    ann.membership.save()
    assert (ran(replacement).state, puts(desk, keys)) == (State.REFUSED, 0)
    assert roles_with(Right.REPLACE_KEYS) == ["owner", "developer"]


def test_paysuper_mails_the_key_where_mails_are_its_own(keys: Transaction, ann: Person) -> None:
    actions.fulfil(keys, ann.membership, "")
    MailRule.objects.update(mails_since=None)
    assert "PaySuper mails" in ran(asked(keys, ann)).outcome
    assert not Message.objects.filter(key__contains=":replaced:").exists()


def test_what_is_not_handed_over_yet_is_mailed_when_it_is(
    keys: Transaction, office: PostOffice, ann: Person
) -> None:
    before = key(keys)
    assert "when the product is handed over" in ran(asked(keys, ann)).outcome
    assert not Message.objects.exists()
    actions.fulfil(fresh(keys), ann.membership, "")
    assert tried(Message.objects.get()).state == "sent"
    assert key(keys) in body(office.mails[0], "plain")
    assert before not in body(office.mails[0], "plain")


def test_a_key_mail_waits_while_its_key_is_replaced(
    keys: Transaction, office: PostOffice, ann: Person
) -> None:
    actions.fulfil(keys, ann.membership, "")
    replacement = asked(keys, ann)
    message = tried(Message.objects.get())
    assert (message.state, message.outcome) == ("queued", "A key of the order is being replaced.")
    ran(replacement)
    assert tried(message).state == "sent"
    assert key(keys) in body(office.mails[0], "plain")


def test_an_order_is_not_forgotten_while_its_key_is_replaced(keys: Transaction, ann: Person) -> None:
    asked(keys, ann)
    with pytest.raises(erasing.NotYet, match="activation key"):
        erasing.erase(keys.merchant, keys.customer_email)


# The page ------------------------------------------------------------------------------------------


def send(browser: Browser, order: Transaction, **values: str) -> Any:
    return browser.post(
        f"/transactions/{order.pk}/replace-key/", {"product": product(order)} | FILLED | values
    )


def test_the_page_says_what_follows_and_asks_only_with_the_words_typed(
    keys: Transaction, ann: Person, ben: Person
) -> None:
    address = f"/transactions/{keys.pk}/replace-key/"
    page = ann.browser.get(address).content.decode()
    assert "This order can never be refunded afterwards." in page
    assert f"Type {PHRASE} to confirm" in page
    assert "Nothing was changed" in send(ann.browser, keys, typed="yes").content.decode()
    assert "This field is required" in send(ann.browser, keys, note="").content.decode()
    assert "no key to replace" in send(ann.browser, keys, product="0" * 24).content.decode()
    assert ben.browser.get(address).status_code == 403
    assert not KeyReplacement.objects.exists()
    assert send(ann.browser, keys, typed="no refund").status_code == 302
    replacement = KeyReplacement.objects.get()
    assert (replacement.state, replacement.requested_by) == (State.REQUESTED, ann.membership.user)
    assert "being replaced already" in send(ann.browser, keys).content.decode()
    shown = ann.browser.get(f"/transactions/{keys.pk}/").content.decode()
    assert "It is about to be sent to PaySuper" in shown
    assert "An activation key of this order is being replaced." in shown  # at the greyed refund


def test_an_old_session_gives_its_password_first(keys: Transaction, ann: Person, settings: Any) -> None:
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 0
    answer = send(ann.browser, keys)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/reauthenticate/")
    assert not KeyReplacement.objects.exists()


def test_without_a_token_of_paysupers_staff_nothing_is_offered(keys: Transaction, ann: Person) -> None:
    offer = f"/transactions/{keys.pk}/replace-key/"
    assert offer in ann.browser.get(f"/transactions/{keys.pk}/").content.decode()
    Merchant.objects.filter(pk=keys.merchant_id).update(staff_token="")
    assert offer not in ann.browser.get(f"/transactions/{keys.pk}/").content.decode()
    assert "Ask PaySuper&#x27;s support" in send(ann.browser, keys).content.decode()
    assert not KeyReplacement.objects.exists()
