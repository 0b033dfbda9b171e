"""PaySuper's Management API as a merchant's user sees it (contract §1-§9).

Reads are repeated on passing trouble; a write is sent exactly once per call, and its caller learns
whether it surely did not happen (NotSent, NotAllowed, Refused) or whether nobody knows (NoAnswer).
"""

import datetime as dt
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Self
from urllib.parse import quote
from uuid import UUID

import httpx2
import msgspec

from merchant.paysuper import records, values
from merchant.paysuper.answers import decoded, refusal
from merchant.paysuper.errors import NoAnswer, NotAllowed, NotSent, PaySuperError, Unexpected

PAGE_SIZE = 500
_LARGEST_BODY = 64 * 1024 * 1024
_encode = msgspec.json.Encoder(decimal_format="number").encode


@dataclass(frozen=True)
class Patience:
    """How long we wait and how often we ask. Seconds.

    `total` bounds one request from first byte to last; `reads` is the number of tries of a read.
    """

    connect: float = 5.0
    read: float = 20.0
    total: float = 60.0
    reads: int = 4
    pause: float = 0.5
    longest_pause: float = 20.0


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
    """One merchant's line to PaySuper. Use as a context manager; safe to share between threads."""

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        patience: Patience = Patience(),
        transport: httpx2.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if not (token.isascii() and token.isprintable()):
            # Said here, since the library below would print the token in its complaint.
            raise NotAllowed("the token holds characters that no token has")
        self._patience = patience
        self._sleep = sleep
        self._http = httpx2.Client(
            base_url=base_url,
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
            timeout=httpx2.Timeout(patience.read, connect=patience.connect),
            follow_redirects=False,
            transport=transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def orders(
        self, since: dt.datetime, until: dt.datetime, *, offset: int = 0, limit: int = PAGE_SIZE
    ) -> Page:
        """Orders created from `since` to `until`, both ends included, oldest first (contract §5.2, §5.5).

        Filters know whole seconds only, so the end is rounded up. An order that cannot be read is named in
        `unreadable` and does not spoil its page.
        """
        asked_at = dt.datetime.now(dt.UTC)
        answer = self._read(
            "/admin/api/v1/order",
            {
                "project_date_from": _filter_date(since),
                "project_date_to": _filter_date(until + dt.timedelta(microseconds=999_999)),
                "limit": str(limit),
                "offset": str(offset),
            },
        )
        return _page(answer, asked_at)

    def beginning(self) -> dt.datetime | None:
        """When the first order was created, or None while there is none. Orders are listed oldest first."""
        # Some more than one: the rest of an order need not be readable, but one that has no time is skipped.
        documents = records.members(self._read("/admin/api/v1/order", {"limit": "100"}), "items")
        moments = (values.instant(each.get("created_at")) for each in documents if isinstance(each, Mapping))
        found = next(filter(None, moments), None)
        if documents and found is None:
            raise Unexpected("none of the first orders has a creation time")
        return found

    def order(self, uuid: UUID) -> records.OrderRecord:
        """One order. Raises NotFound when it is unknown, foreign or (2019) not yet visible."""
        return records.order(self._read(f"/admin/api/v1/order/{uuid}"))

    def refunds(self, order_uuid: UUID) -> list[records.RefundRecord]:
        """All refunds of an order. Empty is no proof: unknown orders answer so too (contract §7.6)."""
        answer = self._read(f"/admin/api/v1/order/{order_uuid}/refunds")
        return [records.refund(each) for each in records.members(answer, "items")]

    def create_refund(self, order_uuid: UUID, amount: Decimal, reason: str) -> records.RefundRecord:
        """Ask once for the refund of the whole charge (contract §7.1).

        `amount` is the charge in major units. On NoAnswer the refund may or may not exist.
        """
        answer = self._send(
            "POST", f"/admin/api/v1/order/{order_uuid}/refunds", body={"amount": amount, "reason": reason}
        )
        try:
            return records.refund(answer)
        except Unexpected as error:
            raise NoAnswer(f"the refund was accepted with an unreadable answer: {error}") from error

    def projects(self) -> Iterator[records.ProjectRecord]:
        """All projects of the merchant (contract §9)."""
        offset = 0
        while True:
            answer = self._read("/admin/api/v1/projects", {"limit": "100", "offset": str(offset)})
            found = records.members(answer, "items")
            yield from map(records.project, found)
            offset += len(found)
            if len(found) < 100:  # noqa: PLR2004
                return

    def project(self, project_id: str) -> records.ProjectRecord:
        """One project; the answer is wrapped in `item` (contract §9)."""
        answer = self._read(f"/admin/api/v1/projects/{quote(project_id, safe='')}")
        return records.project(answer.get("item", answer) if isinstance(answer, Mapping) else answer)

    def _read(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        for attempt in range(1, self._patience.reads + 1):
            try:
                return self._send("GET", path, query=query)
            except (NotSent, NoAnswer) as error:
                if attempt == self._patience.reads:
                    raise
                self._sleep(self._pause(attempt, error))
        raise AssertionError("unreachable")

    def _pause(self, attempt: int, error: PaySuperError) -> float:
        backoff = self._patience.pause * 2 ** (attempt - 1) * random.uniform(0.5, 1.5)  # noqa: S311
        return float(min(max(backoff, error.retry_after or 0), self._patience.longest_pause))

    def _send(
        self, method: str, path: str, *, query: Mapping[str, str] | None = None, body: object = None
    ) -> Any:
        content = None if body is None else _encode(body)
        headers = {} if body is None else {"Content-Type": "application/json"}
        request = self._http.build_request(method, path, params=query, content=content, headers=headers)
        status, answer_headers, answer = self._exchange(request)
        if status not in (200, 201):
            raise refusal(status, answer_headers, answer)
        try:
            return decoded(answer)
        except (ValueError, ArithmeticError, RecursionError) as error:
            raise NoAnswer("PaySuper's answer is cut off or no JSON", status=status) from error

    def _exchange(self, request: httpx2.Request) -> tuple[int, httpx2.Headers, bytes]:
        deadline = time.monotonic() + self._patience.total
        try:
            response = self._http.send(request, stream=True)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
            raise NotSent(f"no connection to PaySuper: {type(error).__name__}") from error
        except httpx2.HTTPError as error:
            raise NoAnswer(f"PaySuper did not answer: {type(error).__name__}") from error
        try:
            return response.status_code, response.headers, _body(response, deadline)
        except httpx2.HTTPError as error:
            raise NoAnswer(f"PaySuper's answer broke off: {type(error).__name__}") from error
        finally:
            response.close()


def _body(response: httpx2.Response, deadline: float) -> bytes:
    body = bytearray()
    for piece in response.iter_bytes():
        body += piece
        if len(body) > _LARGEST_BODY:
            raise NoAnswer("PaySuper's answer is larger than any page", status=response.status_code)
        if time.monotonic() > deadline:
            raise NoAnswer("PaySuper's answer took too long", status=response.status_code)
    return bytes(body)


def _page(answer: object, asked_at: dt.datetime) -> Page:
    orders, unreadable = [], []
    documents = records.members(answer, "items")
    for document in documents:
        try:
            orders.append(records.order(document))
        except Unexpected as error:
            name = document.get("uuid", "?") if isinstance(document, Mapping) else "?"
            unreadable.append(f"{name}: {error}")
    count = answer.get("count") if isinstance(answer, Mapping) else None
    total = count if isinstance(count, int) else len(documents)
    return Page(orders=orders, total=total, asked_at=asked_at, unreadable=unreadable)


def _filter_date(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S")
