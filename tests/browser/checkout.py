"""The sandbox's checkout in a browser."""

import re

from playwright.sync_api import Page, expect


def paid_by_card(page: Page) -> str:
    """Mara makes the order that is chosen and pays by a card that is taken; gives the order's id."""
    page.get_by_label("Customer's e-mail").fill("mara@example.com")
    page.get_by_role("button", name="Make the order").click()
    card = page.locator("form", has=page.locator("input[name=with][value=card]"))
    card.get_by_label("Card number").fill("4000 0000 0000 0002")
    card.get_by_role("button").click()
    expect(page.get_by_text("The payment was accepted.")).to_be_visible()
    found = re.search(r"[0-9a-f-]{36}", page.url)
    assert found
    page.context.close()
    return found[0]
