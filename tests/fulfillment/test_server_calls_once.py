"""Goods go out once: whatever is repeated, killed, pressed twice or refunded in between."""

import threading
from collections.abc import Callable, Iterator

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from pytest_django.fixtures import Settings

from fulfillment import actions, automatic, tasks
from fulfillment.automatic import calling
from fulfillment.models import Action, ServerCall, ServerCallTry
from merchant.models import AuditEvent, Merchant
from tests.conftest import HARBOUR, Person
from tests.fulfillment.desk import Desk, ask, fresh, mirrored_order
from tests.fulfillment.shop import Said, Shop
from tests.fulfillment.test_server_calls import again, news, set_rule, told
from tests.fulfillment.test_worker import Start, kill, start
from tests.merchant.sandbox_receiver import eventually
from transactions import activation_keys, sync
from transactions.models import Transaction

__all__ = ["start"]


@pytest.fixture(autouse=True)
def servers_at_home(settings: Settings) -> None:
    """The tests' servers listen on this machine."""
    settings.ALLOW_PRIVATE_SERVERS = True


@pytest.fixture
def shop() -> Iterator[Shop]:
    with Shop() as server:
        yield server


def at_once(work: Callable[[], object], times: int) -> list[object]:
    """What this work says when so many do it at the same moment."""
    barrier, results = threading.Barrier(times), []

    def one() -> None:
        barrier.wait()
        try:
            results.append(work())
        except actions.Blocked as blocked:
            results.append(str(blocked))
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_repeated_webhooks_make_one_call(order: Transaction, shop: Shop) -> None:
    set_rule(order, shop.url)
    for event_id in ("a", "a", "b"):
        news(order, event_id=event_id)
    told(order)
    news(order, event_id="c")
    tasks.sweep_server_calls()
    assert (ServerCall.objects.count(), len(shop.heard)) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_eight_workers_at_once_make_one_call_and_send_it_once(order: Transaction, shop: Shop) -> None:
    set_rule(order, shop.url)
    begun = at_once(lambda: automatic.begin(order.merchant, order.pk), 8)
    call = ServerCall.objects.get()
    assert sorted(begun, key=str) == [call.pk, *[None] * 7]
    at_once(lambda: automatic.call(call.pk), 8)
    assert (len(shop.heard), fresh(call).state, Action.objects.count()) == (1, "taken", 1)


@pytest.mark.django_db(transaction=True)
def test_eight_workers_at_once_fulfil_once_without_a_server(order: Transaction) -> None:
    set_rule(order)
    at_once(lambda: automatic.begin(order.merchant, order.pk), 8)
    assert (fresh(order).fulfilment, Action.objects.count()) == ("fulfilled", 1)


def test_an_order_whose_webhook_was_lost_is_found_by_the_clock(order: Transaction, shop: Shop) -> None:
    set_rule(order, shop.url)
    tasks.sweep_server_calls()
    call = ServerCall.objects.get(transaction=order)
    assert call.state == "waiting"
    assert automatic.due() == [call.pk]  # the bell was lost with its worker: the next sweep rings
    tasks.call_server(call.pk)
    assert (len(shop.heard), fresh(order).fulfilment) == (1, "fulfilled")
    assert (automatic.missed(), automatic.due()) == ([], [])


def test_a_worker_that_died_while_sending_is_followed_by_another_with_the_same_id(
    order: Transaction, shop: Shop
) -> None:
    set_rule(order, shop.url)
    call_id = automatic.begin(order.merchant, order.pk)
    dead = {"state": "sending", "tries": 1, "try_at": timezone.now() + calling.TRY_AT_MOST}
    ServerCall.objects.filter(pk=call_id).update(**dead)
    assert automatic.due() == []
    tasks.call_server(call_id)
    assert shop.heard == []  # too early to take it for dead
    call = again(ServerCall.objects.get())
    assert (call.state, call.outcome) == ("waiting", "The worker stopped before the server answered.")
    call = again(call)
    assert (call.state, call.tries, shop.ids) == ("taken", 2, [call.webhook_id])


