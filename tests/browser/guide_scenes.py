"""The pages that the user's guide shows and speaks of, at one moment of a made-up merchant."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from playwright.sync_api import Page

from fulfillment import actions, tasks
from fulfillment.models import Action, WebhookEvent
from merchant import setup
from merchant.models import Membership, Merchant, RefundRules
from merchant.paysuper.sandbox import Sandbox
from tests.conftest import HARBOUR, HARBOUR_SECRET, LANTERN, PASSWORD, SNOW, SNOW_SECRET, connect
from tests.merchant.sandbox_client import client, pay
from tests.merchant.sandbox_receiver import eventually
from transactions import exporting, exports, sync
from transactions.exporting import asking
from transactions.models import Export, Transaction

_PLAIN = r"^[A-Za-z0-9 +]+$"
NOW = dt.datetime(2026, 10, 14, 9, 30, tzinfo=dt.UTC)
# Whose newest orders are those of plain people; others test what odd names do.
SEED = 26
PAID_NOW = 3
PEOPLE = {"ann": "owner", "otto": "owner", "dora": "developer", "ben": "support", "carla": "accounting"}
PROJECT = f"/settings/projects/{HARBOUR}/"


@dataclass(frozen=True)
class World:
    """The merchant and what the scenes are about."""

    merchant: Merchant
    team: dict[str, Membership]
    order: Transaction
    export: Export


@dataclass(frozen=True)
class Scene:
    """A page as somebody sees it. `picture` says whether the guide shows it."""

    who: str
    address: Callable[[World], str]
    act: Callable[[Page], None] = lambda page: None
    picture: bool = True


def _at(address: str) -> Callable[[World], str]:
    return lambda _: address


def _ask(name: str) -> Callable[[Page], None]:
    """Open the question of one of the card's buttons."""

    def act(page: Page) -> None:
        page.locator(f"#{name}").click()
        page.get_by_role("dialog").get_by_role("heading").wait_for()

    return act


def _open_export_menu(page: Page) -> None:
    page.evaluate("scrollTo(0, 330)")
    page.locator(".list-tools summary", has_text="Export").click()


def _card(world: World) -> str:
    return f"/transactions/{world.order.pk}/"


SCENES = {
    "transactions": Scene("ben", _at("/transactions/?status=processed&status=refunded&status=pending")),
    "card": Scene("ben", _card),
    "refund": Scene("ben", _card, _ask("refund")),
    "mail": Scene("ben", _card, _ask("mail"), picture=False),
    "queue": Scene("ben", _at("/to-fulfil/")),
    "batches": Scene("ben", _at("/batches/"), picture=False),
    "messages": Scene("ben", _at("/messages/"), picture=False),
    "account": Scene("ben", _at("/account/"), picture=False),
    "export-menu": Scene(
        "carla",
        _at("/transactions/?status=processed&period=last_month"),
        _open_export_menu,
    ),
    "export": Scene("carla", lambda world: f"/exports/{world.export.pk}/"),
    "exports": Scene("carla", _at("/exports/"), picture=False),
    "schedules": Scene("carla", _at("/exports/schedules/"), picture=False),
    "schedule": Scene("carla", _at("/exports/schedules/new/?status=processed&period=last_month")),
    "recipes": Scene("carla", _at("/exports/recipes/"), picture=False),
    "projects": Scene("dora", _at("/settings/projects/"), picture=False),
    "project": Scene("dora", _at(PROJECT)),
    "fulfilment": Scene("dora", _at(f"{PROJECT}fulfilment/"), picture=False),
    "mails": Scene("dora", _at(f"{PROJECT}mail/"), picture=False),
    "pages": Scene("dora", _at(f"{PROJECT}pages/"), picture=False),
    "webhooks": Scene("dora", _at("/webhooks/")),
    "webhook": Scene(
        "dora", lambda world: f"/webhooks/{WebhookEvent.objects.latest('pk').pk}/", picture=False
    ),
    "clinic": Scene("dora", _at("/webhooks/signature/"), picture=False),
    "checkout": Scene("dora", _at("/settings/testing/")),
    "team": Scene("ann", _at("/team/")),
    "person": Scene("ann", lambda world: f"/team/{world.team['ben'].pk}/", picture=False),
    "rights": Scene("ann", _at("/team/rights/"), picture=False),
    "settings": Scene("ann", _at("/settings/"), picture=False),
    "rules": Scene("ann", _at("/settings/refunds/")),
    "refunds": Scene("ann", _at("/refunds/")),
    "decide": Scene(
        "ann",
        lambda world: f"/actions/{Action.objects.get(state='awaiting_approval').pk}/decide/",
        picture=False,
    ),
    "going-live": Scene("ann", _at("/settings/going-live/")),
    "operations": Scene("ann", _at("/operations/"), picture=False),
    "audit": Scene("ann", _at("/audit/"), picture=False),
}


