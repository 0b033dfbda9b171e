"""The languages of PaySuper's payment form: words from catalogues, money and dates as people write them."""

import datetime as dt
import functools
import re
import zoneinfo
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.languages import get_official_languages
from babel.messages.pofile import read_po
from babel.numbers import format_currency, format_percent

from merchant.money import rounded

# As its source has them; English is what the code says.
LANGUAGES = "ar bg cs da de el en es fi fr he it ja ko pl pt_BR pt_PT ru sv th tr vi zh_Hans zh_Hant".split()
CATALOGUES = Path(__file__).parent / "catalogues"
_LONGEST_TAG = 35
# Where a currency's letters and its digits meet: Babel leaves no gap there.
_TOUCHING = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")
# A sign after Latin letters, such as JP¥: from right to left it would go before them without a mark.
_LATIN_SIGN = re.compile(r"[A-Za-z]+[^\w\s.,]")
_BRAZIL, _TRADITIONAL = ("", "BR"), ("TW", "HK", "MO")


@dataclass(frozen=True)
class Language:
    """How one customer is spoken to: the words of a catalogue, and the formats of a region."""

    catalogue: str
    region: str

    @property
    def tag(self) -> str:
        """The language as HTML names it."""
        return self.catalogue.replace("_", "-")

    @property
    def direction(self) -> str:
        """How HTML calls the direction of writing: ltr or rtl."""
        return "rtl" if self.locale.text_direction == "rtl" else "ltr"

    @property
    def locale(self) -> Any:
        """The region's formats, as Babel knows them."""
        return Locale.parse(self.region)

    def word(self, text: str) -> str:
        """The text in this language, else in English, with its {names}."""
        return _words(self.catalogue).get(text, text)

    def say(self, text: str, **values: str) -> str:
        """The text in this language, else in English, with {names} filled in."""
        if self.direction == "rtl":
            # Names of another direction must not drag the signs around them along.
            values = {name: f"\u2068{value}\u2069" for name, value in values.items()}
        return self.word(text).format(**values)

    def money(self, amount: Decimal, currency: str) -> str:
        """An amount, never rounded further than its currency."""
        if not currency:
            return ""
        exact = rounded(amount, currency)
        text = format_currency(exact, currency, locale=self.locale, decimal_quantization=False)
        text = _LATIN_SIGN.sub("\\g<0>\u200e", text) if self.direction == "rtl" else text
        return _TOUCHING.sub("\xa0", text)

    def percent(self, rate: Decimal) -> str:
        """A rate such as 0.19."""
        return str(format_percent(rate, locale=self.locale, decimal_quantization=False))

    def date(self, instant: dt.datetime, zone: zoneinfo.ZoneInfo) -> str:
        """The day of an instant in this zone."""
        return str(format_date(instant.astimezone(zone).date(), format="long", locale=self.locale))


def language_of(tag: str, country: str = "") -> Language:
    """The language for a tag such as "en-US"; without one, what a country alone speaks; else English."""
    locale = _parsed(tag) or _spoken_in(country)
    catalogue = _catalogue(locale) if locale else ""
    if not locale or catalogue not in LANGUAGES:
        return Language("en", "en")
    return Language(catalogue, str(locale))


def _parsed(tag: str) -> Any:
    text = tag.strip().replace("_", "-")
    if not text or len(text) > _LONGEST_TAG:
        return None
    try:
        return Locale.parse(text, sep="-")
    except (ValueError, UnknownLocaleError):
        return None


def _spoken_in(country: str) -> Any:
    spoken = get_official_languages(country, de_facto=True) if country else ()
    return _parsed(f"{spoken[0]}-{country}") if len(spoken) == 1 else None


def _catalogue(locale: Any) -> str:
    territory = locale.territory or ""
    if locale.language == "pt":
        return "pt_BR" if territory in _BRAZIL else "pt_PT"
    if locale.language == "zh":
        is_traditional = locale.script == "Hant" or (not locale.script and territory in _TRADITIONAL)
        return "zh_Hant" if is_traditional else "zh_Hans"
    return str(locale.language)


@functools.cache
def _words(catalogue: str) -> dict[str, str]:
    file = CATALOGUES / f"{catalogue}.po"
    if not file.exists():
        return {}
    with file.open("rb") as lines:
        found = read_po(lines, locale=catalogue)
    return {str(each.id): str(each.string) for each in found if each.id and each.string and not each.fuzzy}
