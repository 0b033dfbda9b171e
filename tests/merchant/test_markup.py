"""Markup from Python escapes like Django's own, and finds each icon and address."""

import pytest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from merchant.markup import address, filled, icon

HOSTILE = "\"><script>alert('1')</script>&amp;{0}{name}"


@pytest.mark.parametrize("value", [HOSTILE, SafeString("<b>bold</b>"), 5, None, "", "ключ"], ids=repr)
def test_values_are_escaped_as_django_escapes_them(value: object) -> None:
    for markup in ("<i>{}</i>", '<a title="{0}">{0}</a>'):
        assert filled(markup, value) == format_html(markup, value)
        assert isinstance(filled(markup, value), SafeString)
    assert filled("<i>{name}</i>", name=value) == format_html("<i>{name}</i>", name=value)


def test_an_icon_of_an_unknown_name_is_harmless() -> None:
    assert "<script>" not in icon(HOSTILE)
    assert 'icons.svg#refund"' in icon("refund")


def test_addresses_are_those_of_the_pages() -> None:
    assert address("transactions:list") == "/transactions/"
