"""The orders that a new sandbox starts with, the same for the same seed (contract §5.6, §14)."""

import random
from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from merchant.paysuper.sandbox import orders as status
from merchant.paysuper.sandbox.drafting import Drafter, deck
from merchant.paysuper.sandbox.gojson import cents, single
from merchant.paysuper.sandbox.orders import Order, Refund, RefundNotice
from merchant.paysuper.sandbox.people import crowd

DAY = 86_400_000
# Out of one hundred orders; every round of one hundred is shuffled and complete.
_OUTCOMES = (
    [status.ACKNOWLEDGED] * 76
    + [status.PAID]
    + [status.DECLINED] * 6
    + [status.REFUSED_AT_ONCE]
    + [status.CANCELED] * 3
    + [status.NEW] * 5
    + [status.PENDING] * 2
    + [status.REFUNDED] * 4
    + [status.CHARGEBACK] * 2
)
REASONS = (
    "Customer's request",
    "Redeem chargeback",
    "Purchase not provided",
    "Card data was stolen",
    "=1+1 <b>asked twice</b> & \u202edias",
)
CREATOR = "5f8a1b779b3d4e0001a7c1aa"


class Generated(Struct):
    """Orders in the order of their creation, and the refunds that belong to them."""

    orders: list[Order]
    refunds: list[Refund]


class History(Struct, frozen=True):
    """What a sandbox is generated from; the first line of a journal keeps it."""

    seed: int
    orders: int
    days: int
    until: int


def generate(history: History) -> Generated:
    """`history.orders` originals, plus a refund row for each refunded or charged back one."""
    rng = random.Random(history.seed)  # noqa: S311 - made-up data must be the same again
    drafter = Drafter(rng, crowd(rng, min(max(26, history.orders // 8), 5000)))
    outcomes = deck(rng, _OUTCOMES)
    originals: list[Order] = []
    for number, created in enumerate(_moments(rng, history), start=1):
        draft = drafter.draft(number, created)
        originals.append(_grow(drafter, draft, next(outcomes), history.until))
    rows = [_row(drafter, order) for order in originals if order.refund]
    refunds = [refund_of(order) for order in originals if order.refund]
    refunds += [_declined(order) for order in originals[::40] if _refundable(order)]
    return Generated(_renumbered(originals + rows), refunds)


def _moments(rng: random.Random, history: History) -> Iterator[int]:
    """Sorted times of creation; about one in thirty repeats the one before it."""
    start = history.until - history.days * DAY
    span = history.days * DAY
    moments = sorted(start + int(rng.random() * span) for _ in range(history.orders))
    for place in range(1, len(moments), 30):
        moments[place] = moments[place - 1]
    return iter(moments)


def _grow(drafter: Drafter, order: Order, outcome: int, until: int) -> Order:
    """Walks a draft to its outcome; cards only for those that money went back to."""
    if outcome == status.NEW:
        return order
    returned = outcome in (status.REFUNDED, status.CHARGEBACK)
    chosen = drafter.choose_method(order, "BANKCARD" if returned else "")
    if outcome == status.PENDING:
        return replace(chosen, private=outcome)
    paid = order.created + 5_000 + int(drafter.rng.random() * 115_000)
    if outcome == status.ACKNOWLEDGED and order.kind == "key" and drafter.chance(0.05):
        outcome = status.KEY_REPLACED
    closed = drafter.close(chosen, outcome, paid)
    return _returned(drafter, closed, until) if returned else closed


def _returned(drafter: Drafter, order: Order, until: int) -> Order:
    longest = (10 if order.private == status.REFUNDED else 60) * DAY
    room = max(min(longest, until - order.paid), 1000)
    moment = order.paid + int(drafter.rng.random() * room)
    reason = REASONS[1] if order.private == status.CHARGEBACK else drafter.pick(REASONS)
    notice = RefundNotice(f"{moment // 1000:08x}9b3d4e0002{order.number:06x}", reason)
    return replace(order, refund=notice, refunded_at=moment)


def _row(drafter: Drafter, order: Order) -> Order:
    """The refund row: a copy with its own uuid and the time of the refund (contract §7.5)."""
    return refund_row(order, drafter.uuid(), 0, order.refunded_at)


def refund_row(order: Order, uuid: str, number: int, created: int) -> Order:
    """The second row that a completed refund inserts (contract §7.5)."""
    return replace(
        order, uuid=uuid, number=number, created=created, parent=order.uuid, parent_id=order.internal_id
    )


def _renumbered(rows: list[Order]) -> list[Order]:
    """Sorted by creation; refund rows get numbers behind all originals, which keep theirs."""
    last = len(rows)
    rows.sort(key=lambda order: (order.created, order.number or last))
    count = sum(1 for order in rows if order.number)
    numbered = []
    for order in rows:
        if not order.number:
            count += 1
        numbered.append(order if order.number else replace(order, number=count))
    return numbered


def _refundable(order: Order) -> bool:
    return order.private == status.ACKNOWLEDGED and order.method == "BANKCARD"


def _declined(order: Order) -> Refund:
    """A refund that the bank declined: the order stays as it is (contract §7.4)."""
    return replace(
        new_refund(order, "", CREATOR, REASONS[0], order.paid + 60_000),
        status=status.REFUND_DECLINED,
        external_id=f"rf{order.transaction}",
    )


def refund_of(order: Order) -> Refund:
    """The completed refund record behind a refunded original."""
    refund_id, reason = (order.refund.refund_id, order.refund.reason) if order.refund else ("", "")
    return replace(
        new_refund(order, refund_id, CREATOR, reason, order.refunded_at),
        status=status.REFUND_COMPLETED,
        external_id=f"rf{order.transaction}",
    )


def new_refund(order: Order, refund_id: str, creator_id: str, reason: str, now: int) -> Refund:
    """A stored refund over the whole charge, in the charge currency (contract §7.3)."""
    buyer = order.customer
    share = order.tax_rate / (1 + order.tax_rate)
    return Refund(
        id=refund_id or f"{now // 1000:08x}9b3d4e0003{order.number:06x}",
        order=order.uuid,
        amount=cents(order.charge),
        currency=order.charge_currency,
        creator_id=creator_id,
        reason=reason,
        status=status.REFUND_STORED,
        created=now,
        updated=now,
        sales_tax=single(round(order.amount * share, 2)),
        country=buyer.country if buyer else "",
        zip=buyer.postal_code if buyer else "",
        state=buyer.state if buyer else "",
    )
