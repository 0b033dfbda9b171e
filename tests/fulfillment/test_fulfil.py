"""Fulfilling an order: noted once, with who and why, and taken back only with a reason."""

import threading

import pytest
from django.db import connection

from fulfillment import actions, rules, timeline
from fulfillment.models import Action
from fulfillment.templatetags.actions import handover_of, open_action
from merchant.models import AuditEvent, Membership, Merchant
from tests.conftest import Person, person
from tests.fulfillment.desk import Desk, ask, fresh, sent, settled
from transactions import sync
from transactions.models import Transaction

ROW = {"type": "order", "status": "processed", "fulfilment": "unfulfilled", "refund_state": ""}


def address(order: Transaction, verb: str = "fulfil") -> str:
    return f"/transactions/{order.pk}/{verb}/"


def test_a_colleague_fulfils_an_order_with_a_note(ben: Person, order: Transaction) -> None:
    answer = ben.browser.post(address(order), {"note": "sent by mail"})
    assert (answer.status_code, answer["Location"]) == (302, f"/transactions/{order.pk}/")
    assert fresh(order).fulfilment == "fulfilled"
    action = Action.objects.get()
    assert (action.kind, action.state, action.note) == ("fulfil", "done", "sent by mail")
    assert action.requested_by == ben.membership.user
    assert handover_of(order).last == action
    assert open_action(order) is None


def test_a_note_is_not_needed(ben: Person, order: Transaction) -> None:
    ben.browser.post(address(order))
    assert fresh(order).fulfilment == "fulfilled"


def test_undoing_needs_a_reason(ben: Person, order: Transaction) -> None:
    ben.browser.post(address(order))
    assert ben.browser.post(address(order, "unfulfil"), {"note": " "}).status_code == 200
    assert fresh(order).fulfilment == "fulfilled"
    answer = ben.browser.post(address(order, "unfulfil"), {"note": "wrong customer"})
    assert answer.status_code == 302
    assert fresh(order).fulfilment == "unfulfilled"
    assert Action.objects.get(kind="unfulfil").note == "wrong customer"


def test_what_was_undone_can_be_done_again(ben: Person, order: Transaction) -> None:
    for verb in ("fulfil", "unfulfil", "fulfil"):
        ben.browser.post(address(order, verb), {"note": "x"})
    assert fresh(order).fulfilment == "fulfilled"
    assert [action.kind for action in Action.objects.order_by("pk")] == ["fulfil", "unfulfil", "fulfil"]


@pytest.mark.parametrize("verb", ["fulfil", "unfulfil"])
def test_twice_does_nothing_the_second_time(ben: Person, order: Transaction, verb: str) -> None:
    if verb == "unfulfil":
        ben.browser.post(address(order))
    for _ in range(2):
        assert ben.browser.post(address(order, verb), {"note": "x"}).status_code == 302
    assert Action.objects.filter(kind=verb).count() == 1
    assert AuditEvent.objects.filter(event=f"{verb}.done").count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_colleagues_at_once_fulfil_once(ann: Person, ben: Person, order: Transaction) -> None:
    start, results = threading.Barrier(2), []

    def work(who: Person) -> None:
        start.wait()
        try:
            actions.fulfil(order, who.membership, "")
            results.append("done")
        except actions.Blocked as blocked:
            results.append(str(blocked))
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(who,)) for who in (ann, ben)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["This order is fulfilled.", "done"]
    assert Action.objects.count() == 1


def test_looking_at_the_form_fulfils_nothing(ben: Person, order: Transaction) -> None:
    assert ben.browser.get(address(order)).status_code == 200
    assert fresh(order).fulfilment == "unfulfilled"


@pytest.mark.parametrize(
    ("role", "status"),
    [("owner", 302), ("developer", 302), ("support", 302), ("accounting", 403), ("view_only", 403)],
)
@pytest.mark.parametrize("verb", ["fulfil", "unfulfil"])
def test_only_some_roles_may_fulfil(
    lantern: Merchant, order: Transaction, role: str, status: int, verb: str
) -> None:
    if verb == "unfulfil":
        Transaction.objects.filter(pk=order.pk).update(fulfilment="fulfilled")
    who = person(lantern, "someone", role)
    assert who.browser.post(address(order, verb), {"note": "x"}).status_code == status
    assert Action.objects.exists() == (status == 302)