def sandbox(address: str) -> Sandbox:
    """A PaySuper whose orders lie in the three weeks before NOW, the same every time."""
    webhooks = f"{address}/webhooks/paysuper/{{project_id}}/"
    return Sandbox(orders=260, seed=SEED, days=21, until=int(NOW.timestamp() * 1000), webhook_url=webhooks)


def world(paysuper: Sandbox) -> World:
    """A merchant in the middle of a working day."""
    merchant = connect(LANTERN, "Lantern Works GmbH", paysuper.url, "sandbox-lantern-owner-token")
    setup.connect_project(merchant, HARBOUR, name="Lantern Harbour", secret_key=HARBOUR_SECRET)
    setup.connect_project(merchant, SNOW, name="Snow Defender", secret_key=SNOW_SECRET)
    rules = {"limit_support": 5, "limit_currency": "EUR", "undo_seconds": 30}
    RefundRules.objects.filter(merchant=merchant).update(**rules)
    team = {
        name: setup.add_member(merchant, f"{name}@lantern.example", PASSWORD, role)
        for name, role in PEOPLE.items()
    }
    with client(paysuper) as api:
        for wish in ({"amount": 24.99}, {"outcome": "rejected"}, {"amount": 9.5}):
            pay(api, project_id=HARBOUR, currency="EUR", **wish)
        eventually(lambda: WebhookEvent.objects.count() == PAID_NOW)
        sync.sync(merchant, full=True)
        for project in (HARBOUR, SNOW):
            address = f"{settings.BASE_URL}/webhooks/paysuper/{project}/"
            api.post("/sandbox/webhooks/url", json={"project_id": project, "url": address})
    sync.read_projects(merchant)
    for event in WebhookEvent.objects.order_by("pk"):
        tasks.process_webhook(event.pk)
    _hand_over_until(merchant, NOW - dt.timedelta(days=2))
    order, another, lost = _orders(merchant)
    ask_for_refund(another, team["ben"])
    ask_for_refund(lost, team["ann"])
    _lose(lost)
    actions.claim(_waiting(merchant), team["ben"])
    return World(merchant, team, order, _export(team["carla"]))


def ask_for_refund(entry: Transaction, membership: Membership) -> None:
    """A refund that waits for a second person."""
    seen = (entry.charge_amount, entry.charge_currency)
    actions.request_refund(
        entry, membership, seen=seen, reason="Purchase not provided", note="The key does not work"
    )


def _lose(entry: Transaction) -> None:
    """The last refund, as it stands when nobody could find out what became of it."""
    outcome = "PaySuper shows no refund, although our request may have arrived."
    Action.objects.filter(transaction=entry).update(state="needs_person", outcome=outcome, look_at=None)
    Transaction.objects.filter(pk=entry.pk).update(refund_state="needs_person")


def _orders(merchant: Merchant) -> list[Transaction]:
    paid = Transaction.objects.filter(
        merchant=merchant, status="processed", type="order", method="BANKCARD", charge_currency="EUR"
    )
    plain = {"customer_name__regex": _PLAIN, "product__regex": _PLAIN, "customer_email__contains": "@"}
    named = paid.filter(charge_amount__gt=5, **plain)
    return list(named.order_by("-fulfilment", "-transaction_id")[:3])


def _hand_over_until(merchant: Merchant, moment: dt.datetime) -> None:
    paid = Transaction.objects.filter(merchant=merchant, status="processed", type="order")
    paid.filter(created_at__lt=moment).update(fulfilment="fulfilled")


def _waiting(merchant: Merchant) -> Transaction:
    paid = Transaction.objects.filter(merchant=merchant, status="processed", type="order")
    return paid.filter(fulfilment="unfulfilled").order_by("paid_at", "pk")[1]


def _export(membership: Membership) -> Export:
    query = "status=processed&period=last_month"
    export = asking.ask(membership, "xlsx", query, [], exports.Layout())
    exporting.make(str(export.pk))
    # The moment of the database, which nobody can set.
    Export.objects.filter(pk=export.pk).update(as_of=NOW)
    export.refresh_from_db()
    return export
