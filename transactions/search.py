"""The one search box of the list: recognises what was typed and asks only the columns that can hold it."""

import re
from uuid import UUID

from django.db.models import Q

_CARD_DIGITS = re.compile(r"\d{4}")
_SHORTEST_PART = 3


def condition(text: str) -> Q:
    """The condition for a search text.

    An order id, else: a transaction id, customer id, refund receipt or last four card digits exactly, or a
    part of an e-mail address from three characters on.
    """
    text = text.strip()
    try:
        uuid = UUID(text)
    except ValueError:
        pass
    else:
        return Q(uuid=uuid) | Q(parent_uuid=uuid)
    found = Q(transaction_id=text) | Q(customer_id=text) | Q(refund_receipt=text)
    if _CARD_DIGITS.fullmatch(text):
        found |= Q(card_last4=text)
    if len(text) >= _SHORTEST_PART:
        found |= Q(customer_email__icontains=text)
    return found