@pytest.mark.parametrize("role", ["accounting", "view_only", "unheard of"])
def test_the_action_itself_asks_for_the_right_too(lantern: Merchant, order: Transaction, role: str) -> None:
    who = Membership(user=person(lantern, "someone", "owner").membership.user, merchant=lantern, role=role)
    with pytest.raises(actions.Blocked, match="role"):
        actions.fulfil(order, who, "")
    with pytest.raises(actions.Blocked, match="role"):
        actions.unfulfil(order, who, "x")
    assert not Action.objects.exists()


@pytest.mark.parametrize("verb", ["fulfil", "unfulfil"])
def test_a_stranger_finds_no_such_order(cleo: Person, order: Transaction, verb: str) -> None:
    assert cleo.browser.get(address(order, verb)).status_code == 404
    assert cleo.browser.post(address(order, verb), {"note": "x"}).status_code == 404
    assert not Action.objects.exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, ""),
        ({"type": "refund"}, "entry is a refund"),
        ({"fulfilment": "fulfilled"}, "is fulfilled"),
        *[({"refund_state": state}, "refund") for state in rules.REFUND_UNDER_WAY],
        *[({"refund_state": state}, "") for state in ("refused", "declined")],
        *[
            ({"status": status}, "Only processed")
            for status in ("created", "pending", "rejected", "canceled", "refunded", "chargeback", "new one")
        ],
    ],
)
def test_fulfilling_is_blocked_with_its_reason(change: dict[str, str], words: str) -> None:
    blocker = rules.fulfil_blocker(ROW | change, Membership(role="support"))
    assert words in blocker
    assert bool(blocker) == bool(words)


def test_a_refund_row_cannot_be_fulfilled(
    ben: Person, desk: Desk, order: Transaction, lantern: Merchant
) -> None:
    desk.charge_back(order.pk)
    sync.sync(lantern, full=True)
    row = Transaction.objects.filter(type="refund").first()
    with pytest.raises(actions.Blocked, match="entry is a refund"):
        actions.fulfil(row, ben.membership, "")
    assert ben.browser.post(address(row)).status_code == 302
    assert fresh(row).fulfilment == "unfulfilled"
    assert not Action.objects.exists()


def test_the_order_itself_is_asked_and_not_what_the_page_knew(
    ben: Person, desk: Desk, order: Transaction, lantern: Merchant
) -> None:
    desk.charge_back(order.pk)
    sync.refresh(lantern, order.pk)
    assert order.status == "processed"
    with pytest.raises(actions.Blocked, match="Only processed"):
        actions.fulfil(order, ben.membership, "")


def test_a_re_read_and_a_refund_leave_the_fulfilment_alone(
    ben: Person, desk: Desk, order: Transaction, lantern: Merchant
) -> None:
    actions.fulfil(order, ben.membership, "")
    settled(sent(fresh(order), ben), "refunded")
    sync.sync(lantern, full=True)
    assert (fresh(order).fulfilment, fresh(order).status) == ("fulfilled", "refunded")
    actions.unfulfil(order, ben.membership, "money went back")
    assert fresh(order).fulfilment == "unfulfilled"


def test_audit_and_timeline_tell_who_did_it_and_why(ben: Person, order: Transaction) -> None:
    ben.browser.post(address(order), {"note": "by hand"})
    ben.browser.post(address(order, "unfulfil"), {"note": "mistake"})
    lines = AuditEvent.objects.filter(subject=str(order.pk)).order_by("pk")
    assert [(line.event, line.user, line.data["note"]) for line in lines] == [
        ("fulfil.done", ben.membership.user, "by hand"),
        ("unfulfil.done", ben.membership.user, "mistake"),
    ]
    told = [(event.title, event.detail, event.who) for event in timeline.events(order)][:2]
    assert told == [
        ("Fulfilment undone", "mistake", str(ben.membership.user)),
        ("Fulfilled", "by hand", str(ben.membership.user)),
    ]


def test_an_action_without_its_audit_line_does_not_happen(
    ben: Person, order: Transaction, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object, **__: object) -> None:
        raise RuntimeError("the database went away")

    monkeypatch.setattr("merchant.audit.record", failing)
    with pytest.raises(RuntimeError):
        actions.fulfil(order, ben.membership, "")
    assert not Action.objects.exists()
    assert fresh(order).fulfilment == "unfulfilled"


def test_nothing_is_handed_out_while_the_money_goes_back(ben: Person, order: Transaction) -> None:
    action = ask(order, ben)
    with pytest.raises(actions.Blocked, match="refund"):
        actions.fulfil(order, ben.membership, "")
    assert fresh(order).fulfilment == "unfulfilled"
    assert open_action(order) == action
