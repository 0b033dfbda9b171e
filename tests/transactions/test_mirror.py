"""The mirror keeps the newest answer, however often and in whatever order answers arrive."""

import itertools
import uuid
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings, strategies as st

from merchant.models import Merchant, Project
from merchant.paysuper import records
from merchant.paysuper.errors import Unexpected
from tests.conftest import COPPER
from tests.merchant.examples import load, named, order
from tests.transactions.answers import START, at, row_versions, state, three_items, version, with_keys
from transactions import mirror
from transactions.models import Item, RawOrder, Transaction


def test_every_order_of_the_contract_is_mirrored_with_its_typed_columns(lantern: Merchant) -> None:
    names = named("OrderView", "OrderView2019")
    orders = {record.uuid: record for record in (records.order(load(name)) for name in names)}
    applied = mirror.apply(lantern, orders.values(), START)
    assert applied.added == set(orders)
    for entry in Transaction.objects.all():
        record = orders[entry.uuid]
        assert (entry.status, entry.type, entry.created_at) == (record.status, record.type, record.created_at)
        assert (entry.transaction_id, entry.parent_uuid) == (record.transaction, record.parent_uuid)
        assert with_keys(entry.raw_order.document) == record.raw
        assert [item.name for item in entry.items.all()] == [item.name for item in record.items]
        assert entry.merchant == lantern
        assert entry.project.paysuper_id == record.project_id
    assert mirror.differences(lantern, list(orders.values())) == {}


def test_applying_again_changes_nothing(lantern: Merchant) -> None:
    orders = [records.order(three_items()), version()]
    mirror.apply(lantern, orders, at(1))
    before = state()
    for minute in (1, 1, 0, 5):
        applied = mirror.apply(lantern, orders, at(minute))
        assert not applied.added
        assert not applied.changed
    assert state() == before


def test_nothing_to_apply_is_nothing(lantern: Merchant) -> None:
    assert mirror.apply(lantern, [], START) == mirror.Applied()


def test_an_order_twice_in_one_answer_is_one_entry(lantern: Merchant) -> None:
    applied = mirror.apply(lantern, [version(), version()], START)
    assert len(applied.added) == Transaction.objects.count() == 1


def test_an_unchanged_order_keeps_its_details_as_they_lie(lantern: Merchant) -> None:
    mirror.apply(lantern, [records.order(three_items())], at(1))
    items, raw = list(Item.objects.values_list("pk", flat=True)), RawOrder.objects.get().document
    mirror.apply(lantern, [records.order(three_items())], at(2))
    assert list(Item.objects.values_list("pk", flat=True)) == items
    assert RawOrder.objects.get().document == raw


def test_the_same_answer_again_does_not_write_the_row(lantern: Merchant) -> None:
    mirror.apply(lantern, [version()], at(2))
    before = row_versions()
    mirror.apply(lantern, [version()], at(2))
    mirror.apply(lantern, [version(status="pending")], at(1))
    assert row_versions() == before


def test_a_newer_answer_says_what_changed(lantern: Merchant) -> None:
    mirror.apply(lantern, [version(status="pending"), records.order(three_items())], at(1))
    applied = mirror.apply(lantern, [version(), records.order(three_items())], at(2))
    assert (applied.added, applied.changed) == (frozenset(), {version().uuid})
    assert Transaction.objects.get(pk=version().uuid).status == "processed"


def test_an_older_answer_never_replaces_a_newer_one(lantern: Merchant) -> None:
    mirror.apply(lantern, [version(status="processed")], at(2))
    applied = mirror.apply(lantern, [version(status="pending", items=three_items()["items"])], at(1))
    assert applied == mirror.Applied()
    assert Transaction.objects.get().status == "processed"
    assert not Item.objects.exists()


def test_an_answer_that_was_confirmed_later_is_not_replaced_by_one_in_between(lantern: Merchant) -> None:
    mirror.apply(lantern, [version(transaction="new")], at(1))
    mirror.apply(lantern, [version(transaction="new")], at(3))
    mirror.apply(lantern, [version(transaction="lagging")], at(2))
    assert Transaction.objects.get().transaction_id == "new"


