"""Every address, everybody, and the methods that the table of addresses does not name: two rules for all."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client as Browser
from django.urls import get_resolver

from merchant.models import User
from tests.conftest import Person, signed_in
from tests.test_access import EXPECTED, WHO, address_of, asked_by, walk

REFUSED = ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
# allauth keeps an address in a table of its own; a file that was asked for is on record.
KEPT_BY_LOOKING = {"account_emailaddress", "merchant_auditevent"}


@pytest.fixture
def wrong(people: dict[str, User], things: dict[str, object]) -> Callable[..., list[Any]]:
    """What was answered otherwise than wanted; each browser has asked every address."""
    browsers = {who: signed_in(people[who]) if who in people else Browser() for who in WHO}

    def found(method: str, wanted: Callable[[str, str], str]) -> list[Any]:
        bad = []
        for pattern in sorted(set(walk(get_resolver()))):
            cache.clear()  # nobody asks as often as a test
            for who, browser in browsers.items():
                got = asked_by(browser, method, address_of(pattern, things))
                if got != wanted(who, pattern):
                    bad.append((who, method, pattern, got))
        return bad

    return found


def changed_tables(before: dict[str, str]) -> set[str]:
    """Which tables hold something else now."""
    return {table for table, held in rows().items() if held != before[table]}


def rows() -> dict[str, str]:
    """A hash of what each table holds, but for sessions."""
    found = {}
    with connection.cursor() as cursor:
        for table in sorted(set(connection.introspection.table_names(cursor)) - {"django_session"}):
            cursor.execute(f"SELECT md5(string_agg(each::text, '' ORDER BY each::text)) FROM {table} AS each")
            found[table] = cursor.fetchone()[0]
    return found


def test_no_method_but_three_is_taken_from_anybody_or_changes_anything(wrong: Callable[..., Any]) -> None:
    before = rows()
    assert [each for method in REFUSED for each in wrong(method, lambda *_: "405")] == []
    assert changed_tables(before) == set()


def test_head_is_answered_as_get_to_everybody_and_changes_nothing(wrong: Callable[..., Any]) -> None:
    before = rows()
    assert wrong("HEAD", lambda who, pattern: EXPECTED[pattern, "GET"][who]) == []
    assert changed_tables(before) <= KEPT_BY_LOOKING


@pytest.mark.parametrize("method", [*REFUSED, "PROPFIND", "POST\t"])
def test_a_refused_method_is_told_which_ones_are_taken(ann: Person, method: str) -> None:
    answer = ann.browser.generic(method, "/settings/")
    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD, POST")
    assert "default-src 'self'" in answer["Content-Security-Policy"]
