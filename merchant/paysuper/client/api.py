"""A method per endpoint that a merchant's dashboard uses."""

import datetime as dt
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Self
from urllib.parse import quote
from uuid import UUID

import httpx2

from merchant.paysuper import catalogue, people, records, values
from merchant.paysuper.client.calls import Calls, Circuit, NoCircuit, Witness, unwatched
from merchant.paysuper.client.dates import WRONG_FORM_CODES, filter_date, other
from merchant.paysuper.client.tokens import AccessToken, Tokens
from merchant.paysuper.client.wire import Patience, Wire
from merchant.paysuper.envelopes import listed, single
from merchant.paysuper.errors import NoAnswer, Refused, Unexpected

PAGE_SIZE = 1000
PREFIX = "/admin/api/v1"
_STAFF_PREFIX = "/system/api/v1"
_LIST_PAGE = 100
_NO_CIRCUIT, _PATIENCE = NoCircuit(), Patience()


@dataclass(frozen=True)
class Page:
    """One page of the order list, with the instant at which it was asked for (UTC)."""

    orders: list[records.OrderRecord]
    total: int
    asked_at: dt.datetime
    unreadable: list[str] = field(default_factory=list)

    @property
    def received(self) -> int:
        """How many entries the page had, readable or not: what the next offset counts by."""
        return len(self.orders) + len(self.unreadable)