STATUSES = ("created", "pending", "processed", "rejected", "canceled")
VERSIONS = st.lists(
    st.tuples(
        st.sampled_from(STATUSES),
        st.sampled_from(["", "tx-1", "tx-2"]),
        st.integers(0, 3),
        st.sampled_from(["1.00", "11.889999999999999"]),
    ),
    min_size=2,
    max_size=5,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(versions=VERSIONS, data=st.data())
@example(
    versions=[("processed", "tx-1", 0, "1.00"), ("pending", "", 0, "1.00"), ("processed", "tx-1", 0, "1.00")],
    data=None,
)
def test_any_order_of_arrival_ends_in_the_newest_answer(
    lantern: Merchant, versions: list[tuple[str, str, int, str]], data: Any
) -> None:
    items = three_items()["items"]
    answers = [
        (
            at(minute),
            version(status=s, transaction=t, items=items[:n] or None, total_payment_amount=Decimal(a)),
        )
        for minute, (s, t, n, a) in enumerate(versions)
    ]
    arrivals = data.draw(st.permutations(answers)) if data else [answers[0], answers[2], answers[1]]
    Transaction.objects.all().delete()
    mirror.apply(lantern, [answers[-1][1]], answers[-1][0])
    expected = state()
    Transaction.objects.all().delete()
    for asked_at, record in arrivals:
        mirror.apply(lantern, [record], asked_at)
    assert state() == expected


def test_any_order_of_arrival_of_a_life_ends_in_the_refund(lantern: Merchant) -> None:
    life = [(at(n), version(status=s)) for n, s in enumerate(("created", "pending", "processed", "refunded"))]
    for arrivals in itertools.permutations(life):
        Transaction.objects.all().delete()
        for asked_at, record in arrivals:
            mirror.apply(lantern, [record], asked_at)
        assert Transaction.objects.get().status == "refunded"


@pytest.mark.parametrize("final", ["refunded", "chargeback"])
@pytest.mark.parametrize("earlier", ["created", "pending", "processed"])
def test_money_that_went_back_does_not_come_again_but_the_rest_is_updated(
    lantern: Merchant, final: str, earlier: str
) -> None:
    mirror.apply(lantern, [version(status=final)], at(1))
    applied = mirror.apply(lantern, [version(status=earlier, transaction="news")], at(2))
    entry = Transaction.objects.get()
    assert (entry.status, entry.transaction_id) == (final, "news")
    assert applied.changed == {entry.uuid}
    assert mirror.differences(lantern, [version(status=earlier, transaction="news")]) == {}


@pytest.mark.parametrize("other", ["refunded", "chargeback", "rejected", "canceled", "something_new"])
def test_a_refunded_order_may_still_become_something_else_that_is_final(
    lantern: Merchant, other: str
) -> None:
    mirror.apply(lantern, [version(status="refunded")], at(1))
    mirror.apply(lantern, [version(status=other)], at(2))
    assert Transaction.objects.get().status == other


def test_the_entry_of_another_merchant_is_never_touched(lantern: Merchant, copper: Merchant) -> None:
    mirror.apply(lantern, [records.order(three_items())], at(1))
    before = state()
    stolen = records.order(
        three_items(
            project=order()["project"] | {"id": "f" * 24, "merchant_id": COPPER},
            status="refunded",
            items=None,
        )
    )
    assert mirror.apply(copper, [stolen], at(9)) == mirror.Applied()
    assert state() == before
    assert list(mirror.differences(copper, [stolen])) == [stolen.uuid]


def test_an_order_in_a_project_of_another_merchant_is_refused_and_nothing_is_written(
    lantern: Merchant, copper: Merchant
) -> None:
    before = state()
    with pytest.raises(Unexpected, match="another merchant"):
        mirror.apply(copper, [version()], at(1))
    assert state() == before


def test_a_failure_in_the_middle_leaves_the_mirror_as_it_was(lantern: Merchant) -> None:
    mirror.apply(lantern, [version()], at(1))
    before = state()
    foreign = Merchant.objects.create(paysuper_id="e" * 24, name="Foreign", api_token="x")
    Project.objects.create(merchant=foreign, paysuper_id="d" * 24, name="Foreign")
    bad = version(uuid=str(uuid.uuid4()), project=order()["project"] | {"id": "d" * 24})
    with pytest.raises(Unexpected, match="another merchant"):
        mirror.apply(lantern, [version(status="refunded"), bad], at(2))
    assert state() == before
