"""Amounts in SQL, rounded to the decimals of their currency as `merchant.money.rounded` does it."""

from babel.numbers import list_currencies

from merchant.money import exponent

_USUAL = 2


def rounded(key: str, currency: str) -> str:
    """SQL for the amount of the column `key` as rows show it, in the currency of the column `currency`.

    Sums are sums of this: those of unrounded amounts differ from what a reader adds up.
    """
    groups: dict[int, list[str]] = {}
    for code in sorted(list_currencies()):
        groups.setdefault(exponent(code), []).append(f"'{code}'")
    del groups[_USUAL]
    unusual = ", ".join(code for codes in groups.values() for code in codes)
    cases = " ".join(f'WHEN "{currency}" IN ({", ".join(codes)}) THEN {n}' for n, codes in groups.items())
    return (
        f'CASE WHEN "{currency}" IN ({unusual}) THEN round("{key}", CASE {cases} ELSE {_USUAL} END) '
        f'ELSE round("{key}", {_USUAL}) END'
    )
