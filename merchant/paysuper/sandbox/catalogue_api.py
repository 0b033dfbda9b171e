"""Projects, products, key products, platforms, users: three envelope styles (contract §9, §12)."""

import random

from merchant.paysuper.sandbox.answers import Answer, Refusal, ok
from merchant.paysuper.sandbox.catalogue import MERCHANT_BY_ID, PLATFORMS, PROJECTS, TOKENS, Product, Project
from merchant.paysuper.sandbox.drafting import Wish
from merchant.paysuper.sandbox.goods import GOODS, KEY_PRODUCTS, PRODUCTS
from merchant.paysuper.sandbox.journal import Change
from merchant.paysuper.sandbox.views import REDIRECT
from merchant.paysuper.sandbox.world import OBJECT_ID, Call, member

Json = dict[str, object]
_CREATED = {"seconds": 1602849611, "nanos": 500000000}
_UPDATED = {"seconds": 1611992700}
_KINDS = ("simple", "product", "key", "virtual_currency")
_CASES = ("correct_payment", "non_existing_user", "existing_user", "invalid_signature")


def list_projects(call: Call) -> Answer:
    """Projects with secret and webhook address, for every role (contract §9)."""
    search = call.single("quick_search").lower()
    statuses = call.query.get("status[]", ["3"])
    found = [
        project
        for project in MERCHANT_BY_ID[call.user.merchant_id].projects
        if search in " ".join(project.name.values()).lower() and "3" in statuses
    ]
    items = [_project(call, project) for project in found]
    return ok({"count": len(items), "items": _page(call, items) or None})


def get_project(call: Call) -> Answer:
    """One project, wrapped."""
    if not OBJECT_ID.fullmatch(call.parts[0]):
        raise Refusal("ma000002", "ProjectId", "hexadecimal")
    project = PROJECTS.get(call.parts[0].lower())
    if project is None or project.merchant_id != call.user.merchant_id:
        raise Refusal("pr000002")
    return ok({"status": 200, "item": _project(call, project)})


def _project(call: Call, project: Project) -> Json:
    return {
        "id": project.id,
        "merchant_id": project.merchant_id,
        "name": project.name,
        "callback_protocol": "default",
        "limits_currency": "",
        "min_payment_amount": 0,
        "max_payment_amount": 0,
        "secret_key": project.secret,
        "url_process_payment": call.world.store.urls[project.id],
        "url_redirect_fail": f"{project.site}/oops",
        "url_redirect_success": f"{project.site}/thanks",
        "status": 3,
        "created_at": _CREATED,
        "updated_at": _UPDATED,
        "products_count": len(PRODUCTS[project.id]),
        "localizations": [*project.name],
        "full_description": None,
        "short_description": {"en": "Row, light, trade."},
        "currencies": [{"currency": "EUR", "region": "EUR"}],
        "cover": None,
        "virtual_currency": None,
        "vat_payer": project.vat_payer,
        "redirect_settings": REDIRECT,
        "webhook_testing": None,
        "webhook_mode": "default",
        "form_default_text": None,
    }


def _page(call: Call, items: list[Json]) -> list[Json]:
    limit = call.integer("limit")
    return items[max(call.integer("offset"), 0) :][: limit if limit > 0 else 100]


def list_products(call: Call) -> Answer:
    """Products; `limit` is mandatory here (contract §9)."""
    if call.integer("limit") < 1:
        raise Refusal("ma000002", "Limit", "required")
    found = [_product(product) for product in _shelf(call, PRODUCTS)]
    head = {"limit": call.integer("limit"), "offset": call.integer("offset"), "count": len(found)}
    return ok({**head, "items": _page(call, found) or None})


def _shelf(call: Call, shelves: dict[str, tuple[Product, ...]]) -> list[Product]:
    name, sku, project_id = call.single("name").lower(), call.single("sku"), call.single("project_id")
    return [
        product
        for project in MERCHANT_BY_ID[call.user.merchant_id].projects
        if project_id in ("", project.id)
        for product in shelves[project.id]
        if name in product.name.lower() and sku in ("", product.sku) and call.single("enabled") != "false"
    ]


def get_product(call: Call) -> Answer:
    """One product, wrapped; a foreign one is a 400 (contract §9)."""
    product = _good(call, "ProductId")
    if product is None or product.platforms:
        raise Refusal("pd000002")
    if PROJECTS[product.project_id].merchant_id != call.user.merchant_id:
        raise Refusal("pd000008")
    return ok({"status": 200, "item": _product(product)})


