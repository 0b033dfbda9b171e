"""Products, key products and platforms as records (contract §9.2)."""

from dataclasses import dataclass

from merchant.paysuper.errors import Unexpected
from merchant.paysuper.values import JsonObject, list_of, localized, object_of, text_of


@dataclass(frozen=True)
class PlatformRecord:
    """Where an activation key is redeemed, such as Steam."""

    id: str
    name: str


@dataclass(frozen=True)
class ProductRecord:
    """Something that is sold: a product, or a key product when it has platforms.

    Items of orders refer to it by `id`; it may be gone while its orders stay.
    """

    id: str
    project_id: str
    sku: str
    name: str
    enabled: bool
    platforms: tuple[PlatformRecord, ...] = ()


def product(document: object) -> ProductRecord:
    """Read a product or key product. Raises Unexpected when it has no id."""
    source = object_of(document)
    return ProductRecord(
        id=_required_id(source, "a product"),
        project_id=text_of(source, "project_id"),
        sku=text_of(source, "sku"),
        name=localized(source.get("name")),
        enabled=source.get("enabled") is True,
        platforms=tuple(platform(each) for each in list_of(source.get("platforms"))),
    )


def platform(document: object) -> PlatformRecord:
    """Read a platform. Raises Unexpected when it has no id."""
    source = object_of(document)
    return PlatformRecord(id=_required_id(source, "a platform"), name=text_of(source, "name"))


def _required_id(source: JsonObject, what: str) -> str:
    found = text_of(source, "id")
    if not found:
        raise Unexpected(f"{what} without id")
    return found
