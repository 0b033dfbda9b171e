"""What must hold after the worst of days; each proof gives the figures that it was made with."""

import contextlib
import hashlib
from collections import Counter
from collections.abc import Iterable
from uuid import UUID

from tests.faults.installation import Installation
from tests.faults.worst_day import MERCHANT, eventually

Figures = dict[str, object]


def money_moved_once(installation: Installation, orders: Iterable[UUID]) -> Figures:
    """PaySuper's ledger has each of these orders refunded exactly once where staff asked, and never twice."""
    asked = installation.rows("SELECT transaction_id, state, outcome FROM fulfillment_action")
    ledger = installation.desk.api.get("/sandbox/ledger").json()
    ours = set(map(str, orders))
    refunded = {order: count for order, count in ledger["completed"].items() if order in ours}
    assert set(refunded.values()) <= {1}, "money went back twice"
    assert len(ledger["refunds"]) == len({each["order"] for each in ledger["refunds"]})
    assert set(refunded) <= {str(each["transaction_id"]) for each in asked}, "nobody asked for this refund"
    for each in asked:
        went_back = refunded.get(str(each["transaction_id"]), 0)
        assert (each["state"] == "refunded") == (went_back == 1), each
        # Nobody knows whether such a request arrived: a person is told so.
        assert each["state"] in ("refunded", "needs_person"), each
    states = Counter(each["state"] for each in asked)
    return {"refunds asked for": len(asked), "refunded once": len(refunded), "by state": dict(states)}


def nothing_is_stuck_unlisted(installation: Installation) -> Figures:
    """Whatever has no end stands on the page of refunds."""
    stuck = installation.rows("SELECT transaction_id FROM fulfillment_action WHERE state = 'needs_person'")
    with contextlib.closing(installation.signed_in()) as browser:
        page = browser.get("/refunds/").text
    assert all(f"/transactions/{each['transaction_id']}/" in page for each in stuck[:100])
    return {"listed for a person": len(stuck)}


def no_webhook_was_lost(installation: Installation) -> Figures:
    """What PaySuper counts as delivered is stored and processed, and nothing that was forged is."""
    deliveries = installation.desk.api.get("/sandbox/webhooks").json()["webhooks"]
    accepted = {each["order"] for each in deliveries if each["state"] == "delivered"}
    stored = installation.rows("SELECT order_uuid, state, deliveries FROM fulfillment_webhookevent")
    assert accepted <= {str(each["order_uuid"]) for each in stored}, "a webhook was answered and lost"
    assert {each["state"] for each in stored} <= {"processed", "ignored"}
    told = sum(each["deliveries"] for each in stored)
    return {"orders told of": len(accepted), "webhooks stored": len(stored), "deliveries": told}


def the_mirror_equals_the_source(installation: Installation) -> Figures:
    """After one more sync no order differs from what PaySuper says of it."""
    sync = ("sync_transactions", "--merchant-id", MERCHANT)
    eventually(lambda: installation.manage(*sync)[0] == 0, 60, "sync")
    code, said = installation.manage("check_drift", "--merchant-id", MERCHANT, "--deep")
    assert code == 0, said
    words = [line for line in said.splitlines() if line and not line.startswith("{")]  # the log is beside it
    return {"drift": words[-1] if words else "none"}


def every_delivery_was_kept(installation: Installation, delivered: Iterable[str]) -> Figures:
    """Each event that was answered 200 is stored, and its processing has ended."""
    stored = installation.rows("SELECT event_id, state FROM fulfillment_webhookevent")
    ended = {each["event_id"] for each in stored if each["state"] in ("processed", "ignored")}
    lost = set(delivered) - ended
    assert not lost, f"{len(lost)} webhooks were answered and lost"
    return {"webhooks of the load": len(set(delivered))}


def every_export_ended(installation: Installation, patience: float = 600) -> Figures:
    """No export waits for ever, and each file that is ready is what the row says of it."""
    waiting = "SELECT count(*) AS n FROM transactions_export WHERE state IN ('waiting', 'running')"

    def quiet() -> bool:
        installation.revive()
        return installation.rows(waiting)[0]["n"] == 0

    eventually(quiet, patience, "an export does not end")
    rows = installation.rows("SELECT file_name, sha256, state FROM transactions_export")
    for each in rows:
        if each["state"] == "ready":
            content = (installation.folder / "exports" / each["file_name"]).read_bytes()
            assert hashlib.sha256(content).hexdigest() == each["sha256"], each
    took = "SELECT extract(epoch FROM finished_at - created_at)::float AS s FROM transactions_export"
    seconds = sorted(each["s"] for each in installation.rows(f"{took} WHERE state = 'ready'"))
    slowest = (
        f"{seconds[len(seconds) // 2]:.1f} s in the middle, {seconds[-1]:.1f} s at most" if seconds else "–"
    )
    return {"exports": dict(Counter(each["state"] for each in rows)), "exports took": slowest}


def the_audit_is_whole(installation: Installation) -> Figures:
    """Nothing of the record of who did what was changed, and none is missing."""
    code, said = installation.manage("verify_audit")
    assert code == 0, said
    [counted] = installation.rows("SELECT count(*) AS n FROM merchant_auditevent")
    return {"audit": f"{counted['n']:,} entries, whole"}


def all_holds(installation: Installation, orders: Iterable[UUID]) -> Figures:
    """All proofs, with their figures."""
    return {
        **money_moved_once(installation, orders),
        **nothing_is_stuck_unlisted(installation),
        **no_webhook_was_lost(installation),
        **the_mirror_equals_the_source(installation),
    }
