"""The order of webhooks, key replacements and the S2S list: other names than the view (contract §17)."""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from merchant.paysuper.errors import Unexpected
from merchant.paysuper.records import Money
from merchant.paysuper.values import decimal, instant, kept, object_of, text_of, uuid_of


@dataclass(frozen=True)
class WebhookOrder:
    """What only this serialisation tells, with what the view calls otherwise.

    `product_type` is simple, product, key or virtual_currency; `charge` has all its decimals, and is blank in
    2019. `metadata` is what the game passed: as hostile as its players. An order with a `testing_case` was
    made up and never stored (§13.7).
    """

    uuid: UUID
    status: str
    product_type: str
    created_at: dt.datetime | None
    country: str
    total: Money
    charge: Money
    method: str
    testing_case: str
    metadata: dict[str, Any] = field(repr=False)


def webhook_order(document: object) -> WebhookOrder:
    """Read the object of a webhook. Raises Unexpected when it has no id."""
    source = object_of(document)
    uuid = uuid_of(source.get("id"))
    if uuid is None:
        raise Unexpected("a webhook's order without a readable id")
    return WebhookOrder(
        uuid=uuid,
        status=text_of(source, "status"),
        product_type=text_of(source, "type"),
        created_at=instant(source.get("created_at")),
        country=text_of(source, "country").upper(),
        total=Money(decimal(source.get("amount")), text_of(source, "currency").upper()),
        charge=Money(decimal(source.get("charge_amount")), text_of(source, "charge_currency").upper()),
        method=text_of(object_of(source.get("method")), "external_id"),
        testing_case=text_of(source, "testing_case"),
        metadata=dict(kept(object_of(source.get("metadata")))[0]),
    )
