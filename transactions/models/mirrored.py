"""The mirror of PaySuper's orders. Only `transactions.mirror` writes it."""

import json
from decimal import Decimal
from typing import Any, ClassVar

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper

from merchant.encryption import SealedTextsField
from merchant.models import Merchant, Project


class Status(models.TextChoices):
    """Public status of an order (contract §14). PaySuper may invent others: they are kept and shown."""

    CREATED = "created", "Created"
    PENDING = "pending", "Pending"
    PROCESSED = "processed", "Processed"
    REJECTED = "rejected", "Rejected"
    CANCELED = "canceled", "Canceled"
    REFUNDED = "refunded", "Refunded"
    CHARGEBACK = "chargeback", "Chargeback"


class RowType(models.TextChoices):
    """What an entry stands for: a sale, or money that went back (contract §6.1)."""

    ORDER = "order", "Order"
    REFUND = "refund", "Refund"


class Fulfilment(models.TextChoices):
    """Whether the customer has been given what was bought."""

    UNFULFILLED = "unfulfilled", "Unfulfilled"
    PARTLY = "partly", "Partly fulfilled"
    FULFILLED = "fulfilled", "Fulfilled"
    WITHDRAWN = "withdrawn", "Withdrawn"


# Paid orders whose goods are owed, and orders whose money went back while the goods are out: the conditions
# of indexes, so that a page of the oldest costs the same at a million orders.
TO_FULFIL = Q(
    type=RowType.ORDER,
    status=Status.PROCESSED,
    fulfilment__in=[Fulfilment.UNFULFILLED, Fulfilment.PARTLY],
)
TO_WITHDRAW = Q(
    type=RowType.ORDER,
    status__in=[Status.REFUNDED, Status.CHARGEBACK],
    fulfilment__in=[Fulfilment.PARTLY, Fulfilment.FULFILLED],
)