def test_the_answer_of_a_worker_that_was_taken_for_dead_still_counts(order: Transaction, shop: Shop) -> None:
    set_rule(order, shop.url)
    late = ServerCall.objects.get(pk=automatic.begin(order.merchant, order.pk))
    assert calling._claimed(late)
    again(late)
    assert fresh(late).state == "waiting"
    calling._send(late)
    assert (fresh(late).state, fresh(order).fulfilment) == ("taken", "fulfilled")
    assert ServerCallTry.objects.get().status == 200


@pytest.mark.django_db(transaction=True)
def test_a_killed_worker_loses_no_call(order: Transaction, shop: Shop, start: Start, monkeypatch) -> None:
    monkeypatch.setenv("ALLOW_PRIVATE_SERVERS", "true")
    shop.answers = [Said(pause=60), Said()]
    set_rule(order, shop.url)
    worker = start()
    tasks.call_server.delay(automatic.begin(order.merchant, order.pk))
    eventually(lambda: len(shop.heard) == 1, 45)
    kill(worker)
    assert (ServerCall.objects.get().state, fresh(order).fulfilment) == ("sending", "unfulfilled")
    start()

    def taken() -> bool:
        ServerCall.objects.exclude(state="taken").update(try_at=timezone.now())
        tasks.sweep_server_calls()
        return ServerCall.objects.get().state == "taken"

    eventually(taken, 45)
    assert len(set(shop.ids)) == 1
    assert (fresh(order).fulfilment, Action.objects.count()) == ("fulfilled", 1)


def test_nothing_goes_out_while_a_refund_is_under_way(order: Transaction, shop: Shop, ben: Person) -> None:
    set_rule(order, shop.url)
    call_id = automatic.begin(order.merchant, order.pk)
    ask(order, ben)
    tasks.call_server(call_id)
    call = ServerCall.objects.get()
    assert (call.state, call.outcome) == ("waiting", "A refund of the order is under way.")
    assert (shop.heard, call.failures, call.try_at > timezone.now()) == ([], 0, True)


def test_nothing_goes_out_after_a_chargeback(order: Transaction, shop: Shop, desk: Desk, ben: Person) -> None:
    shop.answers = [Said(500)]
    set_rule(order, shop.url)
    call = told(order)
    desk.charge_back(order.pk)
    sync.refresh(order.merchant, order.pk)
    call = again(call)
    assert (call.state, call.outcome, len(shop.heard)) == (
        "stopped",
        "The order's status is chargeback by now.",
        1,
    )
    answer = ben.browser.post(f"/server-calls/{call.pk}/resend/", follow=True)
    assert "status is chargeback by now." in answer.content.decode()
    assert fresh(call).state == "stopped"


def test_what_was_taken_while_the_money_went_back_is_known_to_be_out(
    order: Transaction, shop: Shop, desk: Desk, ben: Person
) -> None:
    set_rule(order, shop.url)
    call = ServerCall.objects.get(pk=automatic.begin(order.merchant, order.pk))
    assert calling._claimed(call)
    desk.charge_back(order.pk)
    sync.refresh(order.merchant, order.pk)
    calling._send(call)
    assert (fresh(order).fulfilment, fresh(order).status) == ("fulfilled", "chargeback")
    page = ben.browser.get("/to-fulfil/?list=withdraw").content.decode()
    assert str(order.pk) in page


def test_the_server_is_not_told_of_what_hands_have_done(order: Transaction, shop: Shop, ben: Person) -> None:
    set_rule(order, shop.url)
    call_id = automatic.begin(order.merchant, order.pk)
    actions.fulfil(order, ben.membership, "")
    tasks.call_server(call_id)
    call = ServerCall.objects.get()
    assert (call.state, call.outcome, shop.heard) == (
        "stopped",
        "The order was fulfilled by hand before.",
        [],
    )


