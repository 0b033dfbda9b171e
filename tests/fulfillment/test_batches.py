"""Many rows at once: previewed with a verdict for each, confirmed by typing, done one by one."""

import csv
import datetime as dt
import io
from decimal import Decimal
from uuid import UUID

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone

from fulfillment import actions, batches, tasks
from fulfillment.forms import REASONS
from fulfillment.models import Action, Batch, BatchItem
from merchant.models import AuditEvent, Merchant, RefundRules
from tests.conftest import PASSWORD, Person, signed_in
from tests.fulfillment.desk import Desk, ask, broker_down, fresh, mirrored_order, settled
from transactions.models import Transaction

State = Action.State
CONFIRM = {"reason": REASONS[0], "note": "bad build"}


@pytest.fixture
def orders(lantern: Merchant, desk: Desk) -> list[Transaction]:
    """Four orders that can be refunded."""
    return [mirrored_order(lantern, desk) for _ in range(4)]


def select(person: Person, entries: list[Transaction], kind: str = "refund", **more: object) -> HttpResponse:
    data = {"row": [str(entry.pk) for entry in entries], "key": "form-1", "query": "sort=amount"}
    return person.browser.post(f"/transactions/bulk/{kind}/", data | more)


def previewed(person: Person, entries: list[Transaction], kind: str = "refund") -> Batch:
    answer = select(person, entries, kind)
    assert answer.status_code == 302, answer.content
    return Batch.objects.get(pk=answer["Location"].strip("/").split("/")[-1])


def confirm(person: Person, batch: Batch, typed: str, **more: object) -> HttpResponse:
    return person.browser.post(f"/batches/{batch.pk}/confirm/", CONFIRM | {"typed": typed} | more)


def confirmed(person: Person, entries: list[Transaction], kind: str = "refund") -> Batch:
    batch = previewed(person, entries, kind)
    going = batch.items.filter(state="waiting").count()
    assert confirm(person, batch, f"{kind} {going}").status_code == 302
    return fresh(batch)


def done(person: Person, entries: list[Transaction], kind: str = "refund") -> Batch:
    batch = confirmed(person, entries, kind)
    tasks.run_batch(str(batch.pk))
    return fresh(batch)


def said(batch: Batch) -> list[tuple[str, str]]:
    return list(batch.items.values_list("state", "verdict"))


