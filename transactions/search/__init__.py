"""The one search box of the list: recognises what was typed and asks only the columns that can hold it.

A text that is a whole id beats every other reading and every filter. Each other reading has an index of
its own, so that the database joins them by their indexes however many rows there are.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q

from transactions.search import amounts

LONGEST = 200
_SHORTEST_PART = 3
# A number of so many digits may be part of an address; a shorter one is a card or an amount.
_SHORTEST_NUMBER_IN_EMAIL = 5
_QUOTES = "\"'`“”„«»‘’‚‹›"  # noqa: RUF001 - the quotes of other languages
_CARD = re.compile(r"(?P<mask>[*•·….\s]*)(?P<digits>[0-9]{4})")
_NUMBER = re.compile(r"[0-9]+")
_WHOLE_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]{2,}")


@dataclass(frozen=True)
class Reading:
    """One thing that a text can mean: in words, and what is asked of a transaction."""

    words: str
    condition: Q


def plain(text: str) -> str:
    """The text without blanks and quotes around it."""
    text = text.strip()
    return text.strip(_QUOTES).strip() or text


def by_id(text: str) -> Q | None:
    """Transactions of which the text is a whole id, or None for a text that cannot be one.

    An order's id finds its refunds too; a transaction id belongs to an order and its refunds
    (contract §6.1); a refund receipt is the number that PaySuper gave to a refund.
    """
    text = plain(text)
    if not text or "@" in text or re.search(r"\s", text):
        return None
    try:
        uuid = UUID(text)
    except ValueError:
        return Q(transaction_id=text) | Q(refund_receipt=text)
    return Q(uuid=uuid) | Q(parent_uuid=uuid)


def readings(text: str, *, personal: bool = True) -> Sequence[Reading]:
    """What the text can mean when it is no id; nothing of customers' addresses without `personal`."""
    return list(_readings(plain(text), personal=personal))


def in_words(found: Sequence[Reading]) -> str:
    """Several readings as one enumeration."""
    words = [reading.words for reading in found]
    return ", or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def hint(text: str, *, personal: bool = True) -> str:
    """What somebody who finds nothing with this text should know, or ""."""
    text = plain(text)
    if "@" in text and not personal:
        return "Your role does not see e-mail addresses, so they cannot be searched for."
    if 0 < len(text) < _SHORTEST_PART and not _NUMBER.fullmatch(text) and personal:
        return f"Type at least {_SHORTEST_PART} characters to search for a part of an e-mail address."
    return ""


def _readings(text: str, *, personal: bool) -> Iterator[Reading]:
    card = _CARD.fullmatch(text)
    if card:
        yield Reading(f"card ending {card['digits']}", Q(card_last4=card["digits"]))
    found = None if card and card["mask"] else amounts.read(text)
    if found:
        yield Reading(f"amount {found}", _amount(found))
    is_number = _NUMBER.fullmatch(text)
    if (card or found) and not is_number:
        return
    if "@" not in text or personal:
        yield Reading(f"customer ID {text}", Q(customer_id=text))
    if not personal or re.search(r"\s", text):
        return
    if _WHOLE_EMAIL.fullmatch(text):
        yield Reading(f"e-mail address {text}", Q(customer_email__iexact=text))
    elif len(text) >= (_SHORTEST_NUMBER_IN_EMAIL if is_number else _SHORTEST_PART):
        yield Reading(f"e-mail address with “{text}” in it", Q(customer_email__icontains=text))


def _amount(found: amounts.Amount) -> Q:
    condition = Q(charge_amount__in=found.values)
    return condition & Q(charge_currency=found.currency) if found.currency else condition
