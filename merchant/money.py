"""Money by the currency's own rules. Amounts are `Decimal` in major units."""

import functools
from decimal import ROUND_HALF_UP, Decimal

from babel.core import UnknownLocaleError
from babel.numbers import format_currency, get_currency_precision, get_currency_symbol

# CLDR shows these without decimals although ISO 4217 gives them some: rounding to what is shown
# would lose cents.
_ISO_EXPONENTS = {
    "IQD": 3,
    **dict.fromkeys("AFN ALL IRR KPW LAK LBP MGA MMK RSD SLL SOS SYP YER".split(), 2),
}


@functools.cache
def exponent(currency: str) -> int:
    """How many decimals the currency has: 0 for JPY, 2 for EUR, 3 for BHD; 2 for unknown ones."""
    return _ISO_EXPONENTS.get(currency, get_currency_precision(currency))


def rounded(amount: Decimal, currency: str) -> Decimal:
    """The amount rounded half up to the currency's own decimals (contract §16.1)."""
    return amount.quantize(Decimal(1).scaleb(-exponent(currency)), ROUND_HALF_UP)


def display(amount: Decimal, currency: str, locale: str = "en") -> str:
    """The amount for people, such as "€11.89" or "BHD 12.345"; never rounds further than the currency."""
    if not currency:
        return "–"
    digits = "#,##0" + ("." + "0" * exponent(currency) if exponent(currency) else "")
    try:
        # "BHD" keeps its distance from the digits, "€" does not.
        gap = "\xa0" if get_currency_symbol(currency, locale)[-1].isalpha() else ""
        pattern = f"¤{gap}{digits}"
        return format_currency(
            rounded(amount, currency), currency, f"{pattern};-{pattern}", locale, currency_digits=False
        )
    except (UnknownLocaleError, ValueError):
        return f"{rounded(amount, currency)} {currency}"
