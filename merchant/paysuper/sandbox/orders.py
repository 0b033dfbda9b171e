"""What the sandbox remembers: orders, refunds, webhooks, and what their statuses mean (contract §14)."""

from msgspec import Struct

NEW, REFUSED_AT_ONCE, PAID, PENDING, ACKNOWLEDGED = 0, 3, 4, 5, 6
REFUSED_BY_PROJECT, REFUNDED, CHARGEBACK, DECLINED, CANCELED, KEY_REPLACED = 8, 9, 10, 11, 12, 13

PUBLIC_STATUS = {
    0: "created",
    1: "created",
    2: "rejected",
    3: "rejected",
    4: "processed",
    6: "processed",
    8: "rejected",
    9: "refunded",
    10: "chargeback",
    11: "rejected",
    12: "canceled",
    13: "processed",
}
PAID_STATUSES = frozenset({"processed", "refunded", "chargeback"})
REFUNDABLE = frozenset({4, 5, 6, 7})
ACCOUNTED = frozenset({4, 6, 8, 9, 10, 13})
PUBLIC_STATUSES = frozenset({*PUBLIC_STATUS.values(), "pending"})

REFUND_STORED, REFUND_REJECTED, REFUND_IN_PROGRESS = 0, 1, 2
REFUND_COMPLETED, REFUND_DECLINED, REFUND_CANCELED = 3, 4, 5
BLOCKING_REFUNDS = frozenset({REFUND_STORED, REFUND_IN_PROGRESS, REFUND_COMPLETED})


class Customer(Struct, frozen=True, omit_defaults=True):
    """The player; a blank country means that the address is not known (contract §6.3)."""

    id: str
    external_id: str
    name: str
    email: str
    phone: str = ""
    ip: str = ""
    locale: str = ""
    country: str = ""
    city: str = ""
    postal_code: str = ""
    state: str = ""


class Item(Struct, frozen=True, omit_defaults=True):
    """One bought product with its price in the currency of the order (contract §6.4)."""

    product_id: str
    amount: float
    platform: str = ""
    code: str = ""


class RefundNotice(Struct, frozen=True, omit_defaults=True):
    """The block `refund` of a refund row and of a refunded original; 0 is the whole charge (§6.5)."""

    refund_id: str
    reason: str
    amount: float = 0


class Order(Struct, frozen=True, omit_defaults=True):
    """One row of the order list; times are milliseconds, amounts raw, unset is zero or blank."""

    uuid: str
    number: int
    project_id: str
    created: int
    private: int
    kind: str
    currency: str
    amount: float
    net: float
    charge_currency: str
    charge: float
    tax_rate: float
    vat_payer: str
    customer: Customer | None = None
    billing: bool = False
    production: bool = True
    items: tuple[Item, ...] = ()
    method: str = ""
    instrument: str = ""
    transaction: str = ""
    paid: int = 0
    decline: str = ""
    invoice: str = ""
    parent: str = ""
    parent_id: str = ""
    refund: RefundNotice | None = None
    refunded_at: int = 0
    heading: str = ""
    metadata: dict[str, str] = {}
    # Where this customer returns to, instead of the project's addresses.
    success: str = ""
    fail: str = ""

    @property
    def internal_id(self) -> str:
        """The storage id that only `parent_order` and webhook ids show (contract §6.1, §13.1)."""
        return f"{self.created // 1000:08x}9b3d4e0001{self.number:06x}"

    @property
    def status(self) -> str:
        """The public status; an unlisted private one counts as pending (contract §14.1)."""
        return PUBLIC_STATUS.get(self.private, "pending")

    @property
    def row_type(self) -> str:
        """`order` or `refund` (contract §6.1)."""
        return "refund" if self.parent else "order"

    @property
    def country(self) -> str:
        """The country of the customer's address, blank when there is none."""
        return self.customer.country if self.customer else ""


class Refund(Struct, frozen=True, omit_defaults=True):
    """A refund record; `callback` and `due` say what the payment system will answer and when (§7.3)."""

    id: str
    order: str
    amount: float
    currency: str
    creator_id: str
    reason: str
    status: int
    created: int
    updated: int
    sales_tax: float
    external_id: str = ""
    country: str = ""
    zip: str = ""
    state: str = ""
    callback: str = ""
    due: int = 0


class Webhook(Struct, frozen=True, omit_defaults=True):
    """A notification with its snapshot of the order and the state of its delivery (contract §13)."""

    key: int
    id: str
    event: str
    order: str
    project_id: str
    status: str
    snapshot: str
    state: str = "waiting"
    tries: int = 0
    last_status: int = 0
    due: int = 0
    forged: bool = False
    secret: str = ""


class ProjectState(Struct, frozen=True):
    """What a merchant can change about a project: webhook address, secret, return addresses (§9.1)."""

    url: str
    secret: str
    success: str
    fail: str
