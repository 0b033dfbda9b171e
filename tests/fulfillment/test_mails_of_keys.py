"""Keys go out by mail, one mail a platform, and are seen by nobody on the way."""

import html
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from fulfillment import actions, mailing, tasks
from fulfillment.models import Message
from fulfillment.receipts.platforms import PLATFORMS
from merchant.models import AuditEvent
from merchant.paysuper import records
from tests.conftest import Person
from tests.fulfillment.desk import Desk, fresh
from tests.fulfillment.post_office import PostOffice, body, key_order, office, rung, tried, we_mail
from tests.fulfillment.selections import confirmed
from tests.fulfillment.shop import Shop
from tests.fulfillment.test_server_calls import news, set_rule, told
from transactions import card, mirror
from transactions.models import RawOrder, Transaction

__all__ = ["office"]


@pytest.fixture
def keys(order: Transaction, desk: Desk) -> Transaction:
    """A paid order with two keys of two platforms."""
    return key_order(order, desk)


def codes(order: Transaction) -> dict[str, str]:
    """The keys by platform, as PaySuper gave them."""
    document = order.raw_order.document
    return {each["platform_id"]: card.key_of(document, place) for place, each in enumerate(document["items"])}


def without_key(order: Transaction) -> None:
    """As if PaySuper had not given the first key yet."""
    raw = RawOrder.objects.get(pk=order.pk)
    raw.document["items"][0]["code"] = ""
    RawOrder.objects.filter(pk=order.pk).update(document=json.loads(json.dumps(raw.document, default=str)))
    # The next reading is news again.
    Transaction.objects.filter(pk=order.pk).update(fingerprint="")


def of_every_platform(order: Transaction) -> Transaction:
    """The order with one key of each platform."""
    document = order.raw_order.document
    item = document["items"][0]
    items = [
        item | {"id": f"{number:024}", "platform_id": each, "code": f"K&Y<{number}>-{each}"}
        for number, each in enumerate(PLATFORMS)
    ]
    mirror.apply(order.merchant, [records.order(document | {"items": items})], timezone.now())
    return fresh(order)


def test_each_platform_has_a_mail_with_its_key_and_its_steps(
    keys: Transaction, office: PostOffice, ben: Person
) -> None:
    keys = of_every_platform(keys)
    actions.fulfil(keys, ben.membership, "")
    messages = [tried(each) for each in Message.objects.filter(kind="key").order_by("pk")]
    known = codes(keys)
    assert len(known) == len(messages) == 10
    assert {each.platform: each.state for each in messages} == dict.fromkeys(known, "sent")
    for message, mail in zip(messages, office.mails, strict=True):
        mine = known[message.platform]
        for text in (body(mail, "plain"), html.unescape(body(mail, "html"))):
            assert mine in text
            assert not [other for other in known.values() if other != mine and other in text]
        assert PLATFORMS[message.platform].name in mail["Subject"]


def test_automatic_fulfilment_mails_the_keys_too(keys: Transaction, office: PostOffice) -> None:
    actions.fulfil_automatically(keys, "")
    assert Message.objects.filter(kind="key").count() == len(codes(keys))


def by_bulk_action(order: Transaction, ann: Person) -> None:
    tasks.run_batch(str(confirmed(ann, [order], "fulfil").pk))


def by_webhook(order: Transaction, ann: Person) -> None:
    set_rule(order)
    news(order)


def by_server(order: Transaction, ann: Person) -> None:
    with Shop() as shop:
        set_rule(order, shop.url)
        told(order)


