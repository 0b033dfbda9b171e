"""The sandbox cards and what they do (contract §15)."""

from msgspec import Struct


class Card(Struct, frozen=True):
    """What the payment system says to this card; `decline` is the usual code of its refusal."""

    outcome: str
    secure3d: bool
    result: str
    decline: str = ""


_ACCEPTED, _DECLINED, _AUTHORISED = "accepted", "declined", "authorised only, stays pending"
CARDS = {
    "4000000000000002": Card("processed", True, _ACCEPTED),
    "5555555555554444": Card("rejected", True, _DECLINED, "04"),
    "4000000000000044": Card("pending", True, _AUTHORISED),
    "4000000000000077": Card("processed", False, _ACCEPTED),
    "5555555555554477": Card("rejected", False, _DECLINED, "11"),
    "4000000000000051": Card("pending", False, _AUTHORISED),
}


def grouped(digits: str) -> str:
    """In groups of four, as on the card."""
    return " ".join(digits[start : start + 4] for start in range(0, len(digits), 4))


def mask(digits: str) -> str:
    """What PaySuper keeps of a number (contract §6.3)."""
    return f"{digits[:6]}...{digits[-4:]}"
