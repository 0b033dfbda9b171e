"""The list in a browser: what stands in it, what arrives in it, and whether everybody can use it."""

import uuid
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page

from merchant.models import Merchant
from transactions.models import Transaction

LIST = "/transactions/"
GRAVE = ("serious", "critical")
# A desk and a phone, by day and by night.
KINDS = [
    {"viewport": {"width": width, "height": 800}, "color_scheme": scheme}
    for width in (1280, 360)
    for scheme in ("light", "dark")
]


def titles(page: Page) -> list[str]:
    return [
        text.strip()
        for text in page.locator(".rows thead th:not(.cell-select)").all_inner_texts()
        if text.strip()
    ]


def arrive(merchant: Merchant, number: int = 1) -> None:
    """So many new payments."""
    newest = Transaction.objects.filter(merchant=merchant, type="order").latest("created_at")
    for _ in range(number):
        newest.pk, newest.created_at, newest.status = uuid.uuid4(), timezone.now(), "processed"
        newest.save(force_insert=True)


def look(page: Page) -> None:
    """As if the time for a look had come."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def check(page: Page, screenshots: Path, name: str) -> None:
    """Nothing grave for people who do not see it, no wider than the window; and a picture to look at."""
    page.screenshot(path=screenshots / f"list-{name}.png")
    found = [each for each in Axe().run(page).response["violations"] if each["impact"] in GRAVE]
    assert not found, (name, [(each["id"], each["nodes"][0]["html"]) for each in found])
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