@pytest.mark.parametrize("fulfil", [by_bulk_action, by_webhook, by_server])
def test_whoever_hands_over_rings_for_the_mails_at_once(
    fulfil: Callable[[Transaction, Person], None],
    keys: Transaction,
    ann: Person,
    settings: Settings,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    settings.ALLOW_PRIVATE_SERVERS = True
    with django_capture_on_commit_callbacks(execute=True):
        fulfil(keys, ann)
    keyed = Message.objects.filter(transaction=keys, kind="key").values_list("pk", flat=True)
    assert len(keyed) == len(codes(keys))
    assert set(keyed) <= set(rung())


def test_what_is_fulfilled_again_is_not_mailed_again(
    keys: Transaction, office: PostOffice, ben: Person
) -> None:
    actions.fulfil(keys, ben.membership, "")
    for message in Message.objects.all():
        tried(message)
    actions.unfulfil(keys, ben.membership, "a mistake")
    actions.fulfil(keys, ben.membership, "")
    assert (len(office.mails), Message.objects.count()) == (len(codes(keys)), len(codes(keys)))


def test_a_key_that_is_not_there_yet_is_waited_for(
    keys: Transaction, office: PostOffice, ben: Person
) -> None:
    actions.fulfil(keys, ben.membership, "")
    without_key(keys)
    first = keys.raw_order.document["items"][0]["platform_id"]
    message = tried(Message.objects.get(platform=first))
    assert (message.state, message.outcome, message.tries) == (
        "waiting",
        "PaySuper has not given the key yet.",
        0,
    )
    assert message.try_at > timezone.now()
    page = ben.browser.get(f"/transactions/{keys.pk}/").content.decode()
    assert "Waiting for the key" in page
    message = tried(message)  # the order is read again, and the key is there
    assert (message.state, len(office.mails)) == ("sent", 1)


def test_no_key_goes_out_after_the_money_went_back(
    keys: Transaction, office: PostOffice, ben: Person
) -> None:
    actions.fulfil(keys, ben.membership, "")
    message = Message.objects.filter(kind="key").first()
    mirror.record_refund_state(keys, "requested")
    assert tried(message).outcome == "A refund of the order is under way."
    mirror.record_refund_state(keys, "refunded")
    Transaction.objects.filter(pk=keys.pk).update(status="refunded")
    message = tried(message)
    assert (message.state, office.mails) == ("stopped", [])


def test_no_key_goes_out_when_the_fulfilment_was_taken_back(
    keys: Transaction, office: PostOffice, ben: Person
) -> None:
    actions.fulfil(keys, ben.membership, "")
    actions.unfulfil(keys, ben.membership, "the wrong order")
    message = tried(Message.objects.filter(kind="key").first())
    assert (message.state, message.outcome) == ("stopped", "The fulfilment was taken back.")
    actions.fulfil(keys, ben.membership, "")
    again = Message.objects.filter(kind="key", platform=message.platform).exclude(pk=message.pk).get()
    assert tried(again).state == "sent"


def test_keys_are_neither_shown_nor_logged_nor_stored_in_the_clear(
    keys: Transaction, office: PostOffice, ann: Person, caplog: pytest.LogCaptureFixture, capfd
) -> None:
    actions.fulfil(keys, ann.membership, "")
    office.to_letter = ["452 no room"]
    messages = [tried(each) for each in Message.objects.all()]
    pages = [ann.browser.get(f"/transactions/{keys.pk}/").content.decode()]
    for message in messages:
        pages.append(ann.browser.get(f"/messages/{message.pk}/").content.decode())
        pages.append(ann.browser.get(f"/messages/{message.pk}/body/").content.decode())
    assert "••••••" in pages[1]
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM fulfillment_message")
        stored = str(cursor.fetchall())
        cursor.execute("SELECT * FROM merchant_auditevent")
        stored += str(cursor.fetchall())
    said = caplog.text + "".join(capfd.readouterr())
    for code in codes(keys).values():
        assert not [place for place in (*pages, stored, said) if code in place]


def test_a_person_mails_a_key_again_to_another_address(
    keys: Transaction, office: PostOffice, ben: Person
) -> None:
    actions.fulfil(keys, ben.membership, "")
    platform = next(iter(codes(keys)))
    wish = {"what": f"key:{platform}", "address": "right@example.com", "key": "a-form-of-ours"}
    for _ in range(2):  # a double click
        assert ben.browser.post(f"/transactions/{keys.pk}/mail/", wish).status_code == 302
    message = tried(Message.objects.get(requested_by=ben.membership.user, recipient="right@example.com"))
    assert (message.state, message.recipient, office.mails[0]["To"]) == ("sent", *["right@example.com"] * 2)
    assert codes(keys)[platform] in body(office.mails[0], "plain")
    event = AuditEvent.objects.get(event="message.asked")
    assert (event.user, event.data["other_address"]) == (ben.membership.user, True)
    assert fresh(keys).customer_email != "right@example.com"


def test_nobody_is_flooded_with_mails(keys: Transaction, office: PostOffice, ben: Person) -> None:
    actions.fulfil(keys, ben.membership, "")
    for number in range(10):
        mailing.send_again(keys, ben.membership, "payment", "right@example.com", f"form-{number}")
    with pytest.raises(mailing.NotSendable, match="Enough mails"):
        mailing.send_again(keys, ben.membership, "payment", "right@example.com", "form-10")


def test_the_form_offers_what_was_mailed(keys: Transaction, office: PostOffice, ben: Person) -> None:
    actions.fulfil(keys, ben.membership, "")
    message = tried(Message.objects.filter(kind="key").last())
    page = ben.browser.get(f"/messages/{message.pk}/").content.decode()
    assert f"/mail/?what=key%3A{message.platform}" in page
    form = ben.browser.get(f"/transactions/{keys.pk}/mail/", {"what": message.choice}).content.decode()
    assert f'value="key:{message.platform}" selected' in form


def test_keys_that_are_not_handed_over_cannot_be_mailed(
    keys: Transaction, office: PostOffice, ben: Person
) -> None:
    offered = dict(mailing.choices(keys, ben.membership))
    assert list(offered) == ["payment"]
    wish = {"what": "key:steam", "address": "right@example.com", "key": "a-form-of-ours"}
    assert b"cannot be mailed" in ben.browser.post(f"/transactions/{keys.pk}/mail/", wish).content
    assert not Message.objects.exists()


def test_nothing_is_mailed_at_fulfilment_where_paysuper_mails(
    keys: Transaction, office: PostOffice, ben: Person
) -> None:
    we_mail(keys, mails_since=None)
    actions.fulfil(keys, ben.membership, "")
    assert not Message.objects.exists()
    assert "key:" in "".join(dict(mailing.choices(fresh(keys), ben.membership)))
