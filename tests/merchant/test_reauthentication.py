"""The password is asked for once more when it was given too long ago, and nothing typed is lost."""

import pytest
from django.test import Client as Browser

from fulfillment.models import Action
from tests.conftest import PASSWORD, Person, signed_in
from tests.fulfillment.desk import desk, order
from tests.fulfillment.refunding import form
from transactions.models import Transaction

__all__ = ["desk", "order"]
LATE = 31


def password(browser: Browser, way: str, word: str = PASSWORD):
    """What the password page does; it knows from its address where to go on."""
    return browser.post("/accounts/reauthenticate/", {"password": word, "next": way})


def test_with_a_recent_password_nobody_is_asked(ben: Person, order: Transaction) -> None:
    browser = signed_in(ben.membership.user, minutes_ago=29)
    assert (
        browser.post(f"/transactions/{order.pk}/refund/", form(order))["Location"]
        == f"/transactions/{order.pk}/"
    )
    assert Action.objects.count() == 1


def test_signing_in_by_the_page_counts_as_giving_the_password(ben: Person, order: Transaction) -> None:
    browser = Browser()
    browser.post("/accounts/login/", {"login": ben.membership.user.email, "password": PASSWORD})
    browser.post(f"/transactions/{order.pk}/refund/", form(order))
    assert Action.objects.count() == 1


@pytest.mark.parametrize("minutes", [LATE, 60 * 11, -10])
def test_an_old_session_is_asked_for_the_password_and_nothing_is_requested(
    ben: Person, order: Transaction, minutes: float
) -> None:
    browser = signed_in(ben.membership.user, minutes_ago=minutes)
    way = f"/transactions/{order.pk}/refund/"
    answer = browser.post(way, form(order))
    assert answer["Location"] == f"/accounts/reauthenticate/?next=%2Ftransactions%2F{order.pk}%2Frefund%2F"
    assert not Action.objects.exists()


def test_a_session_that_does_not_know_when_is_asked_too(ben: Person, order: Transaction) -> None:
    browser = Browser()
    browser.force_login(ben.membership.user)
    browser.post(f"/transactions/{order.pk}/refund/", form(order))
    assert not Action.objects.exists()


def test_htmx_is_sent_to_the_password_page_whole(ben: Person, order: Transaction) -> None:
    browser = signed_in(ben.membership.user, minutes_ago=LATE)
    answer = browser.post(f"/transactions/{order.pk}/refund/", form(order), headers={"HX-Request": "true"})
    assert answer["HX-Redirect"].startswith("/accounts/reauthenticate/?next=")
    assert not Action.objects.exists()


def test_after_the_password_the_form_is_there_as_it_was_filled_in_and_can_be_sent(
    ben: Person, order: Transaction
) -> None:
    browser, way = signed_in(ben.membership.user, minutes_ago=LATE), f"/transactions/{order.pk}/refund/"
    filled = form(order, reason="Card data was stolen", note="their bank called & asked")
    asked = browser.post(way, filled)["Location"]
    assert "what you filled in is kept" in browser.get(asked).content.decode()
    back = password(browser, way)
    assert back["Location"] == way
    page = browser.get(way).content.decode()
    assert '<option value="Card data was stolen" selected>' in page
    assert "their bank called &amp; asked" in page
    assert not Action.objects.exists()
    assert browser.post(way, filled)["Location"] == f"/transactions/{order.pk}/"
    assert Action.objects.get().note == "their bank called & asked"


def test_what_was_filled_in_is_shown_once(ben: Person, order: Transaction) -> None:
    browser, way = signed_in(ben.membership.user, minutes_ago=LATE), f"/transactions/{order.pk}/refund/"
    browser.post(way, form(order, note="as told by phone"))
    assert "as told by phone" not in browser.get(way).content.decode()  # not before the password
    password(browser, way)
    assert "as told by phone" in browser.get(way).content.decode()
    assert "as told by phone" not in browser.get(way).content.decode()


def test_a_wrong_password_leads_nowhere(ben: Person, order: Transaction) -> None:
    browser, way = signed_in(ben.membership.user, minutes_ago=LATE), f"/transactions/{order.pk}/refund/"
    browser.post(way, form(order))
    assert password(browser, way, "not the password").status_code == 200
    browser.post(way, form(order))
    assert not Action.objects.exists()


def test_an_amount_that_changed_during_the_detour_is_shown(ben: Person, order: Transaction) -> None:
    browser, way = signed_in(ben.membership.user, minutes_ago=LATE), f"/transactions/{order.pk}/refund/"
    browser.post(way, form(order))
    password(browser, way)
    Transaction.objects.filter(pk=order.pk).update(charge_amount=order.charge_amount + 1)
    assert "The amount has changed" in browser.get(way).content.decode()


def test_the_way_back_is_never_to_another_site(ben: Person) -> None:
    browser = signed_in(ben.membership.user, minutes_ago=LATE)
    assert password(browser, "https://evil.example/")["Location"].startswith("/")
