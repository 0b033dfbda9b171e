"""An activation key is shown when it is asked for, to whoever may see it, and that is noted."""

from collections.abc import Callable

import pytest

from merchant.models import AuditEvent, Merchant
from tests.conftest import Person, signed_in
from tests.merchant.examples import load
from tests.transactions.cards import KEYS, address
from tests.transactions.test_pages import keep, seen, text

# Activation keys ---------------------------------------------------------------------------------


def test_a_key_is_shown_when_asked_for_and_that_is_noted(ben: Person, lantern: Merchant) -> None:
    entry = keep(lantern, KEYS)
    first, second = (item["code"] for item in load(KEYS)["items"])
    before = text(ben.browser, address(entry))
    assert before.count("Show key") == 2
    assert first not in before
    answer = ben.browser.post(address(entry, "items/0/key/"))
    assert first in answer.content.decode()
    assert second not in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    event = AuditEvent.objects.get(event="key.shown")
    assert (event.user, event.subject, event.data) == (ben.membership.user, str(entry.pk), {"position": 0})
    after = text(ben.browser, address(entry))
    assert first not in after
    assert "Activation key shown Lantern Harbour – Standard" in seen(after)


def test_an_old_session_gives_its_password_before_it_sees_a_key(ben: Person, lantern: Merchant) -> None:
    entry = keep(lantern, KEYS)
    answer = signed_in(ben.membership.user, minutes_ago=31).post(address(entry, "items/0/key/"))
    assert answer["Location"].startswith("/accounts/reauthenticate/?next=%2Ftransactions%2F")
    assert not AuditEvent.objects.filter(event="key.shown").exists()


def test_a_key_stays_out_of_the_logs(ben: Person, lantern: Merchant, caplog) -> None:
    entry = keep(lantern, KEYS)
    ben.browser.post(address(entry, "items/0/key/"))
    assert load(KEYS)["items"][0]["code"] not in caplog.text


def test_htmx_gets_the_key_and_the_timeline_alone(ben: Person, lantern: Merchant) -> None:
    entry = keep(lantern, KEYS)
    answer = ben.browser.post(address(entry, "items/1/key/"), headers={"HX-Request": "true"})
    page = answer.content.decode()
    assert "<html" not in page
    assert load(KEYS)["items"][1]["code"] in page
    assert 'hx-swap-oob="true"' in page
    assert "HX-Request" in answer["Vary"]


@pytest.mark.parametrize("position", [2, 99, 10**30])
def test_there_is_no_key_where_there_is_no_item(ben: Person, lantern: Merchant, position: int) -> None:
    entry = keep(lantern, KEYS)
    assert ben.browser.post(address(entry, f"items/{position}/key/")).status_code == 404
    assert not AuditEvent.objects.filter(event="key.shown").exists()


def test_accounting_cannot_see_keys(as_role: Callable, lantern: Merchant) -> None:
    browser, entry = as_role("accounting"), keep(lantern, KEYS)
    assert "Show key" not in text(browser, address(entry))
    assert browser.post(address(entry, "items/0/key/")).status_code == 403
