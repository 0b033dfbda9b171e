"""Where the wall is lifted, and that requests and tasks stand behind it."""

import ast
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from fulfillment.models import Action, WebhookEvent
from fulfillment.tasks import process_webhook
from merchant import audit, walls
from merchant.access import Right, requires
from merchant.celery import app
from merchant.models import Membership, Merchant
from merchant.walls.tasks import WalledTask
from tests.conftest import Person
from transactions import filters, selection
from transactions.models import Export, Note, RawOrder, Transaction
from transactions.views import listing

PACKAGES = ("merchant", "transactions", "fulfillment")
# Each of these looks over all merchants, or finds out whose turn it is. Think twice of one more.
LIFTED = {
    "fulfillment/tasks.py: sweep_actions",
    "fulfillment/tasks.py: sweep_batches",
    "fulfillment/tasks.py: sweep_messages",
    "fulfillment/tasks.py: sweep_server_calls",
    "fulfillment/tasks.py: sweep_webhooks",
    "fulfillment/views/operations.py: metrics",
    "fulfillment/views/receipts.py: _entry",
    "fulfillment/views/returning.py: _page",
    "fulfillment/views/returning.py: return_logo",
    "fulfillment/webhooks.py: _take",
    "merchant/accounts.py: Backend",
    "merchant/accounts.py: record",
    "merchant/invitations.py: by_hash",
    "merchant/tasks.py: sweep_mails",
    "merchant/tasks.py: verify_audit",
    "merchant/walls/scopes.py: only_of",
    "merchant/walls/statements.py: copying",
    "transactions/tasks.py: everybody",
    "transactions/tasks.py: read_all_projects",
    "transactions/tasks.py: sweep_exports",
    "transactions/tasks.py: sweep_schedules",
}


def places(name: str) -> set[str]:
    """File and outermost function of every call of a function of this name."""
    found = set()
    for file in sorted(path for package in PACKAGES for path in (settings.BASE_DIR / package).rglob("*.py")):
        for function in ast.parse(file.read_text()).body:
            called = {
                getattr(node.func, "attr", getattr(node.func, "id", ""))
                for node in ast.walk(function)
                if isinstance(node, ast.Call)
            }
            if name in called:
                found.add(f"{Path(file).relative_to(settings.BASE_DIR)}: {getattr(function, 'name', '')}")
    return found


def test_the_wall_is_lifted_in_few_places() -> None:
    assert places("lifted") == LIFTED


def test_every_task_begins_behind_the_wall(mirrored: Merchant) -> None:
    app.autodiscover_tasks(PACKAGES, force=True)
    ours = {name: task for name, task in app.tasks.items() if name.startswith(PACKAGES)}
    assert len(ours) > 10
    assert {name for name, task in ours.items() if not isinstance(task, WalledTask)} == set()

    @app.task(name="tests.count_what_is_seen")
    def count() -> int:
        return Transaction.objects.count()

    assert Transaction.objects.count() > 0
    assert count() == 0
    with walls.only(mirrored.pk):
        assert count.apply().get() == 0


def test_every_statement_of_a_page_is_sent_as_the_role(ann: Person, mirrored: Merchant) -> None:
    addresses = ("/", "/transactions/", f"/transactions/{mirrored.transactions.first().pk}/", "/webhooks/")
    for address in addresses:
        with CaptureQueriesContext(connection) as captured:
            assert ann.browser.get(address).status_code == 200
        # A server-side cursor has its settings sent before it.
        apart = ("SAVEPOINT", "RELEASE", "DECLARE")
        sent = [each["sql"] for each in captured if not each["sql"].startswith(apart)]
        open_ones = [sql for sql in sent if "SET LOCAL ROLE paysuper_member" not in sql]
        # Whose page it is.
        assert len(open_ones) == 1, "\n".join(open_ones)
        assert "merchant_membership" in open_ones[0]


def test_a_page_that_forgets_its_filters_shows_nothing_of_others(
    ann: Person, cleo: Person, mirrored: Merchant, copper: Merchant, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = Transaction.objects.filter(merchant=copper)
    monkeypatch.setattr("merchant.access.get_object_or_404", lambda rows, merchant, **by: rows.get(**by))
    foreign = theirs.first()
    with pytest.raises(Transaction.DoesNotExist):
        ann.browser.get(f"/transactions/{foreign.pk}/")
    assert cleo.browser.get(f"/transactions/{foreign.pk}/").status_code == 200
    monkeypatch.setattr(
        filters.TransactionFilter, "found", property(lambda _: Transaction.objects.all()), raising=False
    )
    shown = ann.browser.get("/transactions/?size=100").context["page"].rows
    assert shown
    assert not {row["uuid"] for row in shown} & set(theirs.values_list("pk", flat=True))


def test_the_wall_holds_where_a_request_is_given_another_merchant(
    ann: Person, copper: Merchant, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    @requires(Right.VIEW)
    def view(request, **_) -> object:
        rows = (Transaction, RawOrder, Note, Export, WebhookEvent, Action, Membership)
        seen.extend(row for model in rows for row in model._base_manager.all())
        seen.extend(selection.Transaction.objects.filter(merchant=copper))
        return listing.render(request, "403.html")

    with monkeypatch.context() as patched:
        patched.setattr("django.core.handlers.base.BaseHandler.resolve_request", lambda *_: (view, (), {}))
        ann.browser.get("/")
    assert {row.merchant_id for row in seen} == {ann.membership.merchant_id}


def test_what_is_sent_piece_by_piece_is_read_behind_the_same_wall(
    ann: Person, cleo: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    for who in (ann, cleo):
        audit.record(who.membership.merchant, who.membership.user, "wall.tested", who.membership.user.email)
    # As in a process that serves requests, where nothing is seen outside of them.
    monkeypatch.setattr(walls.scopes, "_outside", walls.scopes.NOBODY)
    answer = ann.browser.get("/audit/export/")
    assert answer.streaming
    text = answer.getvalue().decode()
    assert "ann@example.com" in text
    assert "cleo@example.com" not in text


def test_the_anonymous_see_nothing(mirrored: Merchant, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr("merchant.views._pulses", lambda: seen.append(Transaction.objects.count()) or {})
    Browser().get("/readyz")
    assert set(seen) == {0}


def test_a_webhook_of_one_merchant_is_worked_through_behind_the_wall(
    mirrored: Merchant, copper: Merchant, harbour, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = mirrored.created_at
    entry = mirrored.transactions.filter(type="order").first()
    event = WebhookEvent.objects.create(
        merchant=mirrored,
        project=harbour,
        event_id="a",
        object_hash="b",
        event="payment.success",
        body="{}",
        order_uuid=entry.pk,
        last_received_at=now,
        try_at=now,
    )
    seen = []
    monkeypatch.setattr(
        "fulfillment.tasks.automatic.begin",
        lambda *_: seen.extend(Transaction.objects.values_list("merchant", flat=True).distinct()),
    )
    monkeypatch.setattr("fulfillment.tasks.sync_soon", lambda _: None)
    process_webhook(event.pk)
    event.refresh_from_db()
    assert (event.state, seen) == ("processed", [mirrored.pk])