def _good(call: Call, field: str) -> Product | None:
    if not OBJECT_ID.fullmatch(call.parts[0]):
        raise Refusal("ma000002", field, "hexadecimal")
    return GOODS.get(call.parts[0].lower())


def _both(product: Product) -> Json:
    return {
        "id": product.id,
        "project_id": product.project_id,
        "sku": product.sku,
        "name": {"en": product.name},
        "default_currency": "USD",
        "enabled": True,
        "description": {"en": product.description},
        "long_description": None,
        "created_at": {"seconds": 1601546400},
        "updated_at": {"seconds": 1608834600},
        "url": f"https://shop.example.com/{product.sku}",
        "metadata": None,
        "pricing": "manual",
    }


def _price(product: Product) -> Json:
    return {"amount": product.price, "currency": "USD", "region": "USD", "is_virtual_currency": False}


def _product(product: Product) -> Json:
    return _both(product) | {
        "object": "product",
        "type": "simple_product",
        "prices": [_price(product)],
        "images": ["https://cdn.example.com/item.png"],
        "billing_type": "real",
    }


def list_key_products(call: Call) -> Answer:
    """Key products; the list is called `products` (contract §9)."""
    found = [_key_product(product) for product in _shelf(call, KEY_PRODUCTS)]
    head = {"status": 200, "limit": call.integer("limit") or 100, "offset": call.integer("offset")}
    return ok({**head, "count": len(found), "products": _page(call, found) or None})


def get_key_product(call: Call) -> Answer:
    """One key product, bare (contract §9)."""
    product = _good(call, "KeyProductId")
    foreign = product and PROJECTS[product.project_id].merchant_id != call.user.merchant_id
    if product is None or foreign or not product.platforms:
        raise Refusal("kp000017")
    return ok(_key_product(product))


def _key_product(product: Product) -> Json:
    platforms = [
        _platform(platform) | {"prices": [_price(product)], "count": 412} for platform in product.platforms
    ]
    return _both(product) | {
        "object": "key_product",
        "platforms": platforms,
        "cover": None,
        "published_at": {"seconds": 1601683200},
        "minimal_limit_notify": 20,
    }


def _platform(platform: str) -> Json:
    name = PLATFORMS[platform]
    return {
        "id": platform,
        "name": name,
        "eula_url": "",
        "activation_url": "",
        "os": None,
        "console_only": False,
    }


def list_platforms(_call: Call) -> Answer:
    """All platforms, in another order each time, without real counts (contract §9)."""
    platforms = [
        {"id": key, "name": name} for key, name in random.sample([*PLATFORMS.items()], len(PLATFORMS))
    ]
    return ok({"status": 200, "limit": 0, "offset": 0, "count": 0, "platforms": platforms})


def my_merchants(call: Call) -> Answer:
    """Which merchant and role the token has (contract §12)."""
    merchant = MERCHANT_BY_ID[call.user.merchant_id]
    mine = {"id": merchant.id, "name": merchant.name, "role": call.user.role}
    return ok({"status": 200, "merchants": [mine]})


def merchant_users(call: Call) -> Answer:
    """The users of the merchant, a bare array (contract §12)."""
    users = [user for user in TOKENS.values() if user.merchant_id == call.user.merchant_id]
    return ok(
        [
            {
                "id": f"6{user.user_id[1:]}",
                "merchant_id": user.merchant_id,
                "role": user.role,
                "status": 1,
                "user_id": user.user_id,
                "first_name": user.first_name,
                "last_name": user.last_name,
                "email": user.email,
                "created_at": _CREATED,
                "updated_at": _UPDATED,
            }
            for user in users
        ]
    )


def send_test_webhook(call: Call) -> Answer:
    """Sends a made-up order that is never stored; the body decides the project (contract §13.7)."""
    document = call.document()
    case, kind = member(document, "testing_case", str), member(document, "type", str)
    project = PROJECTS.get(str(member(document, "project", str)))
    amount = member(document, "amount", (int, float))
    if case not in _CASES:
        raise Refusal("ma000023")
    if kind not in _KINDS:
        raise Refusal("wh000001")
    if project is None or project.merchant_id != call.user.merchant_id:
        raise Refusal("pr000002")
    wish = Wish(project_id=project.id, kind=str(kind), currency="USD", amount=float(str(amount or 1)))
    order = call.world.business.made_up(wish)
    webhooks = call.world.delivery.prepare(order, str(case))
    call.world.store.commit(Change(webhooks=webhooks))
    call.world.delivery.send(webhooks)
    return ok({"status": 200, "order_id": order.uuid})
