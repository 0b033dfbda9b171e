"""Labelled values, and how they are taken from a document that may hold anything."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from merchant.money import display, rounded
from merchant.paysuper import records
from merchant.paysuper.errors import Unexpected
from merchant.paysuper.records import Money

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Fact:
    """One labelled value. `kind` is text, instant, mono (ids), country or link; `copy` is what its button
    copies, if it has one.
    """

    label: str
    value: Any
    kind: str = "text"
    copy: str = ""

    @property
    def is_safe_link(self) -> bool:
        """Whether the value is an address that may be followed."""
        return self.kind == "link" and str(self.value).startswith("https://")


@dataclass(frozen=True)
class Section:
    """A titled group of facts that are set."""

    title: str
    facts: list[Fact]


def filled(title: str, *facts: Fact) -> Section:
    """A section of those facts that have a value."""
    return Section(title, [fact for fact in facts if fact.value])


def copied(label: str, value: object, kind: str = "text") -> Fact:
    """A fact with a button that copies it, unless it is masked: half an address is no use in a clipboard."""
    text = _text(value)
    return Fact(label, text, kind, "" if "…" in text else text)


def plain(label: str, value: object, kind: str = "text") -> Fact:
    """A fact of a document's member: its text, or nothing for what is no text."""
    return Fact(label, _text(value), kind)


def said(label: str, flag: object) -> Fact:
    """A fact that is shown when a flag is set."""
    return Fact(label, "Yes" if flag is True else "")


def charged(label: str, amount: Decimal, currency: str) -> Fact:
    """An amount whose button copies the bare number."""
    return Fact(label, display(amount, currency), copy=str(rounded(amount, currency)))


def part(document: Document, name: str) -> Document:
    """The object `name` of a document; an empty one where there is none."""
    value = document.get(name)
    return value if isinstance(value, Mapping) else {}


def money(value: object) -> Money:
    """Money of a document, rounded to its currency; blank where there is none to be read."""
    try:
        found = records.money(value)
    except Unexpected:
        return Money()
    return Money(rounded(found.amount, found.currency), found.currency)


def amount(label: str, value: object) -> Fact:
    """A fact of money; without value when the money is blank."""
    found = money(value)
    return Fact(label, display(found.amount, found.currency) if found.currency else "")


def _text(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return ""
    return str(value) if isinstance(value, str | int | Decimal) else ""