def test_hands_wait_while_the_server_is_being_told(order: Transaction, shop: Shop, ben: Person) -> None:
    set_rule(order, shop.url)
    call = ServerCall.objects.get(pk=automatic.begin(order.merchant, order.pk))
    assert calling._claimed(call)
    with pytest.raises(actions.Blocked, match="right now"):
        actions.fulfil(order, ben.membership, "")
    assert fresh(order).fulfilment == "unfulfilled"


def test_what_a_person_has_undone_is_not_done_again_by_itself(
    order: Transaction, shop: Shop, ben: Person
) -> None:
    for url in ("", shop.url):
        set_rule(order, url)
        news(order)
        tasks.sweep_server_calls()
        if not url:
            actions.unfulfil(order, ben.membership, "the key did not work")
    assert (fresh(order).fulfilment, shop.heard) == ("unfulfilled", [])


def test_a_person_sends_a_call_again(order: Transaction, shop: Shop, ben: Person) -> None:
    shop.answers = [Said(500), Said(500), Said()]
    set_rule(order, shop.url)
    call = told(order)
    ServerCall.objects.filter(pk=call.pk).update(state="given_up", failures=11)
    assert ben.browser.post(f"/server-calls/{call.pk}/resend/").status_code == 302
    tasks.call_server(call.pk)
    call = again(fresh(call))
    assert (call.state, call.tries, call.asked_again_by) == ("taken", 3, ben.membership.user)
    assert len(set(shop.ids)) == 1
    assert Action.objects.get().requested_by == ben.membership.user
    assert AuditEvent.objects.get(event="server_call.resent").user == ben.membership.user


def test_what_was_taken_can_be_sent_again_and_is_fulfilled_once(
    order: Transaction, shop: Shop, ben: Person
) -> None:
    set_rule(order, shop.url)
    call = told(order)
    ben.browser.post(f"/server-calls/{call.pk}/resend/")
    tasks.call_server(call.pk)
    assert (fresh(call).state, len(shop.heard), len(set(shop.ids))) == ("taken", 2, 1)
    assert Action.objects.count() == 1


def test_a_call_without_an_address_any_more_stops(order: Transaction, shop: Shop) -> None:
    set_rule(order, shop.url)
    call_id = automatic.begin(order.merchant, order.pk)
    set_rule(order)
    tasks.call_server(call_id)
    assert fresh(ServerCall.objects.get()).outcome == "No server is set for the project."


def test_one_call_row_for_an_order_and_event_even_past_the_code(order: Transaction, shop: Shop) -> None:
    set_rule(order, shop.url)
    automatic.begin(order.merchant, order.pk)
    with pytest.raises(IntegrityError), transaction.atomic():
        ServerCall.objects.create(
            merchant=order.merchant,
            project=order.project,
            transaction=order,
            event="order.paid",
            body="{}",
            try_at=timezone.now(),
        )


def test_keys_are_sent_but_neither_shown_nor_stored_in_the_clear(
    lantern: Merchant, desk: Desk, ann: Person
) -> None:
    entry = mirrored_order(lantern, desk, project_id=HARBOUR, kind="key")
    codes = [activation_keys.opened(item) for item in entry.raw_order.document["items"]]
    assert all(codes)
    with Shop(Said(500, b"cannot take " + codes[0].encode())) as shop:
        set_rule(entry, shop.url)
        call = told(entry)
        assert codes[0] in shop.heard[0].body.decode()
    page = ann.browser.get(f"/server-calls/{call.pk}/").content.decode()
    assert "cannot take ••••••" in page
    assert not [code for code in codes if code in page]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT body FROM fulfillment_servercall UNION SELECT answer FROM fulfillment_servercalltry"
        )
        stored = str(cursor.fetchall())
    assert not [code for code in codes if code in stored]
    assert "cannot take" not in stored
