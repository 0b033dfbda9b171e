"""The control page: forms over the control API, and what is set, happened and was sent."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from heapq import nlargest

from merchant.paysuper.sandbox.answers import Answer
from merchant.paysuper.sandbox.calls import Request
from merchant.paysuper.sandbox.catalogue import CURRENCIES, METHODS, PROJECTS
from merchant.paysuper.sandbox.orders import Order
from merchant.paysuper.sandbox.pages.markup import (
    NOTHING,
    Html,
    alert,
    code,
    field,
    fill,
    join,
    money,
    page,
    redirect,
    select,
    table,
)
from merchant.paysuper.sandbox.world import World

_SHOWN = 15
_FORM = """<form class="fields" method="post" action="/sandbox/control/{action}">{fields}
<button{second}>{button}</button></form>"""
_SECTION = "<section><h2>{title}</h2>\n{parts}</section>"
_ACT = """<form class="inline" method="post" action="/sandbox/control/orders/{uuid}/{act}">
<button class="second">{text}</button></form>"""
_LOOK_UP = """<form class="fields" method="get" action="/sandbox/control/">{field}
<button class="second">Find</button></form>"""
_DONE = {
    "allowed": "The project lets this customer pay.",
    "refused": "The project does not let this customer pay, or did not answer.",
    "done": "Done.",
}
_PROJECT_NAMES = {project.id: project.name["en"] for project in PROJECTS.values()}
_KINDS = ("simple", "product", "key", "virtual_currency")
_OUTCOMES = ("processed", "rejected", "canceled", "pending", "created")
_REFUNDS = ("completed", "declined", "canceled", "stuck_at_0", "stuck_at_2", "refused")
_FAULTS = ("latency", "status", "reset", "lost_answer", "truncated", "expired_token", "no_race_guard")
_WEBHOOK_FAULTS = ("duplicate", "delay", "swap", "wrong_signature", "drop", "regress")


def show(world: World, request: Request) -> Answer:
    """The whole page; `?order=` finds one order."""
    query = request.parameters()
    done = _DONE.get(query.get("done", [""])[0], "")
    parts = [fill('<p class="done" role="status">{done}</p>', done=done) if done else NOTHING]
    parts += [_orders(world, query.get("order", [""])[0].strip())]
    parts += [make(world) for make in _SECTIONS]
    return page("Control", join(parts))


def after(path: str, answer: Answer) -> Answer:
    """What a form is answered with: the page again, or what is wrong with the form."""
    if answer.headers:
        return answer  # a page already
    said = json.loads(answer.body)
    if answer.status >= 400:  # noqa: PLR2004 - the classes of HTTP
        back = Html('<p><a href="/sandbox/control/">Back to the control page</a></p>')
        return page("Not done", join([alert(said["message"]), back]), status=answer.status)
    done = "done"
    if path.endswith("/validations"):
        done = "allowed" if said["allowed"] else "refused"
    return redirect(f"/sandbox/control/?done={done}")


def _section(title: str, *parts: Html) -> Html:
    return fill(_SECTION, title=title, parts=join(parts))


def _form(action: str, button: str, *fields: Html, second: bool = False) -> Html:
    style = Html(' class="second"') if second else NOTHING
    return fill(_FORM, action=action, button=button, fields=join(fields), second=style)


def _choice(label: str, name: str, values: tuple[str, ...]) -> Html:
    return select(label, name, {value: value.replace("_", " ") for value in values})


def _orders(world: World, wanted: str) -> Html:
    if wanted:
        found = [order for order in (world.store.orders.get(wanted),) if order]
    else:
        found = nlargest(_SHOWN, list(world.store.orders.values()), key=lambda order: order.created)
    heads = ("Created (UTC)", "Status", "Do", "Amount", "Project", "Order")
    rows = [
        (
            _time(o.created),
            o.status,
            _acts(o),
            money(o.amount, o.currency),
            _PROJECT_NAMES[o.project_id],
            _link(o),
        )
        for o in found
    ]
    look_up = fill(_LOOK_UP, field=field("Find an order", "order", value=wanted, placeholder="uuid"))
    return _section("Orders", table("Found" if wanted else "Newest", heads, rows), look_up)


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _link(order: Order) -> Html:
    if order.parent:
        return fill("<code>{uuid}</code> (refund row)", uuid=order.uuid)
    return fill('<a href="/sandbox/checkout/{uuid}/"><code>{uuid}</code></a>', uuid=order.uuid)


def _acts(order: Order) -> Html:
    if order.status != "processed" or order.parent:
        return NOTHING
    acts = {"chargeback": "Charge back"} | ({"key": "Replace key"} if order.kind == "key" else {})
    return join(fill(_ACT, uuid=order.uuid, act=act, text=text) for act, text in acts.items())


def _payments(_world: World) -> Html:
    form = _form(
        "payments",
        "Pay",
        select("Project", "project_id", _PROJECT_NAMES),
        _choice("Kind", "kind", _KINDS),
        _choice("Currency", "currency", tuple(CURRENCIES)),
        field("Amount", "amount", "blank: as it comes", inputmode="decimal"),
        _choice("Method", "method", tuple(METHODS)),
        _choice("Outcome", "outcome", _OUTCOMES),
    )
    return _section("New payment", form)


def _refunds(world: World) -> Html:
    planned = world.refunds.plan.planned
    count = "until changed" if planned.count is None else f"{planned.count} times"
    text = fill(
        "<p>Next refunds: <strong>{outcome}</strong>, {count}.</p>", outcome=planned.outcome, count=count
    )
    number = field("How many", "count", "blank: until changed", inputmode="numeric")
    form = _form("refunds/outcome", "Plan", _choice("Outcome", "outcome", _REFUNDS), number)
    return _section("Outcome of the next refunds", text, form)


def _faults(world: World) -> Html:
    heads = ("Kind", "Method", "Path", "Status", "Seconds", "Retry-After", "Times", "Probability")
    rows = [
        (
            f.kind,
            f.method or "all",
            f.path or "all",
            f.status,
            f.seconds,
            f.retry_after or "",
            _times(f.count),
            f.probability,
        )
        for f in world.faults.pending()
    ]
    form = _form(
        "faults",
        "Set",
        _choice("Kind", "kind", _FAULTS),
        select("Method", "method", {"": "all", "GET": "GET", "POST": "POST", "PATCH": "PATCH", "PUT": "PUT"}),
        field("Path", "path", "a pattern; blank: all"),
        field("Status", "status", "for kind status; blank: 503", inputmode="numeric"),
        field("Seconds", "seconds", "for kind latency; blank: 0.1", inputmode="decimal"),
        field("Retry-After", "retry_after", "for kind status"),
        field("Times", "count", "blank: until cleared", inputmode="numeric"),
        field("Probability", "probability", "blank: 1", inputmode="decimal"),
    )
    clear = _form("faults/clear", "Clear all", second=True)
    return _section("Faults of the API", table("Set", heads, rows), form, clear if rows else NOTHING)


def _times(count: int | None) -> str:
    return "until cleared" if count is None else str(count)


def _webhook_faults(world: World) -> Html:
    rows = [(f.kind, f.seconds, _times(f.count)) for f in world.webhook_faults.pending()]
    form = _form(
        "webhooks/faults",
        "Set",
        _choice("Kind", "kind", _WEBHOOK_FAULTS),
        field("Seconds", "seconds", "for delay and swap", inputmode="decimal"),
        field("Times", "count", "blank: once", inputmode="numeric"),
    )
    clear = _form("webhooks/faults/clear", "Clear all", second=True)
    faults = table("Set", ("Kind", "Seconds", "Times"), rows)
    return _section("Faults of webhooks", faults, form, clear if rows else NOTHING)


def _tokens(_world: World) -> Html:
    one = field("Access token", "token", "blank: all", autocomplete="off")
    restore = _form("tokens/expire/clear", "Make the fixed tokens good again", second=True)
    return _section("Access tokens", _form("tokens/expire", "Expire", one), restore)


def _projects(world: World) -> Html:
    known = world.store.projects
    rows = [
        (name, code(key), known[key].url or "none", code(known[key].secret))
        for key, name in _PROJECT_NAMES.items()
    ]
    address = field("Webhook address", "url", "blank: no webhooks", type="url")
    projects = select("Project", "project_id", _PROJECT_NAMES)
    return _section(
        "Projects",
        table("Webhook addresses", ("Project", "Id", "Address", "Secret key"), rows),
        _form("webhooks/url", "Change", projects, address),
        _form("validations", "Ask user.validate", projects, second=True),
    )


def _ledger(world: World) -> Html:
    newest = list(world.store.refunds.values())[-_SHOWN:][::-1]
    rows = [
        (_time(r.created), code(r.order), money(r.amount, r.currency), r.status, r.reason) for r in newest
    ]
    return _section(
        "Ledger", table("Newest refunds", ("Asked (UTC)", "Order", "Amount", "Status", "Reason"), rows)
    )


def _deliveries(world: World) -> Html:
    shown = ("event", "order", "state", "tries", "last_status")
    rows = [[row[name] for name in shown] for row in world.delivery.log()[-_SHOWN:][::-1]]
    return _section("Webhooks", table("Newest", ("Event", "Order", "State", "Tries", "Last status"), rows))


_SECTIONS: tuple[Callable[[World], Html], ...] = (
    _payments,
    _refunds,
    _faults,
    _webhook_faults,
    _tokens,
    _projects,
    _ledger,
    _deliveries,
)
