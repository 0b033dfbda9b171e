"""The card leads on through the list that it was opened from, and back to it."""

import html
from urllib.parse import urlencode

import pytest

from fulfillment.forms import REASONS
from merchant.models import Merchant
from tests.conftest import Person
from tests.transactions import rows
from tests.transactions.cards import CARD, address
from tests.transactions.test_pages import keep, text
from transactions import paging
from transactions.models import Transaction

# Through the list --------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [*paging.ORDERS, "nonsense"])
@pytest.mark.parametrize("query", ["", "status=processed&currency=EUR", "type=refund&size=25"])
def test_next_walks_the_list_as_filtered_and_previous_walks_back(
    ann: Person, lantern: Merchant, order: str, query: str
) -> None:
    rows.fill(lantern, 60)
    found = Transaction.objects.filter(merchant=lantern)
    found = found.filter(status="processed", charge_currency="EUR") if "EUR" in query else found
    found = found.filter(type="refund") if "refund" in query else found
    entries = list(paging.ordered(found, order))
    for index, entry in enumerate(entries):
        before, after = paging.neighbours(found, order, entry)
        assert before == (entries[index - 1].pk if index else None)
        assert after == (entries[index + 1].pk if index + 1 < len(entries) else None)


def test_the_card_leads_to_its_neighbours_and_back_to_its_row(ann: Person, mirrored: Merchant) -> None:
    query = "status=processed&sort=date&size=25"
    found = list(paging.ordered(mirrored.transactions.filter(status="processed"), "date"))
    listed = ann.browser.get(f"/transactions/?{query}")
    end = f"?{urlencode({'in': query})}"
    assert f'href="/transactions/{found[3].pk}/{end}"' in listed.content.decode()
    page = html.unescape(text(ann.browser, f"/transactions/{found[3].pk}/{end}"))
    assert f'href="/transactions/{found[2].pk}/{end}" rel="prev"' in page
    assert f'href="/transactions/{found[4].pk}/{end}" rel="next"' in page
    assert f'href="/transactions/?{query}#tx-{found[3].pk}"' in page
    first = html.unescape(text(ann.browser, f"/transactions/{found[0].pk}/{end}"))
    assert 'rel="prev"' not in first


@pytest.mark.parametrize("query", ["status=nonsense", "q=a%00b", "from=x&sort=y&cursor=z", "in=in", "%"])
def test_a_card_opens_from_lists_that_make_no_sense(ann: Person, lantern: Merchant, query: str) -> None:
    entry = keep(lantern, CARD)
    assert ann.browser.get(address(entry), {"in": query}).status_code == 200


def test_neighbours_are_of_ones_own_merchant(ann: Person, lantern: Merchant, copper: Merchant) -> None:
    entry = keep(lantern, CARD)
    page = text(ann.browser, address(entry))
    assert 'rel="prev"' not in page
    assert 'rel="next"' not in page


@pytest.mark.parametrize("page", ["http://[bad", "", "https://evil.example/?in=x", "/transactions/?in=x"])
def test_acts_from_elsewhere_return_to_the_plain_card(ben: Person, lantern: Merchant, page: str) -> None:
    entry = keep(lantern, CARD)
    answer = ben.browser.post(address(entry, "notes/"), {"text": "x"}, headers={"Referer": page})
    assert answer["Location"] == address(entry, "#timeline")


@pytest.mark.parametrize("act", ["fulfil", "refund"])
def test_what_is_done_in_a_dialog_keeps_the_list(ben: Person, lantern: Merchant, act: str) -> None:
    entry = keep(lantern, CARD)
    here = f"http://testserver{address(entry, '?in=q%3Dmara')}"
    fields = {"reason": REASONS[0], "seen_amount": "11.89", "seen_currency": "EUR", "note": ""}
    headers = {"HX-Request": "true", "HX-Current-URL": here}
    answer = ben.browser.post(address(entry, f"{act}/"), fields, headers=headers)
    assert answer["HX-Redirect"] == address(entry, "?in=q%3Dmara")
