"""What customers read: receipts and activation keys, in their language, as mails and as pages."""

from fulfillment.receipts.facts import Receipt, of_payment, of_refund
from fulfillment.receipts.keys import MARK, key_letter, masked, with_keys
from fulfillment.receipts.languages import LANGUAGES, Language, language_of
from fulfillment.receipts.letters import Letter, receipt_letter

__all__ = [
    "LANGUAGES",
    "MARK",
    "Language",
    "Letter",
    "Receipt",
    "key_letter",
    "language_of",
    "masked",
    "of_payment",
    "of_refund",
    "receipt_letter",
    "with_keys",
]
