"""What the sandbox tells about itself: facts, dump, ledger, requests, deliveries."""

from collections import Counter
from collections.abc import Iterator

from msgspec.structs import asdict

from merchant.paysuper.sandbox.answers import Answer, ok, plain
from merchant.paysuper.sandbox.calls import Request
from merchant.paysuper.sandbox.catalogue import MERCHANT_BY_ID, MERCHANTS, PROJECTS, TOKENS
from merchant.paysuper.sandbox.gojson import encode
from merchant.paysuper.sandbox.orders import REFUND_COMPLETED
from merchant.paysuper.sandbox.tokens import REFRESH_TOKENS
from merchant.paysuper.sandbox.world import World

_LINES_PER_CHUNK = 100


def facts(world: World, _request: Request) -> Answer:
    """Everything that a client of the sandbox has to be told."""
    statuses: dict[str, Counter[str]] = {merchant.id: Counter() for merchant in MERCHANTS}
    for order in list(world.store.orders.values()):
        statuses[PROJECTS[order.project_id].merchant_id][f"{order.row_type}.{order.status}"] += 1
    return ok(
        {
            "pages": ["/sandbox/checkout/", "/sandbox/control/"],
            "generation": 2019 if world.is_2019 else 2021,
            "merchants": [{"id": m.id, "name": m.name, "orders": statuses[m.id]} for m in MERCHANTS],
            "projects": [
                asdict(project) | asdict(world.store.projects[project.id]) for project in PROJECTS.values()
            ],
            "tokens": {token: asdict(user) for token, user in TOKENS.items()},
            "refresh_tokens": {token: user.user_id for token, user in REFRESH_TOKENS.items()},
            "orders": len(world.store.orders),
            "refunds": len(world.store.refunds),
            "webhooks": len(world.store.webhooks),
        }
    )


def dump(world: World, request: Request) -> Answer:
    """All orders of `?merchant=` as the API shows them, one JSON document a line, oldest first."""
    merchant_id = request.parameters().get("merchant", [MERCHANTS[0].id])[0]
    if merchant_id not in MERCHANT_BY_ID:
        return plain(404, "no such merchant")
    return Answer(200, headers={"Content-Type": "application/x-ndjson"}, chunks=_lines(world, merchant_id))


def _lines(world: World, merchant_id: str) -> Iterator[bytes]:
    uuids = world.store.window(merchant_id, None, None)
    for start in range(0, len(uuids), _LINES_PER_CHUNK):
        orders = [world.order_of(uuid, merchant_id) for uuid in uuids[start : start + _LINES_PER_CHUNK]]
        lines = [encode(world.shown(order)) + b"\n" for order in orders if order]
        if lines:
            yield b"".join(lines)


def ledger(world: World, _request: Request) -> Answer:
    """Every refund ever, and how many were completed per order: more than one is money lost."""
    refunds = list(world.store.refunds.values())
    shown = ("id", "order", "status", "amount", "currency", "creator_id", "reason", "created")
    completed = Counter(refund.order for refund in refunds if refund.status == REFUND_COMPLETED)
    return ok(
        {
            "refunds": [{name: getattr(refund, name) for name in shown} for refund in refunds],
            "completed": completed,
        }
    )


def requests(world: World, request: Request) -> Answer:
    """How often each path was asked; `?path=` is a pattern, `?method=` a method."""
    query = request.parameters()
    found = world.tally.matching(query.get("path", [""])[0], query.get("method", [""])[0].upper())
    return ok({"count": sum(int(str(row["count"])) for row in found), "requests": found})


def webhooks(world: World, _request: Request) -> Answer:
    """The delivery log, oldest first."""
    return ok({"webhooks": world.delivery.log()})