class Transaction(models.Model):
    """An order or a refund row of PaySuper: what is filtered, sorted, shown in lists or added up.

    Amounts are in major units, rounded to their currency's decimals. `total` is what the order costs,
    `charge` what the customer was charged (refunds use this one); gross, tax, fees and net are PaySuper's
    accounting in the payout currency. `asked_at` is when the read was sent that brought this version:
    the newest read wins, since PaySuper's orders carry no time of change.
    """

    uuid = models.UUIDField(primary_key=True)
    # Without an index of its own: those below begin with it, and the planner would take it for cheaper.
    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="transactions", db_index=False)
    project = models.ForeignKey(Project, models.CASCADE, related_name="transactions")
    type = models.CharField(max_length=20, choices=RowType.choices)
    status = models.CharField(max_length=20, choices=Status.choices)
    created_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True)
    transaction_id = models.CharField(max_length=200)
    product = models.CharField(max_length=500)
    # Names and SKUs of everything that was bought, a line each: what the product filter searches.
    bought = models.TextField(db_default="", default="")
    country = models.CharField(max_length=10)
    method = models.CharField(max_length=50)
    method_title = models.CharField(max_length=100)
    card_last4 = models.CharField(max_length=10)
    customer_id = models.CharField(max_length=255)
    customer_name = models.CharField(max_length=500)
    customer_email = models.CharField(max_length=320)
    is_production = models.BooleanField()
    total_amount = models.DecimalField(max_digits=19, decimal_places=4)
    currency = models.CharField(max_length=10)
    charge_amount = models.DecimalField(max_digits=19, decimal_places=4)
    charge_currency = models.CharField(max_length=10)
    gross_amount = models.DecimalField(max_digits=19, decimal_places=4)
    tax_amount = models.DecimalField(max_digits=19, decimal_places=4)
    fees_amount = models.DecimalField(max_digits=19, decimal_places=4)
    net_amount = models.DecimalField(max_digits=19, decimal_places=4)
    payout_currency = models.CharField(max_length=10)
    parent_uuid = models.UUIDField(null=True)
    refund_receipt = models.CharField(max_length=50)
    cancellation_code = models.CharField(max_length=20)
    asked_at = models.DateTimeField()
    fingerprint = models.CharField(max_length=64)

    # What we did about it. Kept here so that the list can filter; see mirror.record_fulfilment.
    fulfilment = models.CharField(
        max_length=20,
        choices=Fulfilment.choices,
        db_default=Fulfilment.UNFULFILLED,
        default=Fulfilment.UNFULFILLED,
    )
    refund_state = models.CharField(max_length=20, db_default="", default="")

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["merchant", "-created_at", "-uuid"], name="tx_newest"),
            models.Index(fields=["merchant", "status", "-created_at", "-uuid"], name="tx_status"),
            models.Index(fields=["merchant", "project", "-created_at", "-uuid"], name="tx_project"),
            models.Index(fields=["merchant", "method", "-created_at", "-uuid"], name="tx_method"),
            models.Index(fields=["merchant", "country", "-created_at", "-uuid"], name="tx_country"),
            models.Index(fields=["merchant", "charge_currency", "-created_at", "-uuid"], name="tx_currency"),
            models.Index(fields=["merchant", "charge_amount", "uuid"], name="tx_amount"),
            models.Index(fields=["merchant", "transaction_id"], name="tx_transaction_id"),
            models.Index(fields=["merchant", "customer_id"], name="tx_customer_id"),
            models.Index(fields=["merchant", "card_last4"], name="tx_card"),
            models.Index(fields=["parent_uuid"], name="tx_parent"),
            # With what the list's counts ask beside, so that they read the index alone.
            models.Index(
                fields=["merchant", "created_at", "uuid"],
                include=["fulfilment", "charge_currency"],
                condition=TO_FULFIL,
                name="tx_to_fulfil",
            ),
            models.Index(
                fields=["project", "created_at", "uuid"],
                include=["merchant", "fulfilment"],
                condition=TO_FULFIL,
                name="tx_to_fulfil_project",
            ),
            models.Index(
                fields=["merchant", "created_at", "uuid"], condition=TO_WITHDRAW, name="tx_to_withdraw"
            ),
            # What few rows are, so that a walk along all of them would find them late.
            models.Index(
                fields=["merchant", "fulfilment", "-created_at", "-uuid"],
                condition=~Q(fulfilment=Fulfilment.UNFULFILLED),
                name="tx_fulfilment",
            ),
            models.Index(
                fields=["merchant", "-created_at", "-uuid"],
                condition=Q(type=RowType.REFUND),
                name="tx_refunds",
            ),
            models.Index(
                fields=["merchant", "-created_at", "-uuid"],
                condition=Q(is_production=False),
                name="tx_test",
            ),
            models.Index(
                fields=["merchant", "refund_receipt"],
                condition=~Q(refund_receipt=""),
                name="tx_refund_receipt",
            ),
            models.Index("merchant", Upper("customer_email"), name="tx_email"),
            GinIndex(OpClass(Upper("customer_email"), name="gin_trgm_ops"), name="tx_email_part"),
            GinIndex(OpClass(Upper("bought"), name="gin_trgm_ops"), name="tx_bought_part"),
        ]

    def __str__(self) -> str:
        return self.transaction_id or str(self.uuid)


class Item(models.Model):
    """A line of an order, for product filters and the card's products table (contract §6.4)."""

    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="+")
    transaction = models.ForeignKey(Transaction, models.CASCADE, related_name="items")
    position = models.PositiveSmallIntegerField()
    product_id = models.CharField(max_length=50)
    sku = models.CharField(max_length=255)
    name = models.CharField(max_length=500)
    platform_id = models.CharField(max_length=50)
    amount = models.DecimalField(max_digits=19, decimal_places=4)
    currency = models.CharField(max_length=50)

    class Meta:
        ordering: ClassVar = ["position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["transaction", "position"], name="one_item_per_position")
        ]

    def __str__(self) -> str:
        return self.name


class ExactDecoder(json.JSONDecoder):
    """Reads numbers as they are written: amounts are never floats."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options | {"parse_float": Decimal})


class RawOrder(models.Model):
    """The whole document as PaySuper gave it, without secrets, its activation keys sealed.

    Beside the narrow table on purpose: with it inline, sums over the list are sixteen times slower.
    """

    transaction = models.OneToOneField(
        Transaction, models.CASCADE, primary_key=True, related_name="raw_order"
    )
    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="+")
    document = SealedTextsField(decoder=ExactDecoder, sealed=("items", "code"))

    def __str__(self) -> str:
        return str(self.transaction_id)
