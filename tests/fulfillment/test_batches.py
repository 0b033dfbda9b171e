"""Many rows at once: previewed with a verdict for each, confirmed by typing, done one by one."""

from decimal import Decimal

import pytest

from fulfillment import batches
from fulfillment.forms import REASONS
from fulfillment.models import Action, Batch
from merchant.models import AuditEvent, Merchant
from tests.conftest import PASSWORD, Person, signed_in
from tests.fulfillment.desk import Desk, ask, fresh, mirrored_order
from tests.fulfillment.selections import confirm, previewed, rung, said, select
from transactions.models import Transaction

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
