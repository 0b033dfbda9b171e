"""Money by the rules of its currency."""

from decimal import Decimal

import pytest
from babel.core import get_global

from merchant.money import display, exponent, rounded
from merchant.paysuper.sandbox.catalogue import CURRENCIES

# ISO 4217, list one: what is not named here has two decimals.
NONE = set("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split())
THREE = set("BHD IQD JOD KWD LYD OMR TND".split())
FOUR = {"CLF", "UYW"}
IN_USE = {
    currency
    for used in get_global("territory_currencies").values()
    for currency, _, until, tender in used
    if until is None and tender
}


def iso(currency: str) -> int:
    return 0 if currency in NONE else 3 if currency in THREE else 4 if currency in FOUR else 2


@pytest.mark.parametrize("currency", sorted(IN_USE | set(CURRENCIES)))
def test_every_currency_in_use_has_the_decimals_of_iso_4217(currency: str) -> None:
    assert exponent(currency) == iso(currency)


def test_unknown_currencies_have_two_decimals() -> None:
    assert [exponent(text) for text in ("", "XYZ", "gold coins", "€")] == [2, 2, 2, 2]


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("11.889999999999999", "EUR", "11.89"),
        ("0.005", "EUR", "0.01"),
        ("0.0049999999", "EUR", "0.00"),
        ("-0.005", "EUR", "-0.01"),
        ("2.675", "USD", "2.68"),
        ("100.5", "JPY", "101"),
        ("100.49999", "KRW", "100"),
        ("12.3455", "BHD", "12.346"),
        ("12.35", "BHD", "12.350"),
        ("999999999999999", "EUR", "999999999999999.00"),
    ],
)
def test_amounts_are_rounded_half_up_to_their_currency(amount: str, currency: str, expected: str) -> None:
    assert str(rounded(Decimal(amount), currency)) == expected


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("11.889999999999999", "EUR", "€11.89"),
        ("1234567.5", "USD", "$1,234,567.50"),
        ("1980", "JPY", "¥1,980"),
        ("12.3455", "BHD", "BHD\xa012.346"),
        ("-5", "EUR", "-€5.00"),
        ("0", "EUR", "€0.00"),
        ("1.5", "RSD", "RSD\xa01.50"),
        ("7", "ZZZ", "ZZZ\xa07.00"),
        ("999999999999999.99", "USD", "$999,999,999,999,999.99"),
        ("5", "", "–"),
    ],
)
def test_amounts_are_shown_with_all_their_decimals(amount: str, currency: str, expected: str) -> None:
    assert display(Decimal(amount), currency) == expected


def test_an_unknown_locale_still_shows_amount_and_currency() -> None:
    assert display(Decimal("1.5"), "EUR", "xx_YY") == "1.50 EUR"


def test_the_locale_decides_the_signs_only() -> None:
    assert display(Decimal("1234.5"), "EUR", "de") == "€1.234,50"
