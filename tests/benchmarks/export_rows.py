"""What the benchmarks of exports write: twenty columns of the newest rows of the large merchant."""

from django.db.models import QuerySet

from merchant.models import Merchant
from transactions import exports, paging
from transactions.models import Transaction

ZONE = "Europe/Berlin"
HEADING = exports.Heading("Lantern Works", ZONE, "All transactions", "The benchmark")
# Twenty columns by their keys, and where they are stored.
STORED = {
    "local": "created_at", "type": "type", "status": "status", "project": "project__name",
    "product": "product", "country": "country", "method": "method_title", "transaction": "transaction_id",
    "order": "uuid", "customer": "customer_id", "name": "customer_name", "email": "customer_email",
    "total": "total_amount", "total_currency": "currency", "charge": "charge_amount",
    "charge_currency": "charge_currency", "gross": "gross_amount", "tax": "tax_amount", "net": "net_amount",
    "payout_currency": "payout_currency",
}  # fmt: skip
LAYOUT = exports.Layout(columns=tuple(STORED))


def newest(owner: Merchant, rows: int) -> QuerySet[Transaction]:
    """These rows without a slice, which exports do not take; a few more if they are of the same moment."""
    found = paging.ordered(Transaction.objects.filter(merchant=owner), paging.DEFAULT_ORDER)
    return found.filter(created_at__gte=found[rows - 1].created_at)
