"""Which path is answered by whom and for which roles (contract §2, §4)."""

import re
from collections.abc import Callable
from urllib.parse import parse_qsl

from msgspec import Struct

from merchant.paysuper.sandbox import catalogue_api, orders_api, refunds_api
from merchant.paysuper.sandbox.answers import Answer, Refusal, plain
from merchant.paysuper.sandbox.catalogue import ACCOUNTING, DEVELOPER, OWNER, SUPPORT, TOKENS, VIEW_ONLY, User
from merchant.paysuper.sandbox.faults import Fault
from merchant.paysuper.sandbox.world import Call, World

Handler = Callable[[Call], Answer]
_TOKEN = re.compile(r"Bearer ([A-z0-9_.-]{10,})")
_ALL = frozenset({OWNER, DEVELOPER, ACCOUNTING, SUPPORT, VIEW_ONLY})
_MAY_REFUND = frozenset({OWNER, DEVELOPER, SUPPORT})
_NOBODY: frozenset[str] = frozenset()


class Request(Struct, kw_only=True):
    """A request as it came over the line."""

    method: str
    path: str
    query: str = ""
    authorization: str = ""
    content_type: str = ""
    body: bytes = b""
    faults: list[Fault] = []


def _nothing(_call: Call) -> Answer:
    return plain(404, "Not Found")


_ROUTES: tuple[tuple[str, str, frozenset[str], Handler], ...] = (
    ("GET", "/admin/api/v1/order", _ALL, orders_api.list_orders),
    ("GET", "/admin/api/v1/order/([^/]+)", _ALL, orders_api.get_order),
    ("POST", "/admin/api/v1/order/([^/]+)/refunds", _MAY_REFUND, refunds_api.create_refund),
    ("GET", "/admin/api/v1/order/([^/]+)/refunds", _ALL, refunds_api.list_refunds),
    ("GET", "/admin/api/v1/order/([^/]+)/refunds/([^/]+)", _ALL - {SUPPORT}, refunds_api.get_refund),
    ("GET", "/admin/api/v1/projects", _ALL, catalogue_api.list_projects),
    ("GET", "/admin/api/v1/projects/([^/]+)", _ALL, catalogue_api.get_project),
    (
        "POST",
        "/admin/api/v1/projects/([^/]+)/webhook/testing",
        _ALL - {VIEW_ONLY},
        catalogue_api.send_test_webhook,
    ),
    ("GET", "/admin/api/v1/products", _ALL, catalogue_api.list_products),
    ("GET", "/admin/api/v1/products/([^/]+)", _ALL, catalogue_api.get_product),
    ("GET", "/admin/api/v1/key-products", _ALL, catalogue_api.list_key_products),
    ("GET", "/admin/api/v1/key-products/([^/]+)", _ALL, catalogue_api.get_key_product),
    ("GET", "/admin/api/v1/platforms", _ALL, catalogue_api.list_platforms),
    ("GET", "/admin/api/v1/merchants/users", _ALL - {VIEW_ONLY}, catalogue_api.merchant_users),
    ("GET", "/auth/api/v1/user/merchants", _ALL, catalogue_api.my_merchants),
    ("PUT", "/system/api/v1/order/([^/]+)/replace_code", _NOBODY, _nothing),
)
_COMPILED = [(method, re.compile(path), roles, handler) for method, path, roles, handler in _ROUTES]


def answer(world: World, request: Request) -> Answer:
    """Finds the route, checks token and role, and lets the handler answer or refuse."""
    found = [
        (method, match, roles, handler)
        for method, path, roles, handler in _COMPILED
        if (match := path.fullmatch(request.path))
    ]
    if not found:
        return plain(404, "Not Found")
    user = _user(request.authorization)
    if user is None:
        return plain(401, "token is missing or not valid")
    for method, match, roles, handler in found:
        if method == request.method:
            if user.role not in roles:
                return plain(403, "Forbidden")
            return _handled(handler, _call(world, user, match.groups(), request))
    return plain(405, "Method Not Allowed")


def _user(authorization: str) -> User | None:
    """The pattern is not anchored and odd about letters, exactly as in PaySuper (contract §2)."""
    found = _TOKEN.search(authorization)
    return TOKENS.get(found[1]) if found else None


def _handled(handler: Handler, call: Call) -> Answer:
    try:
        return handler(call)
    except Refusal as refusal:
        return refusal.answer()


def _call(world: World, user: User, parts: tuple[str, ...], request: Request) -> Call:
    return Call(
        world=world,
        user=user,
        parts=parts,
        query=parameters(request.query),
        body=request.body,
        content_type=request.content_type,
        faults=request.faults,
    )


def parameters(query: str) -> dict[str, list[str]]:
    """The query string by lower-case name: PaySuper's framework ignores case there (contract §5.1)."""
    found: dict[str, list[str]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        found.setdefault(name.lower(), []).append(value)
    return found
