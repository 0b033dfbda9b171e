"""Whatever PaySuper sends is read or refused as PaySuperError, and what is read can be kept and shown."""

import copy
import datetime as dt
import itertools
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx2
import msgspec
from hypothesis import HealthCheck, given, settings, strategies as st

from merchant.models import Merchant
from merchant.paysuper import catalogue, people, records
from merchant.paysuper.client import Client, Patience
from merchant.paysuper.envelopes import listed, single
from merchant.paysuper.errors import PaySuperError
from merchant.paysuper.webhook_order import webhook_order
from tests.conftest import Person
from tests.merchant.examples import load, named
from transactions import mirror
from transactions.models import Transaction

ORDERS = tuple(named("OrderView", "OrderView2019"))
OTHERS = ("admin.projects.list.json", "admin.products.list.json", "admin.key-products.list.json")
DOCUMENTS = (*ORDERS, *named("Refund"), *OTHERS, "system.replace_code.response.json", "s2s.orders.list.json")
READERS = (
    records.order, records.refund, records.project, catalogue.product, catalogue.platform, people.user,
    people.merchant, webhook_order,
)  # fmt: skip
_encode = msgspec.json.Encoder(decimal_format="number").encode
SOMETIME = dt.datetime(2021, 3, 1, tzinfo=dt.UTC)
QUICK = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def _nested(depth: int) -> Any:
    value: Any = "core"
    for number in range(depth):
        value = [value] if number % 2 else {"in": value}
    return value


HOSTILE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([10**40, -(10**40), 2**63, 2**64, 10**15, 32768, 1613569263]),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.sampled_from(
        [Decimal("1e400"), Decimal("1e-999999"), Decimal("1e999999"), Decimal("999999999999999.999")]
    ),
    st.text(st.characters(), max_size=40),
    st.sampled_from(
        ["a\0b", "\ud800", "x" * 3000, "NaN", "Infinity", "0001-01-01T00:00:00+14:00", "JPY", "BHD"]
    ),
    st.sampled_from(["9999-12-31T23:59:59-14:00", "2021-02-17T13:41:03.1234567891Z", "2021-02-17"]),
    st.sampled_from([{}, [], [None], [[]], [{}], {"seconds": 10**30}, {"seconds": 1613569263, "nanos": -1}]),
    st.sampled_from([40, 200, 700]).map(_nested),
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    pairs = list(inner) if len(path) < 6 else []
    return [found for key, each in pairs for found in ((*path, key), *_places(each, (*path, key)))]


@st.composite
def mutated(draw: st.DrawFn, names: tuple[str, ...]) -> Any:
    """An example in which some members are gone, of another type, or hostile."""
    document = load(draw(st.sampled_from(names)))
    for _ in range(draw(st.integers(1, 4))):
        places = _places(document)
        if not places:
            break
        *way, last = places[draw(st.integers(0, len(places) - 1))]
        parent = document
        for key in way:
            parent = parent[key]
        if draw(st.integers(0, 3)) == 0:
            del parent[last]
        else:
            parent[last] = copy.deepcopy(draw(HOSTILE))  # the next mutation may reach inside
    return document


@settings(max_examples=600, deadline=None)
@given(mutated(DOCUMENTS))
def test_a_mutated_document_is_read_or_refused(document: Any) -> None:
    for read, each in itertools.product(READERS, _each(document)):
        try:
            record = read(each)
        except PaySuperError:
            continue
        assert "secret_key" not in str(getattr(record, "raw", {}).get("project") or "")


def _each(document: Any) -> list[object]:
    """The entries of a list, and one object as it stands."""
    try:
        return [single(document), *listed(document)]
    except PaySuperError:
        return [document]


@QUICK
@given(st.lists(mutated(ORDERS), max_size=3))
def test_whatever_can_be_read_can_be_kept_and_shown(ann: Person, documents: list[Any]) -> None:
    orders = []
    for document in documents:
        try:
            orders.append(records.order(document))
        except PaySuperError:
            continue
    merchant = ann.membership.merchant
    applied = _apply(merchant, orders)
    assert applied <= {order.uuid for order in orders}
    for uuid in applied:
        assert mirror.differences(merchant, [order for order in orders if order.uuid == uuid][-1:]) == {}
        assert ann.browser.get(f"/transactions/{uuid}/").status_code == 200
    assert ann.browser.get("/transactions/").status_code == 200


def _apply(merchant: Merchant, orders: list[records.OrderRecord]) -> set[Any]:
    Transaction.objects.all().delete()
    applied = mirror.apply(merchant, orders, SOMETIME)
    return set(applied.added | applied.changed)


@settings(max_examples=250, deadline=None)
@given(st.data())
def test_an_answer_with_damaged_bytes_is_read_or_refused(data: st.DataObject) -> None:
    orders = {"count": 1, "items": [load(data.draw(st.sampled_from(ORDERS)))]}
    body = bytearray(_encode(data.draw(st.sampled_from([orders, *map(load, OTHERS)]))))
    for _ in range(data.draw(st.integers(1, 3))):
        position = data.draw(st.integers(0, len(body) - 1))
        piece = data.draw(
            st.one_of(
                st.binary(max_size=4),
                st.sampled_from([b'"\\ud800"', b"1e99999999999999999999", b"1" * 5000, b"[" * 5000]),
            )
        )
        body[position : position + data.draw(st.integers(0, 30))] = piece
    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, content=bytes(body)))
    with Client("http://paysuper.test", "token", patience=Patience(reads=1), transport=transport) as client:
        for ask in (
            client.beginning,
            lambda: list(client.projects()),
            lambda: list(client.products()),
            lambda: list(client.key_products()),
            lambda: client.product("x"),
            client.platforms,
            client.users,
            client.merchants,
            lambda: client.refunds(UUID(int=1)),
            lambda: client.orders(SOMETIME, SOMETIME),
            lambda: client.create_refund(UUID(int=1), Decimal(1), ""),
            lambda: client.test_webhook("x"),
        ):
            try:
                ask()
            except PaySuperError:
                continue
