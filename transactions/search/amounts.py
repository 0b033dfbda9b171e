"""Amounts as people write them: "12.50", "12,50", "€12.50", "12.50 EUR", "1 234,50", "-€23.80"."""

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from babel import Locale

from merchant import money

# Signs that English texts write as codes.
_FURTHER_SIGNS = {"₽": "RUB", "₴": "UAH", "₸": "KZT", "₺": "TRY", "zł": "PLN", "Kč": "CZK", "₼": "AZN"}
_LONGEST = 15
_SIGN = r"[^\W\d_]*[^\w\s.,'’+\-\u2212]?[^\W\d_]*"
_TEXT = re.compile(
    rf"[-\u2212]?\s*(?P<before>{_SIGN})\s*[-\u2212]?(?P<number>[0-9](?:[0-9.,'’\s]*[0-9])?)[.,]?\s*(?P<after>{_SIGN})"
)
_GROUPED = re.compile(r"[0-9]{1,3}(?:(?P<mark>[.,'’\s])[0-9]{3})(?:(?P=mark)[0-9]{3})*")
_DECIMALS = re.compile(r"(?P<whole>.*[0-9])[.,](?P<decimals>[0-9]{1,4})")


@dataclass(frozen=True)
class Amount:
    """The amounts that a text can mean, in major units, and their currency if the text names one."""

    values: tuple[Decimal, ...]
    currency: str

    def __str__(self) -> str:
        return " or ".join(self._shown(value) for value in self.values)

    def _shown(self, value: Decimal) -> str:
        if self.currency and value == money.rounded(value, self.currency):
            return money.display(value, self.currency)
        return f"{value:,} {self.currency}".rstrip()


def read(text: str) -> Amount | None:
    """What the text means as an amount, or None if it is none.

    A mark before the last three digits may part thousands or decimals: both are meant, unless the currency
    has fewer decimals.
    """
    parts = _TEXT.fullmatch(text)
    if not parts or (parts["before"] and parts["after"]):
        return None
    sign = parts["before"] or parts["after"]
    currency = _currencies().get(sign.casefold(), "") if sign else ""
    if sign and not currency:
        return None
    values = list(dict.fromkeys(_values(parts["number"])))
    if len(values) > 1 and currency:
        values = [value for value in values if value == money.rounded(value, currency)]
    return Amount(tuple(values), currency) if values else None


def _values(number: str) -> Iterator[Decimal]:
    whole = _whole(number)
    if whole is not None:
        yield whole
    parts = _DECIMALS.fullmatch(number)
    if not parts:
        return
    mark, grouped = number[parts.end("whole")], _GROUPED.fullmatch(parts["whole"])
    before = None if grouped and grouped["mark"] == mark else _whole(parts["whole"])
    # "1,234,567" has thousands only, and "0123" before a mark is no thousand.
    if before is not None:
        yield Decimal(f"{before}.{parts['decimals']}")


def _whole(number: str) -> Decimal | None:
    """A number without decimals, its thousands parted by one kind of mark or not at all."""
    digits = number
    if not number.isdigit():
        grouped = _GROUPED.fullmatch(number)
        if not grouped or number.startswith("0"):
            return None
        digits = number.replace(grouped["mark"], "")
    return Decimal(digits) if len(digits) <= _LONGEST else None


@functools.cache
def _currencies() -> Mapping[str, str]:
    """Currencies by their codes and by the signs that the pages write, in small letters."""
    locale = Locale("en")
    codes = {code: code for code in locale.currencies}
    signs = {sign: code for code, sign in locale.currency_symbols.items()}
    return {name.casefold(): code for name, code in {**codes, **signs, **_FURTHER_SIGNS}.items()}
