"""Which path under /sandbox/ is answered by whom (docs/sandbox.md)."""

import re
from collections.abc import Callable

import msgspec

from merchant.paysuper.sandbox import control, reports
from merchant.paysuper.sandbox.answers import Answer, plain
from merchant.paysuper.sandbox.calls import Request
from merchant.paysuper.sandbox.pages import checkout, dashboard, markup
from merchant.paysuper.sandbox.world import World

_CONTROL = "/sandbox/control/"

_ROUTES: tuple[tuple[str, str, Callable[[World, Request], Answer]], ...] = (
    ("GET", "/sandbox/", reports.facts),
    ("GET", "/sandbox/dump", reports.dump),
    ("GET", "/sandbox/ledger", reports.ledger),
    ("GET", "/sandbox/requests", reports.requests),
    ("GET", "/sandbox/webhooks", reports.webhooks),
    ("POST", "/sandbox/payments", control.pay),
    ("POST", "/sandbox/orders/[^/]+/chargeback", control.charge_back),
    ("POST", "/sandbox/orders/[^/]+/key", control.replace_key),
    ("POST", "/sandbox/refunds/outcome", control.plan_refunds),
    ("POST", "/sandbox/faults", control.add_faults),
    ("GET", "/sandbox/faults", control.show_faults),
    ("DELETE", "/sandbox/faults", control.clear_faults),
    ("POST", "/sandbox/webhooks/faults", control.add_webhook_faults),
    ("GET", "/sandbox/webhooks/faults", control.show_webhook_faults),
    ("DELETE", "/sandbox/webhooks/faults", control.clear_webhook_faults),
    ("POST", "/sandbox/webhooks/url", control.set_url),
    ("POST", "/sandbox/validations", control.validate),
    ("POST", "/sandbox/token", control.issue_token),
    ("POST", "/sandbox/tokens/expire", control.expire_tokens),
    ("DELETE", "/sandbox/tokens/expire", control.restore_tokens),
    ("GET", "/sandbox/style.css", markup.style),
    ("GET", "/sandbox/control/", dashboard.show),
    ("GET", "/sandbox/checkout/", checkout.show_start),
    ("POST", "/sandbox/checkout/", checkout.create),
    ("GET", "/sandbox/checkout/[^/]+/", checkout.show),
    ("POST", "/sandbox/checkout/[^/]+/", checkout.pay),
)


def answer(world: World, request: Request) -> Answer:
    """Answers one control request; a body that cannot be used is a 400 with the reason."""
    if request.method != "GET" and _is_foreign(request):
        return plain(403, "posted by a page of another site")
    if request.method == "POST" and request.path.startswith(_CONTROL):
        return _from_page(world, request)
    return _routed(world, request)


def _is_foreign(request: Request) -> bool:
    """Whether another site's page sent it; programs send neither header and are trusted."""
    site = request.headers.get("sec-fetch-site")
    if site:
        return site not in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is not None and origin.partition("://")[2] != request.headers.get("host")


def _from_page(world: World, request: Request) -> Answer:
    """A form of the control page does what the same path does without `control/`, then shows the page."""
    path = "/sandbox/" + request.path.removeprefix(_CONTROL)
    clears = path.endswith("/clear")
    inner = Request(
        method="DELETE" if clears else "POST",
        path=path.removesuffix("/clear"),
        headers=request.headers,
        body=request.body,
    )
    return dashboard.after(path, _routed(world, inner))


def _routed(world: World, request: Request) -> Answer:
    for method, path, handler in _ROUTES:
        if method == request.method and re.fullmatch(path, request.path):
            try:
                return handler(world, request)
            except (msgspec.DecodeError, msgspec.ValidationError, re.error) as error:
                return plain(400, str(error))
    return plain(404, "Not Found")
