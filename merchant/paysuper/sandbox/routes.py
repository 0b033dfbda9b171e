"""Which path is answered by whom and for which roles (contract §2, §4)."""

import binascii
import hmac
import re
from base64 import b64decode
from collections.abc import Callable

from merchant.paysuper.sandbox import catalogue_api, merchant_api, orders_api, refunds_api
from merchant.paysuper.sandbox.answers import Answer, Refusal, ok, plain
from merchant.paysuper.sandbox.calls import Call, Request
from merchant.paysuper.sandbox.catalogue import (
    ACCOUNTING,
    DEVELOPER,
    OWNER,
    PROJECTS,
    SUPPORT,
    SYSTEM_ADMIN,
    VIEW_ONLY,
    User,
)
from merchant.paysuper.sandbox.world import World

Handler = Callable[[Call], Answer]
_TOKEN = re.compile(r"Bearer ([A-z0-9_.-]{10,})")
_PROJECT = "project"
_ALL = frozenset({OWNER, DEVELOPER, ACCOUNTING, SUPPORT, VIEW_ONLY})
_MAY_REFUND = frozenset({OWNER, DEVELOPER, SUPPORT})
_S2S_LIST = "/merchant/s2s/api/v1/order"
_WEBHOOK_TEST = "/admin/api/v1/projects/([^/]+)/webhook/testing"
_NOT_IN_2019 = frozenset({_S2S_LIST, _WEBHOOK_TEST})

_ROUTES: tuple[tuple[str, str, frozenset[str], Handler], ...] = (
    ("GET", "/admin/api/v1/order", _ALL, orders_api.list_orders),
    ("GET", "/admin/api/v1/order/([^/]+)", _ALL, orders_api.get_order),
    ("POST", "/admin/api/v1/order/([^/]+)/refunds", _MAY_REFUND, refunds_api.create_refund),
    ("GET", "/admin/api/v1/order/([^/]+)/refunds", _ALL, refunds_api.list_refunds),
    ("GET", "/admin/api/v1/order/([^/]+)/refunds/([^/]+)", _ALL - {SUPPORT}, refunds_api.get_refund),
    ("GET", "/admin/api/v1/projects", _ALL, merchant_api.list_projects),
    ("GET", "/admin/api/v1/projects/([^/]+)", _ALL, merchant_api.get_project),
    ("PATCH", "/admin/api/v1/projects/([^/]+)", frozenset({OWNER, DEVELOPER}), merchant_api.change_project),
    ("POST", _WEBHOOK_TEST, _ALL - {VIEW_ONLY}, merchant_api.send_test_webhook),
    ("GET", "/admin/api/v1/products", _ALL, catalogue_api.list_products),
    ("GET", "/admin/api/v1/products/([^/]+)", _ALL, catalogue_api.get_product),
    ("GET", "/admin/api/v1/key-products", _ALL, catalogue_api.list_key_products),
    ("GET", "/admin/api/v1/key-products/([^/]+)", _ALL, catalogue_api.get_key_product),
    ("GET", "/admin/api/v1/platforms", _ALL, catalogue_api.list_platforms),
    ("GET", "/admin/api/v1/merchants/users", _ALL - {VIEW_ONLY}, merchant_api.merchant_users),
    ("GET", "/admin/api/v1/merchants/roles", frozenset({OWNER}), merchant_api.list_roles),
    ("GET", "/auth/api/v1/user/merchants", _ALL, merchant_api.my_merchants),
    ("PUT", "/system/api/v1/order/([^/]+)/replace_code", frozenset({SYSTEM_ADMIN}), orders_api.replace_code),
    ("GET", _S2S_LIST, frozenset({_PROJECT}), orders_api.list_orders_s2s),
)
_COMPILED = [(method, re.compile(path), roles, handler) for method, path, roles, handler in _ROUTES]


def answer(world: World, request: Request) -> Answer:
    """Finds the route, checks token and role, and lets the handler answer or refuse."""
    found = [
        (method, match, roles, handler)
        for method, path, roles, handler in _COMPILED
        if (match := path.fullmatch(request.path)) and not (world.is_2019 and path.pattern in _NOT_IN_2019)
    ]
    if not found:
        return plain(404, "Not Found")
    user = _user(world, request)
    if isinstance(user, Answer):
        return user
    for method, match, roles, handler in found:
        if method == request.method:
            if user.role not in roles:
                return plain(403, "Forbidden")
            return _handled(handler, _call(world, user, match.groups(), request))
    return plain(405, "Method Not Allowed")


def _user(world: World, request: Request) -> User | Answer:
    """The pattern is not anchored and odd about letters, exactly as in PaySuper (contract §2)."""
    authorization = request.headers.get("authorization", "")
    if request.path == _S2S_LIST:
        return _project_user(world, authorization)
    found = _TOKEN.search(authorization)
    user = world.tokens.user(found[1]) if found else None
    return user or plain(401, "token is missing or not valid")


def _project_user(world: World, authorization: str) -> User | Answer:
    """Basic with project id and its secret; an unknown project is a bare 500 (contract §5.9)."""
    denied = ok({"message": "Unauthorized"}, 401, {"WWW-Authenticate": "basic realm=Restricted"})
    scheme, _, pair = authorization.partition(" ")
    try:
        project_id, _, secret = b64decode(pair, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return denied
    if scheme.lower() != "basic" or not pair:
        return denied
    project = PROJECTS.get(project_id)
    if project is None:
        return plain(500, "Internal Server Error")
    if not hmac.compare_digest(secret.encode(), world.store.projects[project_id].secret.encode()):
        return denied
    return User(project.merchant_id, "", _PROJECT, "", "", "")


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
        query=request.parameters(),
        body=request.body,
        content_type=request.headers.get("content-type", ""),
        faults=request.faults,
    )