class Client:
    """One merchant's line to PaySuper. Use as a context manager; safe to share between threads.

    Reads are repeated on passing trouble; a write is sent once per call, and its caller learns whether it
    surely did not happen (NotSent, NotAllowed, Refused) or whether nobody knows (NoAnswer). `refresh` gives a
    new token when the old one ends or is refused; `generation` is one of GENERATIONS, and `prefix` is what
    stands before the paths of a merchant's users, /api/v1 before December 2019 (contract §18).
    """

    def __init__(
        self,
        base_url: str,
        token: str | AccessToken,
        *,
        refresh: Callable[[], AccessToken] | None = None,
        generation: str = "2021",
        prefix: str = PREFIX,
        circuit: Circuit = _NO_CIRCUIT,
        patience: Patience = _PATIENCE,
        witness: Witness = unwatched,
        transport: httpx2.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        tokens = Tokens(AccessToken(token) if isinstance(token, str) else token, refresh)
        self._generation, self._prefix = generation, prefix
        self._wire = Wire(base_url, patience, transport)
        self._calls = Calls(
            self._wire, tokens, circuit=circuit, patience=patience, witness=witness, sleep=sleep
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._wire.__exit__(*error)

    def orders(
        self, since: dt.datetime, until: dt.datetime, *, offset: int = 0, limit: int = PAGE_SIZE
    ) -> Page:
        """Orders created from `since` to `until`, both ends included, oldest first (contract §5.2, §5.5).

        Filters know whole seconds only, so the end is rounded up. An order that cannot be read is named in
        `unreadable` and does not spoil its page. When PaySuper refuses the form of the dates, the other
        generation's form is tried once, and kept if it is understood.
        """
        asked_at = dt.datetime.now(dt.UTC)
        known = self._generation
        try:
            answer = self._orders(known, since, until, offset, limit)
        except Refused as error:
            if error.code not in WRONG_FORM_CODES:
                raise
            answer = self._orders(other(known), since, until, offset, limit)
            self._generation = other(known)
        return _page(answer, asked_at)

    def _orders(
        self, generation: str, since: dt.datetime, until: dt.datetime, offset: int, limit: int
    ) -> object:
        end = until + dt.timedelta(microseconds=999_999)
        query = {
            "project_date_from": filter_date(since, generation),
            "project_date_to": filter_date(end, generation),
            "limit": str(limit),
            "offset": str(offset),
        }
        return self._calls.read(f"{self._prefix}/order", query)

    def beginning(self) -> dt.datetime | None:
        """When the first order was created, or None while there is none. Orders are listed oldest first."""
        # Some more than one: the rest of an order need not be readable, but one that has no time is skipped.
        documents = _entries(self._calls.read(f"{self._prefix}/order", {"limit": "100"}))
        moments = (values.instant(each.get("created_at")) for each in documents if isinstance(each, Mapping))
        found = next(filter(None, moments), None)
        if documents and found is None:
            raise Unexpected("none of the first orders has a creation time")
        return found

    def order(self, uuid: UUID) -> records.OrderRecord:
        """One order. Raises NotFound when it is unknown, foreign or (2019) not yet visible."""
        return records.order(self._calls.read(f"{self._prefix}/order/{uuid}"))

    def refunds(self, order_uuid: UUID) -> list[records.RefundRecord]:
        """All refunds of an order. Empty is no proof: unknown orders answer so too (contract §7.6)."""
        return [records.refund(each) for each in _entries(self._calls.read(self._refunds(order_uuid)))]

    def refund(self, order_uuid: UUID, refund_id: str) -> records.RefundRecord:
        """One refund (contract §7.6). Raises NotAllowed for support, which may only list them (§4)."""
        return records.refund(self._calls.read(f"{self._refunds(order_uuid)}/{_quoted(refund_id)}"))

    def create_refund(self, order_uuid: UUID, amount: Decimal, reason: str) -> records.RefundRecord:
        """Ask once for the refund of the whole charge (contract §7.1).

        `amount` is the charge in major units. On NoAnswer the refund may or may not exist.
        """
        answer = self._calls.write(self._refunds(order_uuid), {"amount": amount, "reason": reason})
        try:
            return records.refund(answer)
        except Unexpected as error:
            raise NoAnswer(f"the refund was accepted with an unreadable answer: {error}") from error

    def _refunds(self, order_uuid: UUID) -> str:
        return f"{self._prefix}/order/{order_uuid}/refunds"

    def replace_code(self, order_uuid: UUID, key_product_id: str) -> None:
        """As PaySuper's staff, give the customer another key of this product, once (contract §8.1).

        Every call uses up a key, and the order can never be refunded afterwards. On NoAnswer nobody knows
        whether that has happened. Raises Refused too for an unknown order.
        """
        path = f"{_STAFF_PREFIX}/order/{order_uuid}/replace_code"
        self._calls.write(path, {"key_product_id": key_product_id}, "PUT")

    def projects(self) -> Iterator[records.ProjectRecord]:
        """All projects of the merchant (contract §9)."""
        return map(records.project, self._walk("projects"))

    def project(self, project_id: str) -> records.ProjectRecord:
        """One project (contract §9). Raises NotFound when it is unknown or foreign."""
        answer = self._calls.read(f"{self._prefix}/projects/{_quoted(project_id)}")
        return records.project(single(answer))

    def test_webhook(self, project_id: str, case: str = "correct_payment", kind: str = "simple") -> UUID:
        """Have PaySuper send a made-up payment to the project's webhook address (contract §13.7).

        The id belongs to no order. Raises Refused for an unknown case or kind, NoAnswer when nobody knows
        whether a webhook comes.
        """
        body = {
            "project": project_id, "testing_case": case, "type": kind,
            "amount": 1, "currency": "USD",
        }  # fmt: skip
        answer = self._calls.write(f"{self._prefix}/projects/{_quoted(project_id)}/webhook/testing", body)
        uuid = values.uuid_of(answer.get("order_id")) if isinstance(answer, Mapping) else None
        if uuid is None:
            raise NoAnswer("the webhook test was accepted with an unreadable answer")
        return uuid

    def products(self) -> Iterator[catalogue.ProductRecord]:
        """All products of the merchant's projects (contract §9)."""
        return map(catalogue.product, self._walk("products"))

    def product(self, product_id: str) -> catalogue.ProductRecord:
        """One product. Raises NotFound when it is unknown, Refused (pd000008) when it is foreign."""
        answer = self._calls.read(f"{self._prefix}/products/{_quoted(product_id)}")
        return catalogue.product(single(answer))

    def key_products(self) -> Iterator[catalogue.ProductRecord]:
        """All key products of the merchant's projects (contract §9)."""
        return map(catalogue.product, self._walk("key-products"))

    def key_product(self, product_id: str) -> catalogue.ProductRecord:
        """One key product. Raises Refused (kp000017) when it is unknown or foreign."""
        answer = self._calls.read(f"{self._prefix}/key-products/{_quoted(product_id)}")
        return catalogue.product(single(answer))

    def platforms(self) -> list[catalogue.PlatformRecord]:
        """All platforms of activation keys, by name: PaySuper shuffles them (contract §9)."""
        found = map(catalogue.platform, listed(self._calls.read(f"{self._prefix}/platforms")))
        return sorted(found, key=lambda each: (each.name, each.id))

    def users(self) -> list[people.UserRecord]:
        """Who works for the merchant (contract §12). Raises NotAllowed for view only (§4)."""
        return [people.user(each) for each in listed(self._calls.read(f"{self._prefix}/merchants/users"))]

    def merchants(self) -> list[people.MerchantRecord]:
        """The merchants of the token with its role there, the one it works for first (contract §12)."""
        return [people.merchant(each) for each in listed(self._calls.read("/auth/api/v1/user/merchants"))]

    def _walk(self, name: str) -> Iterator[Any]:
        """Each entry of a list once. Ends with a page that brings nothing new: servers may ignore offsets."""
        seen: set[str] = set()
        offset, more = 0, True
        while more:
            query = {"limit": str(_LIST_PAGE), "offset": str(offset)}
            page = [
                values.object_of(each) for each in listed(self._calls.read(f"{self._prefix}/{name}", query))
            ]
            new = {values.text_of(each, "id"): each for each in page}
            yield from (each for key, each in new.items() if key not in seen)
            more = len(page) >= _LIST_PAGE and not seen.issuperset(new)
            seen |= new.keys()
            offset += len(page)


def _quoted(text: str) -> str:
    return quote(text, safe="")


def _entries(answer: object) -> list[object]:
    """The entries of a list that is never bare: an emptiness of another shape would be believed."""
    return listed(values.object_of(answer))


def _page(answer: object, asked_at: dt.datetime) -> Page:
    orders, unreadable = [], []
    documents = _entries(answer)
    for document in documents:
        try:
            orders.append(records.order(document))
        except Unexpected as error:
            name = document.get("uuid", "?") if isinstance(document, Mapping) else "?"
            unreadable.append(f"{name}: {error}")
    count = answer.get("count") if isinstance(answer, Mapping) else None
    total = count if isinstance(count, int) else len(documents)
    return Page(orders=orders, total=total, asked_at=asked_at, unreadable=unreadable)
