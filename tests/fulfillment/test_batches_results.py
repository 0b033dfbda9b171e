"""What a bulk action has done: its page, its file, and the list of all."""

from decimal import Decimal
from uuid import UUID

import pytest

from fulfillment import tasks
from fulfillment.models import Action
from merchant.models import AuditEvent, Merchant
from tests.conftest import Person
from tests.fulfillment.desk import Desk, mirrored_order, settled
from tests.fulfillment.selections import State, confirmed, previewed, results
from transactions.models import Transaction

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
