"""Products, key products, platforms: three envelope styles (contract §9)."""

import random

from merchant.paysuper.sandbox.answers import Answer, Refusal, ok
from merchant.paysuper.sandbox.calls import Call
from merchant.paysuper.sandbox.catalogue import (
    GOODS,
    KEY_PRODUCTS,
    MERCHANT_BY_ID,
    PLATFORMS,
    PRODUCTS,
    PROJECTS,
    Product,
)

Json = dict[str, object]


def page(call: Call, items: list[Json]) -> list[Json]:
    """The part of a list that `limit` and `offset` ask for."""
    limit = call.integer("limit")
    return items[max(call.integer("offset"), 0) :][: limit if limit > 0 else 100]


def list_products(call: Call) -> Answer:
    """Products; `limit` is mandatory here (contract §9)."""
    if call.integer("limit") < 1:
        raise Refusal("ma000002", "Limit", "required")
    found = [_product(product) for product in _shelf(call, PRODUCTS)]
    head = {"limit": call.integer("limit"), "offset": call.integer("offset"), "count": len(found)}
    return ok({**head, "items": page(call, found) or None})


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
    return GOODS.get(call.object_id(field))


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
    return ok({**head, "count": len(found), "products": page(call, found) or None})


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
