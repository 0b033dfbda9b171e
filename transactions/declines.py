"""What PaySuper's decline codes mean, and what to tell the customer (contract §15)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Decline:
    """The meaning of a code for staff, and the words that help the customer."""

    meaning: str
    advice: str


_ANOTHER_CARD = "Please pay with another card or method."
_ASK_BANK = "Please ask your bank, or pay with another card or method."
_TRY_LATER = "This was a technical failure and not your fault. Please try again in a few minutes."
_CONFIRM = "Please try again and confirm the payment when your bank asks you to, or use another card."

CODES = {
    "01": Decline("System failure.", _TRY_LATER),
    "02": Decline("The customer canceled the payment.", "The payment was canceled; nothing was charged."),
    "03": Decline("Stopped by PaySuper's fraud check.", _ANOTHER_CARD),
    "04": Decline("3-D Secure failed: the customer did not confirm with the bank.", _CONFIRM),
    "05": Decline("The card needs 3-D Secure.", _CONFIRM),
    "06": Decline("3-D Secure gave no answer.", _CONFIRM),
    "07": Decline(
        "A limit was reached.", "Please try a smaller amount, try again tomorrow, or ask your bank."
    ),
    "08": Decline("The operation is not supported for this card or method.", _ANOTHER_CARD),
    "10": Decline("The bank declined without giving a reason.", _ASK_BANK),
    "11": Decline("The bank declined.", _ASK_BANK),
    "13": Decline(
        "Not enough money on the card.", "Please check the balance of the card, or pay with another one."
    ),
    "14": Decline(
        "The card's own limit was reached.",
        "Please ask your bank to raise the limit of the card, or pay with another one.",
    ),
    "15": Decline(
        "The card data were wrong.",
        "Please check the number, the date and the security code of the card and try again.",
    ),
    "16": Decline("The bank's fraud check stopped the payment.", _ASK_BANK),
    "17": Decline("The bank had a failure.", _TRY_LATER),
    "18": Decline("The connection failed.", _TRY_LATER),
    "21": Decline(
        "No cryptocurrency arrived.",
        "No coins have arrived. Please check in your wallet whether the transfer was sent, then try again.",
    ),
    "22": Decline(
        "The wrong amount of cryptocurrency arrived.",
        "Another amount arrived than was asked for. Please write to us with the ID of the transfer.",
    ),
    "23": Decline(
        "The cryptocurrency payment was not confirmed in time.",
        "The transfer was not confirmed in time. Please write to us with the ID of the transfer.",
    ),
}
UNKNOWN = Decline("PaySuper does not say what this code means.", _ASK_BANK)