def results(person: Person, batch: Batch) -> list[dict[str, str]]:
    answer = person.browser.get(f"/batches/{batch.pk}/download/")
    assert answer["Content-Type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


# The preview --------------------------------------------------------------------------------------


def test_the_preview_gives_each_row_a_verdict_and_changes_nothing(
    ann: Person, desk: Desk, lantern: Merchant, orders: list[Transaction]
) -> None:
    under_way, pending = orders[1], mirrored_order(lantern, desk, outcome="pending")
    ask(under_way, ann)
    batch = previewed(ann, [orders[0], under_way, pending])
    assert said(batch) == [
        ("waiting", ""),
        ("left_out", "A refund of this order is already under way."),
        ("left_out", "Only processed orders can be refunded."),
    ]
    assert (batch.state, batch.requested_by, batch.confirmed_at) == ("previewed", ann.membership.user, None)
    page = ann.browser.get(f"/batches/{batch.pk}/").content.decode()
    assert "Refund 1 of 3 selected rows?" in page
    assert "Type REFUND 1 to confirm" in page
    assert "already under way" in page
    assert Action.objects.count() == 1
    assert not AuditEvent.objects.filter(event__startswith="batch").exists()
    assert (batches.due(), rung()) == ([], 0)


def test_the_sums_of_the_preview_are_by_currency_and_of_what_goes(
    ann: Person, desk: Desk, lantern: Merchant, orders: list[Transaction]
) -> None:
    Transaction.objects.update(charge_currency="EUR")
    Transaction.objects.filter(pk=orders[0].pk).update(charge_amount=500, charge_currency="JPY")
    left_out = mirrored_order(lantern, desk, outcome="pending")
    batch = previewed(ann, [*orders, left_out])
    rest = orders[1:]
    assert batches.sums(batch) == [
        ("EUR", 3, sum(entry.charge_amount for entry in rest)),
        ("JPY", 1, Decimal(500)),
    ]
    assert "¥500" in ann.browser.get(f"/batches/{batch.pk}/").content.decode()


def test_the_same_form_sent_twice_is_one_preview_and_another_form_another(
    ann: Person, orders: list[Transaction]
) -> None:
    first = previewed(ann, orders)
    assert previewed(ann, orders) == first
    assert previewed(ann, orders[:2]) != first
    assert select(ann, orders, key="form-2")["Location"] != f"/batches/{first.pk}/"
    assert select(ann, orders, "fulfil")["Location"] != f"/batches/{first.pk}/"
    confirm(ann, first, "REFUND 4")
    assert previewed(ann, orders) != first


def test_duplicates_are_one_row(ann: Person, orders: list[Transaction]) -> None:
    assert previewed(ann, [orders[0], orders[0], orders[1]]).items.count() == 2


@pytest.mark.parametrize("kind", ["fulfil", "refund"])
def test_a_selection_that_makes_no_sense_returns_to_the_list_with_a_message(
    ann: Person, orders: list[Transaction], kind: str
) -> None:
    for data in (
        {},
        {"row": "\0"},
        {"row": [str(orders[0].pk), "x"]},
        {"everything": "yes", "query": "from=x"},
    ):
        answer = ann.browser.post(f"/transactions/bulk/{kind}/", {"query": "sort=date"} | data, follow=True)
        assert answer.redirect_chain[0][0].startswith("/transactions/?")
        assert 'class="notice error"' in answer.content.decode()
    assert not Batch.objects.exists()


def test_a_foreign_row_refuses_the_whole_request(
    ann: Person, orders: list[Transaction], copper: Merchant
) -> None:
    foreign = Transaction.objects.filter(merchant=copper).first()
    assert select(ann, [orders[0], foreign]).status_code == 404
    assert not Batch.objects.exists()


def test_who_comes_back_from_signing_in_finds_the_list(ann: Person) -> None:
    assert ann.browser.get("/transactions/bulk/refund/")["Location"] == "/transactions/"


def test_nothing_to_do_means_nothing_to_confirm(ann: Person, desk: Desk, lantern: Merchant) -> None:
    batch = previewed(ann, [mirrored_order(lantern, desk, outcome="pending")])
    assert "None of these rows can be refunded" in ann.browser.get(f"/batches/{batch.pk}/").content.decode()
    assert confirm(ann, batch, "REFUND 0").status_code == 302
    assert fresh(batch).state == "previewed"


# The confirmation ---------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["", "REFUND", "4", "REFUND 5", "FULFIL 4", "yes", "REFUND 4 0", "\0"])
def test_who_types_something_else_confirms_nothing(
    ann: Person, orders: list[Transaction], typed: str
) -> None:
    batch = previewed(ann, orders)
    answer = confirm(ann, batch, typed)
    assert answer.status_code == 200
    assert "errorlist" in answer.content.decode()
    assert fresh(batch).state == "previewed"
    assert rung() == 0


@pytest.mark.parametrize("typed", ["REFUND 4", "refund 4", " Refund  4 "])
def test_case_and_spaces_are_no_matter(ann: Person, orders: list[Transaction], typed: str) -> None:
    batch = previewed(ann, orders)
    assert confirm(ann, batch, typed)["Location"] == f"/batches/{batch.pk}/"
    assert fresh(batch).state == "running"


@pytest.mark.parametrize(
    "wrong", [{"reason": ""}, {"reason": "because"}, {"note": "x" * 501}, {"note": "\0"}]
)
def test_a_reason_of_the_list_is_needed_and_a_note_has_its_length(
    ann: Person, orders: list[Transaction], wrong: dict[str, str]
) -> None:
    batch = previewed(ann, orders)
    assert confirm(ann, batch, "REFUND 4", **wrong).status_code == 200
    assert fresh(batch).state == "previewed"


@pytest.mark.django_db(transaction=True)
def test_a_confirmation_is_written_down_once_and_rung_for_however_often_it_is_sent(
    ann: Person, orders: list[Transaction]
) -> None:
    batch = previewed(ann, orders)
    for _ in range(3):
        assert confirm(ann, batch, "REFUND 4").status_code == 302
    batch = fresh(batch)
    assert (batch.state, batch.reason, batch.note) == ("running", REASONS[0], "bad build")
    assert rung() == 1
    event = AuditEvent.objects.get(event="batch.refund")
    assert (event.user, event.subject, event.data["rows"]) == (ann.membership.user, str(batch.pk), 4)


def test_an_old_session_gives_its_password_before_many_are_refunded(
    ann: Person, orders: list[Transaction]
) -> None:
    batch = previewed(ann, orders)
    old = Person(ann.membership, signed_in(ann.membership.user, minutes_ago=31))
    answer = confirm(old, batch, f"REFUND {len(orders)}")
    assert answer["Location"].startswith("/accounts/reauthenticate/?next=")
    assert fresh(batch).state == "previewed"
    way = f"/batches/{batch.pk}/"
    back = old.browser.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": way})
    assert back["Location"] == way
    confirm(old, batch, f"REFUND {len(orders)}")
    assert fresh(batch).state == "running"


def test_only_who_saw_the_preview_confirms_it(ann: Person, ben: Person, orders: list[Transaction]) -> None:
    batch = previewed(ann, orders)
    page = ben.browser.get(f"/batches/{batch.pk}/").content.decode()
    assert "Only <bdi>ann@example.com</bdi>" in page
    assert 'name="typed"' not in page
    assert confirm(ben, batch, "REFUND 4").status_code == 302
    assert fresh(batch).state == "previewed"


def test_a_right_that_was_lost_between_preview_and_confirmation_is_missing(
    ann: Person, orders: list[Transaction]
) -> None:
    batch = previewed(ann, orders)
    ann.membership.role = "accounting"
    ann.membership.save()
    assert confirm(ann, batch, "REFUND 4").status_code == 403
    assert fresh(batch).state == "previewed"


def test_who_gave_the_password_long_ago_gives_it_again_and_finds_the_form_as_it_was(
    ann: Person, orders: list[Transaction]
) -> None:
    batch = previewed(ann, orders)
    address = f"/batches/{batch.pk}/"
    late = Person(ann.membership, signed_in(ann.membership.user, minutes_ago=31))
    answer = confirm(late, batch, "REFUND 4")
    assert answer["Location"].startswith("/accounts/reauthenticate/")
    assert fresh(batch).state == "previewed"
    assert late.browser.post(answer["Location"], {"password": PASSWORD})["Location"] == address
    page = late.browser.get(address).content.decode()
    assert 'value="REFUND 4"' in page
    assert "bad build" in page
    assert confirm(late, batch, "REFUND 4")["Location"] == address
    assert fresh(batch).state == "running"
    confirmed_late = previewed(late, orders, "fulfil")
    assert confirm(late, confirmed_late, "FULFIL 4")["Location"] == f"/batches/{confirmed_late.pk}/"


# The work -----------------------------------------------------------------------------------------


def test_each_row_becomes_a_refund_of_its_own(
    ann: Person, desk: Desk, orders: list[Transaction], hurried: None
) -> None:
    batch = done(ann, orders)
    assert batch.state == "done"
    made = Action.objects.order_by("pk")
    assert [action.transaction_id for action in made] == [entry.pk for entry in orders]
    assert {(a.state, a.reason, a.note, a.requested_by) for a in made} == {
        ("requested", REASONS[0], "bad build", ann.membership.user)
    }
    assert AuditEvent.objects.filter(event="refund.requested").count() == 4
    assert AuditEvent.objects.filter(event="batch.refund").count() == 1
    for action in made:
        tasks.run_action(action.pk)
        settled(action, State.REFUNDED)
        assert desk.posts(action.transaction_id) == desk.completed(action.transaction_id) == 1
    assert batches.progress_of(batch).by_result == {"Refunded": 4}


def test_each_row_is_fulfilled_in_the_name_of_who_asked(ann: Person, orders: list[Transaction]) -> None:
    ask(orders[3], ann)
    batch = done(ann, orders, "fulfil")
    assert said(batch)[3] == ("left_out", "A refund of this order is under way.")
    assert [fresh(entry).fulfilment for entry in orders] == ["fulfilled"] * 3 + ["unfulfilled"]
    assert Action.objects.filter(kind="fulfil", note="bad build", state="done").count() == 3


def test_an_order_that_a_colleague_is_on_is_left_to_the_colleague(
    ann: Person, ben: Person, orders: list[Transaction]
) -> None:
    actions.claim(orders[0], ben.membership)
    batch = confirmed(ann, orders, "fulfil")
    actions.claim(orders[1], ben.membership)
    tasks.run_batch(str(batch.pk))
    assert [state for state, _ in said(batch)] == ["left_out", "blocked", "asked", "asked"]
    assert all("ben@example.com is on this order" in verdict for _, verdict in said(batch)[:2])


def test_what_changed_since_the_preview_is_left_alone_with_the_reason(
    ann: Person, ben: Person, orders: list[Transaction]
) -> None:
    batch = confirmed(ann, orders)
    ask(orders[0], ben)
    Transaction.objects.filter(pk=orders[1].pk).update(charge_amount=Decimal("1.23"))
    Transaction.objects.filter(pk=orders[2].pk).update(status="chargeback")
    tasks.run_batch(str(batch.pk))
    assert [state for state, _ in said(batch)] == ["blocked"] * 3 + ["asked"]
    words = [verdict for _, verdict in said(batch)]
    assert "already under way" in words[0]
    assert "1.23 now" in words[1]
    assert "charged back" in words[2]
    assert Action.objects.filter(requested_by=ann.membership.user).get().transaction == orders[3]
    assert fresh(batch).state == "done"


def test_a_row_that_was_left_out_of_the_preview_is_not_done_though_it_could_be_by_now(
    ann: Person, orders: list[Transaction]
) -> None:
    Transaction.objects.filter(pk=orders[0].pk).update(status="pending")
    batch = confirmed(ann, orders)
    Transaction.objects.filter(pk=orders[0].pk).update(status="processed")
    tasks.run_batch(str(batch.pk))
    assert not Action.objects.filter(transaction=orders[0]).exists()
    assert Action.objects.count() == 3


def test_who_lost_the_right_or_left_asks_for_nothing_any_more(ann: Person, orders: list[Transaction]) -> None:
    batch = confirmed(ann, orders)
    ann.membership.role = "view_only"
    ann.membership.save()
    tasks.run_batch(str(batch.pk))
    assert said(batch) == [("blocked", "Your role may not refund.")] * 4
    ann.membership.role = "owner"
    ann.membership.save()
    batch = confirmed(ann, orders)
    ann.membership.delete()
    tasks.run_batch(str(batch.pk))
    assert said(batch) == [("blocked", "Who asked for this is no longer a member.")] * 4
    assert not Action.objects.exists()


def test_rows_above_the_limit_wait_for_a_second_person_and_the_preview_says_so(
    ann: Person, orders: list[Transaction], lantern: Merchant
) -> None:
    Transaction.objects.update(charge_currency="EUR", charge_amount=10)
    Transaction.objects.filter(pk=orders[0].pk).update(charge_amount=1000)
    RefundRules.objects.filter(merchant=lantern).update(limit_owner=100)
    batch = previewed(ann, orders)
    assert (
        said(batch)
        == [("waiting", "Then it waits for the approval of a second person.")] + [("waiting", "")] * 3
    )
    confirm(ann, batch, "REFUND 4")
    tasks.run_batch(str(batch.pk))
    assert said(batch) == [("asked", "")] * 4
    states = [fresh(item.action).state for item in batch.items.all()]
    assert states == ["awaiting_approval", "requested", "requested", "requested"]
    Action.objects.filter(state="requested").update(state=State.REFUNDED)
    page = ann.browser.get(f"/batches/{batch.pk}/").content.decode()
    assert "1 waits for a person" in page


@pytest.mark.django_db(transaction=True)
def test_rows_of_a_batch_can_be_taken_back_before_they_leave(
    ann: Person, desk: Desk, orders: list[Transaction], lantern: Merchant
) -> None:
    RefundRules.objects.filter(merchant=lantern).update(undo_seconds=60)
    batch = done(ann, orders)
    for action in Action.objects.all():
        tasks.run_action(action.pk)
        assert desk.posts(action.transaction_id) == 0
        actions.undo(action, ann.membership)
    assert {row["Result"] for row in results(ann, batch)} == {"Taken back before it was sent"}


def test_where_parts_may_go_back_each_row_gives_back_what_is_left(
    ann: Person, orders: list[Transaction], lantern: Merchant
) -> None:
    RefundRules.objects.filter(merchant=lantern).update(allows_parts=True)
    Merchant.objects.filter(pk=lantern.pk).update(generation="2019")
    Transaction.objects.update(charge_amount=10)
    for entry, earlier in zip(orders[:2], (4, 10), strict=True):
        values = {"amount": earlier, "currency": entry.charge_currency, "reference": str(entry.pk)[:20]}
        Action.objects.create(
            merchant=lantern,
            transaction=entry,
            kind="refund",
            state="refunded",
            requested_by=ann.membership.user,
            **values,
        )
    batch = previewed(Person(fresh(ann.membership), ann.browser), orders[:3])
    assert list(batch.items.values_list("seen_amount", "state")) == [
        (Decimal(6), "waiting"),
        (Decimal(0), "left_out"),
        (Decimal(10), "waiting"),
    ]
    confirm(ann, batch, "REFUND 2")
    tasks.run_batch(str(batch.pk))
    asked = Action.objects.filter(state="requested").values_list("amount", flat=True)
    assert sorted(asked) == [Decimal(6), Decimal(10)]


def test_a_preview_is_not_run(ann: Person, orders: list[Transaction]) -> None:
    batch = previewed(ann, orders)
    tasks.run_batch(str(batch.pk))
    assert (fresh(batch).state, Action.objects.count()) == ("previewed", 0)


def test_a_batch_is_done_in_pieces_and_rings_for_the_rest(
    ann: Person, orders: list[Transaction], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches.running, "PIECE", 3)
    rings: list[str] = []
    monkeypatch.setattr(tasks, "ring", lambda task, pk, **_: rings.append(task.name.split(".")[-1]))
    batch = confirmed(ann, orders)
    tasks.run_batch(str(batch.pk))
    assert [state for state, _ in said(batch)] == ["asked"] * 3 + ["waiting"]
    assert rings == ["run_action"] * 3 + ["run_batch"]
    assert "3 of 4 rows" in ann.browser.get(f"/batches/{batch.pk}/").content.decode()
    tasks.run_batch(str(batch.pk))
    assert rings[4:] == ["run_action"]
    assert fresh(batch).state == "done"


def test_a_row_that_breaks_does_not_stand_in_the_way_of_the_others(
    ann: Person, orders: list[Transaction], monkeypatch: pytest.MonkeyPatch
) -> None:
    request = actions.request_refund

    def failing(entry: Transaction, *rest: object, **named: object) -> Action:
        action = request(entry, *rest, **named)
        if entry == orders[1]:
            raise RuntimeError("a bug")
        return action

    monkeypatch.setattr(actions, "request_refund", failing)
    batch = done(ann, orders)
    assert [state for state, _ in said(batch)] == ["asked", "blocked", "asked", "asked"]
    assert (fresh(orders[1]).refund_state, Action.objects.count()) == ("", 3)


@pytest.mark.django_db(transaction=True)
def test_a_lost_bell_is_rung_again(
    ann: Person, orders: list[Transaction], monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = previewed(ann, orders)
    with broker_down():
        assert confirm(ann, batch, "REFUND 4").status_code == 302
    rings: list[str] = []
    monkeypatch.setattr(tasks.run_batch, "delay", rings.append)
    tasks.sweep_batches()
    assert rings == [str(batch.pk)]
    tasks.run_batch(str(batch.pk))
    assert batches.due() == []


def test_previews_that_nobody_confirmed_go_after_a_day(ann: Person, orders: list[Transaction]) -> None:
    old, ran = previewed(ann, orders), confirmed(ann, orders[:1])
    Batch.objects.update(created_at=timezone.now() - dt.timedelta(hours=25))
    young = previewed(ann, orders[1:])
    batches.expire()
    assert set(Batch.objects.all()) == {ran, young}
    assert not BatchItem.objects.filter(batch=old).exists()


# The result ---------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_the_file_of_results_tells_how_each_row_stands_now(
    ann: Person, desk: Desk, lantern: Merchant, orders: list[Transaction], hurried: None
) -> None:
    left_out = mirrored_order(lantern, desk, outcome="pending")
    Transaction.objects.filter(pk=orders[0].pk).update(product='=HYPERLINK("http://evil")')
    batch = confirmed(ann, [*orders, left_out])
    assert [row["Result"] for row in results(ann, batch)] == ["Waiting"] * 4 + ["Left out"]
    Transaction.objects.filter(pk=orders[3].pk).update(status="chargeback")
    tasks.run_batch(str(batch.pk))
    desk.plan("declined", count=1)
    for number, entry in enumerate(orders[:2]):
        action = Action.objects.get(transaction=entry)
        tasks.run_action(action.pk)
        settled(action, [State.DECLINED, State.REFUNDED][number])
    found = results(ann, batch)
    assert [row["Result"] for row in found] == ["Declined", "Refunded", "Requested", "Not done", "Left out"]
    assert [UUID(row["Order ID"]) for row in found] == [entry.pk for entry in [*orders, left_out]]
    assert found[0]["Product"] == '\'=HYPERLINK("http://evil")'
    assert found[0]["Detail"] == "The payment system declined the refund."
    assert found[3]["Detail"] == "This order was charged back."
    assert Decimal(found[1]["Amount"]) == orders[1].charge_amount
    assert found[1]["Refund ID at PaySuper"] == desk.refunds(orders[1].pk)[0]["id"]
    assert found[1]["Asked for (Europe/Berlin)"]
    assert AuditEvent.objects.filter(event="batch.downloaded").count() == 2


@pytest.mark.django_db(transaction=True)
def test_the_file_says_who_the_customers_are_only_to_those_who_may_know(
    ann: Person, orders: list[Transaction]
) -> None:
    Transaction.objects.update(customer_email="mara@example.com")
    batch = confirmed(ann, orders)
    assert {row["E-mail"] for row in results(ann, batch)} == {"mara@example.com"}
    ann.membership.role = "accounting"
    ann.membership.save()
    assert {row["E-mail"] for row in results(ann, batch)} == {"m…@example.com"}


def test_the_page_follows_until_every_row_has_come_to_its_end(ann: Person, orders: list[Transaction]) -> None:
    batch = confirmed(ann, orders)
    address = f"/batches/{batch.pk}/"
    assert "hx-trigger" in ann.browser.get(address).content.decode()
    tasks.run_batch(str(batch.pk))
    part = ann.browser.get(address, headers={"HX-Request": "true"}).content.decode()
    assert part.lstrip().startswith('<div id="batch" hx-get')
    assert "4 are still under way." in part
    Action.objects.update(state=State.NEEDS_PERSON)
    page = ann.browser.get(address).content.decode()
    assert "4 wait for a person" in page
    assert "hx-trigger" not in page
    Action.objects.update(state=State.DECLINED)
    page = ann.browser.get(address).content.decode()
    assert "Every row has come to its end" in page
    assert "hx-trigger" not in page
    assert address in ann.browser.get("/batches/").content.decode()


def test_previews_are_not_in_the_list_of_what_was_done(ann: Person, orders: list[Transaction]) -> None:
    batch = previewed(ann, orders)
    assert str(batch.pk) not in ann.browser.get("/batches/").content.decode()


def rung() -> int:
    """How often the bell of batches has been rung."""
    import redis

    with redis.Redis.from_url(settings.CELERY_BROKER_URL) as broker:
        return sum(b"run_batch" in message for message in broker.lrange("money", 0, -1))
